"""What a replay says, in a sentence."""

import numpy as np
import pandas as pd

from core.jobs.replaying.question import BASELINE

SURE = 2.0
"""Standard errors by which a difference must stand out before it is called one."""


def conclusion(found: pd.DataFrame, metric: str, words: str) -> str:
    """Which strategy is ahead of random on a metric, by how much, and whether luck could do the same.

    Parameters
    ----------
    found : `core.services.replaying.summary.summary`. metric : one of its metrics. words : what a person calls it.
    """
    rows = found[(found["metric"] == metric) & (found["strategy"] != BASELINE) & found["area"].notna()].sort_values("area")
    if rows.empty:
        return f"Nothing can be compared yet on {words}."
    if rows["area_error"].isna().all():
        return f"One seed cannot tell a good strategy from a lucky one. On {words}, {_named(rows.iloc[0])} is {_percent(rows.iloc[0])}; ask for three seeds or more."
    ahead, behind = rows[rows["area"] + SURE * rows["area_error"] < 0], rows[rows["area"] - SURE * rows["area_error"] > 0]
    said = [_best(ahead.iloc[0], words)] if len(ahead) else [_undecided(rows, words)]
    if len(ahead) > 1:
        said.append(f"Ahead as well: {', '.join(_named(r) for _, r in ahead.iloc[1:].iterrows())}.")
    if len(behind):
        said.append(f"Behind random: {', '.join(_named(r) for _, r in behind.iterrows())}.")
    return " ".join(said)


def _best(row: pd.Series, words: str) -> str:
    reached = row["labels_to_random_final"]
    saved = f", and {reached:,.0f} labels do what random does with {row['labels']:,.0f}" if np.isfinite(reached) and reached < row["labels"] else ""
    return f"On {words}, {_named(row)} pays: {_percent(row)} over the whole curve{saved}."


def _undecided(rows: pd.DataFrame, words: str) -> str:
    widest = 100 * SURE * float(rows["area_error"].max())
    return f"On {words}, no strategy is ahead of random by more than luck; with {int(rows['seeds'].max())} seeds, differences under {widest:.0f} % cannot be told."


def _percent(row: pd.Series) -> str:
    """The area, a mean difference of logarithms, as per cent of random's value."""
    change, error = 100 * np.expm1(row["area"]), 100 * np.exp(row["area"]) * row["area_error"]
    spread = "" if np.isnan(error) else f" ± {error:.1f}"
    return f"{abs(change):.1f}{spread} % {'lower' if change < 0 else 'higher'} than random"


def _named(row: pd.Series) -> str:
    return str(row["strategy"]).replace("_", " ")
