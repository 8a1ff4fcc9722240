"""Every number the app reports about predictions, defined once.

All functions take float arrays (n,) without missing values unless they say otherwise; `evaluate`
leaves out what is missing and counts it.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import ndtr

SPEED_OF_LIGHT_KMS = 299_792.458
AGREE_KMS = 1000.0
"""Two readings of one spectrum agree within this."""
CATASTROPHIC = AGREE_KMS / SPEED_OF_LIGHT_KMS
"""|delta| of 1000 km/s, 0.0033: beyond it a spectroscopic redshift is wrong."""
GOOD_DZ = 1e-3
Z68, Z95 = 0.994458, 1.959964
"""Half-widths of the central 68 % and 95 % of a Gaussian, in sigma."""

METRICS = {
    "n": "galaxies with both a true and a predicted value",
    "unpredicted": "galaxies with a true value that the model says nothing about",
    "rmse": "root of the mean squared difference",
    "mae": "mean absolute difference",
    "r2": "share of the variance explained; 0.99 is weak for a spectroscopic z",
    "bias": "mean difference; for z of delta = (predicted - true) / (1 + true)",
    "nmad": "1.4826 median |difference - median difference|; for z of delta",
    "crps": "continuous ranked probability score of the Gaussian prediction: small is sharp and right",
    "coverage68": "share of true values inside the central 68 % interval",
    "coverage95": "share of true values inside the central 95 % interval",
}
Z_METRICS = {
    "rmse_delta": "root of the mean squared delta",
    "nmad_kms": "nmad of delta in km/s",
    "eta05": "share of |delta| > 0.05",
    "eta15": "share of |delta| > 0.15",
    "eta_1000kms": "share of |delta| beyond 1000 km/s",
    "good": "share of |z difference| <= 0.001",
}
"""Reported for z besides `METRICS`."""
STRETCHED = {
    "conformal68": "share of true values inside the 68 % interval, stretched as the calibration galaxies of like S/N ask",
    "conformal95": "share of true values inside the 95 % interval, stretched as the calibration galaxies of like S/N ask",
    "joint68": "share of galaxies of which z and SFR both lie inside the joint 68 % region",
    "joint95": "share of galaxies of which z and SFR both lie inside the joint 95 % region",
}
"""Reported where the calibration split had its say."""


def delta(z_pred: np.ndarray, z: np.ndarray) -> np.ndarray:
    """(z_pred - z) / (1 + z), shape (n,)."""
    return (np.asarray(z_pred) - z) / (1 + np.asarray(z))


def kms_apart(z_a: np.ndarray, z_b: np.ndarray) -> np.ndarray:
    """c |ln((1 + z_a) / (1 + z_b))|: how far two redshifts of one object lie apart, km/s; neither is taken for the true one.

    >>> round(float(kms_apart(0.1, 0.101)), 1)
    272.4
    """
    return SPEED_OF_LIGHT_KMS * np.abs(np.log1p(np.asarray(z_a, float)) - np.log1p(np.asarray(z_b, float)))


def bias(difference: np.ndarray) -> float:
    """Mean."""
    return float(np.mean(difference))


def nmad(difference: np.ndarray) -> float:
    """1.4826 median(|d - median(d)|): the standard deviation of a Gaussian, deaf to outliers.

    >>> round(nmad(np.array([0.0, 0.01, 0.02, 0.03, 9.0])), 6)
    0.014826
    """
    return float(1.4826 * np.median(np.abs(difference - np.median(difference))))


def eta(difference: np.ndarray, limit: float = 0.05) -> float:
    """Share of |d| > limit."""
    return float(np.mean(np.abs(difference) > limit))


def rmse(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Root mean squared difference."""
    return float(np.sqrt(np.mean((np.asarray(predicted) - truth) ** 2)))


def mae(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Mean absolute difference."""
    return float(np.mean(np.abs(np.asarray(predicted) - truth)))


def r2(truth: np.ndarray, predicted: np.ndarray) -> float:
    """1 - residual / total sum of squares; NaN when the truth does not vary."""
    total = np.sum((truth - np.mean(truth)) ** 2)
    return float(1 - np.sum((np.asarray(predicted) - truth) ** 2) / total) if total > 0 else float("nan")


def crps_gaussian(truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of N(mean, sigma), closed form; |truth - mean| where sigma is 0.

    Gneiting & Raftery 2007, JASA 102, 359, equation 21 (sign turned: lower is better). Shape (n,), target's unit.

    >>> round(float(crps_gaussian(np.array(0.0), np.array(0.0), np.array(1.0))), 4)
    0.2337
    """
    error = np.asarray(truth, dtype=float) - mean
    w = _standardised(error, sigma)
    density = np.exp(-0.5 * np.minimum(w**2, 1400)) / np.sqrt(2 * np.pi)
    score = sigma * (w * (2 * ndtr(w) - 1) + 2 * density - 1 / np.sqrt(np.pi))
    return np.where(np.asarray(sigma) == 0, np.abs(error), score)


def crps_samples(truth_n: np.ndarray, samples_mn: np.ndarray) -> np.ndarray:
    """CRPS of the empirical distribution of m samples: E|X - y| - E|X - X'| / 2, shape (n,).

    >>> crps_samples(np.array([0.0]), np.array([[0.0], [1.0]])).tolist()
    [0.25]
    """
    ordered = np.sort(samples_mn, axis=0)
    m = len(ordered)
    rank = 2 * np.arange(1, m + 1) - m - 1
    spread = np.tensordot(rank, ordered, axes=1) / m**2
    return np.mean(np.abs(ordered - truth_n), axis=0) - spread


def pit(truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Where the truth falls in the predicted distribution, 0 to 1; uniform when predictions are calibrated."""
    return ndtr(_standardised(np.asarray(truth, dtype=float) - mean, sigma))


def pit_histogram(truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray, bins: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Density of `pit` (bins,) and the edges (bins + 1,); 1 everywhere is calibrated, a U is overconfident."""
    return np.histogram(pit(truth, mean, sigma), bins=bins, range=(0, 1), density=True)


def reliability(truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Share of truths inside the central interval of each of k ``levels`` (0 to 1), shape (k,); the levels themselves when calibrated.

    >>> reliability(np.array([0.5, 3.0]), np.zeros(2), np.ones(2), np.array([0.1, 0.683, 0.999])).tolist()
    [0.0, 0.5, 1.0]
    """
    inside = np.abs(2 * pit(truth, mean, sigma) - 1)
    return np.mean(inside[None, :] <= np.asarray(levels)[:, None], axis=1)


def pit_tilt(truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray) -> float:
    """Mean of `pit` less 1/2: 0 is unbiased, above 0 the predictions lie too low, below 0 too high."""
    return float(np.mean(pit(truth, mean, sigma)) - 0.5)


def pit_width(truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray) -> float:
    """The mean of `reliability` minus level over all levels, 1/2 - mean |2 pit - 1|: 0 is calibrated.

    Below 0 the intervals are too narrow (-1/2 when every truth lies outside all of them), above 0 too wide (1/2 when
    every truth lies at the mean).
    """
    return float(0.5 - np.mean(np.abs(2 * pit(truth, mean, sigma) - 1)))


def coverage(truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray, half_width: float | np.ndarray = Z68) -> float:
    """Share of truths within ``half_width`` sigma of the mean, a number or (n,); NaN when a sigma or a half-width is missing."""
    reach = half_width * np.asarray(sigma)
    return float(np.mean(np.abs(np.asarray(truth) - mean) <= reach)) if np.isfinite(reach).all() else float("nan")


def joint_coverage(truth_nt: np.ndarray, mean_nt: np.ndarray, reach_nt: np.ndarray) -> float:
    """Share of galaxies all of whose T truths lie within ``reach_nt`` (target units) of the mean; galaxies that lack any of it are left out.

    >>> joint_coverage(np.array([[0.1, 1.0], [0.1, 3.0], [np.nan, 0.0]]), np.zeros((3, 2)), np.full((3, 2), 2.0))
    0.5
    """
    apart_nt = np.abs(np.asarray(truth_nt) - mean_nt)
    use_n = (np.isfinite(apart_nt) & np.isfinite(reach_nt)).all(axis=1)
    return float(np.mean((apart_nt <= reach_nt)[use_n].all(axis=1))) if use_n.any() else float("nan")


def binomial_error(share: float, n: int) -> float:
    """Standard error of a share counted on n galaxies.

    >>> binomial_error(0.5, 100)
    0.05
    """
    return float(np.sqrt(share * (1 - share) / n))


def scores(target: str, truth_n: np.ndarray, mean_n: np.ndarray, sigma_n: np.ndarray, widths: Mapping[str, np.ndarray] | None = None) -> dict[str, float]:
    """All metrics of one target; missing values (NaN) are left out and counted. Only counts when nothing is left.

    ``widths`` : name of `STRETCHED` -> half-width in sigma of an interval whose `coverage` bears that name, (n,).
    """
    has_truth, has_mean = np.isfinite(truth_n), np.isfinite(mean_n)
    use = has_truth & has_mean
    values = {"n": float(use.sum()), "unpredicted": float((has_truth & ~has_mean).sum())}
    if use.any():
        values |= _scores(target == "z", truth_n[use], mean_n[use], sigma_n[use])
        values |= {name: coverage(truth_n[use], mean_n[use], sigma_n[use], width_n[use]) for name, width_n in (widths or {}).items()}
    return values


def evaluate(
    truth_nt: np.ndarray, mean_nt: np.ndarray, sigma_nt: np.ndarray, targets: tuple[str, ...], subsets: Mapping[str, np.ndarray] | None = None,
    widths: Mapping[str, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Every metric of every target in every subset.

    Parameters
    ----------
    truth_nt, mean_nt, sigma_nt : float (n, T), NaN = missing; sigma is the total standard deviation; where a
        subset lacks one, it has no crps and no coverage.
    targets : T names.
    subsets : name -> bool (n,); "all" is always there. An empty subset has n = 0 and nothing else.
    widths : name of `STRETCHED` -> half-widths in sigma, (n, T), of intervals whose coverage is measured under that name.

    Returns
    -------
    Columns target, subset, name (of `METRICS`, for z also of `Z_METRICS`, with widths of `STRETCHED`) and value; undefined values
    (R2 of one galaxy) have no row.
    """
    masks = {"all": np.ones(len(truth_nt), dtype=bool)} | dict(subsets or {})
    rows = [
        (target, subset, name, value)
        for t, target in enumerate(targets)
        for subset, mask in masks.items()
        for name, value in scores(target, *(a[mask, t] for a in (truth_nt, mean_nt, sigma_nt)), {k: w[mask, t] for k, w in (widths or {}).items()}).items()
        if np.isfinite(value)
    ]
    return pd.DataFrame(rows, columns=["target", "subset", "name", "value"])


def _scores(is_z: bool, truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray) -> dict[str, float]:
    difference = delta(mean, truth) if is_z else mean - truth
    values = {
        "rmse": rmse(truth, mean),
        "mae": mae(truth, mean),
        "r2": r2(truth, mean),
        "bias": bias(difference),
        "nmad": nmad(difference),
        "crps": float(np.mean(crps_gaussian(truth, mean, sigma))),
        "coverage68": coverage(truth, mean, sigma, Z68),
        "coverage95": coverage(truth, mean, sigma, Z95),
    }
    return values | (_z_scores(truth, mean, difference) if is_z else {})


def _z_scores(truth: np.ndarray, mean: np.ndarray, difference: np.ndarray) -> dict[str, float]:
    return {
        "rmse_delta": float(np.sqrt(np.mean(difference**2))),
        "nmad_kms": nmad(difference) * SPEED_OF_LIGHT_KMS,
        "eta05": eta(difference, 0.05),
        "eta15": eta(difference, 0.15),
        "eta_1000kms": eta(difference, CATASTROPHIC),
        "good": float(np.mean(np.abs(mean - truth) <= GOOD_DZ)),
    }


def _standardised(error: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """error / sigma; +-inf where sigma is 0 and error is not."""
    error, sigma = np.broadcast_arrays(np.asarray(error, dtype=float), np.asarray(sigma, dtype=float))
    at_zero = np.where(error == 0, 0.0, np.copysign(1e6, error))
    return np.divide(error, sigma, out=at_zero, where=sigma > 0)
