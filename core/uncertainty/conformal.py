"""How far predicted intervals must be stretched to cover what they claim."""

import math

import numpy as np

LEVELS = {"68": 0.6827, "95": 0.9545}
"""Shares that one and two sigma of a Gaussian cover."""
FEWEST = 30
"""Calibration galaxies under which nothing is claimed: the 95 % point would hang on one of them."""


def stretch(truth_n: np.ndarray, mean_n: np.ndarray, sigma_n: np.ndarray, level: float) -> float:
    """Half-width, in predicted sigma, of the interval that covers at least ``level`` of galaxies like these.

    Split-conformal prediction with normalised residuals (Lei et al. 2018, arXiv:1604.04173): the
    galaxies must be drawn like those the interval is used on, and the model not fitted to them.

    Parameters
    ----------
    truth_n, mean_n, sigma_n : (n,), NaN = missing; such galaxies are left out.

    Returns
    -------
    1 or so for a calibrated model at 68 %; NaN with under `FEWEST` galaxies.

    >>> round(stretch(np.linspace(-2, 2, 99), np.zeros(99), np.ones(99), 0.5), 2)
    1.02
    """
    use = np.isfinite(truth_n) & np.isfinite(mean_n) & (sigma_n > 0)
    ratio = np.sort(np.abs(truth_n[use] - mean_n[use]) / sigma_n[use])
    rank = min(math.ceil((len(ratio) + 1) * level), len(ratio))
    return float(ratio[rank - 1]) if len(ratio) >= FEWEST else float("nan")


def stretches(truth_nt: np.ndarray, mean_nt: np.ndarray, sigma_nt: np.ndarray, targets: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """`stretch` of each target and level of `LEVELS`; targets of which too few galaxies are known are left out."""
    found = {
        target: {name: stretch(truth_nt[:, t], mean_nt[:, t], sigma_nt[:, t], level) for name, level in LEVELS.items()} for t, target in enumerate(targets)
    }
    return {target: values for target, values in found.items() if all(map(math.isfinite, values.values()))}
