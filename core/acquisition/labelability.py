"""How likely somebody can label a galaxy, learned from those that nobody could."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

PRIOR_CHANCE = 0.9
"""Of a typical galaxy, before anybody has decided on one."""
PRIOR_SPREAD, SLOPE_SPREAD = 1.0, 1.0
"""How far decisions are expected to move that chance, and how far each fact to move a galaxy's from it, in logits for
one scale of the fact: a handful of decisions moves either little."""
CENTRE = np.array([np.log10(5.0), 0.8, 17.5])
SCALE = np.array([0.5, 0.2, 1.5])
"""Of log10 S/N, the share of good pixels and the magnitude: constants, so that a chance never depends on who else is there."""
FAINTEST_SN = 0.1
"""S/N below which a galaxy is no fainter: its logarithm is taken."""


@dataclass(frozen=True)
class Facts:
    """What can be seen of n galaxies before anybody looks at them.

    Attributes
    ----------
    sn_n : median S/N per pixel. good_n : share of the spectrum's pixels that hold information, 0 to 1. magnitude_n : r.
        All float (n,), NaN = unknown, which counts as typical.
    has_nm : bool (n, m), which of the m modalities each galaxy has.
    """

    sn_n: np.ndarray
    good_n: np.ndarray
    magnitude_n: np.ndarray
    has_nm: np.ndarray

    def __len__(self) -> int:
        return len(self.sn_n)

    def __getitem__(self, rows: np.ndarray) -> "Facts":
        return Facts(self.sn_n[rows], self.good_n[rows], self.magnitude_n[rows], self.has_nm[rows])


def learn(facts: Facts, is_labelled_n: np.ndarray) -> np.ndarray:
    """Weights of a logistic regression of "a value was given" against "nobody can tell", for `chance`.

    The most probable weights under a Gaussian prior (ridge towards `PRIOR_CHANCE` and towards no slope), so that
    few decisions say little and separable ones stay finite. Galaxies are as people met them: a fact on which
    no decision differs keeps a weight of 0.

    Parameters
    ----------
    facts : of the galaxies that were decided on. is_labelled_n : bool (n,), False = nobody could tell. n may be 0.

    Returns
    -------
    float (1 + 3 + m,): the chance of a typical galaxy in logits, then the weight of each fact.
    """
    x_nf, y_n = _design(facts), np.asarray(is_labelled_n, float)
    prior_f = np.zeros(x_nf.shape[1])
    prior_f[0] = logit(PRIOR_CHANCE)
    precision_f = np.full(len(prior_f), SLOPE_SPREAD**-2.0)
    precision_f[0] = PRIOR_SPREAD**-2.0

    def misfit(weight_f: np.ndarray) -> tuple[float, np.ndarray]:
        logit_n, off_f = x_nf @ weight_f, weight_f - prior_f
        loss = np.logaddexp(0, logit_n).sum() - y_n @ logit_n + 0.5 * precision_f @ off_f**2
        return float(loss), x_nf.T @ (expit(logit_n) - y_n) + precision_f * off_f

    return minimize(misfit, prior_f, jac=True, method="BFGS").x


def chance(facts: Facts, weight_f: np.ndarray) -> np.ndarray:
    """Probability that somebody can label each galaxy, (n,).

    >>> anybody = Facts(np.array([5.0]), np.array([np.nan]), np.array([17.5]), np.array([[True, False]]))
    >>> chance(anybody, learn(anybody[:0], np.array([]))).round(3).tolist()
    [0.9]
    """
    return expit(_design(facts) @ weight_f)


def _design(facts: Facts) -> np.ndarray:
    """(n, 1 + 3 + m): one, the scaled facts with 0 where unknown, and what is lacking."""
    log_sn_n = np.log10(np.maximum(facts.sn_n, FAINTEST_SN))
    scaled_n3 = (np.stack([log_sn_n, facts.good_n, facts.magnitude_n], axis=1) - CENTRE) / SCALE
    return np.column_stack([np.ones(len(facts)), np.nan_to_num(scaled_n3), ~facts.has_nm])
