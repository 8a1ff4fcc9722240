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
    """`overviewing.learning_curve` drawn: a line a model, its baseline on random labels dashed; whiskers from the best to the worst seed, hollow where a label was undone since."""
    figure = blank(380, "labelled galaxies the run learnt from", label)
    for model in sorted(table["model"].unique(), key=_place):
        mine = table[table["model"] == model]
        has_baseline = bool(mine["is_control"].any())
        for rows, is_baseline in ((mine[~mine["is_control"]], False), (mine[mine["is_random"]] if has_baseline else mine[:0], True)):
            if len(rows):
                figure.add_scatter(**_curve(model, rows, is_baseline))
    if len(table) and table["value"].min() > 0 and table["value"].max() > 8 * table["value"].min():
        figure.update_yaxes(type="log", tickvals=DECADES, ticktext=[np.format_float_positional(t, precision=6, trim="-") for t in DECADES])
    return figure.update_xaxes(rangemode="tozero")


def _curve(model: str, rows: pd.DataFrame, is_baseline: bool) -> dict:
    """The points of a model, one for each number of labels: the mean of its seeds, the newest run of each."""
    newest = rows.sort_values("run_id").drop_duplicates(["galaxies", "seed"], keep="last")
    points = newest.groupby("galaxies").agg(value=("value", "mean"), low=("value", "min"), high=("value", "max"), seeds=("seed", "size"), stale=("stale", "max"), run=("run", "last"), run_id=("run_id", "last")).reset_index()
    said = [f"run {r.run_id}: {r.run}" + (f", mean of {r.seeds} seeds" if r.seeds > 1 else "") + (", a label it saw has been undone" if r.stale else "") for r in points.itertuples()]
    name, look = f"{model}, random labels" if is_baseline else model, marker(model)
    return {
        "x": points["galaxies"], "y": points["value"], "name": name, "mode": "lines+markers", "customdata": np.array(said, object)[:, None], "opacity": 0.75 if is_baseline else 1.0,
        "marker": look | {"symbol": [look["symbol"] + ("-open" if r.stale or is_baseline else "") for r in points.itertuples()], "line": {"width": 1.6, "color": colour(model)}},
        "line": {"color": colour(model), "dash": "dash" if is_baseline else "solid", "width": 2},
        "error_y": {"type": "data", "symmetric": False, "array": points["high"] - points["value"], "arrayminus": points["value"] - points["low"], "visible": bool((points["seeds"] > 1).any()), "thickness": 1.2},
        "hovertemplate": "%{y:.4g} from %{x:,} galaxies<br>%{customdata[0]}<extra>" + name + "</extra>",
    }


def loss_curves(table: pd.DataFrame) -> "go.Figure":
    """`training.curves` drawn: validation as a full line, training dotted, one colour a model."""
    figure, listed = blank(360, "epoch", "loss").update_layout(showlegend=True), set()
    for (run_id, name), rows in sorted(table.groupby(["run_id", "name"]), reverse=True):
        model, is_validation = rows["model"].iloc[0], name == "validation_loss"
        figure.add_scatter(x=rows["epoch"], y=rows["value"], mode="lines+markers" if len(rows) < 3 else "lines", name=f"{model} #{run_id}",
                           legendgroup=str(run_id), showlegend=run_id not in listed, line={"color": colour(model), "dash": "solid" if is_validation else "dot", "width": 2},
                           hovertemplate="epoch %{x}: %{y:.4g}<extra>" + f"{model} #{run_id}, {name.replace('_', ' ')}</extra>")
        listed.add(run_id)
    return figure


def histogram(values: np.ndarray, x: str, height: int = 220, bins: int = 40) -> "go.Figure":
    """How many values lie where; the highest percent is gathered in the last bin."""
    figure = blank(height, x, "galaxies")
    counts, edges = np.histogram(np.minimum(values, np.percentile(values, 99)), bins=bins)
    figure.add_bar(x=(edges[:-1] + edges[1:]) / 2, y=counts, width=np.diff(edges) * 0.92, marker={"color": series()[1]},
                   hovertemplate="%{y:,} galaxies at %{x:.1f}<extra></extra>")
    return figure.update_layout(showlegend=False)


def against(mine: np.ndarray, others: np.ndarray, x: str, height: int = 170) -> "go.Figure":
    """Two histograms of the same area over the middle 98 % of both: what is caught filled, the rest as an outline."""
    figure, both = blank(height, x, "share"), np.concatenate([mine, others])
    edges = np.linspace(*np.percentile(both, (1, 99)), int(np.clip(2 * len(mine) ** 0.5, 6, 40)) + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    for name, values in (("caught", mine), ("the rest", others)):
        share = np.histogram(np.clip(values, edges[0], edges[-1]), bins=edges)[0] / max(len(values), 1)
        if name == "caught":
            figure.add_bar(x=middle, y=share, width=np.diff(edges) * 0.92, name=name, marker={"color": series()[1]}, hovertemplate="%{y:.1%} of what is caught<extra></extra>")
        elif len(values):
            figure.add_scatter(x=middle, y=share, name=name, line={"shape": "hvh", "color": ink(), "width": 2}, mode="lines", hovertemplate="%{y:.1%} of the rest<extra></extra>")
    return figure.update_yaxes(tickformat=".0%", nticks=4).update_layout(showlegend=True)


def stacks(parts: dict[str, tuple[np.ndarray, np.ndarray]], height: int = 300) -> "go.Figure":
    """Rest-frame medians with their middle 68 % as bands: name -> wavelengths (q,) and percentiles (3, q)."""
    figure = blank(height, "rest wavelength [A]", "flux over median")
    for k, (name, (wave, (low, middle, high))) in enumerate(parts.items()):
        shade = series()[1] if k == 0 else ink()
        figure.add_scatter(x=np.concatenate([wave, wave[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself", fillcolor=shade, opacity=0.2, line={"width": 0}, hoverinfo="skip", showlegend=False)
        figure.add_scatter(x=wave, y=middle, name=name, mode="lines", line={"color": shade, "width": 1.6, "dash": "solid" if k == 0 else "dot"}, hovertemplate="%{y:.2f} at %{x:.0f} A<extra>" + name + "</extra>")
    return figure.update_yaxes(range=[0, float(np.percentile(np.concatenate([p[2] for _, p in parts.values()]), 99)) * 1.15])


def shares(table: pd.DataFrame, name: str, part: str, whole: str, labels: tuple[str, str], height: int = 220) -> "go.Figure":
    """Bars of a whole and the part of it that is so: galaxies of each split and how many are labelled, say."""
    figure = blank(height, "", "").update_layout(barmode="stack", yaxis={"autorange": "reversed"}, legend_traceorder="normal")
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


def blank(height: int, x: str, y: str) -> "go.Figure":
    """An empty figure in the app's look: axis titles, legend along its top."""
    import plotly.graph_objects as go

    return go.Figure(layout={
        "height": height, "margin": {"l": 56, "r": 12, "t": 12, "b": 46}, "xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}},
        "legend": {"orientation": "h", "yref": "container", "y": 1, "yanchor": "top", "x": 0, "xref": "container"}, "hovermode": "closest", "bargap": 0.35,
    })


def marker(model: str) -> dict:
    """A model's marker; where colours come round again, they meet another symbol."""
    place, count = _place(model), len(palette.SYMBOLS)
    return {"color": colour(model), "symbol": palette.SYMBOLS[(place + place // count) % count], "size": 9}


def _place(model: str) -> int:
    return list(MODELS).index(model) if model in MODELS else len(MODELS) + sum(map(ord, model))


def page() -> str:
    """Colour of the page, to stand behind words."""
    return str(st.get_option(f"theme.{'dark' if state.is_dark() else 'light'}.backgroundColor"))


def ink() -> str:
    """Colour of lines that explain: diagonals, zero, fronts."""
    return "#a3a7c4" if state.is_dark() else "#63667f"


def small(values: pd.Series) -> np.ndarray:
    """Values as they are sent to the browser: half the size, and as many digits as pixels can show."""
    return np.asarray(values, np.float32)
