"""Template-fit redshifts on made spectra of known z, and on real ones."""

import numpy as np
import pytest
from astropy.io import fits

from core.errors import BadInput
from core.preprocess.spectrum import LOGLAM, STEP
from core.spectroscopy.basis import galaxy_basis, quasar_basis, read_eigentemplates
from core.spectroscopy.redshift import Fitter, default_fitters, fit_redshift, fitters_with


def observed(basis, weights, z, noise, seed=0):
    """A spectrum (2, 4620) of a basis at redshift z, scaled to 1, with white noise."""
    rest = basis.loglam0 + STEP * np.arange(basis.templates.shape[1])
    flux = np.interp(LOGLAM - np.log10(1 + z), rest, np.asarray(weights, float) @ basis.templates)
    flux /= np.median(np.abs(flux))
    return np.stack([flux + noise * np.random.default_rng(seed).standard_normal(len(LOGLAM)), np.full(len(LOGLAM), noise**-2)])


GALAXY = [1, 0.5, 1, 0.2, 0.3, 0.4, 0.6, 0.3, 0.2, 0.2]
QUASAR = [0, 3, 1, 2, 1, 0, 1, 0.5, 0.5, 0.3, 0, 0, 0, 4, 0.3, 0.1]


@pytest.mark.parametrize("z", [0.0213, 0.21374, 0.8, 1.25])
def test_fit_finds_a_galaxy_within_its_own_error(z):
    fit = fit_redshift(observed(galaxy_basis(), GALAXY, z, 0.3))
    assert fit.spectral_class == "GALAXY" and fit.warning == "" and fit.confidence > 0.99
    assert abs(fit.z - z) < 4 * fit.z_err < 1e-3


def test_errors_of_redshift_match_their_scatter():
    z = 0.15
    fits_ = [fit_redshift(observed(galaxy_basis(), GALAXY, z, 1.0, seed), default_fitters()[:1]) for seed in range(30)]
    pulls = np.array([(f.z - z) / f.z_err for f in fits_])
    assert 0.6 < pulls.std() < 1.6


def test_chi2_by_fourier_transform_equals_least_squares():
    fitter, spectrum = Fitter(galaxy_basis()), observed(galaxy_basis(), GALAXY, 0.3, 0.5)
    chi2, _ = fitter.chi2(*spectrum)
    for index in (10, 1500, 3000):
        start = fitter.offsets[index]
        design = np.vstack([fitter.templates[:, start : start + len(LOGLAM)], fitter.polynomials]) * np.sqrt(spectrum[1])
        design = design[np.linalg.norm(design, axis=1) > 1e-6 * np.linalg.norm(design, axis=1).max()]
        target = spectrum[0] * np.sqrt(spectrum[1])
        solution = np.linalg.lstsq(design.T, target, rcond=None)[0]
        assert chi2[index] == pytest.approx(((target - solution @ design) ** 2).sum(), rel=1e-4)


def test_fit_gives_no_confidence_to_pure_noise():
    flux = np.random.default_rng(3).standard_normal(len(LOGLAM))
    fit = fit_redshift(np.stack([flux, np.ones_like(flux)]))
    assert fit.confidence < 0.5 and fit.warning.startswith("No signal")


def test_fit_calls_a_galaxy_template_at_rest_a_star():
    assert fit_redshift(observed(galaxy_basis(), GALAXY[:5] + [0] * 5, 0.0, 0.1)).spectral_class == "STAR"


def test_fit_tells_a_quasar_from_a_galaxy():
    fit = fit_redshift(observed(quasar_basis(), QUASAR, 2.1, 0.2))
    assert fit.spectral_class == "QSO" and fit.z == pytest.approx(2.1, abs=0.01)


def test_masked_pixels_do_not_matter():
    spectrum = observed(galaxy_basis(), GALAXY, 0.3, 0.5)
    spectrum[1, 1000:1200] = 0
    clean = fit_redshift(spectrum)
    spectrum[0, 1000:1200] = 1e6
    assert fit_redshift(spectrum).z == clean.z


def test_fit_says_so_when_there_is_too_little_spectrum():
    empty = fit_redshift(np.zeros((2, len(LOGLAM))))
    assert np.isnan(empty.z) and empty.confidence == 0 and empty.candidates == ()
    short = observed(galaxy_basis(), GALAXY, 0.3, 0.5)
    short[1, 1000:] = 0
    assert fit_redshift(short).warning == "Little coverage: 1000 of 4620 pixels carry information."


def test_candidates_are_five_distinct_redshifts_in_order():
    fit = fit_redshift(observed(galaxy_basis(), GALAXY, 0.3, 2.0))
    z, rise = np.array([(c.z, c.delta_chi2) for c in fit.candidates]).T
    apart = np.abs(np.log1p(z)[:, None] - np.log1p(z)) * 299_792 + 1e9 * np.eye(5)
    assert len(z) == 5 and (np.diff(rise) >= 0).all() and rise[0] == 0 and apart.min() > 900


def eigentemplates(path, templates, loglam0, step=STEP, **cards):
    """A file in SDSS's format: rows of templates, the grid in COEFF0 and COEFF1."""
    image = fits.PrimaryHDU(np.asarray(templates, np.float32))
    for name, value in {"COEFF0": loglam0, "COEFF1": step, **cards}.items():
        image.header[name] = value
    image.writeto(path)
    return path


def principal_components(count):
    """The first components of mixtures of kcorrect's SEDs and lines, with the mean as the first row."""
    own, rng = galaxy_basis(), np.random.default_rng(0)
    mixtures = rng.dirichlet(np.ones(10), 60) @ own.templates
    _, _, components = np.linalg.svd(mixtures - mixtures.mean(axis=0), full_matrices=False)
    return np.vstack([mixtures.mean(axis=0), components[: count - 1]]), own.loglam0


def test_eigentemplates_in_the_survey_format_serve_as_a_basis(tmp_path):
    path = eigentemplates(tmp_path / "spEigenGal-1.fits", *principal_components(10), OBJECT="GALAXY")
    fitters = fitters_with((path,))
    fit = fit_redshift(observed(galaxy_basis(), GALAXY, 0.4, 0.2), fitters)
    assert [f.basis.spectral_class for f in fitters] == ["QSO", "GALAXY"]
    assert fit.spectral_class == "GALAXY" and fit.z == pytest.approx(0.4, abs=3e-4) and fit.confidence > 0.99


def test_eigentemplates_of_quasars_replace_the_own_ones_only(tmp_path):
    own = quasar_basis()
    path = eigentemplates(tmp_path / "spEigenQSO-1.fits", own.templates, own.loglam0, OBJECT="QSO")
    fitters = fitters_with((path,))
    fit = fit_redshift(observed(own, QUASAR, 2.1, 0.2), fitters)
    assert [f.basis.spectral_class for f in fitters] == ["GALAXY", "QSO"] and fitters[1].basis.z_high == 7.0
    assert fit.spectral_class == "QSO" and fit.z == pytest.approx(2.1, abs=0.01)


def test_each_star_of_an_eigentemplate_file_is_a_basis_of_its_own(tmp_path):
    own = galaxy_basis()
    path = eigentemplates(tmp_path / "spEigenStar-1.fits", own.templates[:2], own.loglam0)
    stars = read_eigentemplates(path)
    fit = fit_redshift(observed(own, [0, 1, 0, 0, 0, 0, 0, 0, 0, 0], 0.0004, 0.2), fitters_with((path,)))
    assert [(b.spectral_class, b.templates.shape[0]) for b in stars] == [("STAR", 1), ("STAR", 1)]
    assert fit.spectral_class == "STAR" and fit.z == pytest.approx(0.0004, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "cards", "said"),
    [
        ("x.fits", {}, "must say GALAXY, QSO or STAR in the card OBJECT or in their name; got neither"),
        ("spEigenGal-1.fits", {"COEFF1": 2e-4}, "must be an image of rows on a grid of 1e-4 dex; got shape"),
    ],
)
def test_eigentemplates_that_cannot_serve_are_refused_with_the_reason(tmp_path, name, cards, said):
    with pytest.raises(BadInput, match=said):
        read_eigentemplates(eigentemplates(tmp_path / name, np.ones((3, 10)), 3.5, **cards))


def test_eigentemplates_without_a_grid_are_refused_with_the_cure(tmp_path):
    fits.PrimaryHDU(np.zeros((3, 10))).writeto(tmp_path / "x.fits")
    with pytest.raises(BadInput, match="must be a FITS image with COEFF0 and COEFF1.*x.fits"):
        read_eigentemplates(tmp_path / "x.fits")


def test_posterior_holds_the_confidence_near_the_best_redshift():
    fit = fit_redshift(observed(galaxy_basis(), GALAXY, 0.3, 3.5))
    near = np.abs(np.log1p(fit.curve.z_s) - np.log1p(fit.z)) * 299_792 < 1000
    assert 0.02 < fit.confidence < 0.999 and fit.curve.posterior_s.sum() == pytest.approx(1.0)
    assert fit.curve.posterior_s[near].sum() == pytest.approx(fit.confidence, abs=0.02)


def test_evidence_from_sky_lines_makes_nobody_sure():
    rng = np.random.default_rng(5)
    flux, ivar = rng.standard_normal(len(LOGLAM)), np.ones(len(LOGLAM))
    for wave in (6301.0, 7620.0, 9400.0):
        at = np.abs(LOGLAM - np.log10(wave)) < 3e-4
        flux[at] += 3.5
    fit = fit_redshift(np.stack([flux, ivar]))
    assert fit.confidence < 0.9 and fit.evidence < fit.candidates[1].delta_chi2


def test_classes_compete_for_the_runner_up():
    fit = fit_redshift(observed(quasar_basis(), QUASAR, 2.1, 0.6))
    assert [c.spectral_class for c in fit.candidates[:2]] == ["QSO", "GALAXY"]
