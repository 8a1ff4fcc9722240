"""Rest-frame template bases that spectra are fitted with.

The product's own: five galaxy SEDs of kcorrect (Blanton & Roweis 2007, AJ 133, 734) with five
groups of narrow emission lines, and broad lines on a power law for quasars. Eigentemplate files
in SDSS's format (log-lambda, COEFF0 and COEFF1 in the header) serve as well.
"""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from astropy.io import fits

from core.errors import BadInput
from core.preprocess.spectrum import LOGLAM, STEP
from core.spectroscopy.lines import line

LN10_C = np.log(10) * 299_792.458
"""km/s a dex."""

_NARROW_DEX = 1.6e-4
_NARROW_GROUPS = (
    {"[OII] 3727": 0.7, "[OII] 3730": 1.0},
    {"Hbeta 4863": 1.0, "Halpha 6565": 2.9, "Hgamma 4342": 0.47, "Hdelta 4103": 0.26},
    {"[OIII] 4960": 0.33, "[OIII] 5008": 1.0},
    {"[NII] 6550": 0.33, "[NII] 6585": 1.0},
    {"[SII] 6718": 1.0, "[SII] 6733": 0.8},
)
"""Lines that share one amplitude: fixed by atomic physics, or case B recombination for Balmer lines."""
_BROAD_GROUPS = ({1215.67: 1.0, 1240.8: 0.3}, {1397.0: 0.5, 1549.48: 1.0}, {1908.73: 1.0}, {2800.3: 1.0}, {6564.614: 1.0, 4862.683: 0.3, 4341.684: 0.13})
_BROAD_KM_S = (1800.0, 4500.0)
_SEARCHED = {"GALAXY": (-0.005, 1.3), "QSO": (0.02, 7.0), "STAR": (-0.004, 0.004)}
"""Redshifts to search with eigentemplates."""


@dataclass(frozen=True)
class Basis:
    """Templates of one class of object.

    Attributes
    ----------
    spectral_class : GALAXY, QSO or STAR.
    loglam0 : log10 rest wavelength (A) of the first pixel, a multiple of 1e-4.
    templates : float (K, L), any flux-density scale.
    z_low, z_high : redshifts to search.
    every : pixels between trial redshifts, a divisor of 4620; the spectrum is fitted on pixels as wide.
    polynomials : how many Legendre-like terms are fitted along with the templates.
    """

    spectral_class: str
    loglam0: float
    templates: np.ndarray
    z_low: float
    z_high: float
    every: int = 1
    polynomials: int = 3


@cache
def galaxy_basis(z_high: float = 1.3) -> Basis:
    """Five kcorrect SEDs and five emission-line groups, z from -0.005 (stars end up near 0)."""
    loglam = _rest_grid(-0.005, z_high)
    wave, flux = kcorrect_templates()
    continua = np.array([np.interp(loglam, np.log10(wave), f) for f in flux])
    continua /= np.median(continua[:, (loglam > 3.65) & (loglam < 3.8)], axis=1, keepdims=True)
    lines = [sum(a * _gaussian(loglam, line(name).wave, _NARROW_DEX) for name, a in group.items()) for group in _NARROW_GROUPS]
    return Basis("GALAXY", loglam[0], np.vstack([continua, lines]), -0.005, z_high)


@cache
def quasar_basis(z_high: float = 4.8) -> Basis:
    """Broad lines of two widths, narrow [OII] and [OIII], a power law, the Lyman-alpha break and iron humps."""
    loglam = _rest_grid(0.02, z_high)
    wave = 10**loglam
    rows = [sum(a * _gaussian(loglam, w, km / LN10_C) for w, a in group.items()) for km in _BROAD_KM_S for group in _BROAD_GROUPS]
    rows += [0.33 * _gaussian(loglam, 4960.295, 250 / LN10_C) + _gaussian(loglam, 5008.24, 250 / LN10_C), _gaussian(loglam, 3728.5, 250 / LN10_C)]
    rows += [np.where(wave < 1215.67, (wave / 1216) ** 3, 0), (wave / 3000) ** -1.5, _gaussian(loglam, 2500, 0.06), _gaussian(loglam, 4570, 0.012)]
    return Basis("QSO", loglam[0], np.array(rows), 0.02, z_high, every=5, polynomials=2)


def read_eigentemplates(path: Path) -> tuple[Basis, ...]:
    """Read an SDSS eigentemplate file (spEigenGal-*.fits, spEigenQSO-*.fits, spEigenStar-*.fits).

    Galaxies and quasars are one basis each. In a file of stars every row is a star of another type: one basis a row.
    Which of them it is says the card OBJECT, else the file's name. Raises `BadInput` when the file has
    no log-lambda grid of 1e-4 dex, is no image of templates or does not say of what.
    """
    try:
        with fits.open(path) as file:
            data, header = np.nan_to_num(np.asarray(file[0].data, float)), file[0].header
            step, loglam0 = float(header["COEFF1"]), float(header["COEFF0"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise BadInput("eigentemplates", "be a FITS image with COEFF0 and COEFF1", error, str(path), "Take a spEigen file of SDSS idlspec2d") from error
    if data.ndim != 2 or abs(step - STEP) > 1e-9:
        raise BadInput("eigentemplates", "be an image of rows on a grid of 1e-4 dex", f"shape {data.shape}, COEFF1 {step}", str(path), "Take a spEigen file of SDSS idlspec2d")
    kind, first = _class_of(header, path), round(loglam0 / STEP) * STEP
    rows = [row[None] for row in data] if kind == "STAR" else [data]
    return tuple(Basis(kind, first, templates, *_SEARCHED[kind], every=5 if kind == "QSO" else 1) for templates in rows)


def _class_of(header: fits.Header, path: Path) -> str:
    for text in (str(header.get("OBJECT", "")), path.name):
        for kind, mark in (("GALAXY", "GAL"), ("QSO", "QSO"), ("STAR", "STAR")):
            if mark in text.upper():
                return kind
    raise BadInput("eigentemplates", "say GALAXY, QSO or STAR in the card OBJECT or in their name", header.get("OBJECT", "neither"), str(path), "Rename the file as SDSS does")


@cache
def kcorrect_templates() -> tuple[np.ndarray, np.ndarray]:
    """Rest wavelength (A, vacuum) and flux (erg/s/cm2/A for one solar mass formed at 10 pc), (W,) and (5, W)."""
    with fits.open(kcorrect_folder() / "templates" / "kcorrect-default-v4.fits") as file:
        table = file["FLUX"].data
        wave = np.ravel(table["wave"][0]).astype(float)
        return wave, np.ravel(table["flux"][0]).astype(float).reshape(5, -1)


def kcorrect_folder() -> Path:
    """Where kcorrect keeps its files; looked up without importing it, which takes two seconds."""
    return Path(find_spec("kcorrect").submodule_search_locations[0]) / "data"


def _rest_grid(z_low: float, z_high: float) -> np.ndarray:
    low = np.floor((LOGLAM[0] - np.log10(1 + z_high)) / STEP) - 2
    high = np.ceil((LOGLAM[-1] - np.log10(1 + z_low)) / STEP) + 2
    return STEP * np.arange(low, high + 1)


def _gaussian(loglam: np.ndarray, wave: float, sigma_dex: float) -> np.ndarray:
    return np.exp(-0.5 * ((loglam - np.log10(wave)) / sigma_dex) ** 2)
