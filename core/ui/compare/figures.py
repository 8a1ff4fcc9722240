"""The figures of the Compare page. Points carry their object's id first in ``customdata``: a click opens it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.services.comparing import AGAINST, READS, Calibration, Metric
from core.ui import charts, palette, state
from core.ui.compare.label_places import places

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_POINTS = 6000
"""Galaxies drawn of each run; bins and metrics use all."""
MOST_ROWS = 8
"""Rows that can be told apart at a glance, each with a colour of its own."""
MOST_CURVES = 4
"""Runs whose curves can be told apart by their dashes."""
_LIFTED = {"#7B3F98": "#BE93D4"}
"""Colours that would sink in a dark page."""
_COST_WIDTHS, _COST_HEIGHT = (720, 1000, 1480), 400
"""Pixels of the cost figure's plane, on a narrow and on a wide page."""
_LONGEST = 32
"""Letters of a label beside a point; hover shows the whole of it."""
_BAND = {False: palette.HIGHLIGHT[False], True: "#FF7A2F"}
"""Stands out from the points, whose crowds are dark on a light page and yellow on a dark one."""
_PATTERNS = ("", "/", ".", "x", "-")


def looks(names: list[str]) -> dict[str, tuple[str, str]]:
    """Colour and symbol of each name, by its place in the list."""
    count = len(palette.OKABE_ITO)
    colours = [palette.OKABE_ITO[k % count] for k in range(len(names))]
    colours = [_LIFTED.get(c, c) for c in colours] if state.is_dark() else colours
    return {name: (colours[k], palette.SYMBOLS[(k + k // count) % count]) for k, name in enumerate(names)}


def predictions(tables: Mapping[str, pd.DataFrame], bins: Mapping[str, pd.DataFrame], target: str, against: str) -> "go.Figure":
    """Predicted against true, and below it residuals against S/N, z or magnitude, one column a run; all in one WebGL canvas.

    ``tables`` and ``bins`` : name of the run -> `comparing.predicted_and_true` and its `binned` by ``against`` (of `AGAINST`).
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(2, len(tables), row_heights=[0.6, 0.4], vertical_spacing=0.13, horizontal_spacing=0.07, subplot_titles=list(tables), shared_yaxes="rows")
    low, high = _common_range([t[c] for t in tables.values() for c in ("truth", "mean")])
    for column, (name, table) in enumerate(tables.items(), start=1):
        drawn = table.sample(MOST_POINTS, random_state=0) if len(table) > MOST_POINTS else table
        _predicted(figure, drawn, column, (low, high))
        _residuals(figure, drawn, bins[name], column, against)
    figure.update_xaxes(title_text=f"true {target}", range=[low, high], row=1).update_xaxes(title_text=AGAINST[against], row=2)
    figure.update_yaxes(range=[low, high], row=1).update_yaxes(range=_residual_range(tables), row=2)
    if against == "sn":
        figure.update_xaxes(type="log", tickvals=charts.DECADES, ticktext=[f"{t:g}" for t in charts.DECADES], row=2)
    figure.update_yaxes(title_text=f"predicted {target}", row=1, col=1).update_yaxes(title_text="Δz / (1 + z)" if target == "z" else "predicted - true", row=2, col=1)
    return figure.update_layout(height=740, showlegend=False, margin={"l": 66, "r": 16, "t": 36, "b": 52}, hoverlabel={"align": "left"}, dragmode="pan")


def error_bars(runs: Mapping[str, Calibration]) -> "go.Figure":
    """PIT histogram of each run with the band of a calibrated one, and the reliability curves of all."""
    from plotly.subplots import make_subplots

    titles = [*(f"PIT of {name}" for name in runs), "Reliability"]
    figure = make_subplots(1, len(titles), subplot_titles=titles, horizontal_spacing=0.33 / len(titles))
    for column, ((name, one), (colour, symbol)) in enumerate(zip(runs.items(), looks(list(runs)).values(), strict=True), start=1):
        _pit(figure, one, colour, column)
        _reliability(figure, one, name, colour, symbol, len(titles))
    highest = max(1.6, *(max(c.density.max(), *c.density_after, 0.0) * 1.06 for c in runs.values()))
    figure.update_yaxes(range=[0, highest]).update_yaxes(range=[0, 1], col=len(titles)).update_xaxes(range=[0, 1])
    figure.update_yaxes(title_text="density (calibrated: 1)", col=1).update_yaxes(title_text="share that holds the truth", col=len(titles))
    figure.update_xaxes(title_text="where the truth falls in the prediction").update_xaxes(title_text="central interval", col=len(titles))
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": charts.ink(), "dash": "dash", "width": 1}, hoverinfo="skip", showlegend=False, row=1, col=len(titles))
    return figure.update_layout(height=400, margin={"l": 60, "r": 16, "t": 36, "b": 84}, bargap=0.04, legend={"orientation": "h", "y": -0.24, "yanchor": "top", "x": 1, "xanchor": "right"})


def cost(table: pd.DataFrame, cost_of: Metric, metric: Metric, label: str) -> "go.Figure":
    """Accuracy against cost on logarithmic axes, labelled points and the front that nothing beats in both.

    ``table`` : title, reads, cost, value, error, is_front; costs and values known.
    """
    figure = charts.blank(500, cost_of.label, label)
    for name, (colour, symbol) in looks(list(READS)).items():
        rows = table[table["reads"] == name]
        if rows.empty:
            continue
        figure.add_scatter(x=rows["cost"], y=rows["value"], name=f"reads {name}", mode="markers", marker={"color": colour, "symbol": symbol, "size": 11},
                           error_y={"array": rows["error"].fillna(0), "thickness": 1, "width": 3}, customdata=rows["title"],
                           hovertemplate="%{customdata}<br>%{y:.4g} at %{x:.4g} " + cost_of.label + "<extra></extra>")
    front = table[table["is_front"]].sort_values("cost")
    figure.add_scatter(x=front["cost"], y=front["value"], mode="lines", name="Pareto front", line={"color": charts.ink(), "dash": "dot", "shape": "hv", "width": 1.5}, hoverinfo="skip")
    _logarithmic(figure, table["cost"], "x")
    if (table["value"] > 0).all() and metric.aim == "low":
        _logarithmic(figure, table["value"], "y")
    else:
        figure.update_yaxes(range=_padded(table["value"]))
    _label_points(figure, table)
    return figure.update_layout(margin={"l": 66, "r": 16, "t": 44, "b": 52})


def by_subset(table: pd.DataFrame, subsets: list[str], label: str) -> "go.Figure":
    """A metric of each row in each subset of galaxies; ``table`` : row (its name), subset, value, error."""
    figure = charts.blank(420, "", label).update_layout(xaxis={"categoryorder": "array", "categoryarray": subsets}, scattermode="group", scattergap=0.3)
    names = list(dict.fromkeys(table["row"]))
    for name, (colour, symbol) in looks(names).items():
        rows = table[table["row"] == name]
        figure.add_scatter(x=rows["subset"], y=rows["value"], name=name, mode="markers", marker={"color": colour, "symbol": symbol, "size": 9}, offsetgroup=name,
                           error_y={"array": rows["error"].fillna(0), "thickness": 1.2, "width": 3}, hovertemplate="%{x}: %{y:.4g}<extra>" + name + "</extra>")
    if len(table) and table["value"].min() > 0 and table["value"].max() > 8 * table["value"].min():
        figure.update_yaxes(type="log", tickvals=charts.DECADES, ticktext=[f"{t:g}" for t in charts.DECADES])
    return figure.update_layout(margin={"t": 20 + 24 * -(-len(names) // 4)})


def modality_rates(table: pd.DataFrame, modalities: list[str]) -> "go.Figure":
    """Conditional utilisation rate of each modality in each run; ``table`` : row (its name), modality, rate."""
    height = 130 + 26 * len(modalities) * table["row"].nunique()
    figure = charts.blank(height, "conditional utilisation rate", "").update_layout(barmode="group", bargap=0.3, margin={"t": 40}, yaxis={"autorange": "reversed", "automargin": True})
    for (modality, (colour, _)), pattern in zip(looks(modalities).items(), _PATTERNS, strict=False):
        rows = table[table["modality"] == modality]
        figure.add_bar(y=rows["row"], x=rows["rate"], orientation="h", name=modality, marker={"color": colour, "pattern": {"shape": pattern, "size": 6, "solidity": 0.2}},
                       hovertemplate="%{y}: %{x:.3f}<extra>" + modality + "</extra>")
    return figure.add_vline(x=0, line_color=charts.ink(), line_width=1)


def modality_curves(table: pd.DataFrame, modalities: list[str]) -> "go.Figure":
    """The same rates over training; ``table`` : row (its name), epoch, modality, rate; a dash a run, of at most `MOST_CURVES`."""
    figure, dashes = charts.blank(360, "epoch", "conditional utilisation rate"), ("solid", "dash", "dot", "dashdot")
    seen = looks(modalities)
    for k, name in enumerate(dict.fromkeys(table["row"])):
        for modality, rows in table[table["row"] == name].groupby("modality"):
            colour, symbol = seen[modality]
            figure.add_scatter(x=rows["epoch"], y=rows["rate"], name=f"{modality}, {name}", mode="lines+markers", marker={"symbol": symbol, "size": 6},
                               line={"color": colour, "dash": dashes[k % len(dashes)], "width": 2}, hovertemplate="epoch %{x}: %{y:.3f}<extra>" + f"{modality}, {name}</extra>")
    return figure.update_layout(margin={"t": 44})


def _predicted(figure: "go.Figure", table: pd.DataFrame, column: int, limits: tuple[float, float]) -> None:
    import plotly.graph_objects as go

    hover = "%{customdata[1]}<br>true %{x:.4f}, predicted %{y:.4f} ± %{customdata[2]}<br>click to open<extra></extra>"
    figure.add_trace(go.Scattergl(x=charts.small(table["truth"]), y=charts.small(table["mean"]), mode="markers", customdata=_told(table, _intervals(table)),
                                  hovertemplate=hover, **_density(table["truth"], table["mean"])), row=1, col=column)  # fmt: skip
    figure.add_trace(go.Scattergl(x=np.float32(limits), y=np.float32(limits), mode="lines", line={"color": charts.ink(), "width": 1, "dash": "dash"}, hoverinfo="skip"), row=1, col=column)


def _residuals(figure: "go.Figure", table: pd.DataFrame, bins: pd.DataFrame, column: int, against: str) -> None:
    import plotly.graph_objects as go

    known = table[np.isfinite(table[against]) & ((table[against] > 0) | (against != "sn"))]
    place = np.log10(known[against]) if against == "sn" else known[against]
    figure.add_trace(go.Scattergl(x=charts.small(known[against]), y=charts.small(known["residual"]), mode="markers", customdata=_told(known, known["mean"].round(5)),
                                  hovertemplate="%{customdata[1]}<br>" + AGAINST[against] + " %{x:.4g}, residual %{y:.4f}<br>click to open<extra></extra>",
                                  **_density(place, known["residual"])), row=2, col=column)  # fmt: skip
    colour = _BAND[state.is_dark()]
    band = {"mode": "lines", "hoverinfo": "skip"}
    round_trip = pd.concat([bins, bins[::-1].assign(low=bins["high"])])
    figure.add_trace(go.Scattergl(x=charts.small(round_trip["centre"]), y=charts.small(round_trip["low"]), line={"color": colour, "width": 1.2}, fill="toself", fillcolor=_faint(colour), **band), row=2, col=column)
    figure.add_trace(go.Scattergl(x=charts.small(bins["centre"]), y=charts.small(bins["median"]), line={"color": colour, "width": 2.8}, **band), row=2, col=column)


def _intervals(table: pd.DataFrame) -> pd.Series:
    """Half-widths in words: of the calibrated 68 % interval, or one sigma where the run was not calibrated."""
    stated = table["sigma"].map("{:.5f} (1 σ as stated)".format)
    return table["half"].map("{:.5f} (68 %, calibrated)".format).where(table["half"].notna(), stated)


def _told(table: pd.DataFrame, third: pd.Series) -> np.ndarray:
    return np.column_stack([table["object_id"].to_numpy(object), table["key"].to_numpy(object), third.to_numpy(object)])


def _density(x: pd.Series, y: pd.Series) -> dict:
    """Markers coloured by how crowded their place is; a chosen one leaves the others as they are."""
    if len(x) < 2:
        return {"marker": {"size": 5, "color": charts.series()[0]}}
    counts, x_edges, y_edges = np.histogram2d(x, y, bins=min(60, max(8, int(len(x) ** 0.5))))
    i = np.clip(np.digitize(x, x_edges) - 1, 0, counts.shape[0] - 1)
    j = np.clip(np.digitize(y, y_edges) - 1, 0, counts.shape[1] - 1)
    scale = palette.sequential(state.is_dark()) if state.is_dark() else [[1 - place, c] for place, c in reversed(palette.sequential(False))]
    crowd = np.log1p(counts[i, j]).astype(np.float32)
    return {"marker": {"size": 5 if len(x) < 5000 else 3, "opacity": 0.8, "color": crowd, "colorscale": scale, "showscale": False}, "unselected": {"marker": {"opacity": 0.8}}}


def _common_range(columns: list[pd.Series]) -> tuple[float, float]:
    values = np.concatenate([np.asarray(c, float) for c in columns]) if columns else np.array([0.0, 1.0])
    low, high = (np.nanmin(values), np.nanmax(values)) if len(values) else (0.0, 1.0)
    margin = 0.04 * (high - low) or 0.5
    return float(low - margin), float(high + margin)


def _residual_range(tables: Mapping[str, pd.DataFrame]) -> list[float]:
    """Symmetric about 0, wide enough for 99 in 100 of each run."""
    reach = max((float(np.percentile(np.abs(t["residual"]), 99)) for t in tables.values() if len(t)), default=0.0)
    return [-1.1 * (reach or 1.0), 1.1 * (reach or 1.0)]


def _pit(figure: "go.Figure", one: Calibration, colour: str, column: int) -> None:
    low, high = max(0.0, 1 - one.wobble), 1 + one.wobble
    figure.add_bar(x=(one.edges[:-1] + one.edges[1:]) / 2, y=one.density, width=np.diff(one.edges), marker={"color": colour}, showlegend=False,
                   hovertemplate="%{x:.2f}: density %{y:.2f}<extra></extra>", row=1, col=column)
    figure.add_scatter(x=[0, 1, 1, 0], y=[low, low, high, high], fill="toself", mode="lines", line={"width": 0}, fillcolor=_faint(charts.ink()), hoverinfo="skip", showlegend=False, row=1, col=column)
    figure.add_scatter(x=[0, 1], y=[1, 1], mode="lines", line={"color": charts.ink(), "dash": "dash", "width": 1.4}, hoverinfo="skip", showlegend=False, row=1, col=column)
    if len(one.density_after):
        figure.add_scatter(x=one.edges, y=np.append(one.density_after, one.density_after[-1]), mode="lines", line={"color": _BAND[state.is_dark()], "shape": "hv", "width": 2}, showlegend=False,
                           hovertemplate="stretched, from %{x:.2f}: density %{y:.2f}<extra></extra>", row=1, col=column)


def _reliability(figure: "go.Figure", one: Calibration, name: str, colour: str, symbol: str, column: int) -> None:
    figure.add_scatter(x=one.levels, y=one.covered, mode="lines+markers", name=name, line={"color": colour, "width": 2}, marker={"symbol": symbol, "size": 6},
                       hovertemplate="the %{x:.0%} interval holds %{y:.1%}<extra>" + name + "</extra>", row=1, col=column)
    if one.stretched:
        figure.add_scatter(x=list(one.stretched), y=list(one.stretched.values()), mode="lines+markers", name=f"{name}, stretched", line={"color": colour, "width": 1.5, "dash": "dash"},
                           marker={"symbol": f"{symbol}-open", "size": 10, "color": colour, "line": {"width": 2}},
                           hovertemplate="stretched, the %{x:.0%} interval holds %{y:.1%}<extra>" + name + "</extra>", row=1, col=column)


def _label_points(figure: "go.Figure", table: pd.DataFrame) -> None:
    """A label beside each point where there is room for it, none over another; those of the front choose first."""
    table = table.sort_values("is_front", ascending=False, kind="stable")
    texts = [t if len(t) <= _LONGEST else t[: _LONGEST - 1] + "…" for t in table["title"]]
    across, up = ([_share(axis, v) for v in table[name]] for axis, name in ((figure.layout.xaxis, "cost"), (figure.layout.yaxis, "value")))
    for text, x, y, place in zip(texts, table["cost"], table["value"], places(across, up, texts, _COST_WIDTHS, _COST_HEIGHT), strict=True):
        if place is None:
            continue
        figure.add_annotation(x=_on_axis(figure.layout.xaxis, x), y=_on_axis(figure.layout.yaxis, y), text=text, ax=place[0], ay=-place[1], showarrow=True, arrowhead=0,
                              arrowwidth=0.8, arrowcolor=charts.ink(), standoff=7, font={"size": 12}, bgcolor=charts.page(), borderpad=1)


def _logarithmic(figure: "go.Figure", values: pd.Series, axis: str) -> None:
    low, high = _padded(np.log10(values))
    ticks = [t for t in (_TICKS if high - low < 3 else _TENS) if low <= np.log10(t) <= high]
    named = {"tickvals": ticks, "ticktext": [f"{t:,g}" if t < 1e6 else f"{t:.0e}" for t in ticks]} if len(ticks) > 2 else {}
    figure.update_layout({f"{axis}axis": {"type": "log", "range": [low, high], **named}})


def _padded(values: pd.Series) -> list[float]:
    low, high = float(np.min(values)), float(np.max(values))
    margin = 0.12 * (high - low) or 0.5
    return [low - margin, high + margin]


def _on_axis(axis: "go.layout.XAxis", value: float) -> float:
    return float(np.log10(value)) if axis.type == "log" else float(value)


def _share(axis: "go.layout.XAxis", value: float) -> float:
    low, high = axis.range
    return (_on_axis(axis, value) - low) / (high - low)


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i:i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.2)"


_TENS = [10.0**e for e in range(-9, 13)]
_TICKS = [m * t for t in _TENS for m in (1, 2, 5)]
