"""The figures of the Uncertainty page. Points carry their object's id first in ``customdata``: a click opens it."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.services import doubting
from core.services.doubting import CORNERS, Cells, Posterior, Sky
from core.ui import charts, palette, state

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_POINTS = 6000
"""Galaxies drawn against each other; counts and medians use all."""
MOST_CAUGHT = 1500
LEAST_RANGE = 0.18
"""Decades that a colour scale covers at least: half as much again."""
WORDS = ("#111111", "#ffffff")
LOOKS = {name: (palette.OKABE_ITO[place], symbol) for name, place, symbol in (("ask", 5, "circle"), ("both", 1, "diamond"), ("known", 4, "square"), ("noisy", 3,
                                                                                                                                                     "triangle-up"))}
"""Colour and marker of each corner, on both pages."""
GLYPHS = {"circle": "●", "diamond": "◆", "square": "■", "triangle-up": "▲"}
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def sky(seen: Sky, title: str, is_logarithmic: bool, caught: np.ndarray | None = None) -> "go.Figure":
    """Medians over the sky, north up and east to the left, with a graticule; ``caught`` : rows that are ringed."""
    import plotly.graph_objects as go

    median = np.log10(np.where(seen.median > 0, seen.median, np.nan)) if is_logarithmic else seen.median
    told = np.stack([seen.median, seen.count, seen.ra, seen.dec], axis=-1)
    figure = charts.blank(500, "", "")
    low, high = _limits(median, (2, 98))
    figure.add_trace(go.Heatmap(
        x=seen.x, y=seen.y, z=median, zmin=low, zmax=high, customdata=told, colorscale=palette.sequential(state.is_dark()),
                                colorbar=_bar(low, high, title, is_logarithmic), hoverongaps=False,
        hovertemplate="median %{customdata[0]:.3g} of %{customdata[1]:,} galaxies<br>about RA %{customdata[2]:.1f}°, Dec %{customdata[3]:.1f}°<extra></extra>"))
    for x, y, name in doubting.graticule(seen):
        figure.add_scatter(x=x, y=y, mode="lines", line={"color": charts.ink(), "width": 0.6}, opacity=0.6, hoverinfo="skip", showlegend=False)
        _name_line(figure, seen, x, y, name)
    if caught is not None and len(caught):
        rows = np.random.default_rng(0).choice(caught, MOST_CAUGHT, replace=False) if len(caught) > MOST_CAUGHT else caught
        figure.add_scatter(x=seen.x_n[rows], y=seen.y_n[rows], mode="markers", opacity=0.7,
                           marker={"symbol": "circle-open", "size": 6, "color": palette.HIGHLIGHT[state.is_dark()], "line": {"width": 1.2}},
                           hoverinfo="skip", showlegend=False)
    bare, (west, east, south, north) = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "constrain": "domain"}, doubting.frame(seen)
    figure.update_xaxes(range=[east, west], **bare).update_yaxes(range=[south, north], scaleanchor="x", **bare)
    return figure.update_layout(margin={"l": 4, "r": 4, "t": 4, "b": 4}, dragmode="pan")


def cells(found: Cells, target: str) -> "go.Figure":
    """Medians by S/N or magnitude and predicted value, each written in its cell."""
    import plotly.graph_objects as go

    text = [[f"{m:.2g}" if n else "" for m, n in zip(*row, strict=True)] for row in zip(found.median, found.count, strict=True)]
    figure, height = charts.blank(90 + 44 * len(found.rows), f"predicted {target}", found.by), np.log10(np.where(found.median > 0, found.median, np.nan))
    low, high = _limits(height, (0, 100))
    figure.add_trace(go.Heatmap(x=found.columns, y=found.rows, z=height, zmin=low, zmax=high, text=text, customdata=found.count,
                                colorscale=palette.sequential(state.is_dark()),
                                showscale=False, xgap=2, ygap=2, hoverongaps=False,
                                hovertemplate=found.by + " %{y}, predicted " + target + " %{x}<br>median %{text}, %{customdata:,} galaxies<extra></extra>"))
    _write(figure, found.columns, found.rows, (height - low) / (high - low), text)
    figure.update_yaxes(type="category", automargin=True, showgrid=False).update_xaxes(type="category", showgrid=False)
    return figure.update_layout(margin={"l": 90, "r": 8, "t": 8, "b": 46})


def corners(noise_n: np.ndarray, ignorance_n: np.ndarray, place_n: np.ndarray, at: tuple[float, float], ids: np.ndarray, keys: np.ndarray,
            unit: str) -> "go.Figure":
    """Ignorance against noise on logarithmic axes, the medians as a cross, a colour and a marker a corner; as many galaxies as can be told apart."""
    import plotly.graph_objects as go

    figure, told = charts.blank(600, f"noise (aleatoric, 1 σ){unit}", f"ignorance (epistemic, 1 σ){unit}"), np.flatnonzero(place_n >= 0)
    drawn = np.random.default_rng(0).choice(told, MOST_POINTS, replace=False) if len(told) > MOST_POINTS else told
    for k, corner in enumerate(CORNERS):
        rows, (colour, symbol) = drawn[place_n[drawn] == k], LOOKS[corner.name]
        figure.add_trace(go.Scattergl(
            x=np.float32(noise_n[rows]), y=np.float32(ignorance_n[rows]), mode="markers", name=corner.title,
                                      marker={"color": colour, "symbol": symbol, "size": 5 if len(drawn) > 2500 else 7, "opacity": 0.75},
            unselected={"marker": {"opacity": 0.75}}, customdata=np.column_stack([ids[rows].astype(object), keys[rows].astype(object)]),
            hovertemplate="%{customdata[1]}<br>noise %{x:.3g}, ignorance %{y:.3g}<br>click to look at it<extra>" + corner.title + "</extra>"))
    for value, draw, name in ((at[0], figure.add_vline, "x"), (at[1], figure.add_hline, "y")):
        draw(value, line={"color": charts.ink(), "width": 1.2, "dash": "dash"})
        limits = np.log10([f((noise_n if name == "x" else ignorance_n)[told]) for f in (np.min, np.max)])
        margin = 0.06 * (limits[1] - limits[0]) or 0.3
        figure.update_layout({f"{name}axis": {"type": "log", "range": [limits[0] - margin, limits[1] + margin], "tickvals": charts.DECADES,
                                              "ticktext": [f"{t:g}" for t in charts.DECADES]}})
    for corner in CORNERS:
        side = {"x": 0.99 if corner.is_noisy else 0.01, "xanchor": "right" if corner.is_noisy else "left", "y": 0.985 if corner.is_ignorant else 0.015,
                "yanchor": "top" if corner.is_ignorant else "bottom"}
        colour, symbol = LOOKS[corner.name]
        figure.add_annotation(text=f'<span style="color:{colour}">{GLYPHS[symbol]}</span> <b>{corner.title}</b>', xref="paper", yref="paper", showarrow=False,
                              font={"size": 15}, bgcolor=charts.page(), opacity=0.9, **side)
    return figure.update_layout(showlegend=False, margin={"l": 66, "r": 12, "t": 12, "b": 52}, hoverlabel={"align": "left"}, dragmode="pan")


def posterior(said: list[Posterior], names: list[str], known: pd.DataFrame, unit: str) -> "go.Figure":
    """What runs say of a galaxy as densities, the first one filled; below, its intervals, and what is known besides."""
    from plotly.subplots import make_subplots

    x, first, rows = doubting.reach(said), said[0], _strip(said[0], known)
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.62, 0.38], vertical_spacing=0.04)
    for k, (one, name) in enumerate(zip(said, names, strict=True)):
        colour = charts.series()[k % len(charts.series())]
        figure.add_scatter(x=x, y=doubting.density(one.mean, one.sigma, x), mode="lines", name=name,
                           line={"color": colour, "width": 2.4, "dash": DASHES[k % len(DASHES)]}, fill="tozeroy" if not k else None,
                           fillcolor=_faint(colour), hovertemplate="%{x:.4g}<extra>" + name + "</extra>", row=1, col=1)
    if first.noise > 0 and first.ignorance > 0:
        figure.add_scatter(x=x, y=doubting.density(first.mean, first.noise, x), mode="lines", name="if its ignorance were gone",
                           line={"color": charts.ink(), "width": 1.6, "dash": "dot"}, hoverinfo="skip", row=1, col=1)
    for k, (name, middle, half, symbol) in enumerate(rows):
        colour = charts.series()[0] if k < len(rows) - len(known) else palette.HIGHLIGHT[state.is_dark()]
        figure.add_scatter(x=[middle], y=[name], mode="markers", marker={"symbol": symbol, "size": 9, "color": colour},
                           error_x={"array": [half], "color": colour, "thickness": 3, "width": 6}, showlegend=False,
                           hovertemplate=f"{name}: {doubting.figures(middle, half)} ± {doubting.figures(half, half)}<extra></extra>", row=2, col=1)
    figure.update_yaxes(title_text="density", showticklabels=False, rangemode="tozero", row=1, col=1)
    figure.update_yaxes(type="category", autorange="reversed", automargin=True, row=2, col=1)
    figure.update_xaxes(title_text=f"{first.target}{unit}", range=_wide_enough(x, rows), row=2, col=1)
    return figure.update_layout(height=300 + 30 * len(rows), margin={"l": 60, "r": 12, "t": 40, "b": 46},
                                legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}, hovermode="closest")


def split(noise_share: float) -> "go.Figure":
    """A bar of the variance: noise and ignorance."""
    figure = charts.blank(64, "", "").update_layout(barmode="stack", margin={"l": 0, "r": 0, "t": 2, "b": 2}, showlegend=False, bargap=0.1)
    for name, share, colour, pattern in (("noise", noise_share, LOOKS["noisy"][0], "/"), ("ignorance", 1 - noise_share, LOOKS["ask"][0], "")):
        figure.add_bar(x=[share], y=[""], orientation="h", name=name, text=[f"{name} {share:.0%}"] if share > 0.16 else None, textposition="inside",
                       insidetextanchor="middle", textfont={"color": "#111"},
                       marker={"color": colour, "pattern": {"shape": pattern, "size": 6, "solidity": 0.15, "fillmode": "overlay", "fgcolor": "#555"}},
                       hovertemplate=f"{name}: {share:.0%} of the variance<extra></extra>")
    return figure.update_xaxes(visible=False, range=[0, 1]).update_yaxes(visible=False)


def coverage(table: pd.DataFrame) -> "go.Figure":
    """Shares that 68 and 95 % intervals hold, of all and of thirds of S/N, as stated and stretched, with what chance allows; ``table`` : `comparing.by_sn`."""
    figure, colours = charts.blank(380, "", "share of galaxies inside"), (charts.ink(), charts.series()[0])
    for level, share in (("68", 0.6827), ("95", 0.9545)):
        figure.add_hline(share, line={"color": charts.ink(), "dash": "dash", "width": 1.2})
        for kind, colour, symbol in (("held", colours[0], "circle-open"), ("stretched", colours[1], "circle")):
            known = table[table[f"{kind}_{level}"].notna()]
            figure.add_scatter(x=known["third"].str.replace("sn ", "S/N "), y=known[f"{kind}_{level}"], mode="markers",
                               name="as stated" if kind == "held" else "stretched", legendgroup=kind, showlegend=level == "68", offsetgroup=kind,
                               marker={"color": colour, "symbol": symbol, "size": 10, "line": {"width": 2}},
                               error_y={"array": 1.96 * known[f"error_{level}"], "thickness": 1.4, "width": 4},
                               customdata=known["galaxies"], hovertemplate=f"{level} % intervals, %{{x}}: hold %{{y:.1%}} of %{{customdata:,}} "
                                                                           f"galaxies<extra></extra>")
    low = min(0.55, *(float(table[f"{kind}_68"].min()) - 0.05 for kind in ("held", "stretched") if table[f"{kind}_68"].notna().any()))
    figure.update_yaxes(tickformat=".0%", range=[max(low, 0), 1.02], tickvals=[0.25, 0.5, 0.6827, 0.8, 0.9, 0.9545],
                        ticktext=["25%", "50%", "68%", "80%", "90%", "95%"])
    return figure.update_layout(scattermode="group", scattergap=0.6, margin={"l": 60, "r": 12, "t": 36, "b": 40})


def moved(counts: np.ndarray) -> "go.Figure":
    """Galaxies by corner before and now, the number written in each cell."""
    import plotly.graph_objects as go

    names = [c.title for c in CORNERS]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = charts.blank(300, "corner now", "corner before")
    figure.add_trace(go.Heatmap(x=names, y=names, z=share, text=counts, colorscale=palette.sequential(state.is_dark()), zmin=0, zmax=1, showscale=False, xgap=2,
                                ygap=2,
                                hovertemplate="%{y} before, %{x} now: %{text:,} galaxies, %{z:.0%} of those before<extra></extra>"))
    _write(figure, names, names, share, [[f"{n:,}" for n in row] for row in counts])
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False).update_xaxes(showgrid=False)
    return figure.update_layout(margin={"l": 110, "r": 8, "t": 8, "b": 46})


def groups(table: pd.DataFrame) -> "go.Figure":
    """Median change of ignorance of each group with its 95 % interval; ``table`` : `Change.groups`."""
    known = table[table["change"].notna()]
    figure = charts.blank(110 + 36 * len(known), "change of ignorance (median, 95 %)", "")
    for row, symbol, colour in zip(known.itertuples(), palette.SYMBOLS, charts.series(), strict=False):
        figure.add_scatter(x=[row.change], y=[row.group], mode="markers", marker={"color": colour, "symbol": symbol, "size": 12}, showlegend=False,
                           error_x={"array": [row.high - row.change], "arrayminus": [row.change - row.low], "thickness": 2, "width": 6, "color": colour},
                           hovertemplate=f"{row.group}: {row.change:+.0%} ({row.low:+.0%} to {row.high:+.0%}), {row.galaxies:,} galaxies<extra></extra>")
    figure.add_vline(0, line={"color": charts.ink(), "width": 1.2, "dash": "dash"})
    figure.update_xaxes(tickformat="+.0%").update_yaxes(type="category", autorange="reversed", automargin=True)
    return figure.update_layout(margin={"l": 110, "r": 12, "t": 12, "b": 46})


def _write(figure: "go.Figure", x: list[str], y: list[str], place: np.ndarray, text: list[list[str]]) -> None:
    """Text in the cells of a heat map, dark on bright cells and bright on dark ones; ``place`` : 0 to 1 along the colour scale."""
    ramp = ["#" + bytes(colour).hex() for colour in palette.ramp(palette.sequential(state.is_dark()), 101)]
    for j, row in enumerate(text):
        for i, word in enumerate(row):
            ground = ramp[round(100 * float(np.nan_to_num(place[j, i])))]
            figure.add_annotation(x=x[i], y=y[j], text=word, showarrow=False, font={"size": 13, "color": max(WORDS, key=lambda colour: palette.contrast(colour,
                                                                                                                                                        ground))})


def _strip(said: Posterior, known: pd.DataFrame) -> list[tuple[str, float, float, str]]:
    """Rows below a posterior: name, middle, half-width and marker."""
    rows = [(f"{level} % calibrated", said.mean, said.half[level], "line-ns") for level in said.half if np.isfinite(said.half[level])]
    parts = [(f"{name} 1 σ", said.mean, value, "line-ns") for name, value in (("noise", said.noise), ("ignorance", said.ignorance)) if value > 0]
    return rows + parts + [(f"{r.what}: {r.who}"[:34], r.value, 0.0 if np.isnan(r.sigma) else r.sigma, "diamond") for r in known.itertuples()]


def _wide_enough(x: np.ndarray, rows: list[tuple[str, float, float, str]]) -> list[float]:
    middles = [middle for _, middle, _, _ in rows]
    low, high = min(x[0], *middles), max(x[-1], *middles)
    margin = 0.03 * (high - low)
    return [low - margin, high + margin]


def _name_line(figure: "go.Figure", seen: Sky, x: np.ndarray, y: np.ndarray, name: str) -> None:
    """A parallel is named at its eastern end, a meridian at its southern one."""
    known = np.flatnonzero(np.isfinite(x))
    at = known[np.argmax(x[known])] if name[0] in "+-" else known[np.argmin(y[known])]
    anchor = {"xanchor": "left", "yanchor": "bottom"} if name[0] in "+-" else {"xanchor": "center", "yanchor": "bottom"}
    figure.add_annotation(x=x[at], y=y[at], text=name, showarrow=False, font={"size": 10, "color": charts.ink()}, bgcolor=charts.page(), opacity=0.85,
                          borderpad=1, **anchor)


def _limits(values: np.ndarray, percentiles: tuple[float, float]) -> tuple[float, float]:
    """Where a colour scale begins and ends: at percentiles of the values, but `LEAST_RANGE` apart, lest chance look like a pattern."""
    if not np.isfinite(values).any():
        return 0.0, 1.0
    low, high = np.nanpercentile(values, percentiles)
    missing = max(LEAST_RANGE - (high - low), 0) / 2
    return float(low - missing), float(high + missing)


def _bar(low: float, high: float, title: str, is_logarithmic: bool) -> dict:
    """A colour bar whose ticks are values, whatever the scale."""
    ticks = [t for t in charts.DECADES if low <= np.log10(t) <= high] if is_logarithmic else []
    if is_logarithmic and len(ticks) < 2:
        ticks = np.unique([float(f"{v:.2g}") for v in 10 ** np.linspace(low, high, 4)]).tolist()
    named = {"tickvals": np.log10(ticks), "ticktext": [f"{t:g}" for t in ticks]} if is_logarithmic else {}
    return {"title": {"text": title, "side": "top"}, "orientation": "h", "thickness": 10, "len": 0.9, "x": 0.5, "y": -0.02, "yanchor": "top", **named}


def _faint(colour: str) -> str:
    return f"rgba({', '.join(map(str, palette.rgb(colour)))}, 0.22)"
