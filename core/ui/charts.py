"""The app's charts: one look for all, in light and dark; colour never alone, a marker or dash beside it.

Colours of series come from the theme (``chartCategoricalColors`` in .streamlit/config.toml).
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.models.registry import MODELS
from core.ui import palette, state

if TYPE_CHECKING:
    import plotly.graph_objects as go

QUIET = {"displaylogo": False, "displayModeBar": "hover", "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
DECADES = [m * 10.0**e for e in range(-6, 4) for m in (1, 2, 5)]
"""Ticks of logarithmic axes."""
STILL = QUIET | {"displayModeBar": False}


def show(figure: "go.Figure", key: str, alt: str, is_still: bool = False) -> None:
    """Draw a figure over the full width; ``alt`` says in words what it shows."""
    st.plotly_chart(figure, width="stretch", key=key, config=STILL if is_still else QUIET, alt=alt)


def learning_curve(table: pd.DataFrame, label: str) -> "go.Figure":
    """`overviewing.learning_curve` drawn: a line a model, random controls dashed."""
    figure = _figure(380, "labelled galaxies the run learnt from", label)
    for (model, is_control), rows in sorted(table.groupby(["model", "is_control"]), key=lambda group: _place(group[0][0])):
        rows = rows.groupby("galaxies", as_index=False).last()
        name = f"{model}, random labels" if is_control else model
        figure.add_scatter(x=rows["galaxies"], y=rows["value"], name=name, mode="lines+markers", marker=_marker(model), customdata=rows[["run", "run_id"]],
                           line={"color": colour(model), "dash": "dash" if is_control else "solid", "width": 2},
                           hovertemplate="%{y:.4g} from %{x:,} galaxies<br>run %{customdata[1]}: %{customdata[0]}<extra>" + name + "</extra>")
    if len(table) and table["value"].min() > 0 and table["value"].max() > 8 * table["value"].min():
        figure.update_yaxes(type="log", tickvals=DECADES, ticktext=[f"{t:g}" for t in DECADES])
    return figure.update_xaxes(rangemode="tozero")


def loss_curves(table: pd.DataFrame) -> "go.Figure":
    """`training.curves` drawn: validation as a full line, training dotted, one colour a model."""
    figure, listed = _figure(360, "epoch", "loss").update_layout(showlegend=True), set()
    for (run_id, name), rows in sorted(table.groupby(["run_id", "name"]), reverse=True):
        model, is_validation = rows["model"].iloc[0], name == "validation_loss"
        figure.add_scatter(x=rows["epoch"], y=rows["value"], mode="lines+markers" if len(rows) < 3 else "lines", name=f"{model} #{run_id}",
                           legendgroup=str(run_id), showlegend=run_id not in listed, line={"color": colour(model), "dash": "solid" if is_validation else "dot", "width": 2},
                           hovertemplate="epoch %{x}: %{y:.4g}<extra>" + f"{model} #{run_id}, {name.replace('_', ' ')}</extra>")
        listed.add(run_id)
    return figure


def predicted_and_residual(tables: dict[str, pd.DataFrame], bins: dict[str, pd.DataFrame], target: str) -> "go.Figure":
    """Predicted against true, and below it residual against S/N, one column a run; all in one WebGL canvas.

    ``tables`` and ``bins`` : name of the run -> `comparing.predicted_and_true` and its `binned` by sn.
    """
    from plotly.subplots import make_subplots

    names = list(tables)
    figure = make_subplots(2, len(names), row_heights=[0.62, 0.38], vertical_spacing=0.13, horizontal_spacing=0.07, subplot_titles=names, shared_yaxes="rows")
    low, high = _common_range([t[c] for t in tables.values() for c in ("truth", "mean")])
    for column, name in enumerate(names, start=1):
        _predicted(figure, tables[name], column, (low, high))
        _residuals(figure, tables[name], bins[name], column)
    figure.update_xaxes(title_text=f"true {target}", range=[low, high], row=1)
    figure.update_yaxes(range=[low, high], row=1).update_yaxes(range=_residual_range(tables), row=2).update_xaxes(title_text="S/N per pixel", type="log", tickvals=DECADES, ticktext=[f"{t:g}" for t in DECADES], row=2)
    figure.update_yaxes(title_text=f"predicted {target}", row=1, col=1)
    figure.update_yaxes(title_text="Δz / (1 + z)" if target == "z" else "predicted - true", row=2, col=1)
    return figure.update_layout(height=720, showlegend=False, margin={"l": 60, "r": 16, "t": 36, "b": 52}, hoverlabel={"align": "left"})


def by_subset(table: pd.DataFrame, subsets: list[str], metric: str, label: str) -> "go.Figure":
    """A metric of each run in each subset of galaxies; ``table`` has subset, run, model, run_id and the metric."""
    figure = _figure(340, "", label).update_layout(xaxis={"categoryorder": "array", "categoryarray": subsets})
    for run_id, rows in sorted(table.groupby("run_id"), key=lambda group: _place(group[1]["model"].iloc[0])):
        model, name = rows["model"].iloc[0], f"{rows['run'].iloc[0]} #{run_id}"
        figure.add_scatter(x=rows["subset"], y=rows[metric], name=name, mode="lines+markers", marker=_marker(model), line={"color": colour(model), "width": 1, "dash": "dot"},
                           hovertemplate="%{x}: %{y:.4g}<extra>" + name + "</extra>")
    return figure


def histogram(values: np.ndarray, x: str, height: int = 220, bins: int = 40) -> "go.Figure":
    """How many values lie where; the highest percent is gathered in the last bin."""
    figure = _figure(height, x, "galaxies")
    counts, edges = np.histogram(np.minimum(values, np.percentile(values, 99)), bins=bins)
    figure.add_bar(x=(edges[:-1] + edges[1:]) / 2, y=counts, width=np.diff(edges) * 0.92, marker={"color": series()[1]},
                   hovertemplate="%{y:,} galaxies at %{x:.1f}<extra></extra>")
    return figure.update_layout(showlegend=False)


def shares(table: pd.DataFrame, name: str, part: str, whole: str, labels: tuple[str, str], height: int = 220) -> "go.Figure":
    """Bars of a whole and the part of it that is so: galaxies of each split and how many are labelled, say."""
    figure = _figure(height, "", "").update_layout(barmode="stack", yaxis={"autorange": "reversed"})
    rest = table[whole] - table[part]
    figure.add_bar(y=table[name], x=table[part], orientation="h", name=labels[0], marker={"color": series()[0]}, hovertemplate="%{x:,}<extra>" + labels[0] + "</extra>")
    figure.add_bar(y=table[name], x=rest, orientation="h", name=labels[1], marker={"color": series()[0], "opacity": 0.28, "pattern": {"shape": "/", "size": 5, "solidity": 0.25}},
                   hovertemplate="%{x:,}<extra>" + labels[1] + "</extra>")
    return figure


def series() -> list[str]:
    """The theme's colours for series, for the theme that the browser shows."""
    return list(st.get_option(f"theme.{'dark' if state.is_dark() else 'light'}.chartCategoricalColors"))


def colour(model: str) -> str:
    """A model's colour, the same in every chart: by its place in the registry."""
    return series()[_place(model) % len(series())]


def _predicted(figure: "go.Figure", table: pd.DataFrame, column: int, limits: tuple[float, float]) -> None:
    import plotly.graph_objects as go

    hover = "%{customdata[0]}<br>true %{x:.4f}, predicted %{y:.4f} ± %{customdata[1]:.4f}<extra></extra>"
    figure.add_trace(go.Scattergl(x=_small(table["truth"]), y=_small(table["mean"]), mode="markers", customdata=np.column_stack([table["key"], table["sigma"].round(5)]),
                                  marker=_density(table["truth"], table["mean"]), hovertemplate=hover.replace("[1]:.4f", "[1]")), row=1, col=column)
    figure.add_trace(go.Scattergl(x=np.float32(limits), y=np.float32(limits), mode="lines", line={"color": _ink(), "width": 1, "dash": "dash"}, hoverinfo="skip"), row=1, col=column)


def _residuals(figure: "go.Figure", table: pd.DataFrame, bins: pd.DataFrame, column: int) -> None:
    import plotly.graph_objects as go

    known = table.dropna(subset=["sn"]).query("sn > 0")
    figure.add_trace(go.Scattergl(x=_small(known["sn"]), y=_small(known["residual"]), mode="markers", marker=_density(np.log10(known["sn"]), known["residual"]),
                                  customdata=known["key"], hovertemplate="%{customdata}<br>S/N %{x:.1f}, residual %{y:.4f}<extra></extra>"), row=2, col=column)
    accent = series()[2]
    for edge, width in (("low", 1.2), ("median", 2.6), ("high", 1.2)):
        figure.add_trace(go.Scattergl(x=_small(bins["centre"]), y=_small(bins[edge]), mode="lines", line={"color": accent, "width": width}, hoverinfo="skip"), row=2, col=column)


def _density(x: pd.Series, y: pd.Series) -> dict:
    """Markers coloured by how crowded their place is."""
    if len(x) < 2:
        return {"size": 5, "color": series()[0]}
    counts, x_edges, y_edges = np.histogram2d(x, y, bins=min(60, max(8, int(len(x) ** 0.5))))
    i = np.clip(np.digitize(x, x_edges) - 1, 0, counts.shape[0] - 1)
    j = np.clip(np.digitize(y, y_edges) - 1, 0, counts.shape[1] - 1)
    scale = palette.sequential(state.is_dark()) if state.is_dark() else [[1 - place, c] for place, c in reversed(palette.sequential(False))]
    return {"size": 5 if len(x) < 5000 else 3, "opacity": 0.8, "color": np.log1p(counts[i, j]).astype(np.float32), "colorscale": scale, "showscale": False}


def _common_range(columns: list[pd.Series]) -> tuple[float, float]:
    values = np.concatenate([np.asarray(c, float) for c in columns]) if columns else np.array([0.0, 1.0])
    low, high = (np.nanmin(values), np.nanmax(values)) if len(values) else (0.0, 1.0)
    margin = 0.04 * (high - low) or 0.5
    return float(low - margin), float(high + margin)


def _residual_range(tables: dict[str, pd.DataFrame]) -> list[float]:
    """Symmetric about 0, wide enough for 99 in 100."""
    values = np.concatenate([t["residual"] for t in tables.values()])
    reach = 1.1 * float(np.percentile(np.abs(values), 99)) if len(values) else 1.0
    return [-reach, reach]


def _figure(height: int, x: str, y: str) -> "go.Figure":
    import plotly.graph_objects as go

    return go.Figure(layout={
        "height": height, "margin": {"l": 56, "r": 12, "t": 12, "b": 46}, "xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}},
        "legend": {"orientation": "h", "yref": "container", "y": 1, "yanchor": "top", "x": 0, "xref": "container"}, "hovermode": "closest", "bargap": 0.35,
    })


def _marker(model: str) -> dict:
    return {"color": colour(model), "symbol": palette.SYMBOLS[_place(model) % len(palette.SYMBOLS)], "size": 9}


def _place(model: str) -> int:
    return list(MODELS).index(model) if model in MODELS else len(MODELS) + sum(map(ord, model))


def _ink() -> str:
    return "#a3a7c4" if state.is_dark() else "#63667f"


def _small(values: pd.Series) -> np.ndarray:
    return np.asarray(values, np.float32)
