"""The redshift of a spectrum by itself: chi-square of template bases against every trial z.

On a log-lambda grid a redshift is a shift, so the normal equations of all trial redshifts are
correlations, done by FFT; one batched solve then gives chi-square against z. Bases with broad
features only are fitted on coarser pixels.
"""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from core.preprocess.spectrum import LOGLAM, STEP, WAVE
from core.spectroscopy.basis import LN10_C, Basis, galaxy_basis, quasar_basis, read_eigentemplates
from core.spectroscopy.curve import NO_CURVE, Chi2Curve, joined
from core.spectroscopy.sky import in_sky_feature

SAME_KM_S = 1000.0
"""Two redshifts nearer than this are one candidate."""
RIGHT_KM_S = {"GALAXY": 1000.0, "STAR": 1000.0, "QSO": 3000.0}
"""How near to the truth a redshift counts as right; the broad lines of quasars are shifted among themselves by as much."""
STAR_KM_S = 450.0
"""A galaxy template that fits best at less than this is a star of the Milky Way."""
COEFFICIENT_COST = float(np.log(len(LOGLAM)))
"""chi-square that each template and polynomial of a basis has to earn when classes compete (Schwarz 1978, Ann. Stat. 6,
461): quasars, own or of SDSS's eigentemplates, have five more than galaxies and must fit better by 42."""
CONFIDENCE = (-3.55, 1.4)
"""Logistic intercept and slope in sqrt(evidence), fitted to SDSS spectra of known outcome
with noise added, and sky fibres: `benchmarks/redshift.py` prints the fit and its calibration."""
CONFIDENT = 0.9
MOST_EVIDENCE = 400.0
"""More of it makes nobody surer."""
SIGNAL = 0.3
"""Median flux over noise below which an ambiguous spectrum is called empty."""
SKY_SHARE = 0.5
"""Share of the evidence from sky pixels above which a redshift is suspect."""
CLEAR_LINE = 5.0
_SMOOTH = np.linspace(-1, 1, len(LOGLAM)) ** np.arange(6)[:, None]
_FEATURES = in_sky_feature(WAVE)


@dataclass(frozen=True)
class Candidate:
    """One minimum of chi-square: redshift, its 1-sigma error, chi2 above the best, class."""

    z: float
    z_err: float
    delta_chi2: float
    spectral_class: str


@dataclass(frozen=True)
class RedshiftFit:
    """What the template fit says of one spectrum.

    Attributes
    ----------
    z, z_err : best redshift and its error; NaN when there is no usable pixel.
    confidence : probability that z is within `RIGHT_KM_S` of the true one.
    spectral_class : GALAXY, QSO or STAR. warning : a sentence, or "".
    evidence : chi-square between the best redshift and the next, less the share of it that comes from sky pixels.
    candidates : up to five of any class, best first, more than 1000 km/s apart.
    curve : chi-square and probability of every redshift: ``confidence`` of it within 1000 km/s of the best.
    model : the best fit on `LOGLAM`, in the spectrum's unit, (4620,).
    """

    z: float
    z_err: float
    confidence: float
    spectral_class: str
    warning: str
    evidence: float
    candidates: tuple[Candidate, ...]
    curve: Chi2Curve
    model: np.ndarray


class Fitter:
    """A basis with its transforms computed once; fits spectra one after another.

    Trial redshifts and pixels are both ``basis.every`` pixels of `LOGLAM` wide: chi-square loses
    the scatter inside a coarse pixel, which no template of the basis could explain, and gets it back as a constant.
    """

    def __init__(self, basis: Basis):
        self.basis, self.every = basis, basis.every
        low, high = (int(np.round(np.log10(1 + z) / STEP)) for z in (basis.z_low, basis.z_high))
        self.shifts = np.arange(self.every * (low // self.every), high + 1, self.every)
        self.templates, self.first = _padded(basis, self.shifts)
        coarse = self._binned(self.templates) / self.every
        self.offsets = (self.first - self.shifts) // self.every
        self.length = next_fast_len(coarse.shape[1] + len(LOGLAM) // self.every, real=True)
        self.pairs = np.array([(i, j) for i, j in zip(*np.triu_indices(len(coarse)), strict=True) if (coarse[i] * coarse[j]).any()]).T
        self.spectra = rfft(coarse, self.length)
        self.products = rfft(coarse[self.pairs[0]] * coarse[self.pairs[1]], self.length)
        self.polynomials = np.linspace(-1, 1, len(LOGLAM)) ** np.arange(basis.polynomials)[:, None]
        self.coarse_polynomials = self._binned(self.polynomials) / self.every

    def chi2(self, flux: np.ndarray, ivar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """chi-square (S,) and coefficients (S, K + P) at every trial redshift; flux, ivar (4620,)."""
        matrix, vector = self._normal_equations(self._binned(ivar * flux), self._binned(ivar))
        diagonal = np.einsum("sii->si", matrix)
        scale = np.abs(diagonal).max(axis=0, keepdims=True) + 1e-30
        dead = diagonal < 1e-6 * scale
        norm = np.sqrt(np.where(dead, scale, diagonal))
        matrix = np.where(dead[:, :, None] | dead[:, None, :], 0, matrix / (norm[:, :, None] * norm[:, None, :]))
        np.einsum("sii->si", matrix)[...] += np.where(dead, 1, 1e-7)
        right = np.where(dead, 0, vector) / norm
        solution = np.linalg.solve(matrix, right[..., None])[..., 0]
        return float(flux @ (ivar * flux)) - np.einsum("sk,sk->s", solution, right), solution / norm

    def model(self, index: int, coefficients: np.ndarray) -> np.ndarray:
        """The fitted spectrum at trial redshift ``index``, (4620,)."""
        start = self.first - self.shifts[index]
        return coefficients @ np.vstack([self.templates[:, start : start + len(LOGLAM)], self.polynomials])

    def _normal_equations(self, weighted_flux: np.ndarray, ivar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        k, p = len(self.templates), len(self.polynomials)
        matrix, vector = np.zeros((len(self.shifts), k + p, k + p)), np.zeros((len(self.shifts), k + p))
        among = self._correlate(self.products, ivar).T
        matrix[:, self.pairs[0], self.pairs[1]] = among
        matrix[:, self.pairs[1], self.pairs[0]] = among
        for j, polynomial in enumerate(self.coarse_polynomials):
            matrix[:, :k, k + j] = matrix[:, k + j, :k] = self._correlate(self.spectra, ivar * polynomial).T
        matrix[:, k:, k:] = (self.coarse_polynomials * ivar) @ self.coarse_polynomials.T
        vector[:, :k] = self._correlate(self.spectra, weighted_flux).T
        vector[:, k:] = self.coarse_polynomials @ weighted_flux
        return matrix, vector

    def _correlate(self, transforms: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Sum over pixels i of values[i] * template[i + offset], for all templates and offsets."""
        return irfft(transforms * np.conj(rfft(values, self.length)), self.length)[..., self.offsets]

    def _binned(self, values: np.ndarray) -> np.ndarray:
        """Sums over neighbouring pixels, ``every`` together, along the last axis."""
        return values.reshape(*values.shape[:-1], -1, self.every).sum(axis=-1)


@cache
def default_fitters() -> tuple[Fitter, ...]:
    """The product's own galaxy and quasar bases."""
    return fitters_with(())


@cache
def fitters_with(paths: tuple[Path, ...]) -> tuple[Fitter, ...]:
    """Eigentemplate files in SDSS's format, and the product's own basis for galaxies or quasars where no file holds that class."""
    given = [basis for path in paths for basis in read_eigentemplates(path)]
    own = [basis for basis in (galaxy_basis(), quasar_basis()) if basis.spectral_class not in {b.spectral_class for b in given}]
    return tuple(Fitter(basis) for basis in (*own, *given))


def fit_redshift(spectrum: np.ndarray, fitters: tuple[Fitter, ...] | None = None) -> RedshiftFit:
    """Fit one spectrum with every basis and say which redshift, class and confidence follow.

    Parameters
    ----------
    spectrum : float (2, 4620), flux and inverse variance on `LOGLAM`; ivar 0 = no information.
    fitters : one per basis; the product's own by default. Class comes from the basis.

    Notes
    -----
    Redshift to a fraction of a pixel and its error come from the parabola through the minimum.
    Between classes each coefficient costs `COEFFICIENT_COST`: quasar templates bend more freely.
    """
    flux, ivar = np.asarray(spectrum, float)
    usable = int((ivar > 0).sum())
    if usable < 200:
        return _nothing(f"Only {usable} usable pixels: no redshift can be fitted.")
    curves = [_Curve(fitter, *fitter.chi2(flux, ivar)) for fitter in fitters or default_fitters()]
    best = min(curves, key=lambda curve: curve.handicapped.min())
    candidates = _candidates(curves, 5)
    delta = candidates[1].delta_chi2 if len(candidates) > 1 else MOST_EVIDENCE
    index = int(best.chi2.argmin())
    model = best.fitter.model(index, best.coefficients[index])
    in_sky = _share_in_sky(flux, ivar, model)
    evidence = delta * (1 - in_sky)
    sure = confidence(evidence)
    curve = joined([(c.fitter.basis.spectral_class, c.fitter.shifts, c.handicapped) for c in curves], sure, SAME_KM_S / LN10_C)
    return RedshiftFit(
        candidates[0].z, candidates[0].z_err, sure, candidates[0].spectral_class, _warning(sure, flux, ivar, in_sky, delta), evidence,
        candidates, curve, model,
    )


def confidence(evidence: float, logistic: tuple[float, float] = CONFIDENCE) -> float:
    """Probability that a redshift is right; ``evidence`` is `RedshiftFit.evidence`.

    >>> confidence(0.0) < 0.05, confidence(100.0) > 0.99
    (True, True)
    """
    intercept, slope = logistic
    return float(1 / (1 + np.exp(-(intercept + slope * np.sqrt(min(evidence, MOST_EVIDENCE))))))


@dataclass(frozen=True)
class _Curve:
    """chi-square (S,) and coefficients (S, K + P) of one basis."""

    fitter: Fitter
    chi2: np.ndarray
    coefficients: np.ndarray

    @property
    def handicapped(self) -> np.ndarray:
        """chi-square as it competes with that of other classes, (S,)."""
        return self.chi2 + COEFFICIENT_COST * self.coefficients.shape[1]


def _candidates(curves: list[_Curve], count: int) -> tuple[Candidate, ...]:
    """The best minima of all curves; each excludes what lies within `SAME_KM_S` of it."""
    minima = sorted((found for curve in curves for found in _minima(curve, 2 * count)), key=lambda found: found.delta_chi2)
    kept: list[Candidate] = []
    for found in minima:
        if all(_km_s(found.z, other.z) >= SAME_KM_S for other in kept) and len(kept) < count:
            kept.append(replace(found, delta_chi2=found.delta_chi2 - minima[0].delta_chi2))
    return tuple(kept)


def _minima(curve: _Curve, count: int) -> list[Candidate]:
    """The lowest points of one curve, ``delta_chi2`` still counted from 0."""
    fitter, remaining, found = curve.fitter, curve.handicapped, []
    while len(found) < count and np.isfinite(remaining).any():
        index = int(remaining.argmin())
        z, z_err = _parabola(fitter, curve.chi2, index)
        is_star = fitter.basis.spectral_class == "GALAXY" and _km_s(z, 0.0) < STAR_KM_S
        found.append(Candidate(z, z_err, float(remaining[index]), "STAR" if is_star else fitter.basis.spectral_class))
        remaining[np.abs(fitter.shifts - fitter.shifts[index]) * STEP * LN10_C < SAME_KM_S] = np.inf
    return found


def _km_s(z: float, other: float) -> float:
    """How far apart two redshifts are as velocities on the log-lambda grid."""
    return abs(np.log10((1 + z) / (1 + other))) * LN10_C


def _parabola(fitter: Fitter, chi2: np.ndarray, index: int) -> tuple[float, float]:
    """Redshift and 1-sigma error (delta chi2 = 1) from the three points around a minimum."""
    at = int(np.clip(index, 1, len(chi2) - 2))
    left, middle, right = chi2[at - 1 : at + 2]
    curvature = max(left - 2 * middle + right, 1e-3)
    shift = np.clip(0.5 * (left - right) / curvature, -1, 1) if at == index else 0.0
    z = 10 ** ((fitter.shifts[index] + shift * fitter.every) * STEP) - 1
    return float(z), float((1 + z) * np.log(10) * STEP * fitter.every * np.sqrt(2 / curvature))


def _warning(sure: float, flux: np.ndarray, ivar: np.ndarray, in_sky: float, delta: float) -> str:
    usable = int((ivar > 0).sum())
    if usable < len(LOGLAM) // 2:
        return f"Little coverage: {usable} of {len(LOGLAM)} pixels carry information."
    if sure < CONFIDENT and np.median((flux * np.sqrt(ivar))[ivar > 0]) < SIGNAL:
        return "No signal: the spectrum is compatible with empty sky."
    if in_sky > SKY_SHARE:
        return f"Sky residual: {in_sky:.0%} of what speaks for this redshift lies where the night sky or the air is bright."
    if sure < CONFIDENT:
        return f"Ambiguous: another redshift fits nearly as well (delta chi2 {delta:.1f})."
    return ""


def _share_in_sky(flux: np.ndarray, ivar: np.ndarray, model: np.ndarray) -> float:
    """Share of the chi-square gained over a smooth curve that comes from where the sky is bright: its listed features and
    pixels with twice the variance of their surroundings. Lines of more than `CLEAR_LINE` sigma a pixel are the object's own."""
    smooth = np.linalg.solve((_SMOOTH * ivar) @ _SMOOTH.T, _SMOOTH @ (ivar * flux)) @ _SMOOTH
    gain = ivar * ((flux - smooth) ** 2 - (flux - model) ** 2)
    is_sky = (_FEATURES | (ivar < 0.5 * _typical(ivar))) & (np.abs(model - smooth) * np.sqrt(ivar) < CLEAR_LINE)
    total = gain.sum()
    return float(np.clip(gain[is_sky].sum() / total, 0, 1)) if total > 0 else 0.0


def _typical(ivar: np.ndarray) -> np.ndarray:
    """Median of every 140 pixels, (4620,); 0 where most of them carry no information."""
    return np.repeat(np.median(ivar.reshape(-1, 140), axis=1), 140)


def _nothing(warning: str) -> RedshiftFit:
    return RedshiftFit(np.nan, np.nan, 0.0, "", warning, 0.0, (), NO_CURVE, np.zeros(len(LOGLAM)))


def _padded(basis: Basis, shifts: np.ndarray) -> tuple[np.ndarray, int]:
    """Templates as far as trial redshifts look, with zeros where they end sooner, and the pixel that z = 0 starts at;
    both count in whole ``every``."""
    start = int(np.round((LOGLAM[0] - basis.loglam0) / STEP)) - shifts[-1]
    length = int(shifts[-1] - shifts[0] + len(LOGLAM))
    inside = basis.templates[:, max(start, 0) : max(start + length, 0)]
    before = max(-start, 0)
    padding = ((0, 0), (before, length + -length % basis.every - before - inside.shape[1]))
    return np.pad(inside, padding), int(shifts[-1])
