"""The star-formation rate of a galaxy from its spectrum: a posterior of log10 of the total rate.

From Halpha where it can be had: dust from the Balmer decrement, the share outside the fibre from the r image, and what old
stars may make taken off. Otherwise from the 4000 A break, whose relation to the specific rate is wide, and which says so;
Halpha then bounds it from above, for young stars cannot make more of it than is seen.

What the noise of the spectrum does not cover has terms of its own. `DISK_EW`: star formation does not follow the r light; a fibre
that sees a bulge tells little of the disk around it. `APERTURE_DEX`: what that leaves, measured on the mock sky.
`SYSTEMATIC_DEX`: flux calibration (4 %) and the width of the lines. `COMPOSITE_DEX`: what a weak active nucleus adds.
`BREAK_DEX`: the break says little. `benchmarks/star_formation.py` measures what the posteriors are worth.
"""

from dataclasses import dataclass, field

import numpy as np
from astropy.cosmology import FlatLambdaCDM
from scipy.special import log_ndtr

from core.preprocess.spectrum import WAVE
from core.spectroscopy.aperture import aperture_correction
from core.spectroscopy.line_flux import LineFlux, d4000, dereddened, measure
from core.spectroscopy.lines import line
from core.spectroscopy.posterior import LOG_SFR_GRID, statistics

VERSION = 1
"""Of the method; stands with every rate taken from it. Raise it when the same spectrum would give another posterior."""
COSMOLOGY = FlatLambdaCDM(H0=70, Om0=0.3)
MPC_CM = 3.0857e24
HALPHA_PER_SFR = 41.27
"""log10 of Halpha luminosity (erg/s) per Msun/yr; Kennicutt & Evans 2012 (ARA&A 50, 531), table 1."""
K_HALPHA, K_HBETA = 3.33, 4.60
"""A(lambda)/E(B-V); Calzetti et al. 2000 (ApJ 533, 682)."""
CASE_B = 2.86
"""Halpha over Hbeta without dust; Osterbrock & Ferland 2006, 10,000 K."""
DUST_SCALE = 0.4
"""Scale of the half-normal prior of E(B-V) of the gas, mag: all there is where Hbeta is weak."""
DETECTED = 3.0
"""Signal-to-noise from which a line counts as seen."""
RETIRED_EW = 3.0
"""Halpha of less, A, is what old stars make by themselves; Cid Fernandes et al. 2011 (MNRAS 413, 1687). Of more, they may make
as much: anything up to it is taken off, all alike."""
DISK_EW = 40.0
"""Halpha of a star-forming disk, A, as late spirals have it; Kennicutt 1998 (ARA&A 36, 189), figure 3."""
SYSTEMATIC_DEX = 0.03
COMPOSITE_DEX = 0.1
"""What an active nucleus may add in a composite spectrum."""
APERTURE_DEX = (0.03, 0.11)
"""Scale of the aperture correction's error: a floor, and per dex of correction. Its shape is Student's t with `APERTURE_TAILS`
degrees of freedom: most disks form stars about where they shine, a few only in the nucleus or only outside."""
APERTURE_TAILS = 3
TYPICAL_APERTURE = (0.5, 0.25)
"""The correction (dex) and the scale of its error where there is no image: the median of the mock sky's galaxies."""
BREAK_RELATION = ((1.0, 1.2, 1.4, 1.6, 1.8, 2.0), (-9.0, -9.6, -10.3, -11.1, -11.8, -12.0))
"""D4000 and log10 of star formation per year and solar mass: the run of figure 11 of Brinchmann et al. 2004 (MNRAS 351, 1151), approximately."""
BREAK_DEX = 0.7
"""1-sigma error of a rate from the break: the relation's scatter, the mass, and the reading of the figure."""
DRAWS = 20_000
NO_BREAK = "The spectrum does not cover both the 4000 A break and the starlight from 4200 to 6700 A at rest, which could stand in."


@dataclass(frozen=True)
class StarFormation:
    """What a spectrum says of the total star-formation rate.

    Attributes
    ----------
    method : Halpha, D4000 or none. reason : why Halpha was not used, a sentence, or "".
    bpt : star-forming, composite, AGN or unclassified.
    posterior : (201,) probability of each bin of `core.spectroscopy.posterior.LOG_SFR_GRID`; zeros for ``none``.
    values : statistic (avg, entropy, median, mode, p2p5, p16, p84, p97p5) -> value; empty for ``none``.
    lines : name -> `LineFlux`. ebv_gas : median E(B-V) of the gas, mag; NaN unless from Halpha.
    aperture_dex : log10 of total over fibre light, and its error.
    """

    method: str
    reason: str
    bpt: str
    posterior: np.ndarray
    values: dict[str, float] = field(default_factory=dict)
    lines: dict[str, LineFlux] = field(default_factory=dict)
    ebv_gas: float = np.nan
    aperture_dex: tuple[float, float] = TYPICAL_APERTURE


def measure_sfr(spectrum: np.ndarray, z: float, ebv: float = np.nan, image_r: np.ndarray | None = None, fibre_arcsec: float = 3.0, seed: int = 0) -> StarFormation:
    """The posterior of log10 total star-formation rate (Msun/yr; H0 = 70, Om = 0.3) by Monte Carlo over the noise.

    Parameters
    ----------
    spectrum : float (2, 4620), flux (1e-17 erg/s/cm2/A) and ivar on `LOGLAM`; ivar 0 = no information.
    z : redshift. ebv : Galactic E(B-V), mag; NaN = unknown, nothing is corrected.
    image_r : (h, h) nanomaggies; None = no image, then a typical correction with its scatter is taken.
    fibre_arcsec : diameter. seed : of the draws; the same call gives the same answer.
    """
    if not z > 0.001:
        return StarFormation("none", f"z = {z:.4f} gives no distance.", "unclassified", np.zeros(len(LOG_SFR_GRID)))
    rng = np.random.default_rng(seed)
    lines, aperture = measure(spectrum, z, ebv), _aperture(image_r, fibre_arcsec)
    bpt = bpt_class(lines)
    reason = _why_not_halpha(lines, bpt, z)
    if not reason:
        log_flux, ebv_gas = _from_halpha(lines["Halpha 6565"], lines["Hbeta 4863"], rng)
        log_sfr = log_flux - 17 + _log_area(z) - HALPHA_PER_SFR
        spread = np.hypot(SYSTEMATIC_DEX, COMPOSITE_DEX * (bpt == "composite"))
        total = _spread(log_sfr + _disk(lines["Halpha 6565"], aperture[0], rng), aperture, spread, rng)
        return _answer("Halpha", reason, bpt, total, lines, aperture, float(np.median(ebv_gas)))
    log_sfr, error = _from_break(spectrum, z, ebv)
    if not np.isfinite(log_sfr):
        return StarFormation("none", f"{reason} {NO_BREAK}", bpt, np.zeros(len(LOG_SFR_GRID)), {}, lines, np.nan, aperture)
    in_fibre = _below_halpha(log_sfr + np.hypot(error, BREAK_DEX) * rng.standard_normal(DRAWS), lines["Halpha 6565"], z, rng)
    draws = _spread(in_fibre, aperture, SYSTEMATIC_DEX, rng)
    return _answer("D4000", f"{reason} The 4000 A break stands in, with a wide posterior.", bpt, draws, lines, aperture, np.nan)


def bpt_class(lines: dict[str, LineFlux]) -> str:
    """star-forming, composite, AGN, or unclassified when one of the four lines is not seen.

    Below the line of Kauffmann et al. 2003 (MNRAS 346, 1055), above that of Kewley et al. 2001 (ApJ 556, 121), or between.
    """
    four = [lines[name] for name in ("[NII] 6585", "Halpha 6565", "[OIII] 5008", "Hbeta 4863")]
    if not all(found.flux > DETECTED * found.error for found in four):
        return "unclassified"
    nitrogen, halpha, oxygen, hbeta = (np.log10(found.flux) for found in four)
    x, y = nitrogen - halpha, oxygen - hbeta
    if x >= 0.47 or y > 0.61 / (x - 0.47) + 1.19:
        return "AGN"
    return "composite" if x >= 0.05 or y > 0.61 / (x - 0.05) + 1.3 else "star-forming"


def _why_not_halpha(lines: dict[str, LineFlux], bpt: str, z: float) -> str:
    halpha, place = lines["Halpha 6565"], line("Halpha 6565").wave * (1 + z)
    if not np.isfinite(halpha.flux):
        return f"Halpha lies at {place:.0f} A, where this spectrum has no information."
    if bpt == "AGN":
        return "An active nucleus lights the gas (above the line of Kewley et al. 2001)."
    if halpha.flux < DETECTED * halpha.error:
        return f"Halpha is not seen (S/N {halpha.flux / halpha.error:.1f})."
    if halpha.equivalent_width < RETIRED_EW:
        return f"Halpha is no stronger than old stars make it (equivalent width {halpha.equivalent_width:.1f} A)."
    return ""


def _from_halpha(halpha: LineFlux, hbeta: LineFlux, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draws of log10 of the Halpha flux that young stars make, without dust (1e-17 erg/s/cm2), and of E(B-V); `DRAWS` each.

    E(B-V) comes from its posterior given both lines (half-normal prior, 0 or more), then the flux from its own given E(B-V).
    Both fluxes have Gaussian errors, as the propagation of ivar through the linear fit of the lines gives them.
    """
    grid = np.arange(0, 2, 0.005) + 0.0025
    log_p = -0.5 * (grid / DUST_SCALE) ** 2
    if np.isfinite(hbeta.flux):
        ratio = _balmer_ratio(grid)
        variance = hbeta.error**2 + (ratio * halpha.error) ** 2
        log_p -= 0.5 * (hbeta.flux - ratio * halpha.flux) ** 2 / variance + 0.5 * np.log(variance)
    p = np.exp(log_p - log_p.max())
    ebv = rng.choice(grid, DRAWS, p=p / p.sum()) + rng.uniform(-0.0025, 0.0025, DRAWS)
    weight, mean = np.full(DRAWS, halpha.error**-2), np.full(DRAWS, halpha.flux)
    if np.isfinite(hbeta.flux):
        ratio = _balmer_ratio(ebv)
        weight = halpha.error**-2 + (ratio / hbeta.error) ** 2
        mean = (halpha.flux / halpha.error**2 + ratio * hbeta.flux / hbeta.error**2) / weight
    flux = mean + rng.standard_normal(DRAWS) / np.sqrt(weight)
    young = flux - RETIRED_EW * rng.uniform(0, 1, DRAWS) * halpha.flux / halpha.equivalent_width
    return np.log10(np.maximum(young, 0.05 * mean)) + 0.4 * K_HALPHA * ebv, ebv


def _balmer_ratio(ebv: np.ndarray) -> np.ndarray:
    """Hbeta over Halpha behind dust."""
    return 10 ** (-0.4 * (K_HBETA - K_HALPHA) * ebv) / CASE_B


def _from_break(spectrum: np.ndarray, z: float, ebv: float) -> tuple[float, float]:
    """log10 rate of what the fibre sees, by the 4000 A break and the mass, and its error from noise; NaN where either is not covered."""
    clean = dereddened(spectrum, ebv)
    index, error = d4000(clean, z)
    log_mass = _log_mass(clean, z)
    at, rates = BREAK_RELATION
    low, middle, high = np.interp([index - error, index, index + error], at, rates)
    return float(log_mass + middle), float((low - high) / 2)


def _below_halpha(log_sfr: np.ndarray, halpha: LineFlux, z: float, rng: np.random.Generator) -> np.ndarray:
    """Draws of the rate in the fibre as likely as the Halpha that is seen lets them be, whatever else may light some of it:
    young stars cannot make more than all. Dust by its prior; all draws alike where Halpha is not covered."""
    if not np.isfinite(halpha.flux):
        return log_sfr
    dust = DUST_SCALE * np.abs(rng.standard_normal(DRAWS))
    made = 10 ** (log_sfr + HALPHA_PER_SFR + 17 - _log_area(z) - 0.4 * K_HALPHA * dust)
    log_p = log_ndtr((halpha.flux - made) / halpha.error)
    p = np.exp(log_p - log_p.max())
    return rng.choice(log_sfr, DRAWS, p=p / p.sum())


def _log_mass(spectrum: np.ndarray, z: float) -> float:
    """log10 stellar mass in the fibre (Msun, Kroupa) from rest g - r: Bell et al. 2003 (ApJS 149, 289), table 7, less 0.15 dex;
    the Sun has M_r = 4.65 (Willmer 2018, ApJS 236, 47). NaN where g or r is not covered."""
    rest, good = WAVE / (1 + z), spectrum[1] > 0
    absolute = []
    for low, high in ((4200, 5200), (5700, 6700)):
        here = (rest > low) & (rest < high) & good
        per_hertz = np.mean(spectrum[0, here] * WAVE[here] ** 2) * 1e-17 / 2.998e18 if here.sum() > 300 else np.nan
        at_10_pc = per_hertz / (1 + z) * (COSMOLOGY.luminosity_distance(z).value / 1e-5) ** 2
        absolute.append(-2.5 * np.log10(at_10_pc) - 48.6 if at_10_pc > 0 else np.nan)
    g, r = absolute
    return float(-0.306 + 1.097 * np.clip(g - r, 0, 1) - 0.15 - 0.4 * (r - 4.65))


def _aperture(image_r: np.ndarray | None, fibre_arcsec: float) -> tuple[float, float]:
    """log10 correction and all of its error."""
    correction, noise = (np.nan, np.nan) if image_r is None else aperture_correction(image_r, fibre_arcsec)
    if not np.isfinite(correction):
        return TYPICAL_APERTURE
    floor, slope = APERTURE_DEX
    return correction, float(np.sqrt(noise**2 + floor**2 + (slope * correction) ** 2))


def _disk(halpha: LineFlux, correction: float, rng: np.random.Generator) -> np.ndarray:
    """What the light outside the fibre forms more than by the fibre's own measure, dex; `DRAWS`.

    A fibre with weak Halpha sees a bulge, and the disk around it may be as strong as `DISK_EW`, or no stronger: anything between, all alike.
    """
    contrast = max(DISK_EW / halpha.equivalent_width, 1.0) ** rng.uniform(0, 1, DRAWS)
    return np.log10(1 + (10 ** max(correction, 0.0) - 1) * contrast) - max(correction, 0.0)


def _log_area(z: float) -> float:
    """log10 of the sphere that the light has reached, cm2."""
    return float(np.log10(4 * np.pi) + 2 * np.log10(COSMOLOGY.luminosity_distance(z).value * MPC_CM))


def _spread(draws: np.ndarray, aperture: tuple[float, float], systematic: float, rng: np.random.Generator) -> np.ndarray:
    return draws + aperture[0] + aperture[1] * rng.standard_t(APERTURE_TAILS, DRAWS) + systematic * rng.standard_normal(DRAWS)


def _answer(method: str, reason: str, bpt: str, draws: np.ndarray, lines: dict[str, LineFlux], aperture: tuple[float, float], ebv_gas: float) -> StarFormation:
    step = LOG_SFR_GRID[1] - LOG_SFR_GRID[0]
    bins = np.clip(np.round((draws - LOG_SFR_GRID[0]) / step).astype(int), 0, len(LOG_SFR_GRID) - 1)
    p = np.bincount(bins, minlength=len(LOG_SFR_GRID)) / len(draws)
    values = {name: float(value[0]) for name, value in statistics(p[None]).items()}
    return StarFormation(method, reason, bpt, p, values, lines, ebv_gas, aperture)
