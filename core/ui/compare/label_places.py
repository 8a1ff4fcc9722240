"""Where the labels of points can stand without covering each other."""

from collections.abc import Sequence

import numpy as np

LETTER, LINE = 6.6, 17.0
"""Pixels that a letter is wide and a line of text is high, at 12 pixels."""
POINT = 7.0
"""Half the width of a marker."""
RINGS = (22, 34, 50, 70, 95, 125)
ANGLES = np.deg2rad([0, 90, 270, 180, 45, 315, 135, 225])
Box = tuple[float, float, float, float]


def places(x_n: Sequence[float], y_n: Sequence[float], texts: Sequence[str], size: tuple[float, float]) -> list[tuple[float, float]]:
    """Offset of the middle of each label from its point, (right, up) in pixels: the nearest place that is free.

    Parameters
    ----------
    x_n, y_n : points in pixels from the lower left corner of a plane of ``size`` (width, height).
    texts : one line each. Where no place is free, the label stands above its point nevertheless.
    """
    taken: list[Box] = [(x - POINT, y - POINT, x + POINT, y + POINT) for x, y in zip(x_n, y_n, strict=True)]
    found = []
    for x, y, text in zip(x_n, y_n, texts, strict=True):
        right, above = _free(x, y, len(text) * LETTER, taken, size)
        found.append((right, above))
        taken.append(_box(x + right, y + above, len(text) * LETTER))
    return found


def _free(x: float, y: float, width: float, taken: list[Box], size: tuple[float, float]) -> tuple[float, float]:
    for ring in RINGS:
        for angle in ANGLES:
            right, above = (ring - 12 + width / 2) * np.cos(angle), ring * np.sin(angle)
            box = _box(x + right, y + above, width)
            if _inside(box, size) and not any(_meet(box, other) for other in taken):
                return float(right), float(above)
    return 0.0, float(RINGS[0])


def _box(x: float, y: float, width: float) -> Box:
    return (x - width / 2, y - LINE / 2, x + width / 2, y + LINE / 2)


def _inside(box: Box, size: tuple[float, float]) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= size[0] and box[3] <= size[1]


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
