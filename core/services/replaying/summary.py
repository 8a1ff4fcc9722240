"""Is a strategy better than random, by how much, and was it luck? Pure functions on curves."""

import numpy as np
import pandas as pd

from core.jobs.replaying.question import BASELINE
from core.services.replaying.curves import COSTS

SHARES = ("eta05",)
SHARE_FLOOR = 1e-4
"""Added to a share before its logarithm is taken, because it can be 0."""
NOT_ERRORS = ("coverage68",)
"""Metrics of which low is not good: they have a mean, and nothing to compare."""
COLUMNS = ["strategy", "metric", "seeds", "labels", "final", "area", "area_error", "labels_to_random_final", "worst_step", "worst_labels", *COSTS]


def summary(curves: pd.DataFrame, baseline: str = BASELINE) -> pd.DataFrame:
    """Every strategy against random, metric by metric.

    Parameters
    ----------
    curves : as `core.services.replaying.curves.curves` gives them. Seeds are paired; only seeds and numbers of labels
        that both have are compared, so curves that still grow can be summed up too.

    Returns
    -------
    strategy, metric, seeds (paired), labels (at the end), final (mean over seeds there);
    area: mean over the curve of log(metric) less random's, below 0 is better, and area_error, its standard error over seeds (NaN with one);
    labels_to_random_final: fewest labels at which the mean is as low as random's at the end, NaN = never;
    worst_step: the largest mean log difference at any number of labels after the first, and worst_labels, where;
    junk_share, selection_seconds and training_seconds, means over batches and seeds.
    """
    wide = curves.pivot_table(index=["strategy", "metric", "seed"], columns="labels", values="value", dropna=False)
    costs = curves[curves["metric"].isin(COSTS)].groupby(["strategy", "metric"])["value"].mean()
    rows = []
    for name in curves["strategy"].unique():
        spent = [costs.get((name, cost), np.nan) for cost in COSTS]
        for metric in [m for m in curves["metric"].unique() if m not in COSTS]:
            rows.append([name, metric, *_compared(wide, name, baseline, metric), *spent])
    return pd.DataFrame(rows, columns=COLUMNS)


def _compared(wide: pd.DataFrame, name: str, baseline: str, metric: str) -> list[float]:
    """seeds, labels, final, area, area_error, labels_to_random_final, worst_step and worst_labels of one strategy and metric."""
    ours, theirs = (_curve(wide, s, metric) for s in (name, baseline))
    both = ours.notna() & theirs.notna().reindex_like(ours).fillna(False).astype(bool)
    seeds, labels = both.index[both.any(axis=1)], both.columns[both.any(axis=0)]
    if not len(seeds):
        return [0, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan]
    ours, theirs = (curve.loc[seeds, labels].where(both.loc[seeds, labels]) for curve in (ours, theirs))
    mean, against = ours.mean(), theirs.mean()
    told = [len(seeds), int(labels[-1]), float(mean.iloc[-1])]
    if name_of(metric) in NOT_ERRORS:
        return told + [np.nan] * 5
    difference = _log(ours, metric) - _log(theirs, metric)
    area = difference.mean(axis=1)
    error = float(area.std(ddof=1) / np.sqrt(len(area))) if len(area) > 1 else np.nan
    reached = mean.index[mean <= against.iloc[-1]]
    steps = difference.mean().iloc[1:]
    worst = [float(steps.max()), int(steps.idxmax())] if len(steps) else [np.nan, np.nan]
    return [*told, float(area.mean()), error, float(reached[0]) if len(reached) else np.nan, *worst]


def _curve(wide: pd.DataFrame, name: str, metric: str) -> pd.DataFrame:
    """Seeds by numbers of labels."""
    if (name, metric) not in wide.index.droplevel("seed"):
        return wide.iloc[:0].droplevel(["strategy", "metric"])
    return wide.loc[(name, metric)]


def _log(values: pd.DataFrame, metric: str) -> pd.DataFrame:
    return np.log(values + SHARE_FLOOR if name_of(metric) in SHARES else values.clip(lower=np.finfo(float).tiny))


def name_of(metric: str) -> str:
    """The metric's name in `core.metrics`: behind the target's where several are measured."""
    return metric.rsplit(" ", 1)[-1]
