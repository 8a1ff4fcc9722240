"""What the telescope makes of the light: Galactic dust, noise, sky residuals, masks; images, spectra, magnitudes."""

import numpy as np

from core.data.mock_sky import profiles
from core.data.mock_sky.light import Sources
from core.preprocess.extinction import SFD_UGRIZ, a_lambda
from core.preprocess.spectrum import LOGLAM, WAVE

SEEING = np.array([1.55, 1.44, 1.32, 1.26, 1.28])
"""Median FWHM of the PSF in ugriz, arcsec; Stoughton et al. 2002, and the frames of run 5112."""
PIXEL_NOISE = np.array([0.042, 0.016, 0.027, 0.045, 0.16])
"""Sky noise in nanomaggies per pixel, about that of the frames of run 5112, camcol 4, field 345."""
PHOTON_NOISE = np.array([6e-3, 9e-4, 1.05e-3, 1.3e-3, 7.5e-3])
"""Variance of a pixel per nanomaggy of source flux: calibration factor over gain, SDSS frames."""
CALIBRATION = np.array([0.02, 0.01, 0.01, 0.01, 0.015])
"""Photometric calibration errors, mag; Padmanabhan et al. 2008 (ApJ 674, 1217)."""
COVERAGE = (3804.0, 9204.0)
"""Where legacy spectra begin and end, A; a few pixels more or less per plate."""
_NOISE_AT = np.array([3800, 3850, 4000, 4300, 5000, 5550, 5900, 6500, 7500, 8200, 8500, 9000, 9210.0])
_NOISE = np.array([3.0, 2.4, 1.6, 1.05, 0.72, 0.68, 0.6, 0.42, 0.38, 0.48, 0.62, 0.95, 0.9])
"""1e-17 erg/s/cm2/A: typical 1/sqrt(ivar) of SDSS legacy sky fibres."""
SKY_FLUX = 8.0
"""1e-17 erg/s/cm2/A: at this flux the object's photons add as much noise as the sky's."""
BRIGHT_LINES = {5578.9: 9.0, 5891.6: 2.0, 5897.6: 1.5, 6302.05: 3.5, 6365.5: 1.8}
OH_LINES = (7278.4, 7318.3, 7342.9, 7371.2, 7526.4, 7573.7, 7714.1, 7718.8, 7752.7, 7796.2, 7823.6, 7843.5, 7915.8, 7951.6, 7966.8, 7995.5,
            8027.9, 8064.1, 8280.1, 8300.9, 8312.9, 8346.9, 8355.2, 8384.7, 8401.5, 8417.5, 8432.5, 8454.6, 8467.7, 8495.8, 8507.2, 8540.8,
            8551.2, 8763.7, 8770.3, 8780.8, 8793.6, 8829.5, 8838.7, 8852.8, 8870.0, 8888.3, 8905.6, 8922.1, 8945.9, 8960.6, 8990.8, 9003.9,
            9040.9, 9052.2, 9092.0, 9106.0, 9117.2, 9158.1)
"""Vacuum A of the stronger OH lines of the night sky; after Osterbrock et al. 1996 (PASP 108, 277)."""


def images(sources: Sources, ebv: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Stamps with Galactic dust, sky and photon noise, centred to half a pixel; float32 (n, 5, 64, 64) nanomaggies."""
    n = len(ebv)
    centre = rng.uniform(-0.5, 0.5, (n, 2))
    depth = np.exp(0.12 * rng.standard_normal((n, 5)))
    dimmed = sources.light * 10 ** (-0.4 * ebv[:, None, None] * SFD_UGRIZ)
    out = np.empty((n, 5, profiles.SIDE, profiles.SIDE), dtype=np.float32)
    for i in range(n):
        kept = sources.light[i].any(axis=1)
        clean = profiles.render(dimmed[i, kept], sources.covariance[i, kept], sources.seeing[i], (centre[i, 0], centre[i, 1]))
        variance = np.square(PIXEL_NOISE * depth[i])[:, None, None] + PHOTON_NOISE[:, None, None] * clean
        out[i] = clean + np.sqrt(variance.astype(np.float32)) * rng.standard_normal(clean.shape, dtype=np.float32)
    return out


def photometry(sources: Sources, ebv: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Dereddened model magnitudes and errors, float32 (n, 2, 5); NaN where the flux is below its error."""
    total = sources.light.sum(axis=1)
    dust = 10 ** (-0.4 * ebv[:, None] * SFD_UGRIZ)
    pixels = _effective_pixels(sources)
    variance = pixels * PIXEL_NOISE**2 + PHOTON_NOISE * total * dust
    measured = total * dust + np.sqrt(variance) * rng.standard_normal(total.shape)
    detected = measured > np.sqrt(variance)
    safe = np.where(detected, measured, 1.0)
    mag = 22.5 - 2.5 * np.log10(safe) - ebv[:, None] * SFD_UGRIZ + CALIBRATION * rng.standard_normal(total.shape)
    error = np.hypot(1.0857 * np.sqrt(variance) / safe, CALIBRATION)
    return np.where(detected[:, None], np.stack([mag, error], axis=1), np.nan).astype(np.float32)


def spectra(sources: Sources, ebv: np.ndarray, depth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fibre spectra as a reduction gives them: flux and ivar on `LOGLAM`, float32 (n, 2, 4620); both 0 where there is no information.

    ``depth`` (n,) multiplies the sky noise: short or cloudy exposures have more than 1. At sky
    lines the noise is larger than elsewhere, and the residual larger than the noise says.
    """
    n = len(ebv)
    clean = sources.spectrum * 10 ** (-0.4 * ebv[:, None] * a_lambda(WAVE)) * (1 + 0.04 * rng.standard_normal((n, 1)))
    lines = _sky_lines()
    sky = np.interp(WAVE, _NOISE_AT, _NOISE) * depth[:, None] * (1 + 0.8 * lines)
    sigma = sky * np.sqrt(1 + np.clip(clean, 0, None) / SKY_FLUX)
    flux = clean + sigma * rng.standard_normal(clean.shape, dtype=np.float32) + sky * _residuals(n, lines, rng)
    bad = _bad_pixels(n, rng) | _outside(n, rng)
    return np.stack([np.where(bad, 0, flux), np.where(bad, 0, 1 / sigma**2)], axis=1).astype(np.float32)


def signal_to_noise(spectra_n2p: np.ndarray) -> np.ndarray:
    """Median flux times sqrt(ivar) over pixels with information, (n,); NaN where there is none."""
    flux, ivar = spectra_n2p[:, 0], spectra_n2p[:, 1]
    ratio = np.where(ivar > 0, flux * np.sqrt(ivar), np.nan)
    out = np.full(len(ratio), np.nan)
    some = (ivar > 0).any(axis=1)
    out[some] = np.nanmedian(ratio[some], axis=1)
    return out


def line_error(spectra_n2p: np.ndarray, wave: np.ndarray, continuum: np.ndarray) -> np.ndarray:
    """1-sigma error of a line's flux at observed ``wave`` (n,), 1e-17 erg/s/cm2.

    Photon noise over the 10 pixels under the line, and 0.4 A of the continuum: how well the star
    light under it is known. Lines on masked pixels or off the grid have 30 times that of a typical one.
    """
    centre = np.round((np.log10(wave) - LOGLAM[0]) * 1e4).astype(int)
    pixels = np.clip(centre[:, None] + np.arange(-5, 5), 0, len(LOGLAM) - 1)
    ivar = np.take_along_axis(spectra_n2p[:, 1], pixels, axis=1)
    width = wave * np.log(10) * 1e-4
    good = (ivar > 0).all(axis=1)
    noise = np.sqrt((1 / np.where(ivar > 0, ivar, 1.0)).sum(axis=1)) * width
    return np.hypot(np.where(good, noise, 30.0), 0.4 * continuum)


def _effective_pixels(sources: Sources) -> np.ndarray:
    """Pixels whose sky noise enters a profile-fitted flux, (n, 5): 4 pi sigma^2 of the source's mean width."""
    total = sources.light.sum(axis=1)
    width = np.minimum((sources.covariance[:, :, 0] + sources.covariance[:, :, 2]) / 2, 15.0)
    mean = np.einsum("nmb,nm->nb", sources.light, width) / np.where(total > 0, total, 1)
    return 4 * np.pi * (mean + (sources.seeing / 2.3548) ** 2) / profiles.PIXEL_ARCSEC**2


def _sky_lines() -> np.ndarray:
    """Strength of the night-sky lines on `LOGLAM`, 1 for a strong OH line."""
    strengths = BRIGHT_LINES | {w: 0.35 + 0.65 * abs(np.sin(37.0 * w)) * min((w - 7000) / 1500, 1.0) for w in OH_LINES}
    return sum(s * np.exp(-0.5 * ((LOGLAM - np.log10(w)) / 1.1e-4) ** 2) for w, s in strengths.items())


def _residuals(n: int, lines: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What sky subtraction leaves, in units of the sky noise: a share of the lines and of their shifted selves."""
    amount, shift = 0.9 * rng.standard_normal((n, 1)), 0.9 * rng.standard_normal((n, 1))
    local = 1 + 0.5 * rng.standard_normal((n, len(lines) // 60)).repeat(60, axis=1)
    return (amount * lines + shift * np.gradient(lines)) * local


def _bad_pixels(n: int, rng: np.random.Generator) -> np.ndarray:
    """Cosmic rays and bad columns, the brightest sky line where it could not be subtracted, a rare wide gap; bool (n, 4620)."""
    bad = np.zeros((n, len(LOGLAM)), dtype=bool)
    at_line = np.abs(WAVE - 5578.9) < 4
    bad[np.ix_(rng.random(n) < 0.5, at_line)] = True
    for i in range(n):
        for start in rng.integers(0, len(LOGLAM), rng.poisson(4)):
            bad[i, start : start + rng.integers(1, 12)] = True
    for i in np.flatnonzero(rng.random(n) < 0.02):
        start = rng.integers(500, 3500)
        bad[i, start : start + rng.integers(100, 400)] = True
    return bad


def _outside(n: int, rng: np.random.Generator) -> np.ndarray:
    low = np.log10(COVERAGE[0]) + 1e-4 * rng.integers(-20, 20, (n, 1))
    high = np.log10(COVERAGE[1]) + 1e-4 * rng.integers(-10, 10, (n, 1))
    return np.logical_or(low > LOGLAM, high < LOGLAM)
