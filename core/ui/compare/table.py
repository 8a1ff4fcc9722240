"""All runs side by side: one row each, the best value of each column marked."""

import pandas as pd
import streamlit as st

from core.services import comparing
from core.services.comparing import COSTS, Metric
from core.ui.compare.choices import STALE_MARK, Asked
from core.ui.layout import section

BEST = {"background-color": "rgba(15, 143, 136, 0.22)"}
STALE = "stale"


def table(asked: Asked) -> None:
    """The metrics table, sorted by a click on a heading; download as CSV."""
    with section("Side by side", "Measured on held-out test galaxies. ★ marks the best value of a column; click a heading to sort by it, hover over it to read what it means."):
        columns = (*asked.metrics, *COSTS)
        shown = asked.mean.assign(title=asked.mean["title"].where(asked.mean["stale"] == 0, asked.mean["title"] + STALE_MARK), labels_state=asked.mean["stale"].map(lambda undone: STALE if undone else "current"))
        order = ["title", *[m.name for m in columns], "reads", "seeds", "label_count", "labels_state", "device", "run_id"]
        st.dataframe(_styled(shown, asked.error, columns), hide_index=True, column_order=order, column_config=_headings(columns), height="auto", key="side_by_side",
                     alt=f"Metrics of {len(shown)} rows for {asked.target}, galaxies: {asked.subset}")  # fmt: skip
        _notes(asked)
        told = asked.mean.drop(columns="group").join(asked.error.add_suffix("_standard_error").dropna(axis=1, how="all"))
        st.download_button("Download as CSV", told.to_csv(index=False), f"lookback_{asked.target}_{asked.subset.replace(' ', '_')}.csv", "text/csv", icon=":material/download:",
                           on_click="ignore", help="The rows above with every digit, and standard errors where seeds are joined.")  # fmt: skip


def _notes(asked: Asked) -> None:
    seeds = asked.mean["seeds"]
    if seeds.max() > 1:
        st.caption(f"{int((seeds > 1).sum())} of {len(seeds)} rows are the mean of several seeds ± its standard error.")
    if asked.mean["stale"].any():
        st.caption(":orange[:material/warning: A stale run (⚠) saw labels that have been undone since; train it again before trusting the comparison.]")


def _styled(shown: pd.DataFrame, error: pd.DataFrame, columns: tuple[Metric, ...]) -> "pd.io.formats.style.Styler":
    """Numbers as the metrics want them, errors behind; the best of a column starred and tinted, stale runs coloured."""
    styler = shown.style.format({m.name: m.text for m in columns})
    for metric in columns:
        best = comparing.best(shown, metric)
        for row in shown.index[error[metric.name].notna() | shown.index.isin(best)]:
            said = f"{'★ ' if row in best else ''}{metric.text(shown.at[row, metric.name], error.at[row, metric.name])}"
            styler = styler.format(lambda _, said=said: said, subset=pd.IndexSlice[[row], [metric.name]])
        if best:
            styler = styler.set_properties(subset=pd.IndexSlice[best, [metric.name]], **BEST)
    return styler.map(lambda state: "color: #d1802a" if state == STALE else "", subset=["labels_state"])


def _headings(columns: tuple[Metric, ...]) -> dict:
    numbers = {m.name: st.column_config.NumberColumn(m.label, help=m.sentence) for m in columns}
    return numbers | {
        "title": st.column_config.TextColumn("run", pinned=True, help="Name of the run; with its settings where other configurations bear the same name"),
        "reads": st.column_config.TextColumn("reads", help="The modality that the run reads; fused: several; nothing: none"),
        "seeds": st.column_config.NumberColumn("seeds", help="Runs of the same model, settings and labels that the row is the mean of"),
        "run_id": st.column_config.NumberColumn("#", help="Number of the run; of the newest one where seeds are joined"),
        "label_count": st.column_config.NumberColumn("labels", help="Values the run could learn from, over all targets", format="localized"),
        "labels_state": st.column_config.TextColumn("labels since", help="Stale: labels that the run saw have been undone since"),
        "device": st.column_config.TextColumn("device", help="Where, and in what arithmetic, it was fitted"),
    }
