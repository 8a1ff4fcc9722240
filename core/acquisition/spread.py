"""Score against distance: between the most informative galaxies, which resemble each other, and the most spread out."""

import numpy as np

from core.acquisition.candidates import Candidates
from core.acquisition.distances import moved, nearest, squared_lengths, squared_to


def spread_out(candidates: Candidates, score_p: np.ndarray, size: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """Again and again the galaxy of largest ``score^(1 - v) * distance^(2 v)``, or one drawn in proportion to it, v being the diversity.

    Distance is that to the nearest label or pick (to the pool's middle while nothing is labelled), features as they are; its
    square has the dimension of a variance. Without a generator v = 0 is the top of the scores and v = 1 is `coverage.k_centre`;
    with one v = 0 draws in proportion to the score (`variance.gumbel_top`) and v = 1 by squared distance, as k-means++ seeds. Neither units
    of the score nor of the features matter: only ratios enter. Weighing what is uncertain by how unlike the rest it
    is, multiplied with a power, is information density (Settles & Craven 2008, EMNLP, 1070) turned from likeness to difference.

    Parameters
    ----------
    candidates : with features; everything in it is allowed. score_p : float (p,), 0 or more; a label's cost divides the product.

    Returns
    -------
    int (size,), different rows in the order of choosing. Where the product is 0 everywhere that is left, the score decides.
    """
    (points_pd, squared_p), powered_p = _measured(candidates), score_p ** (1 - candidates.diversity)
    norms_p, is_free_p, rows = squared_lengths(points_pd), np.ones(len(points_pd), bool), []
    while len(rows) < size:
        worth_p = candidates.per_cost(powered_p * squared_p.astype(float) ** candidates.diversity)
        free = np.flatnonzero(is_free_p)
        worth_f = worth_p[free] if worth_p[free].any() else candidates.per_cost(score_p)[free]
        row = int(free[_chosen(worth_f, rng)])
        rows.append(row)
        is_free_p[row] = False
        squared_p = np.minimum(squared_p, squared_to(points_pd, points_pd[row], norms_p))
    return np.array(rows)


def _measured(candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    """Features about the pool's middle, float32 (p, d), and the squared distance of each to its nearest label, float32 (p,)."""
    middle_d = np.mean(candidates.features_pd, axis=0)
    points_pd, labelled_ld = moved(candidates.features_pd, middle_d), candidates.labelled_ld
    has_labels = labelled_ld is not None and len(labelled_ld) > 0
    return points_pd, nearest(points_pd, moved(labelled_ld, middle_d))[0] if has_labels else squared_lengths(points_pd)


def _chosen(worth_f: np.ndarray, rng: np.random.Generator | None) -> int:
    if rng is None or not worth_f.any():
        return int(worth_f.argmax())
    total_f = np.cumsum(worth_f)
    return int(np.searchsorted(total_f, rng.random() * total_f[-1], side="right"))
