"""How much of a galaxy's light a fibre misses, measured on its image."""

import numpy as np

from core.preprocess.image import PIXEL_ARCSEC

PETROSIAN_RATIO, PETROSIAN_RADII = 0.2, 2.0
"""Where surface brightness falls to this share of the mean inside; how many such radii hold all light (Blanton et al. 2001, AJ 121, 2358)."""
_FINE = 5


def aperture_correction(image_r: np.ndarray, fibre_arcsec: float = 3.0) -> tuple[float, float]:
    """log10 of total flux over flux in the fibre, and its error from sky noise, dex.

    Parameters
    ----------
    image_r : (h, h) nanomaggies per pixel of 0.396 arcsec in r, the galaxy in the middle; NaN = no data, counted as empty.
    fibre_arcsec : diameter.

    Returns
    -------
    (correction, error), correction 0 or more; (NaN, NaN) when the fibre holds no light above its noise.
    Total is what lies within two Petrosian radii, so that neighbours further out do not count; at most the stamp.
    """
    image = np.nan_to_num(np.asarray(image_r, float))
    growth, area = _growth(image)
    inside, pixels = _at(growth, fibre_arcsec / 2 / PIXEL_ARCSEC), np.pi * (fibre_arcsec / 2 / PIXEL_ARCSEC) ** 2
    noise = _sky_noise(image)
    if inside <= 3 * noise * np.sqrt(pixels):
        return np.nan, np.nan
    radius = min(PETROSIAN_RADII * _petrosian(growth, area), len(growth) - 1.0)
    total = max(_at(growth, radius), inside)
    error = np.hypot(noise * np.sqrt(np.pi) * radius / total, noise * np.sqrt(pixels) / inside)
    return float(np.log10(total / inside)), float(error / np.log(10))


def _growth(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flux and area (pixels) within 0, 1, 2 ... pixels of the middle, border pixels by their share."""
    side = len(image)
    middle = (np.arange(side * _FINE) + 0.5) / _FINE - side / 2
    ring = np.minimum(np.hypot(middle[:, None], middle).astype(int), side // 2)
    weight = np.repeat(np.repeat(image, _FINE, axis=0), _FINE, axis=1).ravel() / _FINE**2
    flux, area = (np.bincount(ring.ravel(), values, side // 2 + 1)[:-1] for values in (weight, np.full(ring.size, _FINE**-2.0)))
    return np.concatenate([[0], np.cumsum(flux)]), np.concatenate([[0], np.cumsum(area)])


def _at(growth: np.ndarray, radius: float) -> float:
    """The growth curve between its radii, by area."""
    steps = np.arange(len(growth)) ** 2
    return float(np.interp(radius**2, steps, growth))


def _petrosian(growth: np.ndarray, area: np.ndarray) -> float:
    """Radius in pixels at which the ring's brightness falls below its share of the mean inside; the stamp's edge when it never does."""
    outer = np.arange(3, len(growth))
    ring = (growth[outer] - growth[outer - 2]) / (area[outer] - area[outer - 2])
    faint = ring < PETROSIAN_RATIO * growth[outer - 1] / area[outer - 1]
    return float(outer[faint.argmax()] - 1) if faint.any() else float(len(growth) - 1)


def _sky_noise(image: np.ndarray) -> float:
    """1-sigma noise of a pixel from differences of neighbours in the corners, nanomaggies."""
    edge = len(image) // 6
    corners = [image[a, b] for a in (slice(0, edge), slice(-edge, None)) for b in (slice(0, edge), slice(-edge, None))]
    return float(1.4826 * np.median(np.abs(np.concatenate([np.diff(c, axis=1).ravel() for c in corners]))) / np.sqrt(2))
