"""Squared Euclidean distances as blocked matrix products: n x m never stands in memory at once."""

import numpy as np

BLOCK = 4096


def squared_to(points_nd: np.ndarray, centre_d: np.ndarray, norms_n: np.ndarray | None = None) -> np.ndarray:
    """Squared distance of each point to one centre, float32 (n,).

    ``norms_n`` are the points' squared lengths, when they are asked again and again.

    >>> squared_to(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([0.0, 0.0])).tolist()
    [0.0, 25.0]
    """
    points_nd, centre_d = np.asarray(points_nd, np.float32), np.asarray(centre_d, np.float32)
    norms_n = squared_lengths(points_nd) if norms_n is None else norms_n
    return np.maximum(norms_n + centre_d @ centre_d - 2 * (points_nd @ centre_d), 0)


def squared_lengths(points_nd: np.ndarray) -> np.ndarray:
    """Squared distance of each point to the origin, (n,)."""
    return np.einsum("nd,nd->n", points_nd, points_nd)


def squared_between(points_nd: np.ndarray, centres_md: np.ndarray) -> np.ndarray:
    """Squared distances (n, m) by one matrix product; both sets are moved to the centres' mean,
    because |a|^2 + |b|^2 - 2ab loses its digits far from the origin."""
    shift = np.mean(centres_md, axis=0)
    a, b = (np.asarray(x - shift, np.float32) for x in (points_nd, centres_md))
    return np.maximum(squared_lengths(a)[:, None] + squared_lengths(b)[None] - 2 * (a @ b.T), 0)


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
            block = squared_between(points_nd[start : start + BLOCK], centres_md)
            index_n[start : start + BLOCK] = block.argmin(axis=1)
            squared_n[start : start + BLOCK] = block.min(axis=1)
    return squared_n, index_n
