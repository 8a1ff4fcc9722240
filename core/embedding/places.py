"""Where galaxies stand from one map to the next: aligned, moved, newly placed."""

import numpy as np

TRIMMINGS, FEWEST_TRIMMED = 6, 20
LEFT = 0.1
"""Farther from its neighbours than this share of the map, a galaxy begins a new map among them."""
NEIGHBOURS = 5
"""How many known galaxies say where a new one belongs."""


def align(xy_n2: np.ndarray, previous_n2: np.ndarray) -> np.ndarray:
    """Rotate, mirror, scale and move a map onto the one before (orthogonal Procrustes over shared galaxies).

    Fitted again and again to the half that moved least (least trimmed squares, Rousseeuw 1984), so that those that moved
    far have no say. Rows of ``previous_n2`` that are NaN are new galaxies and go along. With fewer than three shared
    galaxies the map stays as it is.

    >>> old = np.array([[0.0, 0], [1, 0], [0, 2]])
    >>> bool(np.abs(align(old[:, ::-1] * 3 + 5, old) - old).max() < 1e-6)
    True
    """
    shared = np.isfinite(previous_n2).all(axis=1)
    if shared.sum() < 3:
        return xy_n2
    turned = _turned(xy_n2, previous_n2, shared)
    for _ in range(TRIMMINGS if shared.sum() >= FEWEST_TRIMMED else 0):
        far = np.linalg.norm(turned - previous_n2, axis=1)
        turned = _turned(xy_n2, previous_n2, shared & (far <= np.median(far[shared])))
    return turned.astype(np.float32)


def _turned(xy_n2: np.ndarray, previous_n2: np.ndarray, by_n: np.ndarray) -> np.ndarray:
    new, old = xy_n2[by_n].astype(float), previous_n2[by_n].astype(float)
    new_mean, old_mean = new.mean(axis=0), old.mean(axis=0)
    u, s, vt = np.linalg.svd((new - new_mean).T @ (old - old_mean))
    scale = s.sum() / max(((new - new_mean) ** 2).sum(), 1e-30)
    return ((xy_n2 - new_mean) @ (u @ vt)) * (scale or 1.0) + old_mean


def at_home(start_n2: np.ndarray, neighbours_nk: np.ndarray) -> np.ndarray:
    """Where a new map should begin: as the map before, but who no longer lives among its neighbours, among them.

    start_n2 : float (n, 2), on the map before. neighbours_nk : rows of each galaxy's neighbours among the features.
    """
    home = np.median(start_n2[neighbours_nk], axis=1)
    size = 2 * np.sqrt(((start_n2 - start_n2.mean(axis=0)) ** 2).sum(axis=1).mean())
    has_left = np.linalg.norm(start_n2 - home, axis=1) > LEFT * size
    return np.where(has_left[:, None], home, start_n2)


def displacement(xy_n2: np.ndarray, previous_n2: np.ndarray) -> np.ndarray:
    """How far each galaxy is from where it was, as a share of the map's size, float (n,); NaN = it was not there.

    The map's size is twice the root mean square distance of its galaxies from their middle.

    >>> displacement(np.array([[0.0, 0], [4, 0], [9, 9]]), np.array([[0.0, 0], [4, 2], [np.nan, np.nan]])).round(2).tolist()
    [0.0, 0.45, nan]
    """
    was = np.isfinite(previous_n2).all(axis=1)
    old = np.asarray(previous_n2, float)[was]
    size = 2 * np.sqrt(((old - old.mean(axis=0)) ** 2).sum(axis=1).mean()) if was.any() else 1.0
    return np.linalg.norm(np.asarray(xy_n2, float) - previous_n2, axis=1) / (size or 1.0)


def place(features_md: np.ndarray, known_nd: np.ndarray, xy_n2: np.ndarray, method: str, among: int = NEIGHBOURS) -> np.ndarray:
    """Where galaxies belong that a map was made without; nobody on it moves.

    Parameters
    ----------
    features_md, known_nd : of the new galaxies and of those on the map, on the same axes (see `Axes`).
    xy_n2 : where the known ones stand. method : the one the map is really made by (see `method_for`).

    Returns
    -------
    float32 (m, 2): for PCA, the projection on the map's own axes; else the mean of the nearest known galaxies'
    places, weighed by how near they are, from which UMAP's own transform starts (McInnes et al. 2018, arXiv:1802.03426).
    """
    if method == "pca":
        ones = lambda rows: np.column_stack([rows, np.ones(len(rows))]).astype(float)  # noqa: E731
        return (ones(features_md) @ np.linalg.lstsq(ones(known_nd), np.asarray(xy_n2, float), rcond=None)[0]).astype(np.float32)
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=min(among, len(known_nd)), algorithm="brute").fit(known_nd)
    distance, index = found.kneighbors(features_md)
    beyond = distance - distance[:, :1]
    weight = np.exp(-beyond / np.maximum(beyond.mean(axis=1, keepdims=True) / 2, 1e-12))
    return (np.einsum("mk,mkd->md", weight, xy_n2[index]) / weight.sum(axis=1, keepdims=True)).astype(np.float32)
