"""Where truths fall in a prediction whose intervals are stretched as the calibration galaxies ask."""

import numpy as np
from scipy.special import ndtri

from core.uncertainty.conformal import LEVELS, Stretches


def stretched_scores(truth_n: np.ndarray, mean_n: np.ndarray, sigma_n: np.ndarray, stretches: Stretches, target: str, sn_n: np.ndarray) -> np.ndarray:
    """Each truth in standard deviations of the Gaussian that the stretched prediction stands for, float (n,); NaN where it is not calibrated.

    A truth at the end of the stretched interval of a level is as far out as that level of a Gaussian; between levels, and beyond the
    last one, distances are in proportion. So whatever judges Gaussian error bars (`core.metrics.pit`, say) judges stretched ones.
    """
    width_of = {level: stretches.half_width(target, level, sn_n) for level in sorted(LEVELS, key=LEVELS.get)}
    known = [level for level, width_n in width_of.items() if np.isfinite(width_n).all()]
    if not known:
        return np.full(len(truth_n), np.nan)
    width_kn, score_k = np.maximum.accumulate([width_of[level] for level in known]), ndtri(0.5 + np.array([LEVELS[level] for level in known]) / 2)
    ratio_n = np.divide(truth_n - mean_n, sigma_n, out=np.full(len(truth_n), np.nan), where=np.asarray(sigma_n) > 0)
    kinds_ku, kind_n = np.unique(width_kn, axis=1, return_inverse=True)
    score_n = np.full(len(truth_n), np.nan)
    for kind, width_k in enumerate(kinds_ku.T):
        here = kind_n.ravel() == kind
        score_n[here] = _scores(np.abs(ratio_n[here]), width_k, score_k)
    return np.copysign(score_n, ratio_n)


def _scores(ratio_n: np.ndarray, width_k: np.ndarray, score_k: np.ndarray) -> np.ndarray:
    inside = np.interp(ratio_n, np.concatenate([[0], width_k]), np.concatenate([[0], score_k]))
    return np.where(ratio_n > width_k[-1], ratio_n / width_k[-1] * score_k[-1], inside)
