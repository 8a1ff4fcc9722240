"""Strategies that look at no model: what every other one is measured against."""

import numpy as np

from core.acquisition.candidates import Candidates, Picks


def uniform(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """Each galaxy with the same chance, 1/p, which is also the score."""
    indices = rng.permutation(len(candidates))[:size]
    return Picks(indices, np.full(size, 1 / len(candidates)), [f"Drawn at random, 1 of {len(candidates)}"] * size)


def stratified(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """One at random from each of ``size`` equally full strata of ``spread_p``; score = the galaxy's value."""
    strata = np.array_split(np.argsort(candidates.spread_p, kind="stable"), size)
    indices = np.array([rng.choice(stratum) for stratum in strata])
    values = candidates.spread_p[indices].astype(float)
    reasons = [_stratum_reason(candidates, stratum, k, size) for k, stratum in enumerate(strata)]
    shuffled = rng.permutation(size)
    return Picks(indices[shuffled], values[shuffled], [reasons[k] for k in shuffled])


def _stratum_reason(candidates: Candidates, stratum: np.ndarray, k: int, size: int) -> str:
    low, high = candidates.spread_p[stratum[0]], candidates.spread_p[stratum[-1]]
    return f"Drawn at random from stratum {k + 1} of {size}: {candidates.spread_name} {low:.3g} to {high:.3g}"
