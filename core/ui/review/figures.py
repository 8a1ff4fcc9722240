"""Spectra under two readings, how right people are by grade, and who agrees with whom."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.services.reviewing import GRADES
from core.spectroscopy.confusion import WINDOW
from core.spectroscopy.lines import observed
from core.ui import charts, palette, state

if TYPE_CHECKING:
    import plotly.graph_objects as go

_LOGLAM = 3.55 + 1e-4 * np.arange(4620)
_SMOOTH = 7
"""Pixels that are averaged: 480 km/s, what a glance takes in."""
_NEAR = 160.0
"""Half width in A of the view of one feature."""
_DASHES = ("solid", "dash")
_ROOM = 0.09
"""Share of the width that a line's name takes; a line closer to one that is named goes without."""


def spectrum(flux_ivar: np.ndarray, readings: list[tuple[str, float]], wave: float | None = None) -> "go.Figure":
    """A spectrum, smoothed, with the strong lines of one or two readings; ``wave`` shows the feature there and no more.

    flux_ivar : float (2, 4620), 1e-17 erg/s/cm2/A. readings : name and redshift; the first one's lines are full and named
    above, the second one's dashed and named below.
    """
    wavelength, flux = 10**_LOGLAM, _smoothed(np.asarray(flux_ivar, float))
    low, high = _covered(wavelength, flux) if wave is None else (wave - _NEAR, wave + _NEAR)
    inside = (wavelength >= low) & (wavelength <= high)
    figure = charts.blank(300, "observed Å", "")
    figure.add_scatter(x=wavelength[inside].astype(np.float32), y=flux[inside].astype(np.float32), mode="lines", line={"color": charts.ink(), "width": 1.1},
                       showlegend=False, hovertemplate="%{x:.1f} Å: %{y:.3g}<extra></extra>")
    top = np.nanpercentile(flux[inside], [0.5, 99.9]) if np.isfinite(flux[inside]).any() else np.array([0.0, 1.0])
    room = 0.35 * max(float(top[1] - top[0]), 1e-6)
    for place, (name, z) in enumerate(readings):
        _mark(figure, name, z, place, (low, high), is_near=wave is not None)
    return figure.update_layout(showlegend=wave is None, margin={"l": 46, "t": 34 if wave is None else 12}).update_xaxes(range=[low, high]).update_yaxes(range=[top[0] - room, top[1] + room])


def by_grade(table: pd.DataFrame) -> "go.Figure":
    """`reviewing.by_grade` drawn: each person's share that is right against the grade they gave, with the central 68 %."""
    figure = charts.blank(330, "grade they gave", "share that is right")
    names = list(table["annotator"].unique())
    for k, name in enumerate(names):
        rows, colour = table[table["annotator"] == name], charts.series()[k % len(charts.series())]
        figure.add_scatter(
            x=rows["grade"] + 0.07 * (k - (len(names) - 1) / 2), y=rows["share"], name=name, mode="lines+markers", customdata=rows[["right", "n", "grade"]],
            error_y={"type": "data", "symmetric": False, "array": rows["high"] - rows["share"], "arrayminus": rows["share"] - rows["low"], "thickness": 1.4, "width": 4},
            marker={"color": colour, "size": 9, "symbol": palette.SYMBOLS[k % len(palette.SYMBOLS)]}, line={"color": colour, "width": 1.5, "dash": "dot"},
            hovertemplate="grade %{customdata[2]}: %{customdata[0]} of %{customdata[1]}<extra>" + name + "</extra>")
    figure.update_xaxes(tickvals=list(GRADES), ticktext=[f"{g} {words}" for g, words in GRADES.items()], range=[0.6, 4.4])
    return figure.update_yaxes(range=[-0.03, 1.05], tickformat=".0%")


def matrix(pairs: pd.DataFrame) -> "go.Figure":
    """`reviewing.pairs` drawn: a square a pair, its share that agrees in words and colour."""
    names = sorted({*pairs["first"], *pairs["second"]})
    share, words = (pd.DataFrame(fill, index=names, columns=names) for fill in (np.nan, ""))
    for p in pairs.itertuples():
        for a, b in ((p.first, p.second), (p.second, p.first)):
            share.loc[a, b], words.loc[a, b] = p.share, f"{p.share:.0%}<br>of {p.n}"
    figure = charts.blank(330, "", "")
    figure.add_heatmap(z=share.to_numpy(float), x=names, y=names, text=words.to_numpy(), texttemplate="%{text}", zmin=0, zmax=1, xgap=3, ygap=3, hoverongaps=False,
                       colorscale=palette.sequential(state.is_dark()), colorbar={"tickformat": ".0%", "thickness": 10, "outlinewidth": 0}, hovertemplate="%{y} and %{x}: %{text}<extra></extra>")
    return figure.update_yaxes(autorange="reversed", showgrid=False).update_xaxes(showgrid=False)


def _mark(figure: "go.Figure", name: str, z: float, place: int, window: tuple[float, float], is_near: bool) -> None:
    colour = charts.series()[0 if place == 0 else 2]
    figure.add_scatter(x=[None], y=[None], name=f"{name}, z {z:.4f}", mode="lines", line={"color": colour, "dash": _DASHES[place], "width": 2})
    shown = [(line, wave) for line, wave in observed(z, *window) if line.is_strong or is_near]
    named = -np.inf
    for line, wave in shown:
        figure.add_vline(x=wave, line={"color": colour, "dash": _DASHES[place], "width": 1.4 if line.is_strong else 0.7}, opacity=0.85)
        if wave - named > _ROOM * (window[1] - window[0]):
            named = wave
            figure.add_annotation(x=wave, y=1 if place == 0 else 0, yref="paper", yanchor="top" if place == 0 else "bottom", xanchor="left" if place == 0 else "right", text=line.label,
                                  showarrow=False, font={"color": colour, "size": 11}, bgcolor=charts.page(), borderpad=1)


def _covered(wavelength: np.ndarray, flux: np.ndarray) -> tuple[float, float]:
    seen = wavelength[np.isfinite(flux)]
    return (float(seen[0]), float(seen[-1])) if len(seen) else WINDOW


def _smoothed(flux_ivar: np.ndarray) -> np.ndarray:
    """Mean of the flux over `_SMOOTH` pixels, weighted by ivar; NaN without information."""
    flux, ivar = np.nan_to_num(flux_ivar, posinf=0.0, neginf=0.0)
    box = np.ones(_SMOOTH)
    weight = np.convolve(ivar, box, "same")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(weight > 0, np.convolve(flux * ivar, box, "same") / weight, np.nan)
