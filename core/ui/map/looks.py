"""Colours and shapes of a map's galaxies as two bytes each, and what they mean in words."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.services import exploring
from core.services.exploring import Colouring, MapTable
from core.ui import palette

SHAPES = (*palette.SYMBOLS, "circle-open", "square-open", "diamond-open")
"""In the order of the shader's and the legend's shapes."""
HIDDEN, NO_VALUE, MARK = 255, 0, 255
"""A shape that is not drawn; the colour of what has no value, drawn below the rest; the colour of the first marks, from which further ones count down."""
RAMP = 250
MOST_NAMES = 30
"""Categories beyond share one look: nobody tells so many apart."""
OTHERS = "all others"
DENSE = 300_000
"""Points beyond are painted as density until somebody looks closely."""
_SIDE, _FAINTEST = 512, 0.22
"""Cells along each side of a density, and how much of the page one galaxy covers in its cell."""


@dataclass(frozen=True)
class Look:
    """How a map is drawn.

    Attributes
    ----------
    codes : uint8 (n, 2), place in ``colours`` and shape, `HIDDEN` where it is not drawn.
    colours : uint8 (256, 3). legend : name, count, colour and shape of what stands below the map.
    bar : title, CSS colours from low to high and ticks (share of the bar, text); None for categories.
    opacity : of a point. density : uint8 (side, side, 4) where points would drown each other, else None; see `density`.
    """

    codes: np.ndarray
    colours: np.ndarray
    legend: list[dict]
    bar: dict | None
    opacity: float
    density: np.ndarray | None = None


def look(shown: MapTable, chosen: Colouring, target: str, visible_n: np.ndarray, is_dark: bool) -> Look:
    """The look of a map in one colouring; ``target`` where that is per target, ``visible_n`` bool (n,)."""
    column = shown.column(target)
    values = chosen.values(shown, column)
    if chosen.scale == "category":
        return _categories(values, visible_n, is_dark)
    return _numbers(values, visible_n, chosen.scale, _title(shown, chosen, target, column), is_dark)


def density(xy: np.ndarray, drawn: Look, frame: list[float]) -> np.ndarray:
    """How crowded each cell of a map's frame is, uint8 (side, side, 4), lowest row first: the mean colour of its galaxies, times how much they cover.

    One galaxy covers a fifth of the page, the most crowded hundredth of the cells all of it, by the logarithm of their number in between.

    Parameters
    ----------
    xy : float (n, 2). frame : least and most x, least and most y.
    """
    seen = drawn.codes[:, 1] != HIDDEN
    (x0, x1, y0, y1), (x, y) = frame, xy[seen].T
    place = [np.clip(((v - low) / (high - low) * _SIDE).astype(int), 0, _SIDE - 1) for v, low, high in ((y, y0, y1), (x, x0, x1))]
    cell, rgb = place[0] * _SIDE + place[1], drawn.colours[drawn.codes[seen, 0]]
    count = np.bincount(cell, minlength=_SIDE**2)
    full = max(np.log(np.percentile(count[count > 0], 99)), 1e-9) if len(cell) else 1.0
    cover = np.where(count > 0, np.clip(_FAINTEST + (1 - _FAINTEST) * np.log(np.maximum(count, 1)) / full, 0, 1), 0)
    mean = np.stack([np.bincount(cell, channel, minlength=_SIDE**2) for channel in rgb.T], axis=-1) / np.maximum(count, 1)[:, None]
    return np.concatenate([mean * cover[:, None], 255 * cover[:, None]], axis=1).round().astype(np.uint8).reshape(_SIDE, _SIDE, 4)


def size(count: int) -> float:
    """Diameter of a point in pixels that neither drowns a crowd nor loses a few."""
    return float(np.clip(62 / max(count, 1) ** 0.25, 2.4, 11))


def _title(shown: MapTable, chosen: Colouring, target: str, column: int) -> str:
    unit = shown.targets[column].unit if chosen.per_target else ""
    return f"{chosen.title}{f' of {target}' if chosen.per_target else ''}{f' [{unit}]' if unit else ''}"


def _categories(values: np.ndarray, visible_n: np.ndarray, is_dark: bool) -> Look:
    place_n, names = pd.factorize(values)
    counts = np.bincount(place_n[visible_n], minlength=len(names))
    often = sorted(np.argsort(-counts, kind="stable")[:MOST_NAMES].tolist(), key=lambda k: _order(str(names[k])))
    shown_names = [str(names[k]) for k in often if counts[k]]
    looks = palette.categories(shown_names, is_dark)
    table, colours, legend = np.zeros((len(names) + 1, 2), np.uint8), _table(is_dark), []
    for code, k in enumerate([k for k in often if counts[k]], 1):
        colour, symbol = looks[str(names[k])]
        table[k], colours[code] = (code, SHAPES.index(symbol)), palette.rgb(colour)
        legend.append({"name": str(names[k]), "count": int(counts[k]), "colour": colour, "shape": SHAPES.index(symbol)})
    rest = int(counts.sum()) - sum(item["count"] for item in legend)
    others = [{"name": OTHERS, "count": rest, "colour": palette.NOTHING, "shape": 0}] if rest else []
    return Look(_hidden(table[place_n], visible_n), colours, legend + others, None, 0.8)


def _order(name: str) -> tuple[int, str]:
    return (exploring.STATES.index(name) if name in exploring.STATES else -1, name)


def _numbers(values: np.ndarray, visible_n: np.ndarray, scale: str, title: str, is_dark: bool) -> Look:
    if scale == "logarithmic":
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log10(np.where(values > 0, values, np.nan))
    known = np.isfinite(values)
    low, high = _limits(values[known & visible_n], scale)
    codes = np.empty((len(values), 2), np.uint8)
    codes[:, 0] = np.where(known, 1 + (RAMP - 1) * np.clip((np.nan_to_num(values) - low) / (high - low), 0, 1), NO_VALUE)
    codes[:, 1] = np.where(known, 0, SHAPES.index("circle-open"))
    pairs = palette.diverging(is_dark) if scale == "diverging" else palette.sequential(is_dark)
    colours, missing = _table(is_dark), int((visible_n & ~known).sum())
    colours[1 : RAMP + 1] = palette.ramp(pairs, RAMP)
    legend = [{"name": "no value", "count": missing, "colour": palette.NOTHING, "shape": SHAPES.index("circle-open")}] if missing else []
    bar = {"title": title, "colours": [c for _, c in pairs], "ticks": _ticks(low, high, scale)}
    return Look(_hidden(codes, visible_n), colours, legend, bar, 0.85)


def _hidden(codes: np.ndarray, visible_n: np.ndarray) -> np.ndarray:
    codes[~visible_n, 1] = HIDDEN
    return codes


def _table(is_dark: bool) -> np.ndarray:
    colours = np.zeros((256, 3), np.uint8)
    colours[NO_VALUE] = palette.rgb(palette.NOTHING)
    for k, colour in enumerate(palette.MARKS[is_dark]):
        colours[MARK - k] = palette.rgb(colour)
    return colours


def _limits(values: np.ndarray, scale: str) -> tuple[float, float]:
    """The middle 96 % of the values; symmetric about 0 on a diverging scale."""
    if not len(values):
        return 0.0, 1.0
    if scale == "diverging":
        reach = float(np.percentile(np.abs(values), 96)) or 1.0
        return -reach, reach
    low, high = (float(v) for v in np.percentile(values, (2, 98)))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _ticks(low: float, high: float, scale: str) -> list[tuple[float, str]]:
    """Round values between the limits, each with its share of the way: 1, 2 and 5 of each decade, or equal steps."""
    if scale == "logarithmic" and 10 ** (high - low) > 2.5:
        values = np.outer(10.0 ** np.arange(np.floor(low), np.ceil(high) + 1), (1, 2, 5) if high - low < 3 else (1,)).ravel()
        places = np.log10(values)
    else:
        step = 10 ** np.floor(np.log10((high - low) / 3))
        step *= next(m for m in (5, 2, 1) if m * step <= (high - low) / 2.5)
        places = step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
        values = 10**places if scale == "logarithmic" else places
    inside = (places >= low) & (places <= high)
    return [(float((p - low) / (high - low)), f"{v:.3g}") for p, v in zip(places[inside], values[inside] + 0.0, strict=True)]
