"""Stamps on one common grid, cut from images whose pixels do not coincide."""

from dataclasses import dataclass

import numpy as np
from astropy.wcs import WCS
from scipy.ndimage import map_coordinates, spline_filter

SIZE = 64
PIXEL_ARCSEC = 0.396
_SAME_SCALE = 0.01
_ORDER = 3


@dataclass(frozen=True)
class BandImage:
    """One band of the sky.

    Attributes
    ----------
    pixels : float (h, w), flux per pixel. coefficients : its cubic spline, (h, w).
    wcs : where pixels lie on the sky; None when only pixels are known, the same in all bands.
    arcsec : size of a pixel.
    """

    pixels: np.ndarray
    coefficients: np.ndarray
    wcs: WCS | None
    arcsec: float


def band_image(pixels: np.ndarray, wcs: WCS | None, arcsec: float = PIXEL_ARCSEC) -> BandImage:
    """Prepare an image for cutting; pixels that are not finite count as empty sky."""
    pixels = np.nan_to_num(np.asarray(pixels, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    scale = float(np.sqrt(abs(np.linalg.det(wcs.pixel_scale_matrix)))) * 3600 if wcs is not None else arcsec
    return BandImage(pixels, spline_filter(pixels, _ORDER), wcs, scale)


def cut(bands: list[BandImage], x: float, y: float, size: int = SIZE, is_padded: bool = False) -> np.ndarray | None:
    """A stamp around a pixel of the reference band, every band on the reference band's grid.

    The stamp's middle lies between pixels ``size/2 - 1`` and ``size/2``, within half a pixel of the
    place asked for: when the reference pixels have the wanted size they are taken as they are, and
    only the other bands are interpolated (cubic spline). Where pixel sizes differ, each new pixel
    is the mean of sub-samples finer than the old ones, times the ratio of areas: flux is conserved.

    Parameters
    ----------
    bands : ugriz; the third, r, is the reference.
    x, y : pixel coordinates in the reference band, 0 = middle of the first pixel.
    is_padded : fill what lies outside an image with 0, the level of a subtracted sky.

    Returns
    -------
    float32 (5, size, size), or None when the stamp reaches over an edge and is not to be padded.
    """
    reference = bands[2]
    step = _step(reference)
    offsets = (np.arange(size) - (size - 1) / 2) * step
    if step == 1:
        x, y = round(x - 0.5) + 0.5, round(y - 0.5) + 0.5
    out = np.empty((len(bands), size, size), dtype=np.float32)
    for b, band in enumerate(bands):
        cut_out = _sampled(band, reference, x + offsets, y + offsets, step, is_padded)
        if cut_out is None:
            return None
        out[b] = cut_out
    return out


def _step(reference: BandImage) -> float:
    """Reference pixels per stamp pixel; 1 when they are the same size."""
    ratio = PIXEL_ARCSEC / reference.arcsec
    return 1.0 if abs(ratio - 1) < _SAME_SCALE else ratio


def _sampled(band: BandImage, reference: BandImage, xs: np.ndarray, ys: np.ndarray, step: float, is_padded: bool) -> np.ndarray | None:
    ratio = step * reference.arcsec / band.arcsec
    fine = 1 if ratio < 1.05 else int(np.ceil(2 * ratio))
    inner = (np.arange(fine) - (fine - 1) / 2) / fine * step
    x, y, area = _in_band(band, reference, (xs[:, None] + inner).ravel(), (ys[:, None] + inner).ravel())
    h, w = band.pixels.shape
    inside = (x > -0.5) & (x < w - 0.5) & (y > -0.5) & (y < h - 0.5)
    if not is_padded and not inside.all():
        return None
    values = _values(band, x, y) * inside * area * step**2
    return values.reshape(len(ys), fine, len(xs), fine).mean(axis=(1, 3))


def _values(band: BandImage, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pixels as they are where the grid falls on them, the spline between them elsewhere."""
    if np.abs(x - np.rint(x)).max() < 1e-6 and np.abs(y - np.rint(y)).max() < 1e-6:
        h, w = band.pixels.shape
        return band.pixels[np.clip(np.rint(y).astype(int), 0, h - 1), np.clip(np.rint(x).astype(int), 0, w - 1)]
    return map_coordinates(band.coefficients, [y, x], order=_ORDER, mode="nearest", prefilter=False)


def _in_band(band: BandImage, reference: BandImage, xs: np.ndarray, ys: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Where the reference's pixels lie in a band, (len(ys), len(xs)) each, and the band pixels under one of them.

    Over a stamp the map between two bands is affine to better than 1e-4 pixel: three corners fix it.
    """
    if band is reference or band.wcs is None or reference.wcs is None:
        return *np.meshgrid(xs, ys), 1.0
    corners = np.array([[xs[0], ys[0]], [xs[-1], ys[0]], [xs[0], ys[-1]]])
    there = band.wcs.all_world2pix(reference.wcs.all_pix2world(corners, 0), 0)
    along_x, along_y = (there[1] - there[0]) / (xs[-1] - xs[0]), (there[2] - there[0]) / (ys[-1] - ys[0])
    grid_x, grid_y = np.meshgrid(xs - xs[0], ys - ys[0])
    x, y = (there[0][i] + along_x[i] * grid_x + along_y[i] * grid_y for i in (0, 1))
    return x, y, abs(along_x[0] * along_y[1] - along_x[1] * along_y[0])
