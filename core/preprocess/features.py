"""Physical numbers of galaxies, computed from model inputs: what classical models and maps read.

They are computed by undoing the fixed stretches, so whoever holds `Inputs` needs nothing else.
Nothing here knows a catalogue redshift: lines are measured at the redshift that the spectrum itself
suggests (`core.preprocess.comb`). Missing is NaN.
"""

from functools import lru_cache

import numpy as np

from core.columns import BANDS
from core.preprocess import comb, photometry
from core.preprocess.image import PIXEL_ARCSEC, nanomaggies
from core.preprocess.spectrum import LOGLAM, STEP, WAVE, continuum, dereddened_flux
from core.spectroscopy.lines import line

APERTURES_ARCSEC = (1.5, 3.0, 6.0, 12.0)
"""Radii; the first is that of the SDSS fibre."""
_COLOURS = tuple(zip(BANDS, BANDS[1:], strict=False))
IMAGE_COLUMNS = (
    *(f"mag_{b}_{r:g}" for b in BANDS for r in APERTURES_ARCSEC),
    *(f"{a}-{b}_{r:g}" for r in (1.5, 6.0) for a, b in _COLOURS),
    "aperture_correction", "log_r50", "concentration", "surface_brightness", "ellipticity", "log_size",
)  # fmt: skip
LEVEL_BINS = 42
MEASURED_LINES = ("[OII] 3727", "Hbeta 4863", "[OIII] 5008", "Halpha 6565", "[NII] 6585", "[SII] 6718")
SPECTRUM_COLUMNS = (
    *(f"level_{i:02d}" for i in range(LEVEL_BINS)),
    *(f"comb_{name}" for name in comb.COLUMNS),
    *(f"flux_{name}" for name in MEASURED_LINES),
    *(f"ew_{name}" for name in MEASURED_LINES),
    "d4000", "log_r_flux", "balmer_decrement",
)  # fmt: skip
REST_RANGE, REST_PIXELS = (3600.0, 6900.0), 10
"""Wavelengths in A of the continuum-normalised spectrum at rest, and pixels of 1e-4 dex in one of its bins: 690 km/s."""
COLUMNS = {"image": IMAGE_COLUMNS, "spectrum": SPECTRUM_COLUMNS, "photometry": photometry.COLUMNS}
CHUNK = 256


def of(modality: str, inputs: np.ndarray, present_n: np.ndarray) -> np.ndarray:
    """Features of one modality, float32 (n, len(COLUMNS[modality])); NaN rows where it is absent.

    Parameters
    ----------
    modality : image, spectrum or photometry. inputs : its model inputs, (n, ...), single or half precision.
    present_n : bool (n,).
    """
    out = np.full((len(inputs), len(COLUMNS[modality])), np.nan, dtype=np.float32)
    rows = np.flatnonzero(present_n)
    function = {"image": image, "spectrum": spectrum, "photometry": np.asarray}[modality]
    for start in range(0, len(rows), CHUNK):
        here = rows[start : start + CHUNK]
        out[here] = function(inputs[here].astype(np.float32))
    return out


def image(inputs: np.ndarray) -> np.ndarray:
    """`IMAGE_COLUMNS` of stamps centred on their galaxy, float32 (n, 34).

    Parameters
    ----------
    inputs : (n, 5, h, h) made by `core.preprocess.image.model_input`.

    Returns
    -------
    asinh magnitudes in circular apertures (soft below 1 nanomaggy, so negative flux is fine), colours
    in the fibre and in 6 arcsec; in r: magnitude in the fibre minus that in 12 arcsec, half-light radius
    (log arcsec), R90/R50, mean surface brightness inside R50 (mag/arcsec2), and ellipticity and size (log
    arcsec) from moments under a Gaussian of 3 arcsec. Radii are NaN where the total flux is not positive.
    """
    flux = nanomaggies(inputs)
    n, bands, h, _ = flux.shape
    apertures, rings, moments = _weights(h)
    mag = _asinh_magnitude(flux.reshape(n * bands, h * h) @ apertures).reshape(n, bands, -1)
    colours = [mag[:, i, k] - mag[:, i + 1, k] for k in (0, 2) for i in range(bands - 1)]
    r = flux[:, 2].reshape(n, h * h)
    shape = np.column_stack([mag[:, 2, 0] - mag[:, 2, 3], *_radii(r @ rings), *_ellipse(r @ moments)])
    return np.column_stack([mag.reshape(n, -1), *colours, shape]).astype(np.float32)


def spectrum(inputs: np.ndarray) -> np.ndarray:
    """`SPECTRUM_COLUMNS` of spectra, float32 (n, 63).

    Parameters
    ----------
    inputs : (n, 2, 4620) made by `core.preprocess.spectrum.model_input`.

    Returns
    -------
    asinh of the mean flux in 42 bins of the observed grid; the comb's redshift and how sure it is; at that
    redshift, line fluxes (asinh, 1e-17 erg/s/cm2), equivalent widths (asinh, A, emission positive), the
    narrow 4000 A break (Balogh et al. 1999, ApJ 527, 54), the log mean flux density in 5600-6700 A
    observed, and log Halpha/Hbeta. NaN outside the coverage.
    """
    flux = dereddened_flux(inputs)
    found = comb.features(inputs)
    shift = np.rint(found[:, 0] / STEP).astype(int)
    lines, widths = np.stack([_line(flux, shift, line(name).wave) for name in MEASURED_LINES], axis=2)
    r_flux = np.log10(np.maximum(_mean(flux[:, _pixel(5600) : _pixel(6700)]), 0.01))
    decrement = np.log10(np.maximum(lines[:, 3], 1) / np.maximum(lines[:, 1], 1))
    columns = [_levels(flux), found, np.arcsinh(lines), np.arcsinh(widths), _d4000(flux, shift), r_flux, decrement]
    return np.column_stack(columns).astype(np.float32)


def normalised(inputs: np.ndarray, log_shift_n: np.ndarray) -> np.ndarray:
    """Flux over continuum, less 1, in the rest frame: what is left of spectra when brightness and colour are taken out.

    Parameters
    ----------
    inputs : (n, 2, 4620) made by `core.preprocess.spectrum.model_input`.
    log_shift_n : (n,), log10(1+z) as the spectrum itself suggests (``comb_log_shift``).

    Returns
    -------
    asinh of it, float32 (n, 282), in bins of `REST_PIXELS` over `REST_RANGE`; NaN outside the coverage and without a spectrum.
    """
    width = (_pixel(REST_RANGE[1]) - _pixel(REST_RANGE[0])) // REST_PIXELS * REST_PIXELS
    out = np.full((len(inputs), width // REST_PIXELS), np.nan, dtype=np.float32)
    rows = np.flatnonzero(np.isfinite(log_shift_n))
    for start in range(0, len(rows), CHUNK):
        here = rows[start : start + CHUNK]
        flux = dereddened_flux(inputs[here])
        smooth = continuum(np.nan_to_num(flux), np.isfinite(flux))
        shift = np.rint(log_shift_n[here] / STEP).astype(int)
        ratio = _window(flux / np.maximum(smooth, 0.1) - 1, shift, *REST_RANGE)[0][:, :width]
        out[here] = np.arcsinh(_mean(ratio.reshape(len(here), -1, REST_PIXELS)))
    return out


def _asinh_magnitude(nanomaggy: np.ndarray) -> np.ndarray:
    """22.5 - 2.5 log10(flux) for bright sources, linear below 1 nanomaggy (Lupton, Gunn & Szalay 1999)."""
    return 22.5 - 2.5 / np.log(10) * np.arcsinh(nanomaggy / 2)


@lru_cache(maxsize=4)
def _weights(h: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixel weights, float32 (h*h, k): the apertures, growing discs of 1 .. h/2-1 pixels, and moments 1, xx, yy, xy."""
    radii = np.array(APERTURES_ARCSEC) / PIXEL_ARCSEC
    discs = np.arange(1, h // 2)
    fine = (np.arange(h * 5) + 0.5) / 5 - h / 2
    distance = np.hypot(fine[:, None], fine[None, :])
    inside = [(distance <= radius).reshape(h, 5, h, 5).mean(axis=(1, 3)).ravel() for radius in (*radii, *discs)]
    y, x = (np.indices((h, h)) - (h - 1) / 2) * PIXEL_ARCSEC
    weight = np.exp(-(x**2 + y**2) / 2 / 3.0**2)
    moments = np.stack([weight, weight * x * x, weight * y * y, weight * x * y], axis=-1).reshape(h * h, 4)
    masks = np.stack(inside, axis=1).astype(np.float32)
    return masks[:, : len(radii)], masks[:, len(radii) :], moments.astype(np.float32)


def _radii(growth_nk: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """log10 R50 in arcsec, R90/R50 and mag/arcsec2 inside R50 from flux inside 1, 2, 3 ... pixels."""
    total = growth_nk[:, -1]
    share = np.maximum.accumulate(growth_nk, axis=1) / np.where(total > 0, total, np.nan)[:, None]
    r50, r90 = (_crossing(share, level) * PIXEL_ARCSEC for level in (0.5, 0.9))
    brightness = 22.5 - 2.5 * np.log10(total / 2 / (np.pi * r50**2), out=np.full_like(r50, np.nan), where=total > 0)
    return np.log10(r50), r90 / r50, brightness


def _crossing(share_nk: np.ndarray, level: float) -> np.ndarray:
    """Radius in pixels at which a growth curve first reaches ``level``; NaN where the curve is NaN."""
    k = np.argmax(share_nk >= level, axis=1)
    row = np.arange(len(share_nk))
    low = np.where(k > 0, share_nk[row, np.maximum(k - 1, 0)], 0.0)
    return np.where(np.isnan(share_nk[:, -1]), np.nan, k + (level - low) / (share_nk[row, k] - low))


def _ellipse(moments_n4: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ellipticity |(Qxx - Qyy, 2 Qxy)| / (Qxx + Qyy) and log10 of the size in arcsec; NaN without positive flux."""
    flux, xx, yy, xy = moments_n4.T
    trace = np.where((flux > 0) & (xx + yy > 0), xx + yy, np.nan)
    size = np.sqrt(trace / np.where(flux > 0, flux, np.nan) / 2)
    return np.clip(np.hypot(xx - yy, 2 * xy) / trace, 0, 1), np.log10(size)


def _levels(flux: np.ndarray) -> np.ndarray:
    """asinh of the mean flux in each of `LEVEL_BINS` bins; NaN where a bin has no data."""
    width = flux.shape[1] // LEVEL_BINS
    return np.arcsinh(_mean(flux[:, : width * LEVEL_BINS].reshape(len(flux), LEVEL_BINS, width)))


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean of the finite values along the last axis; NaN where there is none."""
    good = np.isfinite(values)
    count = good.sum(axis=-1)
    return np.where(count > 0, np.where(good, values, 0).sum(axis=-1) / np.maximum(count, 1), np.nan)


def _window(flux: np.ndarray, shift: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Flux (n, k) between two rest wavelengths in A, each row at its own shift, and the step in observed A; NaN outside the grid."""
    pixels = np.arange(_pixel(low), _pixel(high) + 1) + shift[:, None]
    inside = (pixels >= 0) & (pixels < flux.shape[1])
    at = np.clip(pixels, 0, flux.shape[1] - 1)
    return np.where(inside, np.take_along_axis(flux, at, axis=1), np.nan), WAVE[at] * np.log(10) * STEP


def _line(flux: np.ndarray, shift: np.ndarray, wave: float) -> tuple[np.ndarray, np.ndarray]:
    """Flux (1e-17 erg/s/cm2) and observed equivalent width (A) within 500 km/s of a line over the mean of both its sides."""
    core, step = _window(flux, shift, wave * (1 - 0.0017), wave * (1 + 0.0017))
    sides = [_mean(_window(flux, shift, wave * a, wave * b)[0]) for a, b in ((0.988, 0.994), (1.008, 1.014))]
    level = (sides[0] + sides[1]) / 2
    total = ((core - level[:, None]) * step).sum(axis=1)
    return total, total / np.maximum(level, 0.1)


def _d4000(flux: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Mean flux in 4000-4100 A over that in 3850-3950 A at rest, 0 to 4."""
    red, blue = _mean(_window(flux, shift, 4000, 4100)[0]), _mean(_window(flux, shift, 3850, 3950)[0])
    return np.clip(red / np.maximum(blue, 0.05), 0, 4)


def _pixel(wave: float) -> int:
    return round((np.log10(wave) - LOGLAM[0]) / STEP)
