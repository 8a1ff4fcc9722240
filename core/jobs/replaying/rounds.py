"""A round of active learning: fit to what has been asked, measure, ask again. The oracle is `World.labels`."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from core import metrics
from core.acquisition.alike import LEAST, chance_alike
from core.acquisition.batch import compose
from core.acquisition.candidates import Candidates
from core.acquisition.mass import pool_mass_weights
from core.acquisition.registry import strategy
from core.engine import map_chunks
from core.errors import BadInput
from core.jobs.novelty import novelty_of
from core.jobs.replaying import states
from core.jobs.replaying.question import BASELINE, Question, Step, is_redshift
from core.jobs.replaying.states import State
from core.jobs.replaying.worlds import Source, World, check_size
from core.models.base import Model
from core.models.prediction import Prediction
from core.settings import settings
from core.training.session import Session

PROBE_ROWS = 64
_INITIAL, _CHOICE = 1, 2
"""Parts the random streams of one seed: the initial set must not depend on anything else that is drawn."""


def run_rounds(folder: Path, question: Question, source: Source, workers: int | None = None) -> Iterator[tuple[int, int]]:
    """Run every step whose state is not in the folder yet, and yield how many of how many there are now.

    Call `probe` first. Steps are spread over processes, one thread each; states are the same whoever
    makes them, but for the seconds.
    """
    steps = question.steps()
    left = [step for step in steps if not states.path_of(folder, step).exists()]
    done = len(steps) - len(left)
    for finished in map_chunks(partial(advance, folder, question, source), _chunks(left, workers), workers):
        done += finished
        yield done, len(steps)


def _chunks(left: list[Step], workers: int | None) -> list[list[Step]]:
    """Steps one by one when a step's predecessor is surely done by its turn; else, and on a cluster, a strategy and seed at once."""
    curves: dict[tuple[str, int], list[Step]] = {}
    for step in left:
        curves.setdefault(step[:2], []).append(step)
    busy = workers or settings().threads or os.cpu_count() or 1
    is_apart = len(curves) >= 2 * busy and (busy == 1 or not settings().scheduler)
    return [[step] for step in left] if is_apart or busy == 1 else list(curves.values())


def advance(folder: Path, question: Question, source: Source, steps: list[Step]) -> int:
    """Run steps, and what they rest on where that is missing; returns how many were asked for."""
    for step in steps:
        _state_of(folder, question, source, step)
    return len(steps)


def _state_of(folder: Path, question: Question, source: Source, step: Step) -> State:
    state = states.read(folder, step)
    if state is None:
        if step.round:
            before, (model, seconds) = _state_of(folder, question, source, step._replace(round=step.round - 1)), (source.model(question), None)
        else:
            before, (model, seconds) = None, _first_fit(source, json.dumps(question.asked()), step.seed)
        state = one_round(source.world(step.seed), question, model, step, before, seconds)
        states.write(folder, step, state)
    return state


@lru_cache(maxsize=1)
def _first_fit(source: Source, asked: str, seed: int) -> tuple[Model, float]:
    """The model fitted to the initial set of a seed and the seconds it took, for a question as JSON: the same for every strategy, and kept until the next seed's."""
    question, world = Question.of(json.loads(asked)), source.world(seed)
    model = source.model(question)
    return model, _fit(world, model, world.answered(first_asked(world, question, seed)), None, 1000 * seed)


def one_round(world: World, question: Question, model: Model, step: Step, before: State | None, fitted_seconds: float | None = None) -> State:
    """Fit a fresh model to all that has been asked, measure it on the test galaxies and choose the next batch.

    ``fitted_seconds`` says that the model is fitted already, and how long that took.
    """
    asked = np.array(before.asked + before.following) if before else first_asked(world, question, step.seed)
    weights = before.weights if before else None
    seconds = _fit(world, model, world.answered(asked), weights, 1000 * step.seed + step.round) if fitted_seconds is None else fitted_seconds
    measured = _measured(world, question, model, step.seed)
    following, selection_seconds, weights = _next(world, question, model, step, asked)
    last = asked[len(before.asked) :] if before else asked[:0]
    return State(asked.tolist(), measured, round(seconds, 4), world.junk_share(last), following.tolist(), round(selection_seconds, 4), weights)


def first_asked(world: World, question: Question, seed: int) -> np.ndarray:
    """The galaxies asked about before the first batch, drawn at random from the pool: the same for every strategy."""
    return np.random.default_rng([seed, _INITIAL]).permutation(world.pool)[: question.initial]


def probe(question: Question, source: Source) -> None:
    """Raise `BadInput` when the galaxies do not suffice, or a strategy needs what the model cannot give.

    The model is fitted for one epoch (where it has epochs) to the initial set of the first seed, and every strategy is asked once.
    """
    world = source.world(0)
    check_size(world, question)
    model = source.model(_briefly(question, source))
    rows = world.answered(first_asked(world, question, 0))
    _fit(world, model, rows, None, 0)
    left = np.setdiff1d(world.pool, rows)[: max(PROBE_ROWS, question.batch + 1)]
    candidates = _candidates(question, model.predict(world.inputs[left]), model.predict(world.inputs[rows]))
    refused = [reason for name in question.strategies if (reason := _refusal(name, candidates))]
    if question.weights == "pool_mass" and candidates.features_pd is None:
        refused.append("pool_mass (Features must be known)")
    if refused:
        raise BadInput("Each strategy", "find in the model what it needs", "; ".join(refused), f"model {question.model}", "Leave it out, or choose another model")


def _briefly(question: Question, source: Source) -> Question:
    try:
        source.model(quick := replace(question, config={**question.config, "epochs": 1}))
    except BadInput:
        return question
    return quick


def _refusal(name: str, candidates: Candidates) -> str:
    try:
        strategy(name).select(candidates, 2, np.random.default_rng(0))
    except BadInput as error:
        return f"{name} ({error.what} must {error.rule})"
    return ""


def _fit(world: World, model: Model, rows: np.ndarray, weights: list[float] | None, seed: int) -> float:
    """Fit to the labels of rows; seconds it took."""
    labels = world.labels[rows]
    started = time.perf_counter()
    model.fit(world.inputs[rows], labels if weights is None else replace(labels, weight_n=np.array(weights)), Session(seed, threads=1))
    return time.perf_counter() - started


def _measured(world: World, question: Question, model: Model, seed: int) -> dict[str, float]:
    answer = model.predict(world.inputs[world.test], np.random.default_rng(seed))
    found = {}
    for target in question.targets:
        mean, aleatoric, epistemic = answer.of(target)
        value = world.labels.values_nt[world.test, world.labels.targets.index(target)]
        scores = metrics.scores("z" if is_redshift(target) else target, value, mean, np.sqrt(aleatoric + epistemic))
        found |= {called: scores[name] for name, called in question.measures(target).items() if name in scores}
    return found


def _next(world: World, question: Question, model: Model, step: Step, asked: np.ndarray) -> tuple[np.ndarray, float, list[float] | None]:
    """The next batch, seconds of choosing it, and what the labels will weigh; an empty batch when too few galaxies are left."""
    left, labelled = world.pool[~np.isin(world.pool, asked)], world.answered(asked)
    if len(left) < question.batch:
        return left[:0], 0.0, None
    chosen, rng = strategy(step.strategy), np.random.default_rng([step.seed, _CHOICE, step.round])
    candidates, is_weighted = Candidates(np.ones(len(left), bool)), question.weights == "pool_mass" and step.strategy != BASELINE
    if chosen.needs or is_weighted:
        there, here = (model.predict(world.inputs[rows], np.random.default_rng(step.seed)) for rows in (labelled, left))
        candidates = _candidates(question, here, there)
    started = time.perf_counter()
    if chosen.needs:
        candidates = _gated(question, world, model, candidates, asked[~np.isin(asked, labelled)])
        candidates = replace(candidates, novelty_p=_novelty(world, candidates, left, labelled, step.seed))
    picks = compose(chosen, candidates, question.batch, rng, question.control_share, question.strange_share).indices
    seconds = time.perf_counter() - started
    return left[picks], seconds, _weights(world, candidates, left, picks) if is_weighted else None


def _gated(question: Question, world: World, model: Model, candidates: Candidates, refused: np.ndarray) -> Candidates:
    """The candidates without those that nobody can label, going by the galaxies most like them that were asked about; all when too few would be left."""
    if not len(refused) or candidates.features_pd is None:
        return candidates
    tried_nd = np.concatenate([candidates.labelled_ld, model.predict(world.inputs[refused]).features_nd])
    is_labelled_n = np.arange(len(tried_nd)) < len(candidates.labelled_ld)
    allowed_p = chance_alike(candidates.features_pd, tried_nd, is_labelled_n) >= LEAST
    return replace(candidates, allowed_p=allowed_p) if allowed_p.sum() >= question.batch else candidates


def _novelty(world: World, candidates: Candidates, left: np.ndarray, labelled: np.ndarray, seed: int) -> np.ndarray | None:
    """How unlike anything labelled each galaxy is that is left, as a trained run would say it; None where nobody is taken for a stranger."""
    if world.measured_nd is None:
        return None
    latent = [] if candidates.features_pd is None else [np.concatenate([candidates.features_pd, candidates.labelled_ld])]
    rows = np.concatenate([left, labelled])
    return novelty_of([*latent, world.measured_nd[rows]], np.ones(len(rows), bool), np.arange(len(rows)) >= len(left), np.random.default_rng(seed))[: len(left)]


def _candidates(question: Question, here: Prediction, there: Prediction) -> Candidates:
    """The pool and the labelled galaxies as a strategy sees them: what the model says of the targets, and its features."""
    columns = [here.targets.index(target) for target in question.targets]
    return Candidates(
        np.ones(len(here.mean), bool), here.features_nd, there.features_nd, here.epistemic[:, columns], here.aleatoric[:, columns], there.aleatoric[:, columns],
        spread_p=here.mean[:, columns[0]], spread_name=f"predicted {question.targets[0]}", groups={target: [k] for k, target in enumerate(question.targets)},
    )  # fmt: skip


def _weights(world: World, candidates: Candidates, left: np.ndarray, picks: np.ndarray) -> list[float]:
    """Pool-mass weights of the labels that the next fit will have: those there are, then the new ones."""
    is_left = np.ones(len(left), bool)
    is_left[picks] = False
    new = picks if world.is_junk_n is None else picks[~world.is_junk_n[left[picks]]]
    return pool_mass_weights(candidates.features_pd[is_left], np.concatenate([candidates.labelled_ld, candidates.features_pd[new]])).tolist()
