"""How wrong several models are together, measured on galaxies none was fitted to, and their best joint estimate.

Axes: j = models, n = galaxies, T = targets.
"""

from dataclasses import dataclass

import numpy as np

CLIP = 4.0
"""Errors count up to so many sigma: one catastrophic redshift must not decide what all are worth."""
PRIOR_COUNT = 20.0
"""What is believed beforehand (variances right, errors independent) weighs like so many galaxies."""
FLOOR = 0.05
"""Smallest eigenvalue of a correlation matrix: models are never so alike that their difference is gold."""


@dataclass(frozen=True)
class JointErrors:
    """What is known of the errors of J models.

    Attributes
    ----------
    scale_jt : factor on each model's predicted sigma that makes its errors have unit spread.
    pair_t4 : float (T, 2J, 2J), correlation of the models' errors in the target and in the redshift, in that order.
    z_column : which target is the redshift, None = none.
    """

    scale_jt: np.ndarray
    pair_t4: np.ndarray
    z_column: int | None


def measure(mean_jnt: np.ndarray, sigma_jnt: np.ndarray, truth_nt: np.ndarray, z_column: int | None) -> JointErrors:
    """Calibrate the models and correlate their errors, shrunk towards calibrated and independent.

    Parameters
    ----------
    mean_jnt, sigma_jnt : (J, n, T), NaN where a model says nothing. truth_nt : (n, T), NaN = unknown.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.clip((mean_jnt - truth_nt) / sigma_jnt, -CLIP, CLIP)
    count = np.isfinite(error).sum(axis=1)
    spread = np.nansum(error**2, axis=1)
    scale_jt = np.sqrt((spread + PRIOR_COUNT) / (count + PRIOR_COUNT))
    unit = error / scale_jt[:, None]
    z = unit[:, :, z_column] if z_column is not None else np.full(unit.shape[:2], np.nan)
    return JointErrors(scale_jt, np.stack([_correlation(np.concatenate([unit[:, :, t], z])) for t in range(truth_nt.shape[1])]), z_column)


def combine(mean_jnt: np.ndarray, aleatoric_jnt: np.ndarray, epistemic_jnt: np.ndarray, errors: JointErrors) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best linear unbiased estimate of each target, using what the models say of it and of the redshift.

    Parameters
    ----------
    mean_jnt, aleatoric_jnt, epistemic_jnt : (J, n, T); NaN where a model says nothing: the others then decide.

    Returns
    -------
    mean, aleatoric, epistemic : (n, T). A galaxy with one model only has that model's answer; with none, NaN.
    """
    sigma_jnt = np.sqrt(aleatoric_jnt + epistemic_jnt) * errors.scale_jt[:, None]
    out = np.full((3, *mean_jnt.shape[1:]), np.nan)
    for t in range(mean_jnt.shape[2]):
        columns = [t] if errors.z_column in (None, t) else [t, errors.z_column]
        seen_nj = np.isfinite(mean_jnt[:, :, columns]).all(axis=2).T
        for pattern in np.unique(seen_nj[seen_nj.any(axis=1)], axis=0):
            rows = (seen_nj == pattern).all(axis=1)
            models = np.flatnonzero(pattern)
            at = np.ix_(models, rows, columns)
            total, weight_nj = _estimate(out[0, :, t], rows, mean_jnt[at], sigma_jnt[at], _block(errors.pair_t4[t], models, len(columns)))
            out[1:, rows, t] = total * _shares(weight_nj, aleatoric_jnt[models][:, rows, t], epistemic_jnt[models][:, rows, t])
    return out[0], out[1], out[2]


def least_squares(values_nk: np.ndarray, sigma_nk: np.ndarray, correlation_kk: np.ndarray, design_kp: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best linear unbiased estimate of p quantities from k correlated measurements of each of n galaxies.

    Parameters
    ----------
    design_kp : 1 where measurement k is of quantity p.

    Returns
    -------
    estimate (n,) of the first quantity, its variance (n,), and the weight (n, k) each measurement had in it.

    >>> x, v, w = least_squares(np.array([[1.0, 3.0]]), np.array([[1.0, 1.0]]), np.eye(2), np.ones((2, 1)))
    >>> x.tolist(), v.tolist(), w.tolist()
    ([2.0], [0.5], [[0.5, 0.5]])
    """
    precision = np.linalg.inv(correlation_kk) / sigma_nk[:, :, None] / sigma_nk[:, None, :]
    half = np.einsum("kp,nkl->npl", design_kp, precision)
    covariance = np.linalg.inv(half @ design_kp)
    weight = np.einsum("np,npk->nk", covariance[:, 0], half)
    return (weight * values_nk).sum(axis=1), covariance[:, 0, 0], weight


def _estimate(out_n: np.ndarray, rows: np.ndarray, mean_jnc: np.ndarray, sigma_jnc: np.ndarray, correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Write the estimates of some galaxies; returns their variances and the weights of the models' own answers."""
    models, _, quantities = mean_jnc.shape
    flat = lambda a: a.transpose(1, 2, 0).reshape(a.shape[1], -1)  # noqa: E731
    design = np.kron(np.eye(quantities), np.ones((models, 1)))
    out_n[rows], variance, weight = least_squares(flat(mean_jnc), flat(sigma_jnc), correlation, design)
    return variance, weight[:, :models]


def _block(pair: np.ndarray, models: np.ndarray, quantities: int) -> np.ndarray:
    at = np.concatenate([models + q * (len(pair) // 2) for q in range(quantities)])
    return pair[np.ix_(at, at)]


def _shares(weight_nj: np.ndarray, aleatoric_jn: np.ndarray, epistemic_jn: np.ndarray) -> np.ndarray:
    """How a variance divides into aleatoric and epistemic, (2, n), as in the models that made it."""
    parts = np.stack([(weight_nj.T**2 * a).sum(axis=0) for a in (aleatoric_jn, epistemic_jn)])
    return parts / np.maximum(parts.sum(axis=0), np.finfo(float).tiny)


def _correlation(unit_kn: np.ndarray) -> np.ndarray:
    """Correlation over the galaxies each pair has in common, (k, k), shrunk to independence and safely invertible."""
    has = np.isfinite(unit_kn)
    held = np.where(has, unit_kn, 0.0)
    both = has.astype(float) @ has.T
    norm = np.sqrt(np.maximum((held**2) @ has.T, 1e-12))
    found = (held @ held.T) / (norm * norm.T) * both / (both + PRIOR_COUNT)
    np.fill_diagonal(found, 1.0)
    values, vectors = np.linalg.eigh(found)
    safe = (vectors * np.maximum(values, FLOOR)) @ vectors.T
    spread = np.sqrt(np.diag(safe))
    return safe / np.outer(spread, spread)
