"""Pool-mass weights of a training: labels that a strategy has chosen count by the galaxies they stand for."""

import numpy as np

from core.acquisition.mass import pool_mass_weights
from core.store import Workspace, batches, labels, objects, runs

PLAIN = "random"
"""The strategy whose labels already stand for equal shares of the pool."""
POOL_MASS, NONE = "pool_mass", "none"
WEIGHTS = {POOL_MASS: "labels count by the galaxies they stand for", NONE: "every label counts the same"}


def weights_of(ws: Workspace, run_id: int, model: str, ids: np.ndarray, up_to: int) -> tuple[np.ndarray, str]:
    """What each labelled galaxy counts in the fit, and a sentence that says why.

    Distances are measured in the latent features of the newest finished run of the same model before this one, so a job that
    is resumed weighs as it did. Where all labels are random, or there is no such run, every label counts the same.

    Parameters
    ----------
    ids : int64 (n,) of the galaxies that are fitted. up_to : newest row of the label log that counts.

    Returns
    -------
    float (n,), mean 1.
    """
    even = np.ones(len(ids))
    if not np.isin(ids, _asked_for(ws)).any():
        return even, f"{WEIGHTS[NONE]}: none was chosen by a strategy"
    known, features, before = _latent(ws, run_id, model)
    here = np.isin(ids, known)
    if not here.any():
        return even, f"{WEIGHTS[NONE]}: no earlier run of {model} says which galaxies are alike"
    place = {int(i): row for row, i in enumerate(known)}
    of = lambda wanted: features[[place[int(i)] for i in wanted]]  # noqa: E731
    weight = even.copy()
    weight[here] = pool_mass_weights(of(_pool(ws, known, up_to)), of(ids[here]))
    return weight / weight.mean(), f"{WEIGHTS[POOL_MASS]}, in the features of run {before}"


def _asked_for(ws: Workspace) -> np.ndarray:
    """Objects that a strategy chose, control slices and random batches apart."""
    chosen = batches.frame(ws).query("strategy != @PLAIN and size > 0")["id"]
    items = [batches.items(ws, i).query("control == 0")["object_id"].to_numpy(np.int64) for i in chosen]
    return np.unique(np.concatenate([np.empty(0, np.int64), *items]))


def _latent(ws: Workspace, run_id: int, model: str) -> tuple[np.ndarray, np.ndarray, int | None]:
    """Ids and finite latent features of the newest finished run of a model before this one, and its number; empty where there is none."""
    for before in runs.frame(ws).query("status == 'done' and not is_control and model == @model and id < @run_id")["id"]:
        saved = runs.load_arrays(ws, int(before), "predictions")
        if "features" in saved and saved["features"].size:
            finite = np.isfinite(saved["features"]).all(axis=1)
            return saved["object_ids"][finite].astype(np.int64), saved["features"][finite], int(before)
    return np.empty(0, np.int64), np.empty((0, 0)), None


def _pool(ws: Workspace, known: np.ndarray, up_to: int) -> np.ndarray:
    """Galaxies of the train split without a value, among those whose features are known."""
    table = objects.frame(ws, known)
    is_pool = table["split"].eq("train") & table["class"].fillna("GALAXY").eq("GALAXY") & ~table["id"].isin(labels.training(ws, up_to)["object_id"])
    return table["id"].to_numpy(np.int64)[is_pool.to_numpy(bool)]
