"""What a galaxy survey also catches: stars, quasars and things that went wrong."""

import numpy as np

from core.data.mock_sky import profiles
from core.data.mock_sky.light import Sources
from core.data.mock_sky.templates import spectrum_nanomaggies
from core.preprocess.spectrum import WAVE

ARTEFACTS = ("unplugged fibre", "satellite trail", "bleeding star")
_GRID = np.arange(2900.0, 11_400.0, 2.0)
_BALMER = (6564.614, 4862.683, 4341.684, 4102.89, 3971.2, 3890.15)
_COOL = ((3934.777, 9, 0.75), (3969.588, 9, 0.7), (4227.9, 5, 0.4), (4305.61, 12, 0.4), (5176.7, 14, 0.35), (5895.6, 6, 0.4))
_TIO = ((4955, 110), (5450, 130), (5850, 130), (6160, 180), (6660, 180), (7060, 220), (7600, 130), (8440, 160))
_BROAD = ((1215.67, 90, 0.022), (1549.48, 25, 0.014), (1908.73, 22, 0.016), (2800.3, 35, 0.013), (4341.684, 12, 0.012), (4862.683, 50, 0.012),
          (6564.614, 190, 0.012), (5008.24, 25, 0.0022), (4960.295, 8, 0.0022))
"""Rest wavelength (A), rest equivalent width (A), sigma (relative); after the composite of Vanden Berk et al. 2001 (AJ 122, 549)."""


def stars(n: int, seeing: np.ndarray, rng: np.random.Generator) -> tuple[Sources, np.ndarray]:
    """n stars of 3,200 to 10,000 K as point sources, and their redshifts (100 km/s and less)."""
    z = np.clip(1.5e-4 * rng.standard_normal(n), -1e-3, 1e-3)
    temperature = rng.choice([3300.0, 3800, 4600, 5500, 6000, 6500, 8500, 10_000], n) * rng.uniform(0.96, 1.04, n)
    shapes = np.array([_star(_GRID / (1 + v), t) for v, t in zip(z, temperature, strict=True)]).reshape(n, len(_GRID))
    return points(shapes, rng.uniform(15.5, 19.0, n), seeing), z


def quasars(n: int, seeing: np.ndarray, rng: np.random.Generator) -> tuple[Sources, np.ndarray]:
    """n quasars at z 0.4 to 3.2 as point sources, and their redshifts."""
    z = rng.uniform(0.4, 3.2, n)
    slopes = -1.55 + 0.2 * rng.standard_normal(n)
    shapes = np.array([_quasar(_GRID / (1 + v), s, rng) for v, s in zip(z, slopes, strict=True)]).reshape(n, len(_GRID))
    return points(shapes, rng.uniform(17.5, 19.6, n), seeing), z


def empty(seeing: np.ndarray) -> Sources:
    """Nothing at all in n stamps and fibres: what artefacts are painted on."""
    return points(np.ones((len(seeing), len(_GRID))), np.full(len(seeing), 40.0), seeing)


def points(shape_nl: np.ndarray, r_mag: np.ndarray, seeing: np.ndarray) -> Sources:
    """Point sources of given spectral shapes (n, L) on the internal grid, scaled to r magnitudes."""
    n = len(r_mag)
    bands = spectrum_nanomaggies(_GRID, shape_nl)
    scale = 10 ** (0.4 * (22.5 - r_mag)) / bands[:, 2]
    covariance, light = np.zeros((n, 1, 3)), (bands * scale[:, None])[:, None]
    fibre = np.array([profiles.fibre_shares(c, s)[0] for c, s in zip(covariance, seeing[:, 2], strict=True)])
    spectrum = np.array([np.interp(WAVE, _GRID, row) for row in shape_nl]).reshape(n, len(WAVE)) * (1e17 * scale * fibre)[:, None]
    return Sources(covariance, light, spectrum, seeing)


def paint(kind: str, image: np.ndarray, spectrum: np.ndarray, rng: np.random.Generator) -> None:
    """Spoil an image (5, 64, 64) and a spectrum (2, 4620) in place, as ``kind`` of `ARTEFACTS` does."""
    if kind == "satellite trail":
        image += _trail(rng) * np.array([0.2, 0.9, 1.0, 0.8, 0.5])[:, None, None]
    elif kind == "bleeding star":
        image += _bleeding(rng) * np.array([0.4, 1.0, 1.2, 1.1, 0.7])[:, None, None]
        spectrum[0] += np.float32(rng.uniform(5, 60)) * (spectrum[1] > 0) * (WAVE / 6000) ** rng.uniform(-4, 2)
    else:
        spectrum[:, rng.integers(0, spectrum.shape[1], 900)] = 0


def _star(wave: np.ndarray, temperature: float) -> np.ndarray:
    """A black body with Balmer lines when hot, metal lines when cool and TiO bands when very cool; erg/s/cm2/A, any scale."""
    flux = (wave / 5500) ** -5 / np.expm1(1.43878e8 / (wave * temperature)) * np.expm1(1.43878e8 / (5500 * temperature))
    hot = np.exp(-(((temperature - 9500) / 2500) ** 2))
    cool = 1 / (1 + np.exp((temperature - 6000) / 500))
    depth = sum(0.65 * hot * np.exp(-0.5 * ((wave - w) / 11) ** 2) for w in _BALMER)
    depth = depth + sum(d * cool * np.exp(-0.5 * ((wave - w) / s) ** 2) for w, s, d in _COOL)
    if temperature < 4200:
        depth = depth + sum(0.5 * np.exp(-(wave - w) / width) * (wave > w) for w, width in _TIO)
    return flux * np.clip(1 - depth, 0.08, None) * np.where(wave < 3700, 1 - 0.45 * hot, 1.0)


def _quasar(wave: np.ndarray, slope: float, rng: np.random.Generator) -> np.ndarray:
    flux = (wave / 3000) ** slope
    strength = np.exp(0.3 * rng.standard_normal(len(_BROAD)))
    lines = sum(k * ew / (s * w * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((wave - w) / (s * w)) ** 2) for k, (w, ew, s) in zip(strength, _BROAD, strict=True))
    forest = np.where(wave < 1215.67, 0.55 + 0.25 * np.sin(wave * 1.7) * np.sin(wave * 0.61), 1.0)
    iron = 0.25 * np.exp(-0.5 * ((wave - 2500) / 220) ** 2) + 0.12 * np.exp(-0.5 * ((wave - 4570) / 70) ** 2)
    return flux * (1 + lines + iron) * forest


def _trail(rng: np.random.Generator) -> np.ndarray:
    y, x = np.indices((profiles.SIDE, profiles.SIDE)) - (profiles.SIDE - 1) / 2
    angle, offset = rng.uniform(0, np.pi), rng.uniform(-12, 12)
    distance = x * np.cos(angle) + y * np.sin(angle) - offset
    return (rng.uniform(0.5, 4) * np.exp(-0.5 * (distance / rng.uniform(1.2, 2.5)) ** 2)).astype(np.float32)


def _bleeding(rng: np.random.Generator) -> np.ndarray:
    y, x = np.indices((profiles.SIDE, profiles.SIDE)) - (profiles.SIDE - 1) / 2
    x, y = x - rng.uniform(-25, 25), y - rng.uniform(-25, 25)
    halo = 30 / (1 + (x**2 + y**2) / 6) ** 1.3
    column = 40 * (np.abs(x) < 1.5)
    return (halo + column + 6 * np.exp(-np.abs(x) / 1.2) * (np.abs(y) < 25)).astype(np.float32)


