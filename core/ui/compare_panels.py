"""The panels of the Compare page."""

import pandas as pd
import streamlit as st

from core.columns import TARGETS
from core.services import comparing
from core.services.comparing import COSTS, Metric
from core.store import Workspace
from core.ui import charts
from core.ui.layout import nothing_yet, section

IDENTITY = ("run_id", "run", "label_count", "device", "stale")


def choices(ws: Workspace) -> tuple[str, str, pd.DataFrame, tuple[Metric, ...]]:
    """Target, subset, runs and metrics that are compared."""
    columns = st.columns([1.4, 1.2, 1.6, 1.2], vertical_alignment="bottom")
    target = columns[0].selectbox("Target", [t.name for t in TARGETS], key="target", bind="query-params", help="  \n".join(f"**{t.name}** {t.sentence}" for t in TARGETS))
    which = columns[2].segmented_control("Runs", ["newest of each model", "all"], default="newest of each model", required=True, key="compare_runs", persist_state="session")
    runs = comparing.finished(ws, only_latest=which != "all")
    subset = columns[1].selectbox("Galaxies", comparing.subsets(ws, runs["id"].tolist()), key="compare_subset", help="Which of the held-out test galaxies: all, or by signal-to-noise or kind.")
    metrics = comparing.shown(target)
    if not columns[3].toggle("every metric", key="compare_every", persist_state="session"):
        metrics = tuple(m for m in metrics if m.is_main)
    return target, subset, runs, metrics


def table(ws: Workspace, target: str, subset: str, run_ids: list[int], metrics: tuple[Metric, ...]) -> None:
    """One row a run, the best value of each metric marked; download as CSV."""
    with section("Side by side", "Measured on held-out test galaxies. ★ marks the best value of a column; hover over a heading to read what it means."):
        compared = comparing.compared(ws, run_ids, target, subset)
        columns = (*metrics, *COSTS)
        st.dataframe(_styled(compared, columns), hide_index=True, column_order=["run", *[m.name for m in columns], *IDENTITY[2:], "run_id"], column_config=_headings(columns), height="auto")
        if compared["stale"].any():
            st.caption(":orange[:material/warning: A stale run saw labels that have been undone since; train it again before trusting the comparison.]")
        st.download_button("Download as CSV", compared.to_csv(index=False), f"lookback_{target}_{subset.replace(' ', '_')}.csv", "text/csv", icon=":material/download:", on_click="ignore")


def by_subset(ws: Workspace, target: str, run_ids: list[int], metrics: tuple[Metric, ...]) -> None:
    """One metric in every subset of galaxies, a colour and a marker a model."""
    subsets = comparing.subsets(ws, run_ids)
    if len(subsets) < 2:
        return
    with section("Where each is good", "The same metric for galaxies of low, middle and high signal-to-noise, star-forming and passive."):
        shown = {m.label: m for m in metrics if m.aim != "none"}
        metric = shown[st.segmented_control("Metric", list(shown), default=next(iter(shown)), required=True, key="compare_metric", label_visibility="collapsed")]
        values = pd.concat([comparing.compared(ws, run_ids, target, s).assign(subset=s) for s in subsets])
        charts.show(charts.by_subset(values, subsets, metric.name, f"{metric.label} of {target}"), "by_subset", f"{metric.label} of {target} by subset of galaxies, a marker for each run")


def truth(ws: Workspace, target: str, run_ids: list[int]) -> tuple[int, int]:
    """Predicted against true, and residuals against S/N, of two runs; returns which two."""
    with section("Predicted against true", "Held-out test galaxies. Stronger colour means more crowded; orange lines are the median and central 68 % of the residuals in bins of S/N."):
        linked = _linked(ws)
        names = _names(ws, [*run_ids, *linked])
        left, right = st.columns(2)
        first = left.selectbox("First run", names, index=list(names).index(linked[0]) if linked else 0, format_func=names.get, key="first_run")
        second = right.selectbox("Second run", names, index=min(1, len(names) - 1), format_func=names.get, key="second_run")
        tables = {names[run]: comparing.predicted_and_true(ws, run, target) for run in dict.fromkeys((first, second))}
        if all(t.empty for t in tables.values()):
            nothing_yet(f"No held-out galaxy has a true {target}. Truth comes with simulated or catalogue data.", "pages/data.py", "Bring in a catalogue")
            return first, second
        bins = {name: comparing.binned(t, "sn") for name, t in tables.items()}
        charts.show(charts.predicted_and_residual(tables, bins, target), "truth", f"Predicted against true {target}, and residual against signal-to-noise, for {' and '.join(tables)}")
        return first, second


def differences(ws: Workspace, target: str, first: int, second: int) -> None:
    """The galaxies on which two runs disagree most."""
    if first == second:
        return
    with section("Where the two differ", "Gain: how much nearer to the truth the second run is; negative where the first one is nearer."):
        table = comparing.difference(ws, first, second, target)
        share = (table["gain"] > 0).mean() if len(table) else 0.0
        st.caption(f"The second run is nearer to the truth for **{share:.0%}** of {len(table):,} held-out galaxies. The 200 with the largest difference:")
        widest = table.reindex(table["gain"].abs().sort_values(ascending=False).index).head(200)
        picked = st.dataframe(widest, hide_index=True, height=280, on_select="rerun", selection_mode="single-row", key="differences", column_order=["key", "truth", "first", "second", "gain", "sn"],
                              column_config={c: st.column_config.NumberColumn(format="%.4f") for c in ("truth", "first", "second", "gain")} | {"sn": st.column_config.NumberColumn("S/N", format="%.1f")})
        if picked.selection.rows:
            row = widest.iloc[picked.selection.rows[0]]
            st.page_link("pages/label.py", label=f"Look at {row['key']}", icon=":material/visibility:", query_params={"object": str(row["object_id"])})


def _styled(compared: pd.DataFrame, columns: tuple[Metric, ...]) -> "pd.io.formats.style.Styler":
    """Numbers as the metrics want them; the best of a column starred and tinted."""
    styler = compared.style.format({m.name: lambda v, m=m: "" if pd.isna(v) else m.number_format % v for m in columns})
    for metric in columns:
        row = comparing.best(compared, metric)
        if row is not None:
            cell = pd.IndexSlice[[row], [metric.name]]
            styler = styler.format(lambda v, m=metric: f"★ {m.number_format % v}", subset=cell).set_properties(subset=cell, **{"background-color": "rgba(15, 143, 136, 0.22)"})
    return styler


def _headings(columns: tuple[Metric, ...]) -> dict:
    numbers = {m.name: st.column_config.NumberColumn(m.label, help=m.sentence) for m in columns}
    return numbers | {
        "run": st.column_config.TextColumn("run", pinned=True), "run_id": st.column_config.NumberColumn("#", help="Number of the run"),
        "label_count": st.column_config.NumberColumn("labels", help="Values the run could learn from, over all targets"),
        "stale": st.column_config.NumberColumn("undone", help="Labels the run saw that have been undone since"),
    }


def _linked(ws: Workspace) -> list[int]:
    """The finished run that the address names (``?run=7``), if it does."""
    asked = st.query_params.get("run", "")
    return [int(i) for i in comparing.finished(ws, only_latest=False)["id"] if str(i) == asked]


def _names(ws: Workspace, run_ids: list[int]) -> dict[int, str]:
    """Run id -> what people read, best first as the table has them."""
    known = comparing.finished(ws, only_latest=False).query("id in @run_ids")
    return {int(r.id): f"{r.name} #{r.id}" for r in known.sort_values("id", ascending=False)[["id", "name"]].itertuples(index=False)}
