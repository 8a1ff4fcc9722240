"""Emission-line fluxes of a spectrum at a known redshift.

Each group of neighbouring lines is a straight local continuum plus Gaussians of one common
width, fitted by weighted least squares: fluxes and their covariance follow in closed form. Under
Halpha and Hbeta lies a wider Gaussian for the stars' absorption, whose depth is told by the pixels
beside the line, and by a prior where they are too noisy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.preprocess.extinction import a_lambda, known
from core.preprocess.spectrum import LOGLAM, STEP, WAVE
from core.spectroscopy.basis import LN10_C
from core.spectroscopy.lines import line

GROUPS = (
    (3695.0, 3765.0, ("[OII] 3727", "[OII] 3730")),
    (4810.0, 4915.0, ("Hbeta 4863",)),
    (4920.0, 5050.0, ("[OIII] 4960", "[OIII] 5008")),
    (6480.0, 6650.0, ("[NII] 6550", "Halpha 6565", "[NII] 6585")),
    (6670.0, 6780.0, ("[SII] 6718", "[SII] 6733")),
)
"""Rest window (A) of the local continuum, and the lines in it."""
TIED = {"[OIII] 4960": ("[OIII] 5008", 1 / 2.98), "[NII] 6550": ("[NII] 6585", 1 / 3.05)}
"""Doublets whose ratio atomic physics fixes (Storey & Zeippen 2000, MNRAS 312, 813)."""
WIDTHS_KM_S = (75.0, 100.0, 130.0, 170.0, 220.0, 300.0)
"""1-sigma widths tried, instrument included; the one with the lowest chi-square over all groups is refined by `FINER` steps and taken."""
FINER = (0.88, 0.92, 0.96, 1.0, 1.04, 1.08, 1.12)
TROUGH_EW = {"Halpha 6565": (1.5, 0.7), "Hbeta 4863": (2.0, 1.0)}
"""Equivalent width (A, rest) of stellar absorption and how much galaxies differ: the prior of its fit. A narrow emission line
fills only part of it; what is missing under such a line in SDSS is about 1.3 (Hopkins et al. 2003, ApJ 599, 971)."""
TROUGH_KM_S = 400.0
"""1-sigma width of stellar Balmer absorption, 15 A from half to half at Hbeta."""


@dataclass(frozen=True)
class LineFlux:
    """One line: flux and error in 1e-17 erg/s/cm2, continuum under it in 1e-17 erg/s/cm2/A, rest equivalent width in A
    (positive in emission). Halpha and Hbeta are corrected for stellar absorption. NaN where the line is not covered."""

    flux: float
    error: float
    continuum: float
    equivalent_width: float


def measure(spectrum: np.ndarray, z: float, ebv: float = np.nan) -> dict[str, LineFlux]:
    """Fluxes of the lines of `GROUPS` at redshift ``z``, name -> `LineFlux`.

    Parameters
    ----------
    spectrum : float (2, 4620), flux and ivar on `LOGLAM`; ivar 0 = no information.
    ebv : Galactic E(B-V), mag; NaN = unknown, nothing is corrected.
    """
    flux, ivar = dereddened(spectrum, ebv)
    groups = [g for g in (_Group(flux, ivar, z, *group) for group in GROUPS) if g.is_covered]
    found = {name: LineFlux(np.nan, np.nan, np.nan, np.nan) for _, _, names in GROUPS for name in names}
    if groups:
        width = _best(WIDTHS_KM_S, groups)
        width = _best([width * step for step in FINER], groups)
        for group in groups:
            found |= group.lines(width)
    return found


def _best(widths_km_s: Sequence[float], groups: list["_Group"]) -> float:
    return min(widths_km_s, key=lambda km: sum(g.chi2(km) for g in groups))


def dereddened(spectrum: np.ndarray, ebv: float) -> np.ndarray:
    """The spectrum without Galactic dust, float (2, 4620); E(B-V) NaN = unknown, nothing is corrected."""
    dust = 10 ** (0.4 * known(ebv) * a_lambda(WAVE))
    return np.stack([np.asarray(spectrum[0], float) * dust, np.asarray(spectrum[1], float) / dust**2])


class _Group:
    """The pixels around some lines, and the fit to them."""

    def __init__(self, flux: np.ndarray, ivar: np.ndarray, z: float, low: float, high: float, names: tuple[str, ...]):
        first, last = np.searchsorted(LOGLAM, np.log10([low * (1 + z), high * (1 + z)]))
        self.z, self.names = z, names
        self.free, self.troughs = [n for n in names if n not in TIED], [n for n in names if n in TROUGH_EW]
        self.loglam, self.flux, self.ivar = LOGLAM[first:last], flux[first:last], ivar[first:last]
        near = [np.abs(self.loglam - np.log10(line(n).wave * (1 + z))) < 4 * STEP for n in names]
        self.is_covered = (self.ivar > 0).sum() > 30 and all((self.ivar[n] > 0).sum() >= 5 for n in near)

    def chi2(self, width: float) -> float:
        solution, _ = self._solve(width)
        return float((self.ivar * (self.flux - solution @ self._design(width)) ** 2).sum())

    def lines(self, width: float) -> dict[str, LineFlux]:
        solution, covariance = self._solve(width)
        out = {}
        for name in self.names:
            source, ratio = TIED.get(name, (name, 1.0))
            at = 2 + self.free.index(source)
            out[name] = self._line(name, solution[at] * ratio, np.sqrt(covariance[at, at]) * ratio, solution)
        return out

    def _line(self, name: str, flux: float, error: float, solution: np.ndarray) -> LineFlux:
        place = np.log10(line(name).wave * (1 + self.z)) - self.loglam.mean()
        continuum = float(solution[0] + solution[1] * place / (100 * STEP))
        under = continuum * (1 + self.z)
        return LineFlux(float(flux), float(error), continuum, float(flux / under) if under > 0 else np.nan)

    def _solve(self, width: float) -> tuple[np.ndarray, np.ndarray]:
        design = self._design(width)
        normal, right = (design * self.ivar) @ design.T, design @ (self.ivar * self.flux)
        for at, name in enumerate(self.troughs, len(design) - len(self.troughs)):
            mean, scatter = (ew * max(self._level(), 0.0) * (1 + self.z) for ew in TROUGH_EW[name])
            weight = 1 / max(scatter, 1e-6) ** 2
            normal[at, at], right[at] = normal[at, at] + weight, right[at] - weight * mean
        scale = 1 / np.sqrt(np.diag(normal) + 1e-30)
        covariance = np.linalg.inv(normal * np.outer(scale, scale) + 1e-12 * np.eye(len(normal))) * np.outer(scale, scale)
        return covariance @ right, covariance

    def _level(self) -> float:
        """The flux density around the lines, by the median."""
        return float(np.median(self.flux[self.ivar > 0]))

    def _design(self, width: float) -> np.ndarray:
        """Continuum (2 rows), unit-flux Gaussians of the free lines (tied lines ride on theirs), then those of the troughs."""
        rows = [np.ones_like(self.loglam), (self.loglam - self.loglam.mean()) / (100 * STEP)]
        for name in self.free:
            followers = [(other, ratio) for other, (source, ratio) in TIED.items() if source == name and other in self.names]
            rows.append(self._profile(name, width) + sum(ratio * self._profile(other, width) for other, ratio in followers))
        rows += [self._profile(name, TROUGH_KM_S) for name in self.troughs]
        return np.array(rows)

    def _profile(self, name: str, width: float) -> np.ndarray:
        wave, sigma = line(name).wave * (1 + self.z), width / LN10_C
        return np.exp(-0.5 * ((self.loglam - np.log10(wave)) / sigma) ** 2) / (sigma * np.log(10) * wave * np.sqrt(2 * np.pi))


def d4000(spectrum: np.ndarray, z: float) -> tuple[float, float]:
    """The 4000 A break and its error: mean flux density per Hz in 4000-4100 A over that in 3850-3950 A, rest.

    Balogh et al. 1999 (ApJ 527, 54), the narrow definition. NaN when a side is not covered.
    """
    rest = WAVE / (1 + z)
    flux, variance = spectrum[0] * WAVE**2, np.where(spectrum[1] > 0, 1 / np.where(spectrum[1] > 0, spectrum[1], 1), 0) * WAVE**4
    sides = [(rest >= low) & (rest < high) & (spectrum[1] > 0) for low, high in ((3850, 3950), (4000, 4100))]
    if min(side.sum() for side in sides) < 40:
        return np.nan, np.nan
    (blue, blue_error), (red, red_error) = ((flux[s].mean(), np.sqrt(variance[s].sum()) / s.sum()) for s in sides)
    if blue <= 0 or red <= 0:
        return np.nan, np.nan
    ratio = red / blue
    return float(ratio), float(ratio * np.hypot(blue_error / blue, red_error / red))
