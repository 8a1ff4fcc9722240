"""Starlight of the mock sky: kcorrect's templates without their lines, dust, and SDSS broad-band fluxes."""

from functools import cache

import numpy as np

from core.columns import BANDS
from core.spectroscopy.basis import kcorrect_folder, kcorrect_templates

BULGE_OLD, DISK_OLD, YOUNG, BURST = range(4)
POPULATIONS = ("bulge_old", "disk_old", "young", "burst")
WAVE_LOW, WAVE_HIGH = 2000.0, 12_600.0
Z_GRID = np.linspace(0.0, 0.56, 281)
DUST_GRID = np.linspace(0.0, 0.9, 31)
"""Redshifts and stellar E(B-V) at which broad-band fluxes are tabulated; between them, log flux is linear to 0.01 %."""
AB_ZERO = 3631e-23
"""erg/s/cm2/Hz of magnitude 0; Oke & Gunn 1983, ApJ 266, 713."""
LIGHT_A_S = 2.99792458e18
PARSECS_10_IN_MPC = 1e-5

_MIX = np.array([[0.10, 0, 0.0, 0.90, 0], [0.18, 0, 0.22, 0.60, 0], [0, 0, 0, 0, 1 / 0.5409], [0, 1, 0, 0, 0]])
"""Mass formed in each kcorrect template per solar mass of a population. The fourth template is
old and passive, the fifth made 54 % of its mass in the last 300 Myr, the second all of it."""
_LINES = (3728.5, 3869.9, 3890, 3969.6, 4102.9, 4341.7, 4862.7, 4960.3, 5008.2, 5877.3, 6302, 6365, 6549.9, 6564.6, 6585.3,
          6679, 6718.3, 6732.7, 7137.8, 7322, 7332, 9071, 9533)
_LINE_DEX = 0.0017


@cache
def population_spectra() -> tuple[np.ndarray, np.ndarray]:
    """log10 of rest wavelength (A, vacuum; even steps), (W,), and erg/s/cm2/A at 10 pc per solar mass of `POPULATIONS`, (4, W).

    Source: kcorrect-default-v4 (Blanton & Roweis 2007, AJ 133, 734). The templates carry emission
    lines in a fixed ratio to their continuum; these are cut out, so that lines can follow the
    star-formation rate instead.
    """
    wave, flux = kcorrect_templates()
    inside = (wave > WAVE_LOW) & (wave < WAVE_HIGH)
    loglam = np.log10(wave[inside])
    return loglam, _MIX @ _without_lines(loglam, flux[:, inside])


@cache
def filters() -> tuple[np.ndarray, np.ndarray]:
    """Wavelength (A, even steps of 5 A), (L,), and photon response of ugriz with 1.3 airmasses, (5, L)."""
    wave = np.arange(2950.0, 11_300.0, 5.0)
    curves = []
    for band in BANDS:
        table = np.genfromtxt(kcorrect_folder() / "responses" / f"sdss_{band}0.dat", delimiter="|", comments="#", usecols=(1, 4))
        table = table[np.isfinite(table).all(axis=1)]
        curves.append(np.interp(wave, table[:, 0], table[:, 1], left=0, right=0).clip(0))
    return wave, np.array(curves)


def calzetti(wave: np.ndarray) -> np.ndarray:
    """Starburst dust, A(lambda)/E(B-V); Calzetti et al. 2000 (ApJ 533, 682), equation 4, held level beyond 2.2 micron.

    >>> round(float(calzetti(np.array(6564.6))), 2), round(float(calzetti(np.array(4862.7))), 2)
    (3.32, 4.6)
    """
    x = 1e4 / np.asarray(wave, dtype=float)
    blue = 2.659 * (-2.156 + 1.509 * x - 0.198 * x**2 + 0.011 * x**3) + 4.05
    return np.where(x > 1 / 0.63, blue, 2.659 * (-1.857 + 1.040 * x) + 4.05)


def nanomaggies_per_mass(z_n: np.ndarray, dust_n: np.ndarray) -> np.ndarray:
    """Broad-band flux of one solar mass of each population, as if at 10 pc, (n, 4, 5) nanomaggies.

    Multiply by (1e-5 Mpc / luminosity distance) squared. ``dust_n`` is stellar E(B-V) in mag.
    """
    table = _band_table()
    i, a = _place(Z_GRID, z_n)
    j, b = _place(DUST_GRID, dust_n)
    a, b = a[:, None, None], b[:, None, None]
    low = table[i, j] * (1 - b) + table[i, j + 1] * b
    high = table[i + 1, j] * (1 - b) + table[i + 1, j + 1] * b
    return 10 ** (low * (1 - a) + high * a)


def line_nanomaggies(wave: np.ndarray) -> np.ndarray:
    """Broad-band flux of a line of 1 erg/s/cm2 at observed wavelengths (A), shape (..., 5), nanomaggies."""
    grid, curves = filters()
    response = np.stack([np.interp(wave, grid, c, left=0, right=0) for c in curves], axis=-1)
    return 1e9 * response * np.asarray(wave)[..., None] / _ab_counts()


def spectrum_nanomaggies(wave: np.ndarray, flux: np.ndarray) -> np.ndarray:
    """Broad-band fluxes of spectra on an observed grid: wave (L,) A, flux (..., L) erg/s/cm2/A; (..., 5) nanomaggies."""
    weight = _weights(wave)
    return 1e9 * np.asarray(flux) @ weight.T / _ab_counts()


def attenuated(flux: np.ndarray, loglam: np.ndarray, dust_n: np.ndarray) -> np.ndarray:
    """Spectra (n, W) behind Calzetti dust of stellar E(B-V) ``dust_n``."""
    return flux * 10 ** (-0.4 * np.asarray(dust_n)[:, None] * calzetti(10**loglam))


@cache
def _band_table() -> np.ndarray:
    """log10 of `nanomaggies_per_mass` on `Z_GRID` x `DUST_GRID`, (281, 31, 4, 5)."""
    loglam, flux = population_spectra()
    dusty = (flux[None] * 10 ** (-0.4 * DUST_GRID[:, None, None] * calzetti(10**loglam))).reshape(-1, len(loglam))
    table = np.empty((len(Z_GRID), len(DUST_GRID), len(POPULATIONS), len(BANDS)))
    for k, z in enumerate(Z_GRID):
        table[k] = (dusty @ _weights(10**loglam * (1 + z)).T).reshape(table.shape[1:]) / (1 + z)
    return np.log10(1e9 * table / _ab_counts())


def _weights(wave: np.ndarray) -> np.ndarray:
    """Photon-counting quadrature weights of the five bands on a grid, (5, L)."""
    grid, curves = filters()
    return np.array([np.interp(wave, grid, c, left=0, right=0) for c in curves]) * wave * np.gradient(wave)


@cache
def _ab_counts() -> np.ndarray:
    grid, curves = filters()
    return (curves * grid * AB_ZERO * LIGHT_A_S / grid**2).sum(axis=1) * (grid[1] - grid[0])


def _place(grid: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    place = np.clip((np.asarray(value) - grid[0]) / (grid[1] - grid[0]), 0, len(grid) - 1 - 1e-9)
    return place.astype(int), place % 1


def _without_lines(loglam: np.ndarray, flux: np.ndarray) -> np.ndarray:
    """Bridge the emission lines: straight from the median of one flank to that of the other, where the flux lies above."""
    out = flux.copy()
    for low, high in _windows(loglam):
        i, j = np.searchsorted(loglam, [low, high])
        left, right = np.median(flux[:, i - 5 : i], axis=1), np.median(flux[:, j : j + 5], axis=1)
        part = (loglam[i:j] - loglam[i]) / (loglam[j - 1] - loglam[i])
        bridge = left[:, None] * (1 - part) + right[:, None] * part
        out[:, i:j] = np.minimum(flux[:, i:j], bridge)
    return out


def _windows(loglam: np.ndarray) -> list[tuple[float, float]]:
    """Line windows, joined where they overlap."""
    joined: list[tuple[float, float]] = []
    for centre in np.log10(_LINES):
        low, high = centre - _LINE_DEX, centre + _LINE_DEX
        if joined and low < joined[-1][1]:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return [w for w in joined if loglam[0] < w[0] and w[1] < loglam[-1]]
