"""Metrics of runs side by side; runs that differ only in their seed as a mean and its standard error."""

import pandas as pd

from core.services.comparing.finished import Comparison
from core.services.comparing.measures import COSTS, METRICS, shown

IDENTITY = ["title", "model", "reads", "seed", "label_count", "device", "stale", "group"]


def compared(comparison: Comparison, target: str, subset: str = "all") -> pd.DataFrame:
    """One row a run, newest first.

    Returns
    -------
    run_id, `IDENTITY`, one column a metric of `shown` (NaN = not measured) over the galaxies of ``subset``, and a
    column of each of `COSTS`.
    """
    measured, names = comparison.measured, [m.name for m in shown(target)]
    rows = measured[(measured["target"] == target) & (measured["subset"] == subset)]
    wide = rows.pivot(index="run_id", columns="name", values="value").reindex(index=comparison.runs["id"], columns=names)
    known = comparison.runs.set_index("id")[IDENTITY + [m.name for m in COSTS]]
    return known[IDENTITY].join(wide.astype(float)).join(known.drop(columns=IDENTITY)).rename_axis("run_id").reset_index()


def joined(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs of one configuration on one set of labels as one row.

    Returns
    -------
    mean : as `compared`; numbers are means, the rest is that of the newest run; ``seeds`` says how many runs it are,
        and ``stale`` is the most that any of them has.
    error : the same rows, a column a metric and cost: standard error of the mean; NaN for one run.
    """
    numbers = [m.name for m in (*METRICS, *COSTS) if m.name in table]
    groups = table.groupby("group", sort=False)
    mean = table.drop_duplicates("group").set_index("group", drop=False)
    mean = mean.assign(**groups[numbers].mean(), stale=groups["stale"].max(), seeds=groups.size())
    return mean.reset_index(drop=True), groups[numbers].sem().loc[mean.index].reset_index(drop=True)


def separate(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every run as a row of its own, in the form of `joined`: there is no standard error."""
    numbers = [m.name for m in (*METRICS, *COSTS) if m.name in table]
    return table.assign(seeds=1), pd.DataFrame(index=table.index, columns=numbers, dtype=float)
