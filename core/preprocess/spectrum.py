"""Spectra to the common log-lambda grid, and from there to model inputs."""

from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array

from core.preprocess.extinction import a_lambda, known

STEP = 1e-4
LOGLAM = 3.5500 + STEP * np.arange(4620)
"""log10 of vacuum wavelength in A (3548 to 10278): SDSS pixels of any reduction lie on it exactly."""
WAVE = 10**LOGLAM
MASKED_BITS = {"FULLREJECT": 18, "NOSKY": 22, "BRIGHTSKY": 23, "NODATA": 24, "BADSKYCHI": 27, "REDMONSTER": 28}
"""Bits of SPPIXMASK (sdss.org/dr17/algorithms/bitmasks) that make a coadded pixel useless: rejected or not there
in every exposure, no sky known, sky brighter than object + 10 sigma, or sky subtraction bad in chi-square."""
CHANNELS = ("significance", "level")
LEVEL_FLUX = 1.0
"""1e-17 erg/s/cm2/A at which the level channel turns from linear to logarithmic: about the noise of a pixel."""
COARSE = 60
"""Pixels per bin of the continuum, 4100 km/s; a median of five bins spans 20,700 km/s, wider than any galaxy's line."""


def good_pixels(and_mask: np.ndarray) -> np.ndarray:
    """Which pixels of an SDSS ``and_mask`` are usable: none of `MASKED_BITS` is set; bool, same shape.

    >>> good_pixels(np.array([0, 1 << 16, 1 << 23])).tolist()
    [True, True, False]
    """
    bad = sum(1 << bit for bit in MASKED_BITS.values())
    return (np.asarray(and_mask).astype(np.int64) & bad) == 0


def resample(wave_or_loglam: np.ndarray, flux: np.ndarray, ivar: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """Put spectra on `LOGLAM`; the integral of flux over wavelength is kept, variance is propagated.

    Each new pixel is the mean flux density of the good pixels under it, weighted by overlap. Its
    variance is that of this mean; neighbours then share input pixels, and that covariance is not
    kept. Spectra already on multiples of 1e-4 dex are moved, not rebinned.

    Parameters
    ----------
    wave_or_loglam : (p,) ascending, one grid for all spectra: wavelength in A or its log10 (told apart
        by size), in steps that are even in wavelength, even in its logarithm, or neither.
    flux, ivar : (p,) or (n, p); any flux unit, per A. Pixels where either is NaN or infinite or
        ivar <= 0 carry no information.
    mask : same shape; bool True = bad, or an integer SDSS ``and_mask``. Default: nothing masked.

    Returns
    -------
    float32 (2, 4620) or (n, 2, 4620): flux and ivar, both 0 outside the coverage, where under half of
    a pixel is covered by good ones. Raises ValueError for a grid that is not ascending or shapes that differ.

    >>> out = resample(LOGLAM[100:110], np.full(10, 3.0), np.full(10, 4.0))
    >>> out[:, 99].tolist(), out[:, 100].tolist()
    ([0.0, 0.0], [3.0, 4.0])
    """
    grid = np.asarray(wave_or_loglam, dtype=float)
    single = np.ndim(flux) == 1
    flux, ivar = np.atleast_2d(np.asarray(flux, dtype=float)), np.atleast_2d(np.asarray(ivar, dtype=float))
    _check(grid, flux, ivar)
    loglam = grid if grid[-1] < 10 else np.log10(grid)
    flux, ivar = _cleaned(flux, ivar, mask)
    first = _aligned(loglam)
    out = _rebinned(_edges(grid), flux, ivar) if first is None else _moved(first, flux, ivar)
    return out[0] if single else out


def continuum(flux_np: np.ndarray, ivar_np: np.ndarray) -> np.ndarray:
    """What is left of spectra without their lines: a running median that ignores bad pixels.

    Medians of `COARSE` pixels, then of five neighbouring bins, joined by straight lines; bins
    without a good pixel take the nearest one that has some. Broad quasar lines survive in part.

    Parameters
    ----------
    flux_np : (n, p) on a log-lambda grid. ivar_np : (n, p); pixels with ivar <= 0 are ignored.

    Returns
    -------
    float32 (n, p); 0 for a spectrum without any good pixel.
    """
    flux, good = np.asarray(flux_np, dtype=np.float32), np.asarray(ivar_np) > 0
    n, p = flux.shape
    bins = -(-p // COARSE)
    padded = np.full((n, bins * COARSE), np.inf, dtype=np.float32)
    padded[:, :p] = np.where(good, flux, np.inf)
    coarse = _nearest_filled(_masked_median(padded.reshape(n, bins, COARSE)))
    wide = np.pad(coarse, ((0, 0), (2, 2)), mode="edge")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(wide, 5, axis=1), axis=2)
    return _joined(np.nan_to_num(smooth, nan=0.0), p)


def model_input(spectra_n2p: np.ndarray, ebv_n: np.ndarray) -> np.ndarray:
    """Two views of each spectrum, `CHANNELS`, both pixel by pixel on the observed `LOGLAM` grid.

    *significance*: asinh((flux - continuum) sqrt(ivar)). Lines in units of their noise, which makes
    every pixel weigh what it is worth; this is what a redshift is read from. 0 where a pixel is bad.
    *level*: asinh(dereddened flux / `LEVEL_FLUX`). The absolute scale, from which star formation is
    read, lines and continuum alike; bad pixels inside the coverage hold the continuum, not a hole.

    Parameters
    ----------
    spectra_n2p : (n, 2, 4620) flux in 1e-17 erg/s/cm2/A and ivar, not dereddened; NaN rows = no spectrum.
    ebv_n : (n,) Galactic E(B-V) in mag; NaN = unknown, then nothing is corrected.

    Returns
    -------
    float32 (n, 2, 4620); zeros for galaxies without a spectrum and outside the coverage.
    """
    spectra = np.asarray(spectra_n2p, dtype=np.float32)
    out = np.zeros((len(spectra), len(CHANNELS), spectra.shape[2]), dtype=np.float32)
    for start in range(0, len(spectra), 256):
        here = slice(start, start + 256)
        _fill(out[here], spectra[here], known(np.asarray(ebv_n)[here]))
    return out


def dereddened_flux(inputs_n2p: np.ndarray) -> np.ndarray:
    """Undo `model_input`: dereddened flux in 1e-17 erg/s/cm2/A, float32 (n, p), the continuum where a pixel was
    bad; NaN outside the coverage and for galaxies without a spectrum."""
    level = inputs_n2p[:, CHANNELS.index("level")].astype(np.float32)
    return np.where(_covered(level != 0), np.sinh(level) * np.float32(LEVEL_FLUX), np.float32(np.nan))


def _fill(out: np.ndarray, spectra: np.ndarray, ebv: np.ndarray) -> None:
    good = np.isfinite(spectra).all(axis=1) & (spectra[:, 1] > 0)
    dust = (10 ** (0.4 * ebv[:, None] * _extinction(spectra.shape[2]))).astype(np.float32)
    flux = np.where(good, spectra[:, 0] * dust, 0)
    error = np.where(good, np.sqrt(np.where(good, spectra[:, 1], 0)) / dust, 0)
    smooth = continuum(flux, good)
    out[:, 0] = np.arcsinh((flux - smooth) * error)
    out[:, 1] = np.arcsinh(np.where(good, flux, smooth) / LEVEL_FLUX) * _covered(good)


@lru_cache(maxsize=4)
def _extinction(p: int) -> np.ndarray:
    return a_lambda(WAVE[:p])


def _covered(good: np.ndarray) -> np.ndarray:
    """True from the first to the last good pixel of each spectrum."""
    return np.logical_or.accumulate(good, axis=1) & np.logical_or.accumulate(good[:, ::-1], axis=1)[:, ::-1]


def _check(grid: np.ndarray, flux: np.ndarray, ivar: np.ndarray) -> None:
    if grid.ndim != 1 or len(grid) < 3 or not (np.diff(grid) > 0).all():
        raise ValueError("the wavelength grid must be one-dimensional, ascending and have 3 or more pixels")
    if flux.shape != ivar.shape or flux.shape[1] != len(grid):
        raise ValueError(f"flux and ivar must have one value per wavelength ({len(grid)}); got {flux.shape} and {ivar.shape}")


def _cleaned(flux: np.ndarray, ivar: np.ndarray, mask: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    good = np.isfinite(flux) & np.isfinite(ivar) & (ivar > 0)
    if mask is not None:
        mask = np.atleast_2d(mask)
        good &= ~mask if mask.dtype == bool else good_pixels(mask)
    return np.where(good, flux, 0.0), np.where(good, ivar, 0.0)


def _aligned(loglam: np.ndarray) -> int | None:
    """Where on `LOGLAM` a native SDSS grid starts; None for any other grid (float32 files wander 0.003 pixel)."""
    place = (loglam - LOGLAM[0]) / STEP
    first = round(place[0])
    return first if np.abs(place - first - np.arange(len(place))).max() < 0.02 else None


def _moved(first: int, flux: np.ndarray, ivar: np.ndarray) -> np.ndarray:
    out = np.zeros((len(flux), 2, len(LOGLAM)), dtype=np.float32)
    start, stop = max(first, 0), min(first + flux.shape[1], len(LOGLAM))
    if start < stop:
        out[:, 0, start:stop] = flux[:, start - first : stop - first]
        out[:, 1, start:stop] = ivar[:, start - first : stop - first]
    return out


def _edges(grid: np.ndarray) -> np.ndarray:
    """Pixel borders in A, (p + 1,): halfway in the variable in which the steps are even, in wavelength if in neither."""
    wave = 10**grid if grid[-1] < 10 else grid
    is_log = np.ptp(np.diff(np.log10(wave))) / np.median(np.diff(np.log10(wave))) < np.ptp(np.diff(wave)) / np.median(np.diff(wave))
    even = np.log10(wave) if is_log else wave
    inner = (even[1:] + even[:-1]) / 2
    edges = np.concatenate([[2 * even[0] - inner[0]], inner, [2 * even[-1] - inner[-1]]])
    return 10**edges if is_log else edges


def _rebinned(edges: np.ndarray, flux: np.ndarray, ivar: np.ndarray) -> np.ndarray:
    overlap = _overlaps(edges.tobytes())
    good = ivar > 0
    length = overlap @ good.T.astype(float)
    covered = length > 0.5 * np.diff(_OUT_EDGES)[:, None]
    share = np.where(covered, length, 1.0)
    variance = np.divide(1.0, ivar, out=np.zeros_like(ivar), where=good)
    mean = (overlap @ flux.T) / share
    spread = (overlap.power(2) @ variance.T) / share**2
    ivar_out = np.divide(1.0, spread, out=np.zeros_like(spread), where=covered & (spread > 0))
    return np.stack([np.where(covered, mean, 0).T, ivar_out.T], axis=1).astype(np.float32)


_OUT_EDGES = 10 ** (LOGLAM[0] + STEP * (np.arange(len(LOGLAM) + 1) - 0.5))


@lru_cache(maxsize=8)
def _overlaps(edges: bytes) -> csr_array:
    """Length in A that output pixel i shares with input pixel j, (4620, p); the key is `_edges` as bytes."""
    edges_in = np.frombuffer(edges)
    cuts = np.unique(np.concatenate([edges_in, _OUT_EDGES]))
    middle, length = (cuts[1:] + cuts[:-1]) / 2, np.diff(cuts)
    i, j = np.searchsorted(_OUT_EDGES, middle) - 1, np.searchsorted(edges_in, middle) - 1
    inside = (i >= 0) & (i < len(LOGLAM)) & (j >= 0) & (j < len(edges_in) - 1)
    return csr_array((length[inside], (i[inside], j[inside])), shape=(len(LOGLAM), len(edges_in) - 1))


def _masked_median(values: np.ndarray) -> np.ndarray:
    """Median over the last axis of the finite values (the rest is inf); NaN where there is none."""
    ordered = np.sort(values, axis=-1)
    count = np.isfinite(ordered).sum(axis=-1)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    pick = np.take_along_axis(ordered, np.stack([low, np.minimum(high, values.shape[-1] - 1)], axis=-1), axis=-1)
    return np.where(count > 0, np.where(np.isfinite(pick), pick, 0).mean(axis=-1), np.nan)


def _nearest_filled(coarse: np.ndarray) -> np.ndarray:
    """Missing bins of (n, b) take their nearest filled neighbour's value; rows without any stay NaN."""
    bins = np.arange(coarse.shape[1])
    good = np.isfinite(coarse)
    left = np.maximum.accumulate(np.where(good, bins, -1), axis=1)
    right = np.minimum.accumulate(np.where(good, bins, 10**6)[:, ::-1], axis=1)[:, ::-1]
    use_left = (left >= 0) & ((bins - left <= right - bins) | (right >= 10**6))
    return np.take_along_axis(coarse, np.clip(np.where(use_left, left, right), 0, len(bins) - 1), axis=1)


def _joined(coarse: np.ndarray, p: int) -> np.ndarray:
    """Straight lines between the bins' middles, level beyond the outer ones; float32 (n, p)."""
    place = np.clip((np.arange(p) - (COARSE - 1) / 2) / COARSE, 0, coarse.shape[1] - 1)
    left = np.minimum(place.astype(int), max(coarse.shape[1] - 2, 0))
    part = (place - left).astype(np.float32)
    right = np.minimum(left + 1, coarse.shape[1] - 1)
    return coarse[:, left].astype(np.float32) * (1 - part) + coarse[:, right].astype(np.float32) * part
