"""Squared Euclidean distances as blocked matrix products: n x m never stands in memory at once."""

import numpy as np

BLOCK = 1024
"""Points at a time: what they are from a thousand centres stays in the processor's cache."""


def moved(points_nd: np.ndarray, origin_d: np.ndarray, further: int = 0) -> np.ndarray:
    """The points seen from another origin, float32 (n, d + further); nothing else of that size is made, and the further columns are empty.

    >>> moved(np.array([[3.0, 4.0]]), np.array([1.0, 1.0])).tolist()
    [[2.0, 3.0]]
    """
    n, d = points_nd.shape
    moved_ne = np.empty((n, d + further), np.float32)
    np.subtract(points_nd, origin_d, out=moved_ne[:, :d], casting="same_kind")
    return moved_ne


def squared_to(points_nd: np.ndarray, centre_d: np.ndarray, norms_n: np.ndarray | None = None) -> np.ndarray:
    """Squared distance of each point to one centre, float32 (n,).

    ``norms_n`` are the points' squared lengths, when they are asked again and again.

    >>> squared_to(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([0.0, 0.0])).tolist()
    [0.0, 25.0]
    """
    points_nd, centre_d = np.asarray(points_nd, np.float32), np.asarray(centre_d, np.float32)
    norms_n = squared_lengths(points_nd) if norms_n is None else norms_n
    squared_n = points_nd @ (-2 * centre_d)
    squared_n += norms_n
    squared_n += centre_d @ centre_d
    return np.maximum(squared_n, 0, out=squared_n)


def squared_lengths(points_nd: np.ndarray) -> np.ndarray:
    """Squared distance of each point to the origin, (n,)."""
    return np.einsum("nd,nd->n", points_nd, points_nd)


def squared_between(points_nd: np.ndarray, centres_md: np.ndarray) -> np.ndarray:
    """Squared distances, float32 (n, m), by one matrix product; both sets are moved to the centres' mean,
    because |a|^2 + |b|^2 - 2ab loses its digits far from the origin.

    Lengths ride in the product as two further columns: a pass over (n, m) costs more than they do.
    """
    shift_d = np.mean(centres_md, axis=0)
    a, b = moved(points_nd, shift_d, 2), moved(centres_md, shift_d, 2)
    a[:, -2], a[:, -1], b[:, -1], b[:, -2] = squared_lengths(a[:, :-2]), 1, squared_lengths(b[:, :-2]), 1
    b[:, :-2] *= -2
    squared_nm = a @ b.T
    return np.maximum(squared_nm, 0, out=squared_nm)


def nearest(points_nd: np.ndarray, centres_md: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest centre of each point.

    Returns
    -------
    squared_n : float32 (n,), inf when there is no centre. index_n : int (n,), 0 then.

    >>> squared, index = nearest(np.array([[0.0], [5.0]]), np.array([[1.0], [7.0]]))
    >>> squared.tolist(), index.tolist()
    ([1.0, 4.0], [0, 1])
    """
    squared_n, index_n = np.full(len(points_nd), np.inf, np.float32), np.zeros(len(points_nd), np.int64)
    if len(centres_md):
        for start in range(0, len(points_nd), BLOCK):
            here, squared_bm = slice(start, start + BLOCK), squared_between(points_nd[start : start + BLOCK], centres_md)
            index_n[here] = squared_bm.argmin(axis=1)
            squared_n[here] = squared_bm[np.arange(len(squared_bm)), index_n[here]]
    return squared_n, index_n
