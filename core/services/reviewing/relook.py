"""Past labels that deserve a second look: a model disputes them, a duplicate contradicts them, their percentiles do not hold together."""

import json
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from core.columns import PERCENTILES, SFR_TARGETS
from core.data.splits import SAME_GALAXY_ARCSEC, chord, unit_vectors
from core.jobs.fitted import stretches_in
from core.metrics import AGREE_KMS, kms_apart
from core.services.labelling.proposals import proposal_run
from core.services.labelling.queue import RELOOK
from core.spectroscopy.confusion import confusions, sentence
from core.store import Workspace, labels, objects, runs
from core.uncertainty.conformal import Stretches
from core.uncertainty.leave_one_out import leverage

KINDS = {"model": "A model disputes it", "duplicate": "A duplicate contradicts it", "percentiles": "Its percentiles break"}
DISPUTED = 4.0
"""Calibrated sigma from which a label is disputed; a redshift must also differ by more than two readings of one spectrum may."""
LISTED = 200
"""Labels that each kind lists, the worst first."""
_JUDGED = ("z", "sfr_tot_median")
_COLUMNS = ["object_id", "key", "kind", "target", "label_id", "value", "annotator", "severity", "reason", "hint"]


def relook(ws: Workspace) -> pd.DataFrame:
    """Labels to look at again, kind by kind, the worst first.

    Returns
    -------
    object_id, key, kind (one of `KINDS`), target, label_id, value, annotator, severity (of a model: calibrated sigma; of a duplicate: km/s;
    of percentiles: dex), reason (a sentence), hint (the same without what a model says: for the desk, where the model is not revealed).
    Of several people's redshifts the one that stands is looked at; what is held back waits among the disagreements. What
    has been looked at from this list since is not listed a second time.
    """
    return _relook(ws, labels.high_water(ws), proposal_run(ws), objects.count(ws))


@lru_cache(maxsize=4)
def _relook(ws: Workspace, mark: int, run_id: int | None, count: int) -> pd.DataFrame:
    """Kept until a label, a run or an object is new."""
    log = labels.current(ws, mark)
    log = log.assign(value=log["value"].astype(float))[log["action"] == "label"]
    standing = log[log["id"].isin(labels.training(ws, mark, min_grade=1)["label_id"])]
    rows = [*_disputed(ws, run_id, standing), *_duplicates(ws, standing), *_broken(log)]
    table = pd.DataFrame(rows, columns=[c for c in _COLUMNS if c not in ("key", "annotator")])
    table = table[~_was_looked_at(table, log)].merge(log[["id", "annotator"]], left_on="label_id", right_on="id")
    table["key"] = objects.frame(ws, table["object_id"])["key"].to_numpy() if len(table) else None
    order = table["kind"].map({k: n for n, k in enumerate(KINDS)})
    table = table.assign(order=order).sort_values(["order", "severity"], ascending=[True, False], kind="stable").drop_duplicates(["kind", "label_id"])
    return table.groupby("kind", sort=False).head(LISTED)[_COLUMNS].reset_index(drop=True)


def _was_looked_at(table: pd.DataFrame, log: pd.DataFrame) -> np.ndarray:
    """Which rows have had a decision from the re-look queue since, whosever it was; bool (n,)."""
    from_here = np.array([json.loads(shown).get("queue") == RELOOK for shown in log["shown"]], bool)
    newest = log[from_here].groupby(["object_id", "target"])["id"].max().to_dict()
    return np.array([newest.get((o, t), 0) >= i for o, t, i in zip(table["object_id"], table["target"], table["label_id"], strict=True)], bool)


def _disputed(ws: Workspace, run_id: int | None, standing: pd.DataFrame) -> list[tuple]:
    if run_id is None:
        return []
    run, saved = runs.one(ws, run_id), runs.load_arrays(ws, run_id, "predictions")
    trained = labels.training(ws, run["label_high_water"]).merge(objects.frame(ws)[["id", "split"]], left_on="object_id", right_on="id").query("split == 'train'")
    stretches = stretches_in(run["summary"])
    standing = standing.assign(sn=objects.frame(ws, standing["object_id"])["sn"].to_numpy(float))
    found = []
    for target in _JUDGED:
        if target in saved["targets"].tolist():
            learned = set(trained.loc[trained["target"] == target, "label_id"])
            found += _disputed_of(saved, target, standing[standing["target"] == target], learned, stretches, f"{run['model']} (run {run_id})")
    return found


def _disputed_of(saved: dict, target: str, rows: pd.DataFrame, learned: set[int], stretches: Stretches, model: str) -> list[tuple]:
    """Labels of one target that lie more than `DISPUTED` calibrated sigma from what a run predicts without them.

    Without a label its prediction is less sure: by 1 / sqrt(1 - leverage), for the exact last layer. A run that had too few
    calibration galaxies is taken at its word.
    """
    column, at = saved["targets"].tolist().index(target), pd.Index(saved["object_ids"]).get_indexer(rows["object_id"])
    rows, at = rows[at >= 0], at[at >= 0]
    value, mean = rows["value"].to_numpy(), saved["mean"][at, column].astype(float)
    noise = (saved["aleatoric"][at, column] + saved["epistemic"][at, column]).astype(float)
    is_learned = rows["id"].isin(learned).to_numpy()
    pull = _pull(saved, at, column, value, is_learned)
    alone = value + (mean - value) / (1 - pull)
    width = np.nan_to_num(stretches.half_width(target, "68", rows["sn"].to_numpy()), nan=1.0)
    distance = np.abs(alone - value) * np.sqrt(1 - pull) / (width * np.sqrt(noise))
    is_far = distance > DISPUTED
    if target == "z":
        is_far &= kms_apart(np.maximum(alone, -0.9), value) > AGREE_KMS
    return [_dispute(row, target, float(alone[i]), float(distance[i]), model, bool(is_learned[i])) for i, row in enumerate(rows.itertuples()) if is_far[i]]


def _pull(saved: dict, at: np.ndarray, column: int, value: np.ndarray, is_learned: np.ndarray) -> np.ndarray:
    """`leverage` of the labels that the run learned from, (n,); 0 for the others, and where the run keeps no features."""
    pull, features = np.zeros(len(at)), saved.get("features")
    use = np.zeros(len(at), bool) if features is None else is_learned & np.isfinite(features[at]).all(axis=1) & (saved["aleatoric"][at, column] > 0)
    if use.sum() > 2:
        noise = saved["aleatoric"][at[use], column].astype(float)[:, None]
        pull[use] = leverage(features[at[use]].astype(float), value[use, None], noise, ("label",))[:, 0]
    return pull


def _dispute(row, target: str, predicted: float, sigma: float, model: str, is_learned: bool) -> tuple:
    quantity, far = ("z", f", {kms_apart(row.value, max(predicted, -0.9)):,.0f} km/s apart") if target == "z" else ("log SFR", "")
    seen = "although it learned from it" if is_learned else "it has not learned from it"
    why = _why(row.value, predicted, row.annotator, "the model") if target == "z" else ""
    reason = f"{model} expects {quantity} {predicted:.4g}, the label says {row.value:.4g}: {_sigmas(sigma)}{far}, {seen}.{why}"
    return row.object_id, "model", target, row.id, row.value, sigma, reason, f"{model} disputes the {quantity} of {row.annotator} by {_sigmas(sigma)}."


def _duplicates(ws: Workspace, standing: pd.DataFrame) -> list[tuple]:
    """Redshifts of one place on the sky, of two objects, that contradict each other; the worse graded or older of the two is listed."""
    placed = objects.frame(ws)[["id", "key", "ra", "dec"]].rename(columns={"id": "object_id"}).dropna()
    here = standing[standing["target"] == "z"].rename(columns={"id": "label_id"}).merge(placed, on="object_id")
    vectors = unit_vectors(here["ra"].to_numpy(float), here["dec"].to_numpy(float))
    found = []
    for i, j in sorted(cKDTree(vectors).query_pairs(chord(SAME_GALAXY_ARCSEC))) if len(here) else ():
        weaker, other = sorted((here.loc[i], here.loc[j]), key=lambda r: (np.nan_to_num(float(r["grade"] or np.nan), nan=labels.TRAINING_GRADE), r["label_id"]))
        apart = float(kms_apart(weaker["value"], other["value"]))
        if apart > AGREE_KMS:
            arcsec = np.degrees(np.linalg.norm(vectors[i] - vectors[j])) * 3600
            reason = (f"{other['key']}, {arcsec:.1f} arcsec away, has z {other['value']:.5f} ({other['annotator']}), this one {weaker['value']:.5f}: {apart:,.0f} km/s apart."
                      + _why(weaker["value"], other["value"], weaker["annotator"], other["annotator"]))
            found.append((weaker["object_id"], "duplicate", "z", weaker["label_id"], weaker["value"], apart, reason, reason))
    return found


def _broken(log: pd.DataFrame) -> list[tuple]:
    """SFR statistics of one person and object that cannot be those of one distribution, and by how many dex."""
    rows = log[log["target"].isin(SFR_TARGETS)]
    found = []
    for (object_id, _), part in rows.groupby(["object_id", "annotator"]):
        worst = max(_breaks(dict(zip(part["target"], part["value"], strict=True))), default=None)
        if worst:
            by, target, said = worst
            label = part.set_index("target").loc[target]
            found.append((object_id, "percentiles", target, label["id"], label["value"], by, said, said))
    return found


def _breaks(values: dict[str, float]) -> list[tuple[float, str, str]]:
    """Every rule that is broken: by how many dex, by which target, in words.

    >>> _breaks({"sfr_tot_p16": 0.5, "sfr_tot_p84": 0.1, "sfr_tot_avg": 0.2})
    [(0.4, 'sfr_tot_p84', 'The p84 of 0.1 lies below the p16 of 0.5.')]
    """
    ordered = [p for p in PERCENTILES if p in values]
    crossed = [(low, high) for low, high in zip(ordered, ordered[1:], strict=False) if values[low] > values[high]]
    found = [(round(values[a] - values[b], 6), b, f"The {_short(b)} of {values[b]:g} lies below the {_short(a)} of {values[a]:g}.") for a, b in crossed]
    low, high = values.get(PERCENTILES[0], -np.inf), values.get(PERCENTILES[-1], np.inf)
    for name in ("sfr_tot_avg", "sfr_tot_mode"):
        value = values.get(name, np.nan)
        if low <= high and (value < low or value > high):
            found.append((round(max(low - value, value - high), 6), name, f"The {_short(name)} of {value:g} lies outside its own 2.5th to 97.5th percentile, {low:g} to {high:g}."))
    return found


def _sigmas(sigma: float) -> str:
    return f"{sigma:.1f} σ" if sigma < 100 else "over 100 σ"


def _short(target: str) -> str:
    return {"avg": "mean"}.get(target.removeprefix("sfr_tot_"), target.removeprefix("sfr_tot_"))


def _why(z: float, other: float, first: str, second: str) -> str:
    """A confusion of two strong lines in words, with a space before it; nothing where there is none."""
    found = confusions(z, other) if min(z, other) > -1 else []
    return f" {sentence(found[0], first, second)}" if found and found[0].is_likely else ""
