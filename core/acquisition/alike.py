"""How likely somebody can label a galaxy, going by the galaxies most like it that somebody has tried."""

import numpy as np

from core.acquisition.distances import BLOCK, nearest, squared_between

NEIGHBOURS = 10
LEAST = 0.5
"""Chance below which asking costs more than it brings: more likely than not nobody can tell."""


def chance_alike(points_pd: np.ndarray, tried_nd: np.ndarray, is_labelled_n: np.ndarray) -> np.ndarray:
    """Share of those that got a label among the tried galaxies nearest to each point, the nearer the weightier.

    A kernel estimate (Nadaraya 1964, doi:10.1137/1109020) over `NEIGHBOURS` neighbours with weights of 1 / (d^2 + h^2), h the
    typical distance of a tried galaxy to its nearest; the overall share stands by with the weight of one neighbour at
    distance h, so that where nothing near was tried a point is thought typical.

    Parameters
    ----------
    points_pd : (p, d). tried_nd : (n, d) the same features of the galaxies that were tried; n may be 0.
    is_labelled_n : bool (n,), False = nobody could tell.

    Returns
    -------
    float (p,), 1 everywhere when nothing was tried or nothing refused.

    >>> chance_alike(np.array([[0.0], [9.0]]), np.array([[0.0], [1.0], [8.0], [9.0]]), np.array([True, True, False, False])).round(2).tolist()
    [0.86, 0.14]
    """
    if not len(tried_nd) or is_labelled_n.all():
        return np.ones(len(points_pd))
    k, overall = min(NEIGHBOURS, len(tried_nd)), float(np.mean(is_labelled_n))
    spacing2 = _spacing2(tried_nd)
    found = []
    for start in range(0, len(points_pd), BLOCK):
        squared_bn = squared_between(points_pd[start : start + BLOCK], tried_nd)
        near_bk = np.argpartition(squared_bn, k - 1, axis=1)[:, :k]
        weight_bk = 1 / (np.take_along_axis(squared_bn, near_bk, axis=1) + spacing2)
        beside = 0.5 / spacing2
        found.append(((weight_bk * is_labelled_n[near_bk]).sum(axis=1) + beside * overall) / (weight_bk.sum(axis=1) + beside))
    return np.concatenate(found).astype(float) if found else np.ones(0)


def _spacing2(tried_nd: np.ndarray) -> float:
    """Squared typical distance of a tried galaxy to its nearest other; 1 where all coincide."""
    if len(tried_nd) < 2:
        return 1.0
    each = [nearest(tried_nd[i : i + 1], np.delete(tried_nd, i, axis=0))[0][0] for i in _some(len(tried_nd))]
    return float(np.median(each)) or 1.0


def _some(n: int, most: int = 200) -> range:
    """Every so many-th row, ``most`` at most: enough for a median."""
    return range(0, n, -(-n // most))
