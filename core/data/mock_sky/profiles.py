"""Sersic profiles as sums of Gaussians: then PSF, pixels and the fibre are arithmetic, not convolutions.

Hogg & Lang 2013 (PASP 125, 719, arXiv:1210.6563) showed that six to ten Gaussians do.
"""

from functools import cache

import numpy as np
from scipy.optimize import nnls
from scipy.special import gamma, gammaincinv

PIXEL_ARCSEC = 0.396
SIDE = 64
FIBRE_RADIUS_ARCSEC = 1.5
_CUT = 8.0
_FWHM = 2.354820045


@cache
def gaussians(sersic: int) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the light (sum 1) and widths (half-light radii) of the Gaussians that make a Sersic profile.

    The profile ends at eight half-light radii; inside 0.05 to 6 the sum keeps within 5 % of it.
    """
    b = gammaincinv(2 * sersic, 0.5)
    radius = np.geomspace(0.003, _CUT, 400)
    profile = np.exp(-b * radius ** (1 / sersic))
    profile /= 2 * np.pi * sersic * b ** (-2 * sersic) * gamma(2 * sersic)
    widths = np.geomspace(0.008 if sersic > 2 else 0.06, 3.6 if sersic > 1 else 1.8, 9)
    basis = np.exp(-0.5 * (radius[:, None] / widths) ** 2) / (2 * np.pi * widths**2)
    weight = radius**1.0 * np.where(radius > 6, 0.3, 1.0)
    shares, _ = nnls(basis * weight[:, None], profile * weight)
    kept = shares > 1e-5
    return shares[kept] / shares[kept].sum(), widths[kept]


def covariances(sersic: int, radius: float, ellipticity: float, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Shares (G,) and covariances (G, 3) as xx, xy, yy in square arcsec of one profile before the PSF.

    ``radius`` (arcsec) is that of half light along the major axis; ``angle`` (rad) counts from +x to +y.
    """
    shares, widths = gaussians(sersic)
    major, minor = (radius * widths) ** 2, (radius * widths * (1 - ellipticity)) ** 2
    c, s = np.cos(angle), np.sin(angle)
    return shares, np.stack([major * c**2 + minor * s**2, (major - minor) * c * s, major * s**2 + minor * c**2], axis=1)


def render(light_mb: np.ndarray, covariance_m3: np.ndarray, seeing_b: np.ndarray, centre: tuple[float, float]) -> np.ndarray:
    """Draw Gaussians through the PSF of each band.

    Parameters
    ----------
    light_mb : (m, b) flux of each Gaussian in each band, nanomaggies.
    covariance_m3 : (m, 3) xx, xy, yy, arcsec^2. seeing_b : (b,) FWHM of the PSF, arcsec.
    centre : x, y of the source in pixels from the middle of the stamp.

    Returns
    -------
    float32 (b, 64, 64) nanomaggies per pixel.
    """
    x = (np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2 - np.float32(centre[0])) * np.float32(PIXEL_ARCSEC)
    y = (np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2 - np.float32(centre[1])) * np.float32(PIXEL_ARCSEC)
    moments = np.stack([np.broadcast_to(x**2, (SIDE, SIDE)), np.outer(y, x), np.broadcast_to(y[:, None] ** 2, (SIDE, SIDE))]).reshape(3, -1)
    out = np.empty((len(seeing_b), SIDE * SIDE), dtype=np.float32)
    for band, seeing in enumerate(seeing_b):
        out[band] = _density(light_mb[:, band] * PIXEL_ARCSEC**2, covariance_m3, seeing, moments)
    return out.reshape(-1, SIDE, SIDE)


def fibre_shares(covariance_m3: np.ndarray, seeing: float) -> np.ndarray:
    """Share of each Gaussian's light inside a round fibre of 3 arcsec, after the PSF; (m,)."""
    points, weights = _fibre_points()
    moments = np.stack([points[0] ** 2, points[0] * points[1], points[1] ** 2]).astype(np.float32)
    quadratic, norm = _quadratic(covariance_m3, seeing)
    return norm * (np.exp(quadratic @ moments) @ weights)


def _density(light: np.ndarray, covariance: np.ndarray, seeing: float, moments: np.ndarray) -> np.ndarray:
    quadratic, norm = _quadratic(covariance, seeing)
    terms = quadratic @ moments
    np.exp(terms, out=terms)
    return (light * norm).astype(np.float32) @ terms


def _quadratic(covariance: np.ndarray, seeing: float) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of x^2, xy, y^2 in the exponent, and 1/(2 pi sqrt det); a pixel blurs by 1/12 of its area."""
    blur = (seeing / _FWHM) ** 2 + PIXEL_ARCSEC**2 / 12
    xx, xy, yy = covariance[:, 0] + blur, covariance[:, 1], covariance[:, 2] + blur
    det = xx * yy - xy**2
    return np.stack([-0.5 * yy / det, xy / det, -0.5 * xx / det], axis=1).astype(np.float32), 1 / (2 * np.pi * np.sqrt(det))


@cache
def _fibre_points() -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre points in radius squared, even ones in angle, and their areas (arcsec^2)."""
    nodes, weights = np.polynomial.legendre.leggauss(8)
    radius = FIBRE_RADIUS_ARCSEC * np.sqrt((nodes + 1) / 2)
    angle = 2 * np.pi * (np.arange(16) + 0.5) / 16
    points = np.stack([np.outer(radius, np.cos(angle)).ravel(), np.outer(radius, np.sin(angle)).ravel()])
    return points, np.repeat(weights / 2, 16) * np.pi * FIBRE_RADIUS_ARCSEC**2 / 16
