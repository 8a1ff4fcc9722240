"""Many spectra as one: the rest-frame median with its spread."""

import numpy as np

from core.preprocess.spectrum import LOGLAM, STEP

EVERY = 4
"""Pixels of `LOGLAM` that are joined into one of the stack: 276 km/s."""
FEWEST = 3
"""A stack ends where fewer spectra reach."""


def stack(spectra_n2p: np.ndarray, z_n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift spectra to rest, scale each to its own median, and take percentiles pixel by pixel.

    Shifts are whole pixels, at most 35 km/s off, so nothing is interpolated.

    Parameters
    ----------
    spectra_n2p : float (n, 2, 4620) flux and inverse variance on `LOGLAM`, ivar 0 = no information.
    z_n : redshifts; who has none is left out; a slightly negative one, of a star, counts as 0.

    Returns
    -------
    wave : float (q,) rest wavelength in A, vacuum. percentiles : float (3, q): 16, 50 and 84; (0,) and (3, 0) when
        fewer than `FEWEST` spectra can be stacked.
    """
    usable = np.isfinite(z_n) & (z_n > -0.01) & (spectra_n2p[:, 1] > 0).any(axis=1)
    if usable.sum() < FEWEST:
        return np.empty(0), np.empty((3, 0))
    shift_n = np.maximum(np.rint(np.log10(1 + z_n[usable]) / STEP), 0).astype(int)
    rest = _joined(_at_rest(_scaled(spectra_n2p[usable]), shift_n))
    reached = np.isfinite(rest).sum(axis=0) >= FEWEST
    wave = 10 ** (LOGLAM[0] + STEP * (EVERY * np.arange(rest.shape[1]) + (EVERY - 1) / 2 - shift_n.max()))
    return wave[reached], np.nanpercentile(rest[:, reached], (16, 50, 84), axis=0)


def _scaled(spectra_n2p: np.ndarray) -> np.ndarray:
    flux = np.where(spectra_n2p[:, 1] > 0, spectra_n2p[:, 0], np.nan)
    return flux / np.maximum(np.nanmedian(flux, axis=1, keepdims=True), 1e-6)


def _at_rest(flux_np: np.ndarray, shift_n: np.ndarray) -> np.ndarray:
    most, pixels = int(shift_n.max()), flux_np.shape[1]
    rest = np.full((len(flux_np), most + pixels), np.nan, np.float32)
    for row, (values, by) in enumerate(zip(flux_np, shift_n, strict=True)):
        rest[row, most - by : most - by + pixels] = values
    return rest


def _joined(flux_np: np.ndarray) -> np.ndarray:
    parts = flux_np[:, : flux_np.shape[1] - flux_np.shape[1] % EVERY].reshape(len(flux_np), -1, EVERY)
    known = np.isfinite(parts)
    return np.where(known.any(axis=2), np.nansum(parts, axis=2) / np.maximum(known.sum(axis=2), 1), np.nan)
