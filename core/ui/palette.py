"""Colours that everybody can tell apart, on a light and on a dark page, and the shapes that stand beside them."""

import numpy as np

from core.services.exploring import CANNOT, LABELLED, STATES, UNLABELLED, WAITING

OKABE_ITO = ("#0072B2", "#BD7900", "#009E73", "#BF6495", "#3695CF", "#D55E00", "#8A8D2E", "#9A5BB8")
"""Okabe & Ito 2008, colour universal design (jfly.uni-koeln.de/color), each darkened until it stands out from a light page and
a dark one by a contrast of 3 (WCAG 2.2, 1.4.11); yellow and black, which cannot, are replaced by olive and violet."""
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star", "hexagon", "x")
NOTHING = "#8d8fa8"
"""Of what has no value, and of what is not labelled."""
_STATE = {UNLABELLED: (NOTHING, "circle"), WAITING: ("#BD7900", "diamond"), CANNOT: ("#BF6495", "x"), LABELLED: ("#0072B2", "square")}
_STATE_ON_DARK = _STATE | {UNLABELLED: ("#6d7090", "circle"), WAITING: ("#E69F00", "diamond"), CANNOT: ("#CC79A7", "x"), LABELLED: ("#56B4E9", "square")}
_VISIBLE = {False: (0.0, 0.58), True: (0.33, 1.0)}
"""Part of viridis that stands out from a light and from a dark page by a contrast of 3."""
_MIDDLE = {False: "#90919f", True: "#62657f"}
HIGHLIGHT = {False: "#B3261E", True: "#FFD166"}
MARKS = {False: (HIGHLIGHT[False], "#14142B", "#C2189B"), True: (HIGHLIGHT[True], "#FFFFFF", "#FF8AD8")}
"""Of what is ringed on a map, in order; each has a shape of its own beside it."""


def sequential(is_dark: bool) -> list[list]:
    """Viridis, as [position, colour] pairs, less the end that would vanish in the page."""
    from plotly.colors import sample_colorscale

    low, high = _VISIBLE[is_dark]
    places = np.linspace(0, 1, 12)
    return [[float(p), c] for p, c in zip(places, sample_colorscale("Viridis", (low + (high - low) * places).tolist()), strict=True)]


def diverging(is_dark: bool) -> list[list]:
    """Blue below 0, orange above, as [position, colour] pairs."""
    return [[0.0, "#56B4E9" if is_dark else "#0072B2"], [0.5, _MIDDLE[is_dark]], [1.0, "#F28E2B" if is_dark else "#D55E00"]]


def categories(names: list[str], is_dark: bool) -> dict[str, tuple[str, str]]:
    """Colour and marker of each category; label states have their own, the rest go in order."""
    states = _STATE_ON_DARK if is_dark else _STATE
    others = [n for n in names if n not in STATES]
    ordered = {n: (OKABE_ITO[k % len(OKABE_ITO)], SYMBOLS[(k + k // len(OKABE_ITO)) % len(SYMBOLS)]) for k, n in enumerate(others)}
    return {n: states.get(n) or ordered[n] for n in names}


def rgb(colour: str) -> tuple[int, ...]:
    """Red, green and blue of a CSS colour, 0 to 255.

    >>> rgb("#0072B2"), rgb("rgb(68, 1, 84)")
    ((0, 114, 178), (68, 1, 84))
    """
    if colour.startswith("#"):
        return tuple(bytes.fromhex(colour[1:]))
    return tuple(round(float(part)) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))


def contrast(one: str, other: str) -> float:
    """How far two colours stand out from each other, 1 to 21 (WCAG 2.2, relative luminance).

    >>> round(contrast("#000000", "#ffffff"), 1), round(contrast("#777777", "#ffffff"), 2)
    (21.0, 4.48)
    """
    dark, light = sorted(_luminance(colour) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    share = np.array(rgb(colour)) / 255
    return float(np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722))


def ramp(pairs: list[list], count: int) -> np.ndarray:
    """``count`` colours along [position, colour] pairs, uint8 (count, 3)."""
    places, colours = [p for p, _ in pairs], np.array([rgb(c) for _, c in pairs], float)
    return np.column_stack([np.interp(np.linspace(0, 1, count), places, channel) for channel in colours.T]).round().astype(np.uint8)
