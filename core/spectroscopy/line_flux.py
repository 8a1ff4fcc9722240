"""Emission-line fluxes of a spectrum at a known redshift.

Each group of neighbouring lines is a straight local continuum plus Gaussians of one common
width, fitted by weighted least squares: fluxes and their covariance follow in closed form.
"""

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
"""1-sigma widths tried, instrument included; the one with the lowest chi-square over all groups is taken."""
ABSORPTION_EW = {"Halpha 6565": (1.3, 0.4), "Hbeta 4863": (1.6, 0.4)}
"""Equivalent width (A, rest) of the stellar absorption under Balmer lines and its scatter; Hopkins et al. 2003 (ApJ 599, 971)."""


@dataclass(frozen=True)
class LineFlux:
    """One line: flux and error in 1e-17 erg/s/cm2, continuum under it in 1e-17 erg/s/cm2/A, rest equivalent width in A
    (positive in emission). Balmer fluxes are corrected for stellar absorption. NaN where the line is not covered."""

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
    dust = 10 ** (0.4 * known(ebv) * a_lambda(WAVE))
    flux, ivar = np.asarray(spectrum[0], float) * dust, np.asarray(spectrum[1], float) / dust**2
    groups = [g for g in (_Group(flux, ivar, z, *group) for group in GROUPS) if g.is_covered]
    found = {name: LineFlux(np.nan, np.nan, np.nan, np.nan) for _, _, names in GROUPS for name in names}
    if groups:
        width = min(WIDTHS_KM_S, key=lambda km: sum(g.chi2(km) for g in groups))
        for group in groups:
            found |= group.lines(width)
    return found


class _Group:
    """The pixels around some lines, and the fit to them."""

    def __init__(self, flux: np.ndarray, ivar: np.ndarray, z: float, low: float, high: float, names: tuple[str, ...]):
        first, last = np.searchsorted(LOGLAM, np.log10([low * (1 + z), high * (1 + z)]))
        self.z, self.names = z, names
        self.loglam, self.flux, self.ivar = LOGLAM[first:last], flux[first:last], ivar[first:last]
        near = [np.abs(self.loglam - np.log10(line(n).wave * (1 + z))) < 4 * STEP for n in names]
        self.is_covered = (self.ivar > 0).sum() > 30 and all((self.ivar[n] > 0).sum() >= 5 for n in near)

    def chi2(self, width: float) -> float:
        solution, _, _ = self._solve(width)
        return -float(solution @ (self._design(width) @ (self.ivar * self.flux)))

    def lines(self, width: float) -> dict[str, LineFlux]:
        solution, covariance, free = self._solve(width)
        out = {}
        for name in self.names:
            source, ratio = TIED.get(name, (name, 1.0))
            at = 2 + free.index(source)
            out[name] = self._corrected(name, solution[at] * ratio, np.sqrt(covariance[at, at]) * ratio, solution)
        return out

    def _corrected(self, name: str, flux: float, error: float, solution: np.ndarray) -> LineFlux:
        place = np.log10(line(name).wave * (1 + self.z)) - self.loglam.mean()
        continuum = float(solution[0] + solution[1] * place / (100 * STEP))
        width, scatter = ABSORPTION_EW.get(name, (0.0, 0.0))
        under = max(continuum, 0.0) * (1 + self.z)
        flux, error = flux + width * under, np.hypot(error, scatter * under)
        return LineFlux(float(flux), float(error), continuum, float(flux / under) if under > 0 else np.nan)

    def _solve(self, width: float) -> tuple[np.ndarray, np.ndarray, list[str]]:
        design = self._design(width)
        normal = (design * self.ivar) @ design.T
        covariance = np.linalg.inv(normal + 1e-12 * np.trace(normal) * np.eye(len(normal)))
        return covariance @ (design @ (self.ivar * self.flux)), covariance, [n for n in self.names if n not in TIED]

    def _design(self, width: float) -> np.ndarray:
        """Continuum (2 rows) and unit-flux Gaussians of the free lines; tied lines ride on theirs."""
        rows = [np.ones_like(self.loglam), (self.loglam - self.loglam.mean()) / (100 * STEP)]
        for name in (n for n in self.names if n not in TIED):
            followers = [(other, ratio) for other, (source, ratio) in TIED.items() if source == name and other in self.names]
            rows.append(self._profile(name, width) + sum(ratio * self._profile(other, width) for other, ratio in followers))
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
