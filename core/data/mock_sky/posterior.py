"""What a catalogue would say of a galaxy's star-formation rate: a binned posterior and its eight statistics.

The measurement is the Halpha flux of the whole galaxy: photon noise and the uncertainty of the
stellar continuum under the line (both additive), the dust correction, which is as good as the
Balmer decrement, and the aperture correction (both relative).
The prior is the galaxies' own distribution at that mass and type. Truth and measurement are drawn
from the very same distributions, so the posteriors are calibrated: 68 % of the true rates lie
between p16 and p84.
"""

import numpy as np

LOG_SFR_GRID = np.arange(-6.0, 4.0 + 1e-9, 0.05)
"""Bin centres, log10(Msun/yr)."""
APERTURE_ERROR = 0.16
"""Relative 1-sigma error of the aperture correction."""
DUST_PRIOR_ERROR = 0.36
"""Relative 1-sigma error of the dust correction when Hbeta says nothing: 0.16 dex."""
BALMER_LEVER = 2.6
"""Relative error of the rate per relative error of Hbeta: 0.4 x 3.33 x 1.97 (Calzetti et al. 2000, case B)."""
_LEVELS = {"p2p5": 0.025, "p16": 0.16, "median": 0.5, "p84": 0.84, "p97p5": 0.975}


def relative_error(hbeta_to_noise: np.ndarray) -> np.ndarray:
    """Relative error of the rate from dust and aperture, given the signal-to-noise of Hbeta; (n,)."""
    measured = BALMER_LEVER / np.maximum(hbeta_to_noise, 1e-3)
    return np.hypot(APERTURE_ERROR, measured * DUST_PRIOR_ERROR / np.hypot(measured, DUST_PRIOR_ERROR))


def posterior(log_sfr: np.ndarray, flux_error: np.ndarray, relative: np.ndarray, prior_mean: np.ndarray, prior_scatter: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Measure each galaxy once and say what is then believed of it.

    Parameters
    ----------
    log_sfr : (n,) the true values, log10(Msun/yr), which must have been drawn from the prior.
    flux_error : (n,) additive 1-sigma error of the measured line, in Msun/yr.
    relative : (n,) relative 1-sigma error, see `relative_error`.
    prior_mean, prior_scatter : (n,) normal prior of log SFR, dex.
    rng : draws the measurement errors.

    Returns
    -------
    (n, 201) probability of each bin of `LOG_SFR_GRID`; rows sum to 1.
    """
    sfr = 10**log_sfr
    measured = sfr + np.hypot(flux_error, relative * sfr) * rng.standard_normal(len(sfr))
    model = 10**LOG_SFR_GRID
    variance = flux_error[:, None] ** 2 + (relative[:, None] * model) ** 2
    log_like = -0.5 * (measured[:, None] - model) ** 2 / variance - 0.5 * np.log(variance)
    log_prior = -0.5 * ((LOG_SFR_GRID - prior_mean[:, None]) / prior_scatter[:, None]) ** 2
    log_p = log_like + log_prior
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def statistics(p: np.ndarray, grid: np.ndarray = LOG_SFR_GRID) -> dict[str, np.ndarray]:
    """avg, entropy, median, mode and percentiles of binned distributions, as MPA-JHU defines them.

    Parameters
    ----------
    p : (n, b) probabilities of even bins; rows sum to 1. grid : (b,) bin centres.

    Returns
    -------
    Name without ``sfr_tot_`` -> (n,). Percentiles are read from the cumulative distribution, which
    rises evenly inside a bin; entropy is the sum of p log p, 0 or less; the mode is refined by a
    parabola through the highest bin and its neighbours.

    >>> s = statistics(np.array([[0.25, 0.5, 0.25]]), np.array([0.0, 1.0, 2.0]))
    >>> float(s["median"][0]), float(s["mode"][0]), round(float(s["entropy"][0]), 4)
    (1.0, 1.0, -1.0397)
    """
    step = grid[1] - grid[0]
    out = {"avg": p @ grid, "entropy": (p * np.log(np.maximum(p, 1e-300))).sum(axis=1), "mode": _modes(p, grid, step)}
    cumulative = np.concatenate([np.zeros((len(p), 1)), np.cumsum(p, axis=1)], axis=1)
    for name, level in _LEVELS.items():
        out[name] = _percentile(cumulative, level, grid[0] - step / 2, step)
    return out


def _percentile(cumulative: np.ndarray, level: float, low: float, step: float) -> np.ndarray:
    rows = np.arange(len(cumulative))
    upper = np.clip((cumulative < level).sum(axis=1), 1, cumulative.shape[1] - 1)
    below, above = cumulative[rows, upper - 1], cumulative[rows, upper]
    return low + step * (upper - 1 + (level - below) / np.maximum(above - below, 1e-300))


def _modes(p: np.ndarray, grid: np.ndarray, step: float) -> np.ndarray:
    rows, top = np.arange(len(p)), np.clip(p.argmax(axis=1), 1, p.shape[1] - 2)
    left, middle, right = (p[rows, top + k] for k in (-1, 0, 1))
    curvature = left - 2 * middle + right
    shift = np.where(curvature < 0, 0.5 * (left - right) / np.where(curvature < 0, curvature, 1), 0)
    return grid[top] + step * np.clip(shift, -0.5, 0.5)
