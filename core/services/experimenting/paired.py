"""Is one configuration better than another on the same galaxies, or was it luck? Pure functions on errors."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

CHUNK = 100
Statistic = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From errors (seeds, n) and weights (b, n) to a number for each of b draws."""


@dataclass(frozen=True)
class Comparison:
    """A configuration against another, of a metric where low is good.

    Attributes
    ----------
    value, against : the metric of both, over all seeds. gain : share by which ``value`` is lower, 0.05 = 5 %.
    low, high : 95 % interval of the gain over test galaxies. p_galaxies : two-sided, of no gain, from the same draws.
    p_seeds : of a paired t-test of the metric over seeds; NaN with one seed, or where seeds change nothing.
    """

    value: float
    against: float
    gain: float
    low: float
    high: float
    p_galaxies: float
    p_seeds: float


def draws(group_n: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
    """How often each galaxy counts in each bootstrap draw, float32 (count, n): sky groups are drawn, whole, with replacement."""
    groups, place = np.unique(group_n, return_inverse=True)
    return rng.multinomial(len(groups), np.full(len(groups), 1 / len(groups)), size=count).astype(np.float32)[:, place]


def rmse_draws(error_sn: np.ndarray, weight_bn: np.ndarray) -> np.ndarray:
    """Root mean squared error over seeds and galaxies in each draw, (b,). error_sn : (seeds, n), no missing values."""
    squares_n = (error_sn**2).mean(axis=0)
    return np.sqrt(weight_bn @ squares_n / np.maximum(weight_bn.sum(axis=1), 1))


def nmad_draws(error_sn: np.ndarray, weight_bn: np.ndarray) -> np.ndarray:
    """1.4826 median |error - median| in each draw, averaged over seeds, (b,)."""
    return np.mean([np.concatenate([_nmad(error_n, weight_bn[k : k + CHUNK]) for k in range(0, len(weight_bn), CHUNK)]) for error_n in error_sn], axis=0)


STATISTICS: dict[str, Statistic] = {"rmse": rmse_draws, "nmad": nmad_draws}


def compare(error_sn: np.ndarray, against_sn: np.ndarray, weight_bn: np.ndarray, statistic: Statistic = rmse_draws, against_b: np.ndarray | None = None) -> Comparison:
    """Paired bootstrap over galaxies, and paired t over seeds.

    Parameters
    ----------
    error_sn, against_sn : (seeds, n) errors of both on the same n galaxies, seeds in the same order; seeds may differ in number.
    weight_bn : of `draws`. statistic : one of `STATISTICS`. against_b : that of ``against_sn`` in each draw, where it is known already.

    >>> error = np.random.default_rng(0).normal(0, 1, (1, 400))
    >>> found = compare(0.5 * error, error, draws(np.arange(400), np.random.default_rng(1), 200))
    >>> round(found.gain, 6), found.p_galaxies, round(found.low, 6)
    (0.5, 0.01, 0.5)
    """
    once = np.ones((1, error_sn.shape[1]), dtype=np.float32)
    value, against = float(statistic(error_sn, once)[0]), float(statistic(against_sn, once)[0])
    ours, theirs = statistic(error_sn, weight_bn), statistic(against_sn, weight_bn) if against_b is None else against_b
    gain_b = 1 - ours / np.where(theirs > 0, theirs, np.nan)
    low, high = np.nanpercentile(gain_b, [2.5, 97.5])
    p = 2 * max(min(np.mean(gain_b <= 0), np.mean(gain_b >= 0)), 1 / len(gain_b))
    return Comparison(value, against, 1 - value / against, float(low), float(high), float(min(p, 1)), _over_seeds(error_sn, against_sn, once, statistic))


def holm(p_k: np.ndarray) -> np.ndarray:
    """P values corrected for having looked k times (Holm 1979, Scandinavian Journal of Statistics 6, 65).

    >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
    [0.03, 0.06, 0.06]
    """
    p_k = np.asarray(p_k, dtype=float)
    order = np.argsort(p_k)
    stepped = np.maximum.accumulate(p_k[order] * (len(p_k) - np.arange(len(p_k))))
    out = np.empty(len(p_k))
    out[order] = np.minimum(stepped, 1)
    return out


def _over_seeds(error_sn: np.ndarray, against_sn: np.ndarray, once: np.ndarray, statistic: Statistic) -> float:
    seeds = min(len(error_sn), len(against_sn))
    pairs = np.array([[statistic(e[None], once)[0] for e in errors[:seeds]] for errors in (error_sn, against_sn)])
    difference = pairs[0] - pairs[1]
    if seeds < 2 or np.ptp(difference) <= 1e-12 * np.abs(pairs).max():
        return float("nan")
    return float(stats.ttest_1samp(difference, 0.0).pvalue)


def _nmad(error_n: np.ndarray, weight_bn: np.ndarray) -> np.ndarray:
    order = np.argsort(error_n)
    middle = _median(np.broadcast_to(error_n[order], weight_bn.shape), weight_bn[:, order])
    distance = np.abs(error_n - middle[:, None])
    order = np.argsort(distance, axis=1)
    return 1.4826 * _median(np.take_along_axis(distance, order, axis=1), np.take_along_axis(weight_bn, order, axis=1))


def _median(sorted_bn: np.ndarray, weight_bn: np.ndarray) -> np.ndarray:
    """Weighted median of each row, its values ascending; the mean of the two in the middle where the weights part evenly."""
    below = np.cumsum(weight_bn, axis=1, dtype=float)
    half = below[:, -1:] / 2
    row = np.arange(len(below))
    return (sorted_bn[row, np.argmax(below >= half, axis=1)] + sorted_bn[row, np.argmax(below > half, axis=1)]) / 2
