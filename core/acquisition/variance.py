"""Strategies that follow epistemic variance: what the model does not know and a label could tell it."""

import numpy as np

from core.acquisition.candidates import Candidates, Picks
from core.errors import BadInput


def balanced_uncertainty(epistemic_pt: np.ndarray, groups: dict[str, list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Epistemic variance as one number a galaxy, in which every task group has the same say.

    Each target is divided by its mean over the pool, targets are averaged inside their group,
    then groups are averaged: eight correlated SFR columns cannot outvote z, nor units matter.

    Parameters
    ----------
    epistemic_pt : float (p, T) variances. groups : task group -> columns.

    Returns
    -------
    score_p : (p,), mean 1 over the pool. by_group_pg : (p, G), each with mean 1 (0 where a group has no variance).

    >>> score, _ = balanced_uncertainty(np.array([[1.0, 10, 30], [3, 10, 10]]), {"z": [0], "sfr": [1, 2]})
    >>> score.tolist()
    [0.875, 1.125]
    """
    mean_t = epistemic_pt.mean(axis=0, dtype=float)
    relative_pt = np.divide(epistemic_pt, mean_t, out=np.zeros(epistemic_pt.shape), where=mean_t > 0)
    alive = {g: [t for t in columns if mean_t[t] > 0] for g, columns in groups.items()}
    by_group = [relative_pt[:, c].mean(axis=1) if c else np.zeros(len(epistemic_pt)) for c in alive.values()]
    by_group_pg = np.stack(by_group, axis=1)
    return by_group_pg.sum(axis=1) / max(1, sum(bool(c) for c in alive.values())), by_group_pg


def top(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """The ``size`` most uncertain galaxies. The study's rule, kept for comparison: its picks resemble each other."""
    score_p, by_group_pg = _scores(candidates)
    return _picks(np.argsort(-score_p, kind="stable")[:size], score_p, by_group_pg, candidates, "")


def power(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """Sampled with probability proportional to the score, without replacement.

    Perturbing log score by Gumbel noise and taking the top is that draw, and it cures
    the sameness of a top-k batch (Kirsch et al. 2023, arXiv:2106.12059, power acquisition, beta = 1).
    """
    score_p, by_group_pg = _scores(candidates)
    with np.errstate(divide="ignore"):
        perturbed = np.log(score_p) + rng.gumbel(size=len(score_p))
    return _picks(np.argsort(-perturbed, kind="stable")[:size], score_p, by_group_pg, candidates, "Drawn in proportion to uncertainty: ")


def _scores(candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    if (candidates.epistemic_pt < 0).any() or not candidates.epistemic_pt.any():
        raise BadInput("Epistemic variance", "be 0 or more, and above 0 somewhere", f"{candidates.epistemic_pt.min():g} to {candidates.epistemic_pt.max():g}",
                       "this model run", "Choose a model that says how unsure it is, or another strategy")
    return balanced_uncertainty(candidates.epistemic_pt, candidates.groups)


def _picks(indices: np.ndarray, score_p: np.ndarray, by_group_pg: np.ndarray, candidates: Candidates, opening: str) -> Picks:
    names, ordered = list(candidates.groups), np.sort(score_p)
    percentiles = 100 * np.searchsorted(ordered, score_p[indices]) / len(ordered)
    lead = by_group_pg[indices].argmax(axis=1)
    reasons = [
        f"{opening}epistemic variance {score_p[i]:.2g} times the pool's mean, above {q:.0f} % of it, mostly {names[g]} ({by_group_pg[i, g]:.2g} times)"
        for i, q, g in zip(indices, percentiles, lead, strict=True)
    ]
    return Picks(indices, score_p[indices], [r[0].upper() + r[1:] for r in reasons])
