"""The redshift of a spectrum by itself: chi-square of template bases against every trial z.

On a log-lambda grid a redshift is a shift, so the normal equations of all trial redshifts are
correlations, done by FFT; one batched solve then gives chi-square against z.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from core.preprocess.spectrum import LOGLAM, STEP
from core.spectroscopy.basis import LN10_C, Basis, galaxy_basis, quasar_basis

SAME_KM_S = 1000.0
"""Two redshifts nearer than this are one candidate."""
STAR_KM_S = 450.0
"""A galaxy template that fits best at less than this is a star of the Milky Way."""
QUASAR_GAIN = 25.0
"""chi-square by which quasar templates must beat galaxies before the class changes."""
CONFIDENCE = (-3.7, 1.3)
"""Logistic intercept and slope in sqrt(delta chi-square), fitted to SDSS spectra of known outcome
with noise added, and sky fibres: `benchmarks/redshift.py` prints the fit and its calibration."""
CONFIDENT = 0.9


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
    confidence : probability that z is within 1000 km/s of the true one.
    spectral_class : GALAXY, QSO or STAR. warning : a sentence, or "".
    candidates : up to five, best first, more than 1000 km/s apart.
    z_s, delta_chi2_s : the curve of the winning class, chi2 above its minimum, (S,).
    model : the best fit on `LOGLAM`, in the spectrum's unit, (4620,).
    """

    z: float
    z_err: float
    confidence: float
    spectral_class: str
    warning: str
    candidates: tuple[Candidate, ...]
    z_s: np.ndarray
    delta_chi2_s: np.ndarray
    model: np.ndarray


class Fitter:
    """A basis with its transforms computed once; fits spectra one after another."""

    def __init__(self, basis: Basis):
        self.basis = basis
        low, high = (int(np.round(np.log10(1 + z) / STEP)) for z in (basis.z_low, basis.z_high))
        self.shifts = np.arange(low, high + 1, basis.every)
        self.z_s = 10 ** (self.shifts * STEP) - 1
        self.templates, first = _padded(basis, low, high)
        self.offsets = first - self.shifts
        self.length = next_fast_len(self.templates.shape[1] + len(LOGLAM), real=True)
        self.upper = np.triu_indices(len(self.templates))
        self.spectra = rfft(self.templates, self.length)
        self.products = rfft(self.templates[self.upper[0]] * self.templates[self.upper[1]], self.length)
        self.polynomials = np.linspace(-1, 1, len(LOGLAM)) ** np.arange(basis.polynomials)[:, None]

    def chi2(self, flux: np.ndarray, ivar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """chi-square (S,) and coefficients (S, K + P) at every trial redshift; flux, ivar (4620,)."""
        matrix, vector = self._normal_equations(flux, ivar)
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
        start = self.offsets[index]
        return coefficients @ np.vstack([self.templates[:, start : start + len(LOGLAM)], self.polynomials])

    def _normal_equations(self, flux: np.ndarray, ivar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        k, p = len(self.templates), len(self.polynomials)
        matrix, vector = np.zeros((len(self.shifts), k + p, k + p)), np.zeros((len(self.shifts), k + p))
        among = self._correlate(self.products, ivar).T
        matrix[:, self.upper[0], self.upper[1]] = among
        matrix[:, self.upper[1], self.upper[0]] = among
        for j, polynomial in enumerate(self.polynomials):
            matrix[:, :k, k + j] = matrix[:, k + j, :k] = self._correlate(self.spectra, ivar * polynomial).T
        matrix[:, k:, k:] = (self.polynomials * ivar) @ self.polynomials.T
        vector[:, :k] = self._correlate(self.spectra, ivar * flux).T
        vector[:, k:] = self.polynomials @ (ivar * flux)
        return matrix, vector

    def _correlate(self, transforms: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Sum over pixels i of values[i] * template[i + offset], for all templates and offsets."""
        return irfft(transforms * np.conj(rfft(values, self.length)), self.length)[..., self.offsets]


@cache
def default_fitters() -> tuple[Fitter, ...]:
    """The product's own galaxy and quasar bases."""
    return Fitter(galaxy_basis()), Fitter(quasar_basis())


def fit_redshift(spectrum: np.ndarray, fitters: tuple[Fitter, ...] | None = None) -> RedshiftFit:
    """Fit one spectrum with every basis and say which redshift, class and confidence follow.

    Parameters
    ----------
    spectrum : float (2, 4620), flux and inverse variance on `LOGLAM`; ivar 0 = no information.
    fitters : one per basis; the product's own by default. Class comes from the basis.

    Notes
    -----
    Redshift to a fraction of a pixel and its error come from the parabola through the minimum.
    """
    flux, ivar = np.asarray(spectrum, float)
    usable = int((ivar > 0).sum())
    if usable < 200:
        return _nothing(f"Only {usable} usable pixels: no redshift can be fitted.")
    fits = [(fitter, *fitter.chi2(flux, ivar)) for fitter in fitters or default_fitters()]
    best = min(range(len(fits)), key=lambda i: fits[i][1].min() + (QUASAR_GAIN if fits[i][0].basis.spectral_class == "QSO" else 0))
    fitter, chi2, coefficients = fits[best]
    candidates = _candidates(fitter, chi2, 5)
    delta = candidates[1].delta_chi2 if len(candidates) > 1 else np.inf
    index = int(chi2.argmin())
    confidence = _confidence(delta)
    return RedshiftFit(
        candidates[0].z, candidates[0].z_err, confidence, candidates[0].spectral_class, _warning(confidence, usable, flux, ivar, delta),
        candidates, fitter.z_s, chi2 - chi2.min(), fitter.model(index, coefficients[index]),
    )


def _candidates(fitter: Fitter, chi2: np.ndarray, count: int) -> tuple[Candidate, ...]:
    found, remaining = [], chi2.copy()
    while len(found) < count and np.isfinite(remaining).any():
        index = int(remaining.argmin())
        z, z_err = _parabola(fitter, chi2, index)
        is_star = fitter.basis.spectral_class == "GALAXY" and abs(np.log10(1 + z)) * LN10_C < STAR_KM_S
        found.append(Candidate(z, z_err, float(chi2[index] - chi2.min()), "STAR" if is_star else fitter.basis.spectral_class))
        remaining[np.abs(fitter.shifts - fitter.shifts[index]) * STEP * LN10_C < SAME_KM_S] = np.inf
    return tuple(found)


def _parabola(fitter: Fitter, chi2: np.ndarray, index: int) -> tuple[float, float]:
    """Redshift and 1-sigma error (delta chi2 = 1) from the three points around a minimum."""
    at = int(np.clip(index, 1, len(chi2) - 2))
    left, middle, right = chi2[at - 1 : at + 2]
    curvature = max(left - 2 * middle + right, 1e-3)
    shift = np.clip(0.5 * (left - right) / curvature, -1, 1) if at == index else 0.0
    z = 10 ** ((fitter.shifts[index] + shift * fitter.basis.every) * STEP) - 1
    return float(z), float((1 + z) * np.log(10) * STEP * fitter.basis.every * np.sqrt(2 / curvature))


def _confidence(delta_chi2: float) -> float:
    intercept, slope = CONFIDENCE
    return float(1 / (1 + np.exp(-(intercept + slope * np.sqrt(min(delta_chi2, 400.0))))))


def _warning(confidence: float, usable: int, flux: np.ndarray, ivar: np.ndarray, delta: float) -> str:
    if usable < len(LOGLAM) // 2:
        return f"Little coverage: {usable} of {len(LOGLAM)} pixels carry information."
    if np.median((flux * np.sqrt(ivar))[ivar > 0]) < 0.3 and confidence < CONFIDENT:
        return "No signal: the spectrum is compatible with empty sky."
    if confidence < CONFIDENT:
        return f"Ambiguous: another redshift fits nearly as well (delta chi2 {delta:.1f})."
    return ""


def _nothing(warning: str) -> RedshiftFit:
    empty = np.empty(0)
    return RedshiftFit(np.nan, np.nan, 0.0, "", warning, (), empty, empty, np.zeros(len(LOGLAM)))


def _padded(basis: Basis, low: int, high: int) -> tuple[np.ndarray, int]:
    """Templates with zeros where trial redshifts look beyond them, and the pixel that z = 0 starts at."""
    start = int(np.round((LOGLAM[0] - basis.loglam0) / STEP))
    before = max(0, high - start)
    after = max(0, start - low + len(LOGLAM) - basis.templates.shape[1])
    return np.pad(basis.templates, ((0, 0), (before, after))), start + before
