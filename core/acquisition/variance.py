"""Strategies that score each galaxy by predicted variances: what the model does not know and a label could tell it."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np

from core.acquisition.candidates import Candidates, Picks
from core.acquisition.spread import spread_out
from core.errors import BadInput

EQUAL: Mapping[str, float] = MappingProxyType({})
"""Every task group has the same say."""


def balanced_uncertainty(epistemic_pt: np.ndarray, groups: dict[str, list[int]], weights: Mapping[str, float] = EQUAL) -> tuple[np.ndarray, np.ndarray]:
    """Epistemic variance as one number a galaxy, in which every task group has the say that it is given, by default the same.

    Each target is divided by its mean over the pool, targets are averaged inside their group,
    then groups are averaged: eight correlated SFR columns cannot outvote z, nor units matter.

    Parameters
    ----------
    epistemic_pt : float (p, T) variances. groups : task group -> columns. weights : task group -> its say; who is not named has 1.

    Returns
    -------
    score_p : (p,), mean 1 over the pool (0 where no group with a say has variance). by_group_pg : (p, G), each with mean 1 (0 where a group has no variance).

    >>> score, _ = balanced_uncertainty(np.array([[1.0, 10, 30], [3, 10, 10]]), {"z": [0], "sfr": [1, 2]})
    >>> score.tolist()
    [0.875, 1.125]
    """
    mean_t = epistemic_pt.mean(axis=0, dtype=float)
    relative_pt = np.divide(epistemic_pt, mean_t, out=np.zeros(epistemic_pt.shape), where=mean_t > 0)
    alive = {g: [t for t in columns if mean_t[t] > 0] for g, columns in groups.items()}
    by_group = [relative_pt[:, c].mean(axis=1) if c else np.zeros(len(epistemic_pt)) for c in alive.values()]
    by_group_pg, say_g = np.stack(by_group, axis=1), _say(alive, weights) * [bool(c) for c in alive.values()]
    return by_group_pg @ say_g / (say_g.sum() or 1.0), by_group_pg


def group_means(values_pt: np.ndarray, groups: dict[str, list[int]], weights: Mapping[str, float] = EQUAL) -> tuple[np.ndarray, np.ndarray]:
    """Numbers that share one unit, averaged inside task groups and then over them by their say: means (p,), and by group (p, G).

    >>> group_means(np.array([[3.0, 1, 1]]), {"z": [0], "sfr": [1, 2]})[0].tolist()
    [2.0]
    >>> group_means(np.array([[3.0, 1, 1]]), {"z": [0], "sfr": [1, 2]}, {"z": 3.0})[0].tolist()
    [2.5]
    """
    by_group_pg, say_g = np.stack([values_pt[:, columns].mean(axis=1) for columns in groups.values()], axis=1), _say(groups, weights)
    return by_group_pg @ say_g / say_g.sum(), by_group_pg


def gumbel_top(score_p: np.ndarray, size: int, rng: np.random.Generator, beta: float = 1.0) -> np.ndarray:
    """``size`` rows drawn without replacement with probability proportional to ``score ** beta``.

    Adding Gumbel noise to ``beta log score`` and taking the top is that draw, and it cures the sameness
    of a top-k batch (power acquisition, Kirsch et al. 2023, arXiv:2106.12059). beta = 0 is the random
    baseline, large beta the very top; 1 is what the source recommends. Rows of score 0 come last.

    Parameters
    ----------
    score_p : float (p,), 0 or more.

    Returns
    -------
    int (size,), in the order drawn.
    """
    with np.errstate(divide="ignore"):
        perturbed_p = beta * np.log(score_p) + rng.gumbel(size=len(score_p))
    return np.argsort(-perturbed_p, kind="stable")[:size]


def information(epistemic_pt: np.ndarray, aleatoric_pt: np.ndarray) -> np.ndarray:
    """What a label would tell about the model, in nats, (p, T): 0.5 log(1 + epistemic / aleatoric).

    Mutual information between a label and the model when both variances are Gaussian (BALD, Houlsby et al.
    2011, arXiv:1112.5745; MacKay 1992, Neural Computation 4, 590, for regression). It goes by
    the ratio: ignorance that a noisy label could not remove does not count.

    >>> float(information(np.array([[3.0]]), np.array([[1.0]]))[0, 0] / np.log(2))
    1.0
    """
    return 0.5 * np.log1p(epistemic_pt / aleatoric_pt)


def top(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """The ``size`` galaxies of largest epistemic variance. The study's rule, kept for comparison: its picks resemble each other."""
    score_p, by_group_pg = _scores(candidates.epistemic_pt, candidates)
    return _picks(_highest(candidates, score_p, size), score_p, by_group_pg, candidates, "")


def power(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """Sampled with probability proportional to epistemic variance, without replacement (`gumbel_top`)."""
    score_p, by_group_pg = _scores(candidates.epistemic_pt, candidates)
    return _picks(_drawn(candidates, score_p, size, rng), score_p, by_group_pg, candidates, "Drawn in proportion to uncertainty: ")


def total(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """The ``size`` galaxies of largest total variance, noise included: a baseline, because no label removes noise."""
    score_p, by_group_pg = _scores(candidates.epistemic_pt + candidates.aleatoric_pt, candidates)
    return _picks(_highest(candidates, score_p, size), score_p, by_group_pg, candidates, "", "total variance")


def bald(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """The ``size`` galaxies whose labels tell most about the model, one by one (`information`). Score: nats, groups averaged."""
    score_p, by_group_pg = _nats(candidates)
    return _told(_highest(candidates, score_p, size), score_p, by_group_pg, candidates, "")


def bald_sampled(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """As `bald`, but drawn in proportion to what a label tells (`gumbel_top`: PowerBALD)."""
    score_p, by_group_pg = _nats(candidates)
    return _told(_drawn(candidates, score_p, size, rng), score_p, by_group_pg, candidates, "Drawn in proportion to what a label tells: ")


def disagreement(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """Drawn in proportion to how far images and spectra contradict each other about a galaxy (`gumbel_top`).

    Contention between two views of one object (co-testing, Muslea, Minton & Knoblock 2006, JAIR 27, 203): at least
    one of the two models is wrong where they differ by more than both admit. Score: squared difference over
    the summed variances, averaged inside task groups, then over them; 1 is what noise alone would give.
    """
    score_p, by_group_pg = group_means(candidates.disagreement_pt, candidates.groups, candidates.weights)
    indices, names = _drawn(candidates, score_p, size, rng), list(candidates.groups)
    lead = by_group_pg[indices].argmax(axis=1)
    reasons = [f"Image and spectrum differ by {np.sqrt(score_p[i]):.2g} sigma, most about {names[g]} ({np.sqrt(by_group_pg[i, g]):.2g} sigma)" for i, g in zip(indices, lead, strict=True)]
    return Picks(indices, score_p[indices], reasons)


def _highest(candidates: Candidates, score_p: np.ndarray, size: int) -> np.ndarray:
    if candidates.diversity:
        return spread_out(candidates, score_p, size)
    return np.argsort(-candidates.per_cost(score_p), kind="stable")[:size]


def _drawn(candidates: Candidates, score_p: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    if candidates.diversity:
        return spread_out(candidates, score_p, size, rng)
    return gumbel_top(candidates.per_cost(score_p), size, rng)


def _say(groups: Iterable[str], weights: Mapping[str, float]) -> np.ndarray:
    return np.array([weights.get(group, 1.0) for group in groups])


def _require_ignorance(candidates: Candidates) -> None:
    """Of the targets that have a say."""
    heard = [t for group, columns in candidates.groups.items() for t in columns if candidates.weights.get(group, 1.0) > 0]
    epistemic_pt = candidates.epistemic_pt[:, heard]
    if (epistemic_pt < 0).any() or not epistemic_pt.any():
        raise BadInput("Epistemic variance", "be 0 or more, and above 0 somewhere", f"{epistemic_pt.min():g} to {epistemic_pt.max():g}",
                       "this model run", "Choose a model that says how unsure it is, or another strategy")


def _scores(variance_pt: np.ndarray, candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    _require_ignorance(candidates)
    return balanced_uncertainty(variance_pt, candidates.groups, candidates.weights)


def _nats(candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    _require_ignorance(candidates)
    if (candidates.aleatoric_pt <= 0).any():
        raise BadInput("Aleatoric variance", "be above 0 everywhere", f"{candidates.aleatoric_pt.min():g} at least", "this model run",
                       "Choose a model that predicts its noise, or another strategy")
    return group_means(information(candidates.epistemic_pt, candidates.aleatoric_pt), candidates.groups, candidates.weights)


def _above(indices: np.ndarray, score_p: np.ndarray) -> np.ndarray:
    """Share of the pool that scores less than each pick, per cent."""
    return 100 * np.searchsorted(np.sort(score_p), score_p[indices]) / len(score_p)


def _picks(indices: np.ndarray, score_p: np.ndarray, by_group_pg: np.ndarray, candidates: Candidates, opening: str, what: str = "epistemic variance") -> Picks:
    names, lead = list(candidates.groups), by_group_pg[indices].argmax(axis=1)
    reasons = [
        f"{opening}{what} {score_p[i]:.2g} times the pool's mean, above {q:.0f} % of it, mostly {names[g]} ({by_group_pg[i, g]:.2g} times)"
        for i, q, g in zip(indices, _above(indices, score_p), lead, strict=True)
    ]
    return Picks(indices, score_p[indices], [r[0].upper() + r[1:] for r in reasons])


def _told(indices: np.ndarray, score_p: np.ndarray, by_group_pg: np.ndarray, candidates: Candidates, opening: str) -> Picks:
    names, lead = list(candidates.groups), by_group_pg[indices].argmax(axis=1)
    reasons = [
        f"{opening}a label should tell {score_p[i]:.2g} nat, more than for {q:.0f} % of the pool, mostly about {names[g]} ({by_group_pg[i, g]:.2g} nat)"
        for i, q, g in zip(indices, _above(indices, score_p), lead, strict=True)
    ]
    return Picks(indices, score_p[indices], [r[0].upper() + r[1:] for r in reasons])
