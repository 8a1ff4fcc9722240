"""How wrong several models are together, measured on galaxies none was fitted to, and their best joint estimate.

Axes: j = models, n = galaxies, T = targets.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from core.models.options import OPTIONS

WAYS = OPTIONS["how"]
"""How answers are joined. *joint*: generalised least squares of the target and the redshift together; *inverse_variance*: of
the target alone; *stacking*: weights of 0 or more that would have served the measured galaxies best, the same for all
galaxies; *mean*: equal weights. The variance is in each case that of such an estimate under the measured correlation."""
CLIP = 4.0
"""Errors count up to so many sigma: one catastrophic redshift must not decide what all are worth."""
PRIOR_COUNT = 20.0
"""What is believed beforehand (variances right, errors independent) weighs like so many galaxies."""
IGNORANCE = 0.1
"""Least share of a joint variance that counts as epistemic: models fitted to the same labels err together, which their spread does not show."""
Z68_SHARE = 0.6827
"""Of Gaussian errors, the share within one sigma."""
FLOOR = 0.05
"""Smallest eigenvalue of a correlation matrix: models are never so alike that their difference is gold."""


@dataclass(frozen=True)
class JointErrors:
    """What is known of the errors of J models.

    Attributes
    ----------
    scale_jt : factor on each model's predicted sigma that makes its errors have unit spread.
    pair_t4 : float (T, 2J, 2J), correlation of the models' errors in the target and in the redshift, in that order.
    covariance_tjj : float (T, J, J), covariance of the models' errors, whatever they predict it to be.
    factor_t : factor on the joint sigma that makes the errors of joint answers have unit spread.
    z_column : which target is the redshift, None = none.
    """

    scale_jt: np.ndarray
    pair_t4: np.ndarray
    covariance_tjj: np.ndarray
    factor_t: np.ndarray
    z_column: int | None


def measure(mean_jnt: np.ndarray, sigma_jnt: np.ndarray, truth_nt: np.ndarray, z_column: int | None) -> JointErrors:
    """Calibrate the models and correlate their errors, shrunk towards calibrated and independent; `factor_t` is 1.

    Parameters
    ----------
    mean_jnt, sigma_jnt : (J, n, T), NaN where a model says nothing. truth_nt : (n, T), NaN = unknown.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        error = (mean_jnt - truth_nt) / sigma_jnt
    scale_jt = _spread(error.transpose(1, 0, 2))
    unit = np.clip(error / scale_jt[:, None], -CLIP, CLIP)
    targets = range(truth_nt.shape[1])
    z = unit[:, :, z_column] if z_column is not None else np.full(unit.shape[:2], np.nan)
    pair_t4 = np.stack([_correlation(np.concatenate([unit[:, :, t], z])) for t in targets])
    covariance_tjj = np.stack([_covariance(unit[:, :, t], sigma_jnt[:, :, t] * scale_jt[:, None, t]) for t in targets])
    return JointErrors(scale_jt, pair_t4, covariance_tjj, np.ones(truth_nt.shape[1]), z_column)


def calibrated(mean_jnt: np.ndarray, aleatoric_jnt: np.ndarray, epistemic_jnt: np.ndarray, truth_nt: np.ndarray, z_column: int | None, way: str) -> JointErrors:
    """`measure`, and how far the joint sigma must be stretched: each half of the galaxies is joined by what the other half says."""
    sigma_jnt = np.sqrt(aleatoric_jnt + epistemic_jnt)
    several = np.isfinite(mean_jnt).sum(axis=0) > 1
    error = np.full(truth_nt.shape, np.nan)
    for half in (np.arange(len(truth_nt)) % 2 == k for k in (0, 1)):
        errors = measure(mean_jnt[:, ~half], sigma_jnt[:, ~half], truth_nt[~half], z_column)
        mean, aleatoric, epistemic = combine(mean_jnt[:, half], aleatoric_jnt[:, half], epistemic_jnt[:, half], errors, way)
        error[half] = (mean - truth_nt[half]) / np.sqrt(aleatoric + epistemic)
    return replace(measure(mean_jnt, sigma_jnt, truth_nt, z_column), factor_t=_spread(np.where(several, error, np.nan)))


def combine(
    mean_jnt: np.ndarray, aleatoric_jnt: np.ndarray, epistemic_jnt: np.ndarray, errors: JointErrors, way: str = "joint"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One estimate of each target from what the models say.

    Parameters
    ----------
    mean_jnt, aleatoric_jnt, epistemic_jnt : (J, n, T); NaN where a model says nothing: the others then decide.
    way : one of `WAYS`.

    Returns
    -------
    mean, aleatoric, epistemic : (n, T). A galaxy with one model only has that model's answer; with none, NaN.
    """
    sigma_jnt = np.sqrt(aleatoric_jnt + epistemic_jnt) * errors.scale_jt[:, None]
    out = np.full((3, *mean_jnt.shape[1:]), np.nan)
    for t in range(mean_jnt.shape[2]):
        columns = [t] if errors.z_column in (None, t) or way != "joint" else [t, errors.z_column]
        seen_nj = np.isfinite(mean_jnt[:, :, columns]).all(axis=2).T
        for pattern in np.unique(seen_nj[seen_nj.any(axis=1)], axis=0):
            rows, models = (seen_nj == pattern).all(axis=1), np.flatnonzero(pattern)
            at = np.ix_(models, rows, columns)
            out[0, rows, t], total, weight_nj = _estimate(mean_jnt[at], sigma_jnt[at], errors, t, models, way)
            stretched = total * (errors.factor_t[t] ** 2 if len(models) > 1 else 1.0)
            out[1:, rows, t] = stretched * _shares(weight_nj, aleatoric_jnt[models][:, rows, t], epistemic_jnt[models][:, rows, t])
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


def best_weights(covariance_jj: np.ndarray) -> np.ndarray:
    """Weights of 0 or more, 1 in all, under which errors of this covariance add up to least; (J,).

    The best of all sets of models whose own best weights are positive (Breiman 1996, Machine Learning 24, 49, why none is negative).

    >>> best_weights(np.diag([1.0, 3.0])).tolist(), best_weights(np.array([[1.0, 1.5], [1.5, 4.0]])).tolist()
    ([0.75, 0.25], [1.0, 0.0])
    """
    models, best, least = range(len(covariance_jj)), None, np.inf
    for chosen in (list(c) for size in models for c in combinations(models, size + 1)):
        raw = np.linalg.solve(covariance_jj[np.ix_(chosen, chosen)], np.ones(len(chosen)))
        if (raw > 0).all() and 1 / raw.sum() < least:
            best, least = np.zeros(len(models)), 1 / raw.sum()
            best[chosen] = raw / raw.sum()
    return best


def _estimate(mean_jnc: np.ndarray, sigma_jnc: np.ndarray, errors: JointErrors, t: int, models: np.ndarray, way: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Estimates of some galaxies, their variances, and the weights (n, j) of the models' own answers."""
    count, _, quantities = mean_jnc.shape
    flat = lambda a: a.transpose(1, 2, 0).reshape(a.shape[1], -1)  # noqa: E731
    correlation = _block(errors.pair_t4[t], models, quantities)
    if way in ("joint", "inverse_variance"):
        estimate, variance, weight = least_squares(flat(mean_jnc), flat(sigma_jnc), correlation, np.kron(np.eye(quantities), np.ones((count, 1))))
        return estimate, variance, weight[:, :count]
    fixed = np.full(count, 1 / count) if way == "mean" else best_weights(errors.covariance_tjj[t][np.ix_(models, models)])
    spread = fixed * flat(sigma_jnc)
    return flat(mean_jnc) @ fixed, np.einsum("nj,jk,nk->n", spread, correlation, spread), np.broadcast_to(fixed, spread.shape)


def _block(pair: np.ndarray, models: np.ndarray, quantities: int) -> np.ndarray:
    at = np.concatenate([models + q * (len(pair) // 2) for q in range(quantities)])
    return pair[np.ix_(at, at)]


def _shares(weight_nj: np.ndarray, aleatoric_jn: np.ndarray, epistemic_jn: np.ndarray) -> np.ndarray:
    """How a variance divides into aleatoric and epistemic, (2, n): as in the models that made it, and `IGNORANCE` at least."""
    parts = np.stack([(weight_nj.T**2 * a).sum(axis=0) for a in (aleatoric_jn, epistemic_jn)])
    epistemic = np.maximum(parts[1] / np.maximum(parts.sum(axis=0), np.finfo(float).tiny), IGNORANCE)
    return np.stack([1 - epistemic, epistemic])


def _spread(error_nk: np.ndarray) -> np.ndarray:
    """Root mean square of errors in sigma over the galaxies, (...); NaN left out, shrunk towards 1.

    They are cut at `CLIP` times what holds 68 % of them, so that a sigma far too small is still found out.
    """
    has = np.isfinite(error_nk)
    count = has.sum(axis=0)
    ordered = np.sort(np.where(has, np.abs(error_nk), np.inf), axis=0)
    place = np.clip(np.ceil(Z68_SHARE * count).astype(int) - 1, 0, max(len(ordered) - 1, 0))
    middle = np.take_along_axis(ordered, place[None], axis=0)[0] if len(ordered) else np.ones(error_nk.shape[1:])
    unit = np.where((count > 0) & (middle > 0), middle, 1.0) ** (count / (count + PRIOR_COUNT))
    squares = (np.clip(np.where(has, error_nk, 0.0) / unit, -CLIP, CLIP) ** 2).sum(axis=0)
    return unit * np.sqrt((squares + PRIOR_COUNT) / (count + PRIOR_COUNT))


def _covariance(unit_jn: np.ndarray, sigma_jn: np.ndarray) -> np.ndarray:
    """Covariance of errors, (J, J): their correlation, and each model's typical variance."""
    typical = np.array([np.median(s[np.isfinite(s)]) if np.isfinite(s).any() else 1.0 for s in sigma_jn])
    return _correlation(unit_jn) * np.outer(typical, typical)


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
