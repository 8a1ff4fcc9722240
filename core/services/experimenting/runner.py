"""From a preset to finished runs: a sky where there is none, labels where there are few, one train job a configuration and seed.

Everything is remembered by the workspace: the same experiment asked again goes on where it was, and runs
that have finished on the same labels, with the same settings and seed, are taken as they are. A job is
queued when its turn comes, so an experiment that is stopped leaves none behind that nobody follows.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import BadInput
from core.jobs.foreground import follow
from core.jobs.oracle import reveal
from core.jobs.supervisor import say_aloud
from core.models import registry
from core.services import overviewing
from core.services.experimenting.presets import Configuration, Preset
from core.store import Workspace, jobs, labels, objects, runs, truth

FEW_LABELS = 100
"""With fewer galaxies that others have labelled, an oracle labels all it can; a comparison of models would say little."""
SKY_SEED = 0
ORACLE = f"experiment {SKY_SEED}"
"""What the log calls the oracle of experiments."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One fit of an experiment; ``run_id`` None where there is none, and then ``error`` says what went wrong."""

    configuration: Configuration
    seed: int
    run_id: int | None
    error: str = ""


@dataclass(frozen=True)
class Experiment:
    """What was compared.

    Attributes
    ----------
    preset : its name and order. mark : newest row of the label log that the runs saw.
    runs : those that have ended, done or failed. is_complete : False when somebody stopped it.
    """

    preset: Preset
    mark: int
    runs: tuple[Run, ...]
    is_complete: bool = True

    @property
    def is_well(self) -> bool:
        """Whether every configuration was fitted with every seed."""
        return self.is_complete and not any(run.error for run in self.runs)


def run(ws: Workspace, preset: Preset, seeds: int | None = None, n_labels: int | None = None, say: Say = say_aloud) -> Experiment:
    """Run an experiment to its end in the foreground; a worker that serves the workspace does the work where there is one.

    Parameters
    ----------
    seeds : repetitions, None = the preset's. n_labels : training galaxies whose catalogue values an oracle reveals first,
        None = all it can where others have labelled fewer than `FEW_LABELS`, else none. say : hears how far it is.

    Raises
    ------
    BadInput : there is neither a label nor a catalogue value to make one of.
    """
    mark = prepare(ws, preset, n_labels, say)
    asked = [(c, seed) for seed in range(preset.seeds if seeds is None else seeds) for c in preset.configurations]
    ended: list[Run] = []
    for one in _each(ws, asked, mark, say):
        if one is None:
            return Experiment(preset, mark, tuple(ended), is_complete=False)
        ended.append(one)
    return Experiment(preset, mark, tuple(ended))


def prepare(ws: Workspace, preset: Preset, n_labels: int | None = None, say: Say = say_aloud) -> int:
    """See that there are galaxies and labels; returns the newest row of the label log. Raises `BadInput` when there is nothing to learn from."""
    if not objects.count(ws) or _pending(ws, "demo", _sky(preset)):
        _simulate(ws, preset, say)
    if n_labels is not None or _labelled_by_others(ws) < FEW_LABELS:
        before, order = labels.high_water(ws), _oracle_order(ws)[:n_labels]
        reveal(ws, order, ORACLE)
        if labels.high_water(ws) > before:
            say(f"An oracle has revealed the catalogue values of {len(order):,} random training galaxies.")
    if not overviewing.labelled_galaxies(ws):
        raise BadInput("labels", "cover at least one galaxy of the train split", 0, str(ws.path), "Label galaxies, or ingest a catalogue of values")
    return labels.high_water(ws)


def _sky(preset: Preset) -> dict:
    return {"n": preset.galaxies, "seed": SKY_SEED, "labels": 0, "models": [], "maps": False}


def _simulate(ws: Workspace, preset: Preset, say: Say) -> None:
    asked = _sky(preset)
    say(f"A sky of {preset.galaxies:,} galaxies is simulated in {ws.path}.")
    built = follow(ws, _pending(ws, "demo", asked) or jobs.enqueue(ws, "demo", "Simulate a sky for an experiment", asked), say=say)
    if built["status"] != "done":
        raise BadInput("The sky of an experiment", "be simulated to its end", built["error"] or built["status"], str(ws.path), "Ask for the experiment again; it goes on")


def _labelled_by_others(ws: Workspace) -> int:
    """Galaxies with a standing label that no experiment's oracle gave."""
    table = labels.current(ws)
    return table.loc[table["client"] != ORACLE, "object_id"].nunique()


def _oracle_order(ws: Workspace) -> list[int]:
    """Galaxies of the train split with a catalogue value, in the order in which an oracle reveals them."""
    table = objects.frame(ws)
    ids = table.loc[(table["split"] == "train") & table["class"].fillna("GALAXY").isin(["GALAXY"]), "id"]
    known = np.unique(truth.frame(ws, ids)["object_id"])
    return np.random.default_rng(SKY_SEED).permutation(known).tolist()


def _each(ws: Workspace, asked: list[tuple[Configuration, int]], mark: int, say: Say) -> Iterator[Run | None]:
    """Every configuration and seed with its end, in turn; None, and no more, when a person stopped one."""
    snapshot = labels.snapshot_hash(labels.training(ws, mark))
    for number, (configuration, seed) in enumerate(asked, start=1):
        title = f"[{number}/{len(asked)}] {configuration.name}, seed {seed}"
        run_id = _finished(ws, snapshot).get(_key(configuration.model, configuration.config, seed))
        if run_id is None:
            yield (one := _fitted(ws, configuration, seed, mark, lambda line, title=title: say(f"{title}: {line}")))
            if one is None:
                return
        else:
            say(f"{title}: run {run_id} has these labels, settings and seed already")
            yield Run(configuration, seed, run_id)


def _finished(ws: Workspace, snapshot: str) -> dict[str, int]:
    """Runs that saw exactly these labels, by what they fitted; the newest of each."""
    table = runs.frame(ws).query("status == 'done' and label_hash == @snapshot")
    return {_key(r.model, json.loads(r.config), r.seed): int(r.id) for r in table[::-1].itertuples() if r.model in registry.MODELS}


def _key(model: str, config: Mapping[str, object], seed: int) -> str:
    return json.dumps([model, {**registry.spec(model).config, **config}, int(seed)], sort_keys=True)


def _fitted(ws: Workspace, c: Configuration, seed: int, mark: int, say: Say) -> Run | None:
    """One fit as a job, followed to its end; None when a person stopped it."""
    asked = {"model": c.model, "config": dict(c.config), "seed": int(seed), "up_to": mark, "name": c.name}
    job_id = _pending(ws, "train", asked) or jobs.enqueue(ws, "train", f"Train {c.name}, seed {seed}", asked)
    job = follow(ws, job_id, say=say)
    if job["status"] == "cancelled":
        return None
    say(job["error"] or job["status"])
    begun = runs.of_job(ws, job_id)
    return Run(c, seed, None if job["error"] or begun is None else int(begun["id"]), job["error"] or "")


def _pending(ws: Workspace, kind: str, parameters: dict) -> int | None:
    """The newest job of these parameters that has not done its work; one that failed or was cancelled is queued again."""
    table = jobs.frame(ws).query("kind == @kind and status != 'done'")
    same = [int(job.id) for job in table.itertuples() if json.loads(job.parameters) == parameters]
    if same:
        jobs.retry(ws, same[0])
    return same[0] if same else None
