"""The panels under the table, one a tab."""

import pandas as pd
import streamlit as st

from core.services import comparing
from core.services.comparing import AGAINST, COSTS, Metric
from core.store import Workspace
from core.ui import charts
from core.ui.compare import figures
from core.ui.compare.choices import Asked, Pair, row_names
from core.ui.layout import nothing_yet, section


def predictions(ws: Workspace, asked: Asked, pair: Pair) -> None:
    """Predicted against true, and residuals, of two runs; a click opens the galaxy."""
    with section("Predicted against true", "Held-out test galaxies. Stronger colour means more crowded. Below: residuals with their median and central 68 % in bins of equal counts, all galaxies in them."):
        against = st.segmented_control("Residuals against", list(AGAINST), default="sn", required=True, format_func=AGAINST.get, key="against", bind="query-params",
                                       help="What the residuals below are drawn against: signal-to-noise of the spectrum, true redshift, or dereddened r magnitude.")
        tables = {name: comparing.predicted_and_true(ws, run, asked.target, asked.subset) for name, run in pair.by_name.items()}
        if all(t.empty for t in tables.values()):
            _no_truth(asked)
            return
        bins = {name: comparing.binned(t, against) for name, t in tables.items()}
        alt = f"Predicted against true {asked.target}, and residuals against {AGAINST[against]}, for {' and '.join(tables)}"
        _open_clicked(figures.predictions(tables, bins, asked.target, against), "predictions", alt)
        most = max(map(len, tables.values()))
        drawn = f"A random {figures.MOST_POINTS:,} of {most:,} galaxies are drawn; bands use all." if most > figures.MOST_POINTS else f"{most:,} galaxies."
        st.caption(f"{drawn} Click a point to open its galaxy on the Label page; drag to move, use the toolbar to zoom.")


def error_bars(ws: Workspace, asked: Asked, pair: Pair) -> None:
    """PIT histogram and reliability curve of two runs, before and after stretching, and what they mean in words."""
    with section("Do error bars mean what they say?", "PIT: where the truth falls in the predicted Gaussian, flat when calibrated; a U says too narrow, a hill too wide, a slope biased; "
                 "grey holds 95 % of a calibrated model's bars. Reliability: how often central intervals hold the truth; below the diagonal they are too narrow."):
        tables = {name: comparing.predicted_and_true(ws, run, asked.target, asked.subset) for name, run in pair.by_name.items()}
        stretches = {name: asked.everything.stretches(run) for name, run in pair.by_name.items()}
        found = {name: comparing.calibration(table, stretches[name], asked.target) for name, table in tables.items()}
        known = {name: one for name, one in found.items() if one is not None}
        if not known:
            _no_truth(asked)
            return
        for (name, one), column in zip(known.items(), st.columns(2), strict=False):
            icon = ":green[:material/check_circle:]" if one.is_fine else ":orange[:material/error:]"
            after = f"{one.after} Then: {one.verdict_after}" if one.verdict_after else one.after
            column.markdown("  \n".join([f"{icon} **{name}**", one.verdict, after, comparing.joint(asked.everything, pair.by_name[name], asked.subset)]))
        charts.show(figures.error_bars(known), "error_bars", " ".join(f"{name}: {one.verdict} {one.after}" for name, one in known.items()))
        if any(one.stretched for one in known.values()):
            st.caption("Line over the bars, and dashed with open markers: the same stretched by S/N as each run's calibration galaxies ask: random ones, which no model learnt from and no strategy chose.")
        _by_sn(pd.concat([comparing.by_sn(tables[name], stretches[name], asked.target).assign(run=name) for name in known], ignore_index=True))
        first = next(iter(known))
        st.page_link("pages/uncertainty.py", label=f"Where {first} is unsure, and why", icon=":material/help_center:", query_params={"run": str(pair.by_name[first]), "target": asked.target})


def _by_sn(table: pd.DataFrame) -> None:
    """Thirds of S/N of each run, a row each: verdict, and shares held before and after stretching."""
    shown = table[["run", "third", "galaxies", "verdict", "crps"]]
    for level in ("68", "95"):
        held, stretched, error = (100 * table[f"{kind}_{level}"] for kind in ("held", "stretched", "error"))
        shown = shown.assign(**{f"held_{level}": held.map("{:.1f}".format), f"stretched_{level}": [f"{s:.1f} ± {e:.1f}" if s == s else "" for s, e in zip(stretched, error, strict=True)]})
    st.dataframe(shown, hide_index=True, height="content", key="by_sn", column_config=_SN_COLUMNS)


_SN_COLUMNS = {
    "run": st.column_config.TextColumn("run", help="One of the two runs that are looked at closely"),
    "third": st.column_config.TextColumn("S/N", help="Third of the test galaxies by the S/N of their spectrum; unknown: without a spectrum"),
    "galaxies": st.column_config.NumberColumn("galaxies", help="Test galaxies with a true value and an error bar", format="localized"),
    "verdict": st.column_config.TextColumn("verdict", help="What the PIT says of these galaxies alone; calibrated: no more amiss than chance explains"),
    "crps": st.column_config.NumberColumn("CRPS", help="Continuous ranked probability score: low is sharp and right", format="%.4f"),
} | {f"{kind}_{level}": st.column_config.TextColumn(f"{level} %{mark}", help=f"Percent of the galaxies that the {level} % interval holds, {what}")
     for level in ("68", "95") for kind, mark, what in (("held", "", "as the model states it"), ("stretched", " stretched", "stretched as calibration asks; ± is the sampling error of counting so few"))}


def kinds(ws: Workspace, asked: Asked, pair: Pair | None) -> None:
    """One metric in every subset of galaxies, a colour and a marker a row of the table."""
    with section("Where each is good", "The same metric for galaxies of low, middle and high signal-to-noise, star-forming and passive, and those with every modality."):
        metric = _metric(asked)
        subsets = asked.everything.subsets
        if len(subsets) < 2:
            nothing_yet("No run was measured on parts of the test galaxies: that takes a few with S/N, or with z and SFR.")
            return
        rows = _leading(asked, metric)
        table = pd.concat([_values(*asked.measured(subset), metric).assign(subset=subset) for subset in subsets])
        table = table[table["row"].isin(rows) & table["value"].notna()]
        charts.show(figures.by_subset(table.set_index("row").loc[[r for r in rows if r in set(table["row"])]].reset_index(), subsets, f"{metric.label} of {asked.target}"), "by_subset",
                    f"{metric.label} of {asked.target} by subset of galaxies, a marker for each run")
        _say_if_fewer(len(rows), len(asked.mean), metric)


def cost(ws: Workspace, asked: Asked, pair: Pair | None) -> None:
    """Accuracy against cost, with the front that nothing beats in both."""
    with section("Accuracy against cost", "Each row of the table. Along the dotted front nothing is both cheaper and better. Both axes are logarithmic where the values allow it."):
        metric = _metric(asked, ranked_only=True)
        by_label = {m.label: m for m in COSTS}
        cost_of = by_label[st.segmented_control("Cost", list(by_label), default=COSTS[0].label, required=True, key="cost", bind="query-params", wrap=True,
                                                help="  \n".join(f"**{m.label}** {m.sentence}" for m in COSTS))]
        table = _values(asked.mean, asked.error, metric).assign(cost=asked.mean[cost_of.name].to_numpy(), reads=asked.mean["reads"].to_numpy())
        table = table[table["value"].notna() & (table["cost"] > 0)].rename(columns={"row": "title"})
        if table.empty:
            nothing_yet(f"No run has both its {metric.label} of {asked.target} and its {cost_of.label} on record.")
            return
        bad = comparing.badness(table["value"], metric).to_numpy()
        figure = figures.cost(table.assign(is_front=comparing.pareto(table["cost"].to_numpy(), bad)), cost_of, metric, f"{metric.label} of {asked.target}")
        charts.show(figure, "cost_figure", f"{metric.label} of {asked.target} against {cost_of.label}, a point for each run")
        if len(figure.layout.annotations) < len(table):
            st.caption("Points without a name stand too close to others: hover over them.")
        if len(table) < len(asked.mean):
            st.caption(f"{len(asked.mean) - len(table)} of {len(asked.mean)} rows are missing here: that cost or metric was not recorded for them, or the cost is 0.")


def modalities(ws: Workspace, asked: Asked, pair: Pair | None) -> None:
    """What each modality is worth to runs that read several, now and over training."""
    with section("Modality use", "Conditional utilisation rate: the share of what a run explains that is lost when one modality is taken away. Near 0 it is neglected, or it is redundant; the sentences say which."):
        rates = comparing.rates(asked.shown, asked.subset)
        if rates.empty:
            nothing_yet(f"No run that is shown has measured what each modality is worth{'' if asked.subset == 'all' else f' to {asked.subset} galaxies'}: fused models do so when they are trained.", "pages/train.py", "Train a fused model")
            return
        names, rows = list(dict.fromkeys(rates["modality"])), _rows_of_runs(asked)
        here = rates[rates["target"] == asked.target].assign(row=lambda t: t["run_id"].map(rows))
        if here.empty:
            st.caption(f"Modality use was not measured for {asked.target}, only for {', '.join(dict.fromkeys(rates['target']))}.")
        else:
            here = here.groupby(["row", "modality"], sort=False, as_index=False)["rate"].mean()
            charts.show(figures.modality_rates(here, names), "modality_rates", f"Conditional utilisation rate of each modality for {asked.target}, bars for each run")
        _verdicts(asked, rows)
        _modality_curves(ws, asked, rates, rows, names)


def two_runs(ws: Workspace, asked: Asked, pair: Pair) -> None:
    """What differs between two runs: settings, metrics, and on which galaxies."""
    if pair.first == pair.second:
        nothing_yet("Both choices above are the same run. Choose another one to see what differs.")
        return
    left, right = st.columns([1, 1.25], gap="medium")
    with left, section("What was asked of them", "Model settings, labels, seed and device; only what differs."):
        _settings(asked, pair)
    with right, section("What came of it", "The better one of each line is marked; for bias and coverage, the nearer to what it should be."):
        _metrics(asked, pair)
    with section("Where the two differ", "Gain: how much nearer to the truth the second run is; negative where the first one is nearer."):
        _galaxies(ws, asked, pair)


def _settings(asked: Asked, pair: Pair) -> None:
    table = comparing.settings_that_differ(asked.everything, pair.first, pair.second)
    if table.empty:
        st.caption("Nothing differs: the same model with the same settings, labels and seed.")
        return
    st.dataframe(table, hide_index=True, key="settings_that_differ", height="content", column_config=_two(pair) | {"what": st.column_config.TextColumn("setting", help="Settings that were not given have their default")})


def _metrics(asked: Asked, pair: Pair) -> None:
    table = comparing.metrics_that_differ(asked.everything, pair.first, pair.second, asked.target, asked.subset)
    if table.empty:
        st.caption("Neither run was measured on these galaxies.")
        return
    for side in ("first", "second"):
        table[side] = table[side].where(table["better"] != side, "★ " + table[side])
    st.dataframe(table, hide_index=True, key="metrics_that_differ", height="content", column_order=["metric", "first", "second"],
                 column_config=_two(pair) | {"metric": st.column_config.TextColumn(f"{asked.target}, {asked.subset}", help="Target and galaxies as chosen above")})


def _two(pair: Pair) -> dict:
    return {side: st.column_config.TextColumn(pair.names[run], help=f"The {side} run") for side, run in (("first", pair.first), ("second", pair.second))}


def _galaxies(ws: Workspace, asked: Asked, pair: Pair) -> None:
    table = comparing.difference(ws, pair.first, pair.second, asked.target, asked.subset)
    st.markdown(comparing.gain(table).sentence)
    if table.empty:
        return
    widest = table.reindex(table["gain"].abs().sort_values(ascending=False).index).head(200)
    st.caption(f"The {len(widest)} galaxies with the largest difference; choose one to open it.")
    numbers = {c: st.column_config.NumberColumn(h, format="%.4f", help=s) for c, h, s in (
        ("truth", "truth", "Catalogue value"), ("first", pair.names[pair.first], "What the first run predicts"), ("second", pair.names[pair.second], "What the second run predicts"),
        ("gain", "gain", "How much smaller the second run's residual is"))}  # fmt: skip
    picked = st.dataframe(widest, hide_index=True, height=280, on_select="rerun", selection_mode="single-row", key="differences", column_order=["key", "truth", "first", "second", "gain", "sn"],
                          column_config=numbers | {"sn": st.column_config.NumberColumn("S/N", format="%.1f", help="Median per pixel of the spectrum")})
    if picked.selection.rows:
        row = widest.iloc[picked.selection.rows[0]]
        st.page_link("pages/label.py", label=f"Open {row['key']} on the Label page", icon=":material/edit_note:", query_params={"object": str(row["object_id"])})


def _rows_of_runs(asked: Asked) -> dict[int, str]:
    """Run id -> name of the row of the table that it belongs to."""
    names = row_names(asked.mean)
    if not asked.is_joined:
        return dict(zip(asked.mean["run_id"], names, strict=True))
    by_group = dict(zip(asked.mean["group"], names, strict=True))
    return {int(run.id): by_group[run.group] for run in asked.shown.runs.itertuples()}


def _verdicts(asked: Asked, rows: dict[int, str]) -> None:
    """The sentences of the newest run of each row, the first one open."""
    newest: dict[str, list[str]] = {}
    for run, sentences in comparing.verdicts(asked.shown).items():
        newest.setdefault(rows[run], sentences)
    for k, (row, sentences) in enumerate(newest.items()):
        with st.expander(f"What training concluded: {row}", expanded=not k, icon=":material/balance:"):
            st.markdown("\n".join(f"- {sentence}" for sentence in sentences))


def _modality_curves(ws: Workspace, asked: Asked, rates: pd.DataFrame, rows: dict[int, str], names: list[str]) -> None:
    """The newest run of each row, as many as can be told apart."""
    runs = {row: run for run, row in reversed(rows.items()) if run in set(rates["run_id"])}
    curves = comparing.over_training(ws, list(runs.values()))
    curves = curves[curves["target"] == asked.target].assign(row=lambda t: t["run_id"].map(rows))
    if curves.empty:
        st.caption(f"None of these runs followed its modality use for {asked.target} over training.")
        return
    drawn = list(dict.fromkeys(curves["row"]))[: figures.MOST_CURVES]
    charts.show(figures.modality_curves(curves[curves["row"].isin(drawn)], names), "modality_curves", f"Conditional utilisation rate of each modality for {asked.target} against epoch")
    if curves["row"].nunique() > len(drawn):
        st.caption(f"Curves of {len(drawn)} of {curves['row'].nunique()} rows; the filter above brings others.")


def _metric(asked: Asked, ranked_only: bool = False) -> Metric:
    """One of the metrics that are shown."""
    offered = {m.label: m for m in asked.metrics if (m.is_ranked if ranked_only else m.aim != "none")}
    label = st.segmented_control("Metric", list(offered), default=next(iter(offered)), required=True, key=f"metric_{'ranked' if ranked_only else 'any'}", bind="query-params", wrap=True,
                                 help="  \n".join(f"**{m.label}** {m.sentence}" for m in offered.values()))
    return offered.get(label, next(iter(offered.values())))


def _values(mean: pd.DataFrame, error: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """row (its name), value, error."""
    return pd.DataFrame({"row": row_names(mean), "value": mean[metric.name].astype(float), "error": error[metric.name].astype(float)})


def _leading(asked: Asked, metric: Metric) -> list[str]:
    """The best rows by a metric over the galaxies chosen, as many as can be told apart, best first."""
    table = _values(asked.mean, asked.error, metric)
    order = comparing.badness(table["value"], metric).sort_values(kind="stable").index
    return table.loc[order, "row"].head(figures.MOST_ROWS).tolist()


def _say_if_fewer(shown: int, of: int, metric: Metric) -> None:
    if shown < of:
        st.caption(f"The best {shown} of {of} rows by {metric.label}; the filter above brings others.")


def _no_truth(asked: Asked) -> None:
    nothing_yet(f"No held-out galaxy among those chosen ({asked.subset}) has a true {asked.target} and a prediction of it. Truth comes with simulated or catalogue data.", "pages/data.py", "Bring in a catalogue")


def _open_clicked(figure, key: str, alt: str) -> None:
    """Draw a figure; a click on a point that stands for a galaxy opens it on the Label page."""
    event = st.plotly_chart(figure, width="stretch", key=key, config=charts.QUIET, alt=alt, on_select="rerun", selection_mode="points")
    clicked = [point["customdata"] for point in event.selection.points if point.get("customdata")]
    if clicked:
        st.switch_page("pages/label.py", query_params={"object": str(int(clicked[0][0]))})
