"""What a model that reads several modalities makes of each, on the test split: is one neglected, or is it redundant?"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from core.jobs.evaluation import LABEL_SPLIT, SN_NAMES, held_out, subsets
from core.jobs.inputs import load_inputs, load_labels, training_ids, wide
from core.models import registry
from core.models.base import Model
from core.models.prediction import Inputs
from core.store import Workspace, runs, truth
from core.training.balance.utilisation import FEWEST, Answers, rates, skills
from core.training.balance.verdict import sentences

MOST = 1000
"""Test galaxies that are asked about, drawn once and for all: rates are then good to a few per cent."""
SINGLES = ("image_bayesian_cnn", "spectrum_cnn", "photometry_mlp")
"""The models of one modality that a fused one is held against, where a finished run has fitted them to the same labels."""


def modality_use(ws: Workspace, run_id: int, model: Model, object_ids: np.ndarray, check: Callable[[], None] = lambda: None) -> dict:
    """What a run's summary says of its modalities.

    Parameters
    ----------
    object_ids : objects that may be asked about; those of the test split with a catalogue value and every modality are.
    check : called before each question to the model, raises to stop.

    Returns
    -------
    ``modality_use`` target -> modality -> conditional utilisation rate; ``modality_use_sn`` the same by third of S/N;
    ``modality_skill`` target -> skill of the model (``together``) and of each modality alone; ``modality_verdicts`` a
    sentence a target. Empty for a model of one modality, and where too few galaxies have all of them.
    """
    if registry.spec(runs.one(ws, run_id)["model"]).kind != "fusion":
        return {}
    table = held_out(ws, object_ids, LABEL_SPLIT)
    names = tuple(m for m in model.modalities if table[m].sum() >= FEWEST)
    rows = _drawn(table[list(names)].all(axis=1).to_numpy(bool)) if len(names) > 1 else np.zeros(0, dtype=int)
    if len(rows) < FEWEST:
        return {}
    answers = _answers(ws, run_id, model, table["id"].to_numpy(np.int64)[rows], names, check)
    everybody = wide(truth.frame(ws, table["id"]), table["id"].to_numpy(np.int64), answers.targets)
    masks = subsets(ws, table, everybody, answers.targets)
    by_sn = {name: rates(answers[masks[name][rows]]) for name in SN_NAMES if name in masks}
    return {"modality_use": _rounded(rates(answers)), "modality_use_sn": {name: _rounded(told) for name, told in by_sn.items()},
            "modality_skill": _rounded(skills(answers)), "modality_verdicts": sentences(answers, by_sn)}  # fmt: skip


def _drawn(has_all_n: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(has_all_n)
    return np.sort(np.random.default_rng(0).permutation(rows)[:MOST])


def _answers(ws: Workspace, run_id: int, model: Model, ids: np.ndarray, names: tuple[str, ...], check: Callable[[], None]) -> Answers:
    inputs = load_inputs(ws, ids, model.modalities)
    together, without, alone = model.predict(inputs), {}, {}
    for name in names:
        check()
        without[name] = _without(model, inputs, name)
    known = wide(truth.frame(ws, ids), ids, together.targets)
    answers = Answers(together.targets, known, _centre(ws, run_id, together.targets), together.mean, without, {})
    for name in names:
        check()
        alone |= _best(answers, name, [*_branch(model, inputs, name), *_single(ws, run_id, name, ids, together.targets)])
    return replace(answers, alone=alone)


def _centre(ws: Workspace, run_id: int, targets: tuple[str, ...]) -> np.ndarray:
    """Mean of the labels that a run was fitted to, (T,); NaN where there is none."""
    mark = runs.one(ws, run_id)["label_high_water"]
    seen = load_labels(ws, training_ids(ws, mark), mark)
    values = [seen.values_nt[:, seen.targets.index(target)] for target in targets]
    return np.array([v[np.isfinite(v)].mean() if np.isfinite(v).any() else np.nan for v in values])


def _without(model: Model, inputs: Inputs, name: str) -> np.ndarray:
    """The model's answer with one modality's message at its training mean; of a model without messages, with the modality missing."""
    from core.models.networks.latent import FusionLatent

    return (model.predict_without(inputs, (name,)) if isinstance(model, FusionLatent) else model.predict(_blinded(inputs, (name,)))).mean


def _branch(model: Model, inputs: Inputs, name: str) -> list[np.ndarray]:
    """What the part of a model that reads one modality says by itself, where it has such a part."""
    from core.models.fusion import FusionLate
    from core.models.networks.latent import FusionLatent

    if isinstance(model, FusionLate):
        return [model.predict(_blinded(inputs, tuple(m for m in inputs.arrays if m != name))).mean]
    return [model.predict_alone(inputs, name).mean] if isinstance(model, FusionLatent) else []


def _single(ws: Workspace, run_id: int, name: str, ids: np.ndarray, targets: tuple[str, ...]) -> list[np.ndarray]:
    """What the newest run of a model of that modality alone says of the galaxies, if one saw the same labels with the same seed."""
    run, table = runs.one(ws, run_id), runs.frame(ws)
    alike = table[(table["status"] == "done") & ~table["is_control"] & (table["label_hash"] == run["label_hash"]) & (table["seed"] == run["seed"])]
    singles = [model for model in SINGLES if registry.spec(model).modalities == (name,)]
    newest = alike[alike["model"].isin(singles)].head(1)["id"]
    if newest.empty:
        return []
    kept = runs.load_arrays(ws, int(newest.iloc[0]), "predictions")
    table = pd.DataFrame(kept["mean"], index=kept["object_ids"], columns=kept["targets"])
    return [table.reindex(index=ids, columns=list(targets)).to_numpy()]


def _best(answers: Answers, name: str, candidates: list[np.ndarray]) -> dict[str, np.ndarray]:
    """By modality, column by column the answer that is nearer the truth: it is judged by the best that is known to be in it; empty without candidates."""
    if not candidates:
        return {}
    stack = np.stack(candidates)
    squared = (stack - answers.truth_nt) ** 2
    has = np.isfinite(squared)
    loss = np.where(has.any(axis=1), np.where(has, squared, 0.0).sum(axis=1) / np.maximum(has.sum(axis=1), 1), np.inf)
    return {name: np.take_along_axis(stack, loss.argmin(axis=0)[None, None, :], axis=0)[0]}


def _blinded(inputs: Inputs, names: tuple[str, ...]) -> Inputs:
    """The same galaxies, as if none had these modalities."""
    arrays = {m: np.zeros_like(a) if m in names else a for m, a in inputs.arrays.items()}
    return Inputs(arrays, {m: np.zeros_like(p) if m in names else p for m, p in inputs.present.items()})


def _rounded(told: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {target: {name: round(value, 4) for name, value in values.items()} for target, values in told.items()}
