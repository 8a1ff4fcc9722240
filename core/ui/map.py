"""The map: a cloud that can be lassoed however many galaxies it has.

Two pairs of axes lie on each other. The cloud is drawn by WebGL on the first; on the second lies an
invisible SVG "catcher". Plotly looks for selected points among the catcher's only, so a lasso around
200,000 galaxies sends its outline, not its contents; which galaxies lie inside is worked out here.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.services import exploring
from core.services.exploring import COLOURINGS, MapTable
from core.store import Workspace
from core.ui import palette, state

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEIGHT = 620
_RINGS = ("circle-open", "square-open", "diamond-open")
MOST_MARKED = 3000
"""Highlights beyond hide the map and are slow to hover."""
MARGIN = 0.04
"""Share of the map's width that is left free around it."""
_STILL_OUTLINE = """<style>.js-plotly-plot .outline-controllers {display: none}
.js-plotly-plot .selectionlayer *, .js-plotly-plot .select-outline {pointer-events: none !important}</style>"""
"""Plotly puts a handle on each of a lasso's hundred corners, and takes a lasso begun inside another for moving that one."""
CONFIG = {"displaylogo": False, "scrollZoom": True, "displayModeBar": True, "modeBarButtonsToRemove": ["autoScale2d", "toImage"]}


@dataclass
class Region:
    """A lasso: on which map, its outline float (k, 2) in that map's coordinates, and the ids it caught there."""

    map_id: int
    outline: np.ndarray
    object_ids: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))


@st.cache_resource(max_entries=6, show_spinner="Reading the map")
def _table(version: tuple, _ws: Workspace, name: str, run_id: int | None) -> MapTable:
    return exploring.map_table(_ws, name, run_id)


def table(ws: Workspace, name: str, run_id: int | None) -> MapTable:
    """`exploring.map_table`, kept until labels, batches, objects or the map change."""
    return _table(exploring.version(ws, name, run_id), ws, name, run_id)


def draw(shown: MapTable, colouring: str, target: str, visible_n: np.ndarray, key: str, marked: dict[str, np.ndarray] | None = None, height: int = HEIGHT) -> None:
    """Draw the map; what is lassoed on it is then `caught`.

    Call it inside a fragment: every run of its script sends the whole map again. Change nothing in it because of
    its own selection: a figure that changes loses lasso and zoom.

    Parameters
    ----------
    colouring : of `COLOURINGS`. target : which target, where the colouring is per target.
    visible_n : bool (n,), who is drawn. key : unique widget key. marked : name -> rows to highlight with a name on hover.
    """
    st.session_state[f"{key}_map_id"] = shown.version[1]
    cloud = figure(shown, colouring, target, visible_n, marked or {}, state.is_dark(), height)
    alt = f"Map {shown.name} of {int(visible_n.sum()):,} galaxies coloured by {COLOURINGS[colouring].title.lower()}"
    st.html(_STILL_OUTLINE)
    st.plotly_chart(cloud, width="stretch", key=key, on_select=partial(_remember, key), selection_mode=("lasso", "box"), config=CONFIG, alt=alt)


def caught(shown: MapTable, visible_n: np.ndarray, key: str) -> np.ndarray | None:
    """Rows inside the last lasso or box of the map of that key, visible ones only; None when nothing is lassoed.

    A lasso drawn on another map stands for the galaxies that it caught there, wherever they lie on this one.
    """
    region: Region | None = st.session_state.get(f"{key}_region")
    if region is None:
        return None
    if region.map_id == shown.version[1]:
        region.object_ids = shown.object_ids[exploring.points_in_polygon(shown.xy, region.outline)]
    rows = exploring.rows_of(shown.object_ids, region.object_ids)
    return rows[(rows >= 0) & visible_n[rows]]


def carried(shown: MapTable, visible_n: np.ndarray, key: str, look: tuple) -> dict[str, np.ndarray]:
    """What was caught before the figure became this one, to be highlighted: a new figure has lost its lasso.

    ``look`` is everything but the selection that the figure depends on. While it stays, so does the answer,
    for the figure must not change because of its own selection.
    """
    look = (*shown.version, *look, hash(visible_n.tobytes()))
    held = st.session_state.get(f"{key}_carried")
    if held is None or held[0] != look or key not in st.session_state:
        rows = caught(shown, visible_n, key)
        held = (look, np.empty(0, np.int64) if rows is None or len(rows) > MOST_MARKED else rows)
        st.session_state[f"{key}_carried"] = held
    return {"caught": held[1]} if len(held[1]) else {}


def forget(key: str) -> None:
    """Drop the lasso of the map of that key."""
    st.session_state.pop(f"{key}_region", None)
    st.session_state.pop(f"{key}_carried", None)


def figure(shown: MapTable, colouring: str, target: str, visible_n: np.ndarray, marked: dict[str, np.ndarray], is_dark: bool, height: int = HEIGHT) -> "go.Figure":
    """The map as Plotly draws it; see `draw`."""
    import plotly.graph_objects as go

    column = shown.column(target)
    ranges = _ranges(shown.xy)
    chart = go.Figure(layout=_layout(ranges, height))
    values = COLOURINGS[colouring].values(shown, column)
    rows = np.flatnonzero(visible_n)
    if COLOURINGS[colouring].scale == "category":
        _add_categories(chart, shown.xy, values, rows, is_dark)
    else:
        unit = shown.targets[column].unit if COLOURINGS[colouring].per_target else ""
        title = f"{COLOURINGS[colouring].title}{f' of {target}' if COLOURINGS[colouring].per_target else ''}{f'<br>{unit}' if unit else ''}"
        _add_numbers(chart, shown.xy, values, rows, COLOURINGS[colouring].scale, title, is_dark)
    for (name, members), symbol in zip(marked.items(), _RINGS, strict=False):
        _add_marked(chart, shown, members, name, symbol, is_dark)
    (x0, x1), (y0, y1) = ranges
    return chart.add_scatter(x=[x0, x1, x0, x1], y=[y0, y0, y1, y1], xaxis="x2", yaxis="y2", mode="markers", marker={"opacity": 0}, hoverinfo="skip", showlegend=False)


def _remember(key: str) -> None:
    """Copy the outline of a lasso or box to where no redraw of the figure can empty it."""
    selection = st.session_state[key].selection
    outlines = [np.column_stack([o["x"], o["y"]]) for o in selection["lasso"]]
    boxes = [np.array([(o["x"][i], o["y"][j]) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]) for o in selection["box"]]
    found = outlines + boxes
    if found:
        st.session_state[f"{key}_region"] = Region(st.session_state[f"{key}_map_id"], found[-1].astype(float))
    else:
        forget(key)


def _ranges(xy: np.ndarray) -> tuple[list[float], list[float]]:
    low, high = (xy.min(axis=0), xy.max(axis=0)) if len(xy) else (np.zeros(2), np.ones(2))
    margin = np.where(high > low, MARGIN * (high - low), 0.5)
    return tuple([float(a), float(b)] for a, b in zip(low - margin, high + margin, strict=True))


def _layout(ranges: tuple[list[float], list[float]], height: int) -> dict:
    hidden = {"visible": False, "showgrid": False, "zeroline": False}
    x, y = hidden | {"range": ranges[0]}, hidden | {"range": ranges[1]}
    return {
        "height": height, "margin": {"l": 0, "r": 0, "t": 8, "b": 0}, "dragmode": "lasso", "hovermode": "closest", "uirevision": "map",
        "xaxis": x | {"domain": [0, 1]}, "yaxis": y | {"domain": [0, 1]},
        "xaxis2": x | {"matches": "x", "domain": [0, 1], "anchor": "y2"}, "yaxis2": y | {"matches": "y", "domain": [0, 1], "anchor": "x2"},
        "legend": {"orientation": "h", "y": -0.01, "yanchor": "top", "itemsizing": "constant"},
        "newselection": {"line": {"width": 2}},
    }


def _size(count: int) -> float:
    """Marker size in pixels that neither drowns a crowd nor loses a few."""
    return float(np.clip(48 / max(count, 1) ** 0.25, 2.2, 9))


def _add_categories(chart: "go.Figure", xy: np.ndarray, names: np.ndarray, rows: np.ndarray, is_dark: bool) -> None:
    present, counts = np.unique(names[rows].astype(str), return_counts=True)
    looks = palette.categories(sorted(present.tolist(), key=_order), is_dark)
    for name, (colour, symbol) in looks.items():
        here = rows[names[rows] == name]
        chart.add_scattergl(x=xy[here, 0], y=xy[here, 1], mode="markers", name=f"{name} ({len(here):,})", hoverinfo="skip",
                            marker={"size": _size(len(rows)), "color": colour, "symbol": symbol, "opacity": 0.75})


def _order(name: str) -> tuple[int, str]:
    return (exploring.STATES.index(name) if name in exploring.STATES else -1, name)


def _add_numbers(chart: "go.Figure", xy: np.ndarray, values: np.ndarray, rows: np.ndarray, scale: str, title: str, is_dark: bool) -> None:
    values, bar = _scaled(values, scale)
    known = np.isfinite(values[rows])
    size = _size(len(rows))
    if not known.all():
        rest = rows[~known]
        chart.add_scattergl(x=xy[rest, 0], y=xy[rest, 1], mode="markers", name=f"no value ({len(rest):,})", hoverinfo="skip", showlegend=True,
                            marker={"size": 0.8 * size, "color": palette.NOTHING, "opacity": 0.25, "symbol": "circle-open"})
    rows = rows[known]
    low, high = _limits(values[rows], scale)
    colours = palette.diverging(is_dark) if scale == "diverging" else palette.sequential(is_dark)
    bar = bar | {"title": {"text": title, "side": "right"}, "thickness": 12, "len": 0.9, "outlinewidth": 0}
    chart.add_scattergl(x=xy[rows, 0], y=xy[rows, 1], mode="markers", showlegend=False, hoverinfo="skip",
                        marker={"size": size, "color": values[rows], "colorscale": colours, "cmin": low, "cmax": high, "colorbar": bar, "opacity": 0.85})


def _scaled(values: np.ndarray, scale: str) -> tuple[np.ndarray, dict]:
    """What the colour follows, and how the colour bar is labelled: the logarithm with ticks at 1, 2 and 5, or the value itself."""
    if scale != "logarithmic":
        return values, {"tickformat": "~g"}
    ticks = np.outer(10.0 ** np.arange(-8, 6), (1, 2, 5)).ravel()
    return np.log10(np.where(values > 0, values, np.nan)), {"tickvals": np.log10(ticks).tolist(), "ticktext": [f"{t:g}" for t in ticks]}


def _limits(values: np.ndarray, scale: str) -> tuple[float, float]:
    """The middle 96 % of the values; symmetric about 0 on a diverging scale."""
    if not len(values):
        return 0.0, 1.0
    if scale == "diverging":
        reach = float(np.percentile(np.abs(values), 96)) or 1.0
        return -reach, reach
    low, high = (float(v) for v in np.percentile(values, (2, 98)))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _add_marked(chart: "go.Figure", shown: MapTable, rows: np.ndarray, name: str, symbol: str, is_dark: bool) -> None:
    """Rings by WebGL over the cloud, and an invisible SVG twin on the catcher's axes: hover asks the uppermost axes only."""
    x, y = shown.xy[rows].T
    size = float(np.clip(16 / max(len(rows), 1) ** 0.1, 7, 12))
    chart.add_scattergl(x=x, y=y, mode="markers", name=f"{name} ({len(rows):,})", hoverinfo="skip",
                        marker={"size": size, "color": palette.HIGHLIGHT[is_dark], "symbol": symbol, "line": {"width": 2.5}})
    chart.add_scatter(x=x, y=y, xaxis="x2", yaxis="y2", mode="markers", marker={"opacity": 0, "size": 12}, showlegend=False, text=shown.key[rows],
                      customdata=shown.object_ids[rows], hovertemplate="%{text}<br>object %{customdata}<extra>" + name + "</extra>")
