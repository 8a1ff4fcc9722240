"""What a catalogue would say of a galaxy's star-formation rate: a binned posterior and its eight statistics.

The measurement is the Halpha flux of the whole galaxy: photon noise and the uncertainty of the
stellar continuum under the line (both additive), the dust correction, which is as good as the
Balmer decrement, and the aperture correction (both relative).
The prior is the galaxies' own distribution at that mass and type. Truth and measurement are drawn
from the very same distributions, so the posteriors are calibrated: 68 % of the true rates lie
between p16 and p84.
"""

import numpy as np

from core.spectroscopy.posterior import LOG_SFR_GRID, statistics

__all__ = ["LOG_SFR_GRID", "posterior", "relative_error", "statistics"]

APERTURE_ERROR = 0.16
"""Relative 1-sigma error of the aperture correction."""
DUST_PRIOR_ERROR = 0.36
"""Relative 1-sigma error of the dust correction when Hbeta says nothing: 0.16 dex."""
BALMER_LEVER = 2.6
"""Relative error of the rate per relative error of Hbeta: 0.4 x 3.33 x 1.97 (Calzetti et al. 2000, case B)."""


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
