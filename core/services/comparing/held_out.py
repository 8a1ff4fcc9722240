"""Predictions of runs against truth, galaxy by galaxy, on the test split."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from core.jobs.fitted import stretches_in
from core.services.comparing.finished import TEST
from core.store import Workspace, arrays, jobs, objects, runs, truth
from core.uncertainty.conformal import THIRDS, UNKNOWN

R_BAND = 2
AGAINST = {"sn": "S/N per pixel", "z": "true z", "magnitude": "r magnitude"}
"""What residuals are drawn against: column of `predicted_and_true` -> axis title."""


@dataclass(frozen=True)
class HeldOut:
    """The galaxies that runs are measured on; no stars, quasars and artefacts, as the metrics have it.

    Attributes
    ----------
    table : object_id, key, sn, third (of `BINS`), magnitude (r, dereddened); NaN = unknown. truth : a column a target, NaN = unknown.
    subsets : name -> bool (n,), ``all`` among them.
    """

    table: pd.DataFrame
    truth: pd.DataFrame
    subsets: dict[str, np.ndarray]


def targets(ws: Workspace) -> dict[str, str]:
    """Every target of the workspace with its sentence."""
    return {t.name: t.sentence for t in truth.targets(ws)}


def held_out(ws: Workspace) -> HeldOut:
    """The test galaxies with their truth; read again when a job has brought objects or truth."""
    return _held_out(ws, _version(ws))


def _version(ws: Workspace) -> tuple:
    """Changes whenever `held_out` would answer differently: a cache key."""
    brought = jobs.frame(ws).query("kind in ('demo', 'ingest')")
    return (ws.born, objects.count(ws), tuple(brought["fraction"]))


@lru_cache(maxsize=2)
def _held_out(ws: Workspace, version: tuple) -> HeldOut:
    from core.jobs.evaluation import subsets

    here = objects.frame(ws)
    here = here[(here["split"] == TEST) & (here["class"].fillna("GALAXY") == "GALAXY")].reset_index(drop=True)
    ids, names = here["id"].to_numpy(np.int64), list(targets(ws))
    known = truth.frame(ws, ids).pivot(index="object_id", columns="target", values="value").reindex(index=ids, columns=names).astype(float).reset_index(drop=True)
    magnitude = arrays.read(ws, "photometry", ids)[0][:, 0, R_BAND]
    masks = {"all": np.ones(len(here), dtype=bool)} | subsets(ws, here, known.to_numpy(), names)
    third = np.full(len(here), UNKNOWN, dtype=object)
    for name in set(THIRDS) & set(masks):
        third[masks[name]] = name
    table = pd.DataFrame({"object_id": ids, "key": here["key"], "sn": here["sn"], "third": third, "magnitude": magnitude.astype(float)})
    return HeldOut(table, known, masks)


def predicted_and_true(ws: Workspace, run_id: int, target: str, subset: str = "all") -> pd.DataFrame:
    """The held-out galaxies of a run.

    Returns
    -------
    object_id, key, truth, mean, sigma (total, 1 standard deviation), half (of the 68 % interval, stretched as the run's
    calibration galaxies of like S/N ask; NaN = not calibrated), residual (predicted - true; for z divided by
    1 + z), sn, third (of the test galaxies' S/N, of `BINS`), z (true), magnitude (r); only galaxies with a truth and
    a prediction. Raises `NotFound`.
    """
    galaxies = held_out(ws)
    mean, sigma = _predicted(ws, int(run_id), target, _version(ws))
    value = galaxies.truth[target].to_numpy() if target in galaxies.truth else np.full(len(mean), np.nan)
    scale = 1 + value if target == "z" else 1.0
    half = sigma * stretches_in(runs.one(ws, run_id)["summary"]).half_width(target, "68", galaxies.table["sn"])
    table = galaxies.table.assign(truth=value, mean=mean, sigma=sigma, half=half, residual=(mean - value) / scale, z=galaxies.truth["z"].to_numpy())
    inside = galaxies.subsets.get(subset, np.zeros(len(table), dtype=bool)) & np.isfinite(mean) & np.isfinite(value)
    return table.loc[inside, ["object_id", "key", "truth", "mean", "sigma", "half", "residual", "sn", "third", "z", "magnitude"]].reset_index(drop=True)


def binned(table: pd.DataFrame, by: str, bins: int = 8) -> pd.DataFrame:
    """Median and central 68 % of the residuals in bins of equal counts: centre, low, median, high, n."""
    kept = table.dropna(subset=[by, "residual"])
    if len(kept) < 2 * bins:
        return pd.DataFrame(columns=["centre", "low", "median", "high", "n"])
    grouped = kept.groupby(pd.qcut(kept[by], bins, duplicates="drop"), observed=True)
    quantiles = grouped["residual"].quantile([0.16, 0.5, 0.84]).unstack().set_axis(["low", "median", "high"], axis=1)
    return quantiles.assign(centre=grouped[by].median(), n=grouped.size()).reset_index(drop=True)


@lru_cache(maxsize=24)
def _predicted(ws: Workspace, run_id: int, target: str, version: tuple) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sigma of each held-out galaxy, NaN where the run says nothing; kept, for a finished run's predictions never change."""
    predictions = runs.load_arrays(ws, run_id, "predictions")
    names, ids = list(predictions["targets"]), _held_out(ws, version).table["object_id"]
    if target not in names:
        return np.full(len(ids), np.nan), np.full(len(ids), np.nan)
    column, at = names.index(target), pd.Index(predictions["object_ids"]).get_indexer(ids)
    sigma = np.sqrt(predictions["aleatoric"][:, column] + predictions["epistemic"][:, column])
    return tuple(np.where(at >= 0, values[at], np.nan) for values in (predictions["mean"][:, column], sigma))
