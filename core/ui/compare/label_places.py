"""Where the labels of points can stand without covering each other."""

from collections.abc import Iterable, Sequence

import numpy as np

LETTER, LINE = 6.8, 18.0
"""Pixels that a letter is wide and a line of text is high, at 12 pixels."""
POINT = 8.0
"""Half the width of a marker."""
RINGS = (22, 34, 50, 68)
ANGLES = np.deg2rad([0, 90, 270, 180, 45, 315, 135, 225])
Box = tuple[float, float, float, float]


def places(x_n: Sequence[float], y_n: Sequence[float], texts: Sequence[str], widths: Sequence[float], height: float) -> list[tuple[float, float] | None]:
    """Offset of the middle of each label from its point, (right, up) in pixels: the nearest place that is free; None where none is.

    Parameters
    ----------
    x_n, y_n : points as shares (0 to 1) of a plane, from its lower left corner. texts : one line each; the first ones choose first.
    widths : pixels that the plane may be wide: a place must be free on the narrowest and on the widest page.
    height : of the plane in pixels.
    """
    taken = [[(x * width - POINT, y * height - POINT, x * width + POINT, y * height + POINT) for x, y in zip(x_n, y_n, strict=True)] for width in widths]
    found: list[tuple[float, float] | None] = []
    for x, y, text in zip(x_n, y_n, texts, strict=True):
        at = [(x * width, y * height) for width in widths]
        spot = next((o for o in _offsets(len(text) * LETTER) if all(_is_free(_box(p, o, text), t, (w, height)) for p, t, w in zip(at, taken, widths, strict=True))), None)
        found.append(spot)
        for p, t in zip(at, taken, strict=True):
            t.extend([_box(p, spot, text)] if spot else [])
    return found


def _offsets(width: float) -> Iterable[tuple[float, float]]:
    """The nearest first: on rings about the point, wider by half the label to the sides."""
    return ((float((ring - 12 + width / 2) * np.cos(angle)), float(ring * np.sin(angle))) for ring in RINGS for angle in ANGLES)


def _box(point: tuple[float, float], offset: tuple[float, float], text: str) -> Box:
    x, y, half = point[0] + offset[0], point[1] + offset[1], len(text) * LETTER / 2
    return (x - half, y - LINE / 2, x + half, y + LINE / 2)


def _is_free(box: Box, taken: list[Box], size: tuple[float, float]) -> bool:
    inside = box[0] >= 0 and box[1] >= 0 and box[2] <= size[0] and box[3] <= size[1]
    return inside and not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken)
