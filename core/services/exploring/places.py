"""Finding galaxies: by id in a table, by an outline on a map."""

import numpy as np

from core.errors import BadInput

HOW = ("replace", "add", "subtract", "within")
"""What a lasso does with what is caught already: forget it, add to it, take out of it, keep only what is inside."""


def rows_of(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where each wanted id stands in ``ids``, -1 where it does not, int64 (k,).

    >>> rows_of(np.array([7, 3, 5]), np.array([5, 4, 7])).tolist()
    [2, -1, 0]
    """
    if not len(ids):
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(ids, kind="stable")
    place = order[np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)]
    return np.where(np.asarray(ids)[place] == wanted, place, -1)


def points_in_polygon(xy_n2: np.ndarray, polygon_k2: np.ndarray) -> np.ndarray:
    """Which points lie inside a closed polygon, by the even-odd rule; bool (n,).

    Points outside the bounding box are never looked at; of the rest, each edge meets only those
    whose y it spans, so the work is that of the crossings, not points times edges.

    >>> points_in_polygon(np.array([[0.5, 0.5], [2.0, 0.5]]), np.array([[0, 0], [1, 0], [1, 1], [0, 1]])).tolist()
    [True, False]
    """
    xy, polygon = np.asarray(xy_n2, float), np.asarray(polygon_k2, float)
    inside = np.zeros(len(xy), bool)
    if len(polygon) < 3:
        return inside
    near = np.flatnonzero(((xy >= polygon.min(axis=0)) & (xy <= polygon.max(axis=0))).all(axis=1))
    near = near[np.argsort(xy[near, 1], kind="stable")]
    x, y, odd = xy[near, 0], xy[near, 1], np.zeros(len(near), bool)
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        begin, end = np.searchsorted(y, sorted((y1, y2)))
        if end > begin:
            odd[begin:end] ^= x[begin:end] < x1 + (y[begin:end] - y1) * (x2 - x1) / (y2 - y1)
    inside[near] = odd
    return inside


def combined(now: np.ndarray, fresh: np.ndarray, how: str) -> np.ndarray:
    """What is caught after a further lasso: ids in ``now`` and ``fresh``, in the order in which they were caught.

    >>> [combined(np.array([1, 2]), np.array([2, 3]), how).tolist() for how in HOW]
    [[2, 3], [1, 2, 3], [1], [2]]
    """
    if how not in HOW:
        raise BadInput("What a lasso does", f"be one of {', '.join(HOW)}", how, "this map", "Choose one of them")
    inside = np.isin(now, fresh)
    return {"replace": fresh, "add": np.concatenate([now, fresh[~np.isin(fresh, now)]]), "subtract": now[~inside], "within": now[inside]}[how]
