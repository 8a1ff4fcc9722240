"""Stamps to model inputs: fixed asinh stretch per band, absolute flux kept, symmetries of the square, colour composites."""

import numpy as np

from core.preprocess.extinction import SFD_UGRIZ, known

SOFTENING = np.array([0.10, 0.04, 0.06, 0.10, 0.35], dtype=np.float32)
"""Nanomaggies per pixel at which the stretch turns from linear to logarithmic in ugriz: about twice
the sky noise of an SDSS frame (0.04, 0.016, 0.03, 0.05, 0.25 in run 5112, camcol 4, field 345)."""
PIXEL_ARCSEC = 0.396
RGB_WEIGHTS = np.array([0.77, 1.0, 1.22], dtype=np.float32)
"""Of i, r and g in a picture: a typical galaxy then looks neither all red nor all blue."""
RGB_STRETCH, RGB_SOFTENING = 0.06, 8.0
"""Nanomaggies per pixel that start to glow, and how soon brightness turns logarithmic (Lupton's alpha and Q)."""


def model_input(images: np.ndarray, ebv_n: np.ndarray) -> np.ndarray:
    """asinh(flux / `SOFTENING`), dereddened: brightness stays readable, cores do not drown the disk.

    Parameters
    ----------
    images : (n, 5, h, w) nanomaggies per pixel in ugriz; NaN rows = no image, NaN pixels = no data.
    ebv_n : (n,) Galactic E(B-V) in mag; NaN = unknown, then nothing is corrected.

    Returns
    -------
    float32 (n, 5, h, w); 0 where there is no data.

    >>> stamp = np.full((1, 5, 2, 2), 0.06 * np.sinh(2.0))
    >>> round(float(model_input(stamp, np.array([np.nan]))[0, 2, 0, 0]), 3)
    2.0
    """
    gain = 10 ** (0.4 * known(ebv_n)[:, None] * SFD_UGRIZ) / SOFTENING
    out = np.asarray(images, dtype=np.float32) * gain.astype(np.float32)[:, :, None, None]
    np.arcsinh(out, out=out)
    return np.nan_to_num(out, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def nanomaggies(inputs: np.ndarray) -> np.ndarray:
    """Undo `model_input`: dereddened nanomaggies per pixel, float32, same shape."""
    return np.sinh(np.asarray(inputs, dtype=np.float32)) * SOFTENING[:, None, None]


def composite(image: np.ndarray) -> np.ndarray:
    """A colour picture from i, r and g, as Lupton et al. 2004 (PASP 116, 133) make them.

    Parameters
    ----------
    image : (..., 5, h, w) nanomaggies per pixel; NaN = no data, drawn black.

    Returns
    -------
    uint8 (..., h, w, 3). Hue follows the flux ratios at any brightness; negative flux is black.
    """
    rgb = np.nan_to_num(np.asarray(image, dtype=np.float32)[..., [3, 2, 1], :, :], nan=0.0)
    rgb = rgb * RGB_WEIGHTS[:, None, None]
    intensity = np.maximum(rgb.mean(axis=-3, keepdims=True), 1e-6)
    stretched = np.arcsinh(intensity / RGB_STRETCH) / RGB_SOFTENING * 1.6
    rgb = np.clip(rgb / intensity * stretched, 0, None)
    rgb /= np.maximum(rgb.max(axis=-3, keepdims=True), 1.0)
    return np.moveaxis((255 * rgb).astype(np.uint8), -3, -1)


def turn(batch, code: int, flip):
    """Symmetry ``code`` of the square: bits say transpose, mirror rows, mirror columns."""
    if code & 1:
        batch = batch.swapaxes(-1, -2)
    axes = [axis for axis, bit in ((-2, 2), (-1, 4)) if code & bit]
    return flip(batch, axes) if axes else batch
