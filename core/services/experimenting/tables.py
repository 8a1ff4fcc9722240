"""The numbers of an experiment, one table a question."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.columns import MODALITIES
from core.jobs.evaluation import held_out, subsets
from core.jobs.fitted import training_seconds
from core.jobs.inputs import wide
from core.services.experimenting import paired
from core.services.experimenting.presets import FUSED
from core.services.experimenting.runner import Experiment
from core.store import Workspace, objects, runs, truth

ALL = "all"
DRAWS = {"rmse": 2000, "nmad": 1000}
"""Bootstrap draws of each metric; a median takes longer than a mean."""
FEWEST = 10
"""Galaxies that a test needs."""


@dataclass(frozen=True)
class Held:
    """Test galaxies with their true values.

    Attributes
    ----------
    ids, groups : (n,). truth_nt : float (n, T), NaN = unknown. targets : T names. masks : subset -> bool (n,).
    """

    ids: np.ndarray
    groups: np.ndarray
    truth_nt: np.ndarray
    targets: tuple[str, ...]
    masks: Mapping[str, np.ndarray]


def finished(experiment: Experiment) -> pd.DataFrame:
    """configuration, modality, model, seed, run_id of the runs that are done, in the preset's order."""
    done = [(r.configuration.name, r.configuration.modality, r.configuration.model, r.seed, r.run_id) for r in experiment.runs if r.run_id is not None]
    table = pd.DataFrame(done, columns=["configuration", "modality", "model", "seed", "run_id"])
    order = {name: k for k, name in enumerate(dict.fromkeys(r.configuration.name for r in experiment.runs))}
    return table.sort_values(["configuration", "seed"], key=lambda c: c.map(order) if c.name == "configuration" else c, ignore_index=True)


def held(ws: Workspace) -> Held:
    """The galaxies that all configurations are measured on."""
    names = tuple(t.name for t in truth.targets(ws))
    table = held_out(ws, objects.frame(ws)["id"])
    ids = table["id"].to_numpy(np.int64)
    values = wide(truth.frame(ws, ids), ids, names)
    return Held(ids, table["sky_group"].to_numpy(np.int64), values, names, {ALL: np.ones(len(ids), dtype=bool), **subsets(ws, table, values, names)})


def metrics_long(ws: Workspace, done: pd.DataFrame) -> pd.DataFrame:
    """configuration, seed, split, target, subset, metric, value of every run, as the runs were measured."""
    table = runs.metrics(ws).merge(done[["run_id", "configuration", "seed"]], on="run_id").rename(columns={"name": "metric"})
    return table[["configuration", "seed", "split", "target", "subset", "metric", "value"]].reset_index(drop=True)


def summary(long: pd.DataFrame) -> pd.DataFrame:
    """Mean over seeds and its standard error (NaN with one seed): configuration, target, subset, metric, mean, standard_error, seeds."""
    grouped = long.groupby(["configuration", "split", "target", "subset", "metric"], sort=False)["value"]
    table = grouped.agg(mean="mean", spread="std", seeds="count").reset_index()
    return table.assign(standard_error=table["spread"] / np.sqrt(table["seeds"])).drop(columns="spread")


def costs(ws: Workspace, done: pd.DataFrame) -> pd.DataFrame:
    """One row a configuration, means over seeds.

    Returns
    -------
    configuration, modality, training_seconds (with those of the runs whose networks it took over),
    milliseconds_per_galaxy, peak_megabytes of its process, parameters (numbers a stored model holds), device.
    """
    summaries = {int(r.id): json.loads(r.summary) for r in runs.frame(ws).itertuples()}
    seconds = training_seconds(summaries)
    rows = [(row.configuration, row.modality, seconds[row.run_id], *_cost(summaries[row.run_id])) for row in done.itertuples()]
    table = pd.DataFrame(rows, columns=["configuration", "modality", "training_seconds", "milliseconds_per_galaxy", "peak_megabytes", "parameters", "device"])
    numbers = [c for c in table if c not in ("configuration", "modality", "device")]
    return table.groupby(["configuration", "modality", "device"], sort=False)[numbers].mean().reset_index()


def modality_use(ws: Workspace, done: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """What the runs have measured of their modalities' use, if they have.

    Returns
    -------
    configuration, target, subset, modality, use: the conditional utilisation rate, means over seeds;
    and configuration -> the sentences of its first run.
    """
    rows, said = [], {}
    for row in done.itertuples():
        measured = runs.one(ws, row.run_id)["summary"]
        by_subset = {ALL: measured.get("modality_use", {}), **measured.get("modality_use_sn", {})}
        rows += [(row.configuration, target, subset, *told) for subset, found in by_subset.items() for target, rates in found.items() for told in rates.items()]
        if measured.get("modality_verdicts"):
            said.setdefault(row.configuration, list(measured["modality_verdicts"]))
    table = pd.DataFrame(rows, columns=["configuration", "target", "subset", "modality", "use"])
    return table.groupby(list(table.columns[:-1]), sort=False)["use"].mean().reset_index(), said


def predictions(ws: Workspace, done: pd.DataFrame, galaxies: Held) -> dict[str, np.ndarray]:
    """What each configuration says of the test galaxies: configuration -> mean (seeds, n, T), NaN = nothing."""
    return {name: np.stack([_means(ws, run_id, galaxies) for run_id in rows["run_id"]]) for name, rows in done.groupby("configuration", sort=False)}


def tests(done: pd.DataFrame, says: Mapping[str, np.ndarray], galaxies: Held, seed: int = 0) -> pd.DataFrame:
    """Every fused configuration against the best single modality, paired on the test galaxies.

    The best single modality is chosen for each target, subset and metric on these same galaxies, which flatters it,
    so gains over it are understated. Metrics: RMSE of all targets; for z also sigma_NMAD.

    Returns
    -------
    metric, target, subset, configuration, modality, best_single, n, seeds, value, value_of_best, gain,
    gain_low, gain_high (95 %), p_galaxies, p_holm (all fused configurations of that question counted), p_seeds.
    The best single modality has a row of its own, with no gain.
    """
    modality = dict(zip(done["configuration"], done["modality"], strict=True))
    rng, parts = np.random.default_rng(seed), []
    for metric, target, subset in _questions(galaxies):
        errors, use = _errors(metric, target, galaxies.masks[subset], says, galaxies)
        singles, fused = ([name for name in errors if modality[name] in kinds] for kinds in (MODALITIES, (FUSED,)))
        if use.sum() >= FEWEST and singles:
            weight = paired.draws(galaxies.groups[use], rng, DRAWS[metric])
            found = _against_best(errors, singles, fused, weight, paired.STATISTICS[metric])
            parts.append(found.assign(metric=metric, target=target, subset=subset, n=int(use.sum())))
    if not parts:
        return pd.DataFrame(columns=_TESTED)
    table = pd.concat(parts, ignore_index=True)
    return table.assign(modality=table["configuration"].map(modality))[_TESTED]


_TESTED = ["metric", "target", "subset", "configuration", "modality", "best_single", "n", "seeds", "value", "value_of_best", "gain", "gain_low", "gain_high",
           "p_galaxies", "p_holm", "p_seeds"]  # fmt: skip


def pick(table: pd.DataFrame, **wanted: object) -> pd.DataFrame:
    """The rows whose columns have these values."""
    return table[np.logical_and.reduce([np.ones(len(table), dtype=bool), *(table[column] == value for column, value in wanted.items())])]


def best(tested: pd.DataFrame, metric: str, target: str, kind: str, subset: str = ALL) -> pd.Series | None:
    """The row with the lowest value among ``fused`` or ``single`` configurations; None where there is none."""
    wanted = MODALITIES if kind == "single" else (FUSED,)
    rows = pick(tested, metric=metric, target=target, subset=subset)
    rows = rows[rows["modality"].isin(wanted)]
    return None if rows.empty else rows.loc[rows["value"].idxmin()]


def _questions(galaxies: Held) -> Iterable[tuple[str, str, str]]:
    for target in galaxies.targets:
        yield from (("rmse", target, subset) for subset in galaxies.masks)
    yield from (("nmad", "z", subset) for subset in galaxies.masks)


def _errors(metric: str, target: str, mask: np.ndarray, says: Mapping[str, np.ndarray], galaxies: Held) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """configuration -> (seeds, n) errors of the galaxies that all configurations predict, and which those are; nmad is of delta."""
    t = galaxies.targets.index(target)
    known = galaxies.truth_nt[:, t]
    predicted = {name: means[:, :, t] for name, means in says.items() if np.isfinite(means[:, :, t]).any()}
    use = mask & np.isfinite(known)
    for means in predicted.values():
        use = use & np.isfinite(means).all(axis=0)
    scale = 1 + known[use] if metric == "nmad" else 1.0
    return {name: (means[:, use] - known[use]) / scale for name, means in predicted.items()}, use


def _against_best(errors: dict[str, np.ndarray], singles: list[str], fused: list[str], weight_bn: np.ndarray, statistic: paired.Statistic) -> pd.DataFrame:
    once = np.ones((1, weight_bn.shape[1]), dtype=np.float32)
    single = min(singles, key=lambda name: statistic(errors[name], once)[0])
    value = float(statistic(errors[single], once)[0])
    against_b = statistic(errors[single], weight_bn)
    rows = [{"configuration": single, "value": value, "gain": 0.0, "p_galaxies": np.nan}]
    for name in fused:
        found = paired.compare(errors[name], errors[single], weight_bn, statistic, against_b)
        rows.append({"configuration": name, "value": found.value, "gain": found.gain, "gain_low": found.low, "gain_high": found.high,
                     "p_galaxies": found.p_galaxies, "p_seeds": found.p_seeds})  # fmt: skip
    table = pd.DataFrame(rows, columns=["configuration", "value", "gain", "gain_low", "gain_high", "p_galaxies", "p_seeds"])
    corrected = paired.holm(table["p_galaxies"].iloc[1:].to_numpy(float))
    return table.assign(best_single=single, value_of_best=value, seeds=[len(errors[name]) for name in table["configuration"]], p_holm=[np.nan, *corrected])


def _means(ws: Workspace, run_id: int, galaxies: Held) -> np.ndarray:
    kept = runs.load_arrays(ws, run_id, "predictions")
    row = pd.Index(kept["object_ids"]).get_indexer(galaxies.ids)
    column = pd.Index([str(t) for t in kept["targets"]]).get_indexer(galaxies.targets)
    return np.where((row >= 0)[:, None] & (column >= 0), kept["mean"][np.ix_(row, column)], np.nan)


def _cost(own: Mapping[str, object]) -> tuple:
    device = " ".join(filter(None, (own.get("device"), own.get("precision"))))
    return *(own.get(k, np.nan) for k in ("milliseconds_per_galaxy", "peak_mb", "parameters")), device


def shares(galaxies: Held) -> dict[str, int]:
    """Subset -> test galaxies in it."""
    return {name: int(mask.sum()) for name, mask in galaxies.masks.items()}

