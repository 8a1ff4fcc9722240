"""Strategy that looks for what is unlike anything labelled: stars, quasars, artefacts, or the galaxies nobody thought of."""

import numpy as np

from core.acquisition.candidates import Candidates, Picks
from core.acquisition.distances import BLOCK, nearest, squared_between, squared_to

NEIGHBOURS = 10
"""Nearest labels that a galaxy is compared with: enough that one odd label does not make its kind familiar."""
UNLIKE = 2.0
"""Novelty from which a galaxy is called unlike anything labelled; labelled galaxies have about 1 among themselves."""


def novelty(points_nd: np.ndarray, labelled_ld: np.ndarray, neighbours: int = NEIGHBOURS) -> np.ndarray:
    """How much farther each point lies from its nearest labels than those lie from each other.

    A local outlier factor with the labels as reference (Breunig et al. 2000, doi:10.1145/342009.335388; with
    mean distances for reachability): mean distance to the k nearest labels over the mean of the
    same quantity for these labels among themselves.

    Parameters
    ----------
    points_nd : (n, d). labelled_ld : (l, d), l at least 1; k is at most l - 1. A single label has no
        neighbours: the mean distance of the points to it takes their place.

    Returns
    -------
    float (n,): about 1 for a point like the labels, finite also where labels coincide.

    >>> novelty(np.array([[1.5], [9.0]]), np.array([[0.0], [1.0], [2.0], [3.0]]), 1).tolist()
    [0.5, 6.0]
    """
    k = min(neighbours, max(len(labelled_ld) - 1, 1))
    mean_n, index_nk = _mean_distance(points_nd, labelled_ld, k)
    own_l = _mean_distance(labelled_ld, labelled_ld, k, skips_itself=True)[0] if len(labelled_ld) > 1 else np.array([mean_n.mean()])
    floor = 0.01 * own_l.mean() or 1.0
    return mean_n / np.maximum(own_l[index_nk].mean(axis=1), floor)


def most_novel(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """Again and again the galaxy of largest novelty: what the run says of it where it says so of all, else `novelty` by the features.

    Features are taken as they are: a network calls noisy what it does not know, and what is strange would come near.
    A galaxy that has a pick nearer than its nearest label counts less in proportion, so a clump of
    one kind is asked about once or twice. Score: novelty after that. When nothing is labelled
    the pool's middle stands for what is known.
    """
    points_pd = candidates.features_pd
    labelled_ld = points_pd[:0] if candidates.labelled_ld is None else candidates.labelled_ld
    known_ld = labelled_ld if len(labelled_ld) else points_pd.mean(axis=0, keepdims=True)
    is_told = candidates.novelty_p is not None and np.isfinite(candidates.novelty_p).all()
    score_p, to_label_p = candidates.novelty_p if is_told else novelty(points_pd, known_ld), nearest(points_pd, known_ld)[0]
    to_pick_p, rows, scores, reasons = np.full(len(points_pd), np.inf), [], [], []
    for _ in range(size):
        share_p = np.sqrt(np.divide(to_pick_p, to_label_p, out=np.ones(len(points_pd)), where=to_pick_p < to_label_p))
        now_p = score_p * share_p
        worth_p = np.array(candidates.per_cost(now_p))
        worth_p[rows] = -1
        row = int(worth_p.argmax())
        squared_p = squared_to(points_pd, points_pd[row])
        rows.append(row)
        scores.append(float(now_p[row]))
        alike = int((np.delete(squared_p, row) < to_label_p[row]).sum())
        reasons.append(_reason(float(score_p[row]), alike) if len(labelled_ld) else f"{score_p[row]:.2g} times as far from the middle of the pool as the average: nothing is labelled yet")
        to_pick_p = np.minimum(to_pick_p, squared_p)
    return Picks(np.array(rows), np.array(scores), reasons)


def _reason(score: float, alike: int) -> str:
    opening = "Unlike anything labelled" if score >= UNLIKE else "The least familiar that was left"
    company = f"{alike} of the pool are nearer to it" if alike else "nothing in the pool is nearer to it"
    return f"{opening}: {score:.2g} times as far from its nearest labels as those are from each other; {company} than its nearest label"


def _mean_distance(points_nd: np.ndarray, others_md: np.ndarray, k: int, skips_itself: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Mean distance (n,) to the k nearest of the others, and which those are (n, k); in blocks."""
    means, indices = [], []
    for start in range(0, len(points_nd), BLOCK):
        squared_nm = squared_between(points_nd[start : start + BLOCK], others_md)
        if skips_itself:
            squared_nm[np.arange(len(squared_nm)), start + np.arange(len(squared_nm))] = np.inf
        index_nk = np.argpartition(squared_nm, k - 1, axis=1)[:, :k].copy()  # a view would keep all m alive
        means.append(np.sqrt(np.take_along_axis(squared_nm, index_nk, axis=1), dtype=float).mean(axis=1))
        indices.append(index_nk)
    return np.concatenate(means), np.concatenate(indices)
