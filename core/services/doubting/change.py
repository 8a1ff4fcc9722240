"""What the labels between two runs of one model have changed: in its ignorance, and in how right it is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core import metrics
from core.acquisition.distances import squared_between
from core.services import exploring
from core.services.comparing.held_out import predicted_and_true
from core.services.doubting.corners import CORNERS, corner_of, limits
from core.services.doubting.everyone import Everyone
from core.services.experimenting.paired import draws, rmse_draws
from core.store import Workspace, batches, labels, objects, runs

NEIGHBOURS = 10
"""Unlabelled galaxies nearest to each that was asked about: those that its label should tell of."""
MOST_ASKED = 1000
"""Asked galaxies whose neighbours are looked for; more are drawn from at random."""
ASKED, NEAR, REST = "asked about", "their neighbours", "the rest"
DRAWS = 400
AT_ONCE = 64


@dataclass(frozen=True)
class Change:
    """One run against an earlier one; row i of the arrays is galaxy i of the `Everyone` of the later run.

    Attributes
    ----------
    before, now : ids of the runs. doublings : float32 (n,), log2 of ignorance now over before; -1 = halved, NaN = not both known.
    asked, near : bool (n,), got a label in between; are neighbours of such and have none. lost : galaxies whose label was undone.
    groups : group, galaxies, before, now (median ignorance), change (median share, -0.2 = a fifth less), low, high (its 95 % interval).
    moved : galaxies by corner before (rows) and now (columns), int (4, 4), by the lines of the earlier run.
    """

    before: int
    now: int
    doublings: np.ndarray
    asked: np.ndarray
    near: np.ndarray
    lost: int
    groups: pd.DataFrame
    moved: np.ndarray

    @property
    def sentence(self) -> str:
        """What became of the galaxies that were worth asking about."""
        names = [c.name for c in CORNERS]
        ask, known = names.index("ask"), names.index("known")
        were, became, fell = int(self.moved[ask].sum()), int(self.moved[ask, known]), int(self.moved[known, ask])
        if not were:
            return "No galaxy was in the corner Ask before."
        return f"Of {were:,} galaxies in the corner **Ask**, **{became:,}** have moved to **Known**; {fell:,} went the other way."


@dataclass(frozen=True)
class Gain:
    """A metric, where low is good, of two runs on the same test galaxies.

    Attributes
    ----------
    metric : for people. before, now : its values. change : now less before. low, high : 95 % interval of the change, galaxies paired.
    """

    metric: str
    before: float
    now: float
    change: float
    low: float
    high: float

    @property
    def told(self) -> str:
        """The change as a share of what it was, with its interval.

        >>> Gain("RMSE", 0.5, 0.4, -0.1, -0.15, 0.01).told
        '-20 % (-30 to +2)'
        """
        if not self.before:
            return "–"
        change, low, high = (100 * value / self.before for value in (self.change, self.low, self.high))
        return f"{change:+.0f} % ({low:+.0f} to {high:+.0f})"

    @property
    def verdict(self) -> str:
        """Better, worse, or no more than chance."""
        return "better" if self.high < 0 else "worse" if self.low > 0 else "chance"


def earlier(ws: Workspace, run_id: int) -> pd.DataFrame:
    """Finished runs of the same model before this one that keep predictions, those with the same settings first, each newest first.

    Returns
    -------
    id, name, is_alike (same settings), label_high_water.
    """
    table, kept = runs.frame(ws), exploring.run_names(ws)
    this = table.set_index("id").loc[run_id]
    found = table[(table["id"] < run_id) & (table["model"] == this["model"]) & table["id"].isin(kept)]
    found = found.assign(is_alike=found["config"] == this["config"], name=found["id"].map(kept))
    return found.sort_values(["is_alike", "id"], ascending=False)[["id", "name", "is_alike", "label_high_water"]].reset_index(drop=True)


def change(ws: Workspace, everyone: Everyone, before: Everyone, target: str) -> Change:
    """How the ignorance of each galaxy has changed between two runs."""
    rows = exploring.rows_of(before.table.object_ids, everyone.table.object_ids)
    was, now = _of(before.ignorance(target), rows), everyone.ignorance(target)
    doublings = np.full(len(now), np.nan, np.float32)
    both = (was > 0) & (now > 0)
    doublings[both] = np.log2(now[both] / was[both])
    asked, lost = _asked(ws, everyone, before, target)
    near = _near(ws, everyone, asked, target)
    at = limits(before.noise(target), before.ignorance(target))
    places = corner_of(_of(before.noise(target), rows), was, at), corner_of(everyone.noise(target), now, at)
    moved = np.zeros((len(CORNERS), len(CORNERS)), int)
    told = (places[0] >= 0) & (places[1] >= 0)
    np.add.at(moved, (places[0][told], places[1][told]), 1)
    parts = {ASKED: asked, NEAR: near, REST: ~asked & ~near}
    return Change(before.table.run_id, everyone.table.run_id, doublings, asked, near, lost,
                  pd.DataFrame([_group(name, mask & both, was, now) for name, mask in parts.items()]), moved)


def batches_between(ws: Workspace, before: int, now: int, target: str) -> pd.DataFrame:
    """Where the labels of a target came from that were given between two runs and still stood at the second.

    Returns
    -------
    batch (empty = outside one), strategy, control (how many were drawn at random), galaxies.
    """
    marks = [runs.one(ws, run)["label_high_water"] for run in (before, now)]
    rows = labels.current(ws, up_to=marks[1])
    rows = rows[(rows["id"] > marks[0]) & (rows["action"] == "label") & (rows["target"] == target)]
    known = batches.frame(ws).set_index("id")
    found = []
    for batch, members in rows.groupby(rows["batch_id"].fillna(-1).astype(int)):
        ids = members["object_id"].unique()
        control = batches.items(ws, batch).query("control == 1")["object_id"].isin(ids).sum() if batch in known.index else 0
        name, strategy = (known.loc[batch, "name"], known.loc[batch, "strategy"]) if batch in known.index else ("", "")
        found.append((str(name), str(strategy).replace("_", " "), int(control), len(ids)))
    return pd.DataFrame(found, columns=["batch", "strategy", "control", "galaxies"]).sort_values("galaxies", ascending=False, ignore_index=True)


def gains(ws: Workspace, before: int, now: int, target: str, seed: int = 0) -> list[Gain]:
    """RMSE and NMAD (for z of delta), and CRPS of two runs on the test galaxies that both predict; none without such galaxies.

    Intervals come from a paired bootstrap over groups of the sky.
    """
    tables = [predicted_and_true(ws, run, target) for run in (before, now)]
    both = tables[0].merge(tables[1][["object_id", "mean", "sigma", "residual"]], on="object_id", suffixes=("_0", "_1"))
    if len(both) < 2:
        return []
    group_n = objects.frame(ws, both["object_id"])["sky_group"].to_numpy()
    weight_bn = draws(group_n, np.random.default_rng(seed), DRAWS)
    residuals = [both[f"residual_{k}"].to_numpy(float) for k in (0, 1)]
    scores = [metrics.crps_gaussian(both["truth"].to_numpy(float), both[f"mean_{k}"].to_numpy(float), both[f"sigma_{k}"].to_numpy(float)) for k in (0, 1)]
    of_z = " δ" if target == "z" else ""
    asked = (("RMSE" + of_z, rmse_draws, residuals), ("σ NMAD" + of_z, _nmad_draws, residuals), ("CRPS", _mean_draws, scores))
    return [_gain(name, statistic, *values, weight_bn) for name, statistic, values in asked]


def _gain(name: str, statistic: Callable, before_n: np.ndarray, now_n: np.ndarray, weight_bn: np.ndarray) -> Gain:
    once = np.ones((1, len(now_n)), np.float32)
    values = [float(statistic(v[None], once)[0]) for v in (before_n, now_n)]
    low, high = np.percentile(statistic(now_n[None], weight_bn) - statistic(before_n[None], weight_bn), [2.5, 97.5])
    return Gain(name, *values, values[1] - values[0], float(low), float(high))


def _mean_draws(score_sn: np.ndarray, weight_bn: np.ndarray) -> np.ndarray:
    return weight_bn @ score_sn.mean(axis=0) / np.maximum(weight_bn.sum(axis=1), 1)


def _nmad_draws(error_sn: np.ndarray, weight_bn: np.ndarray) -> np.ndarray:
    """As `core.services.experimenting.paired.nmad_draws` of one seed; galaxies are repeated instead of weighed, which is quicker where there are many."""
    return np.array([metrics.nmad(np.repeat(error_sn[0], weight_n)) for weight_n in weight_bn.astype(int)])


def _of(values_m: np.ndarray, rows_n: np.ndarray) -> np.ndarray:
    return np.where(rows_n >= 0, values_m[rows_n], np.nan)


def _asked(ws: Workspace, everyone: Everyone, before: Everyone, target: str) -> tuple[np.ndarray, int]:
    """Who got a value to train on between the two runs, bool (n,), and how many lost theirs."""
    marks = [runs.one(ws, one.table.run_id)["label_high_water"] for one in (before, everyone)]
    tables = [labels.training(ws, up_to=mark) for mark in marks]
    had, has = (table.loc[table["target"] == target, "object_id"].to_numpy(np.int64) for table in tables)
    return np.isin(everyone.table.object_ids, np.setdiff1d(has, had)), len(np.setdiff1d(had, has))


def _near(ws: Workspace, everyone: Everyone, asked_n: np.ndarray, target: str) -> np.ndarray:
    """The `NEIGHBOURS` unlabelled galaxies nearest to each asked one in what the run has learnt, bool (n,); none where it keeps no features."""
    ids, features = exploring.latent(ws, everyone.table.run_id)
    rows = exploring.rows_of(everyone.table.object_ids, ids)
    asked = np.flatnonzero(asked_n[rows])[: len(rows)]
    free = np.flatnonzero(~np.isfinite(everyone.table.label[rows, everyone.table.column(target)]))
    near = np.zeros(len(everyone), bool)
    if not len(asked) or not len(free):
        return near
    if len(asked) > MOST_ASKED:
        asked = np.random.default_rng(0).choice(asked, MOST_ASKED, replace=False)
    count = min(NEIGHBOURS, len(free))
    for start in range(0, len(asked), AT_ONCE):
        squared = squared_between(features[asked[start : start + AT_ONCE]], features[free])
        near[rows[free[np.argpartition(squared, count - 1, axis=1)[:, :count].ravel()]]] = True
    return near


def _group(name: str, mask_n: np.ndarray, was_n: np.ndarray, now_n: np.ndarray) -> dict:
    """Median change of some galaxies, with the 95 % interval that order statistics give a median."""
    share = np.sort(now_n[mask_n] / was_n[mask_n] - 1)
    if not len(share):
        return {"group": name, "galaxies": 0} | dict.fromkeys(("before", "now", "change", "low", "high"), np.nan)
    reach, middle = 0.98 * len(share) ** 0.5, (len(share) - 1) / 2
    low, high = (share[int(np.clip(round(middle + side * reach), 0, len(share) - 1))] for side in (-1, 1))
    return {"group": name, "galaxies": len(share), "before": float(np.median(was_n[mask_n])), "now": float(np.median(now_n[mask_n])),
            "change": float(np.median(share)), "low": float(low), "high": float(high)}
