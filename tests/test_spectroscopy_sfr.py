"""Star-formation rates from spectra whose rate is known."""

from pathlib import Path

import numpy as np
import pytest

from core.data import sdss_spectrum
from core.preprocess.spectrum import LOGLAM, WAVE
from core.settings import ROOT
from core.spectroscopy.basis import LN10_C
from core.spectroscopy.line_flux import TROUGH_EW, TROUGH_KM_S, LineFlux
from core.spectroscopy.lines import line
from core.spectroscopy.sfr import CASE_B, COSMOLOGY, HALPHA_PER_SFR, K_HALPHA, K_HBETA, MPC_CM, NO_BREAK, TYPICAL_APERTURE, bpt_class, measure_sfr

Z = 0.08
ORDER = ("p2p5", "p16", "median", "p84", "p97p5")


def gaussian(name: str, z: float, km_s: float) -> np.ndarray:
    """A line of unit flux on the grid."""
    sigma, wave = km_s / LN10_C, line(name).wave * (1 + z)
    return np.exp(-0.5 * ((LOGLAM - np.log10(wave)) / sigma) ** 2) / (sigma * np.log(10) * wave * np.sqrt(2 * np.pi))


def galaxy(log_sfr=0.3, ebv=0.3, z=Z, noise=0.3, continuum=3.0, seed=0, n2=0.3, o3=0.8, step=1.0, depth=0.0) -> np.ndarray:
    """A spectrum (2, 4620) of a rate in the fibre behind dust; ratios [NII]/Halpha and [OIII]/Hbeta, a 4000 A break, and
    stellar absorption so many of its scatters deeper than usual."""
    area = 4 * np.pi * (COSMOLOGY.luminosity_distance(z).value * MPC_CM) ** 2
    halpha = 10 ** (log_sfr + HALPHA_PER_SFR) / area * 1e17
    fluxes = {"Halpha 6565": halpha * 10 ** (-0.4 * K_HALPHA * ebv), "Hbeta 4863": halpha / CASE_B * 10 ** (-0.4 * K_HBETA * ebv)}
    fluxes |= {"[NII] 6585": n2 * fluxes["Halpha 6565"], "[OIII] 5008": o3 * fluxes["Hbeta 4863"]}
    fluxes |= {"[NII] 6550": fluxes["[NII] 6585"] / 3.05, "[OIII] 4960": fluxes["[OIII] 5008"] / 2.98}
    flux = np.where(WAVE / (1 + z) < 3975, continuum / step, continuum)
    for name, total in fluxes.items():
        flux = flux + total * gaussian(name, z, 110)
    for name, (width, scatter) in TROUGH_EW.items():
        flux = flux - (width + depth * scatter) * continuum * (1 + z) * gaussian(name, z, TROUGH_KM_S)
    return np.stack([flux + noise * np.random.default_rng(seed).standard_normal(len(LOGLAM)), np.full(len(LOGLAM), noise**-2)])


def picture(sigma_arcsec: float = 1.2) -> np.ndarray:
    y, x = (np.indices((64, 64)) - 31.5) * 0.396
    return 100 * 0.396**2 / (2 * np.pi * sigma_arcsec**2) * np.exp(-(x**2 + y**2) / 2 / sigma_arcsec**2)


@pytest.mark.parametrize("ebv", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("log_sfr", [-0.5, 0.7])
def test_rate_of_a_bright_galaxy_comes_back_with_its_dust_and_aperture(log_sfr, ebv):
    found = measure_sfr(galaxy(log_sfr, ebv, noise=0.02, continuum=0.5), Z, image_r=picture())
    inside = 1 - np.exp(-0.5 * (1.5 / 1.2) ** 2)
    assert found.method == "Halpha" and found.reason == "" and found.bpt == "star-forming"
    assert found.values["median"] == pytest.approx(log_sfr - np.log10(inside), abs=0.03)
    assert found.ebv_gas == pytest.approx(ebv, abs=0.03)


def test_posterior_holds_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(7).standard_normal((80, 2))
    found = [measure_sfr(galaxy(0.0, 0.4 * abs(a), noise=1.0, seed=s, depth=b), Z, image_r=picture(0.4), seed=s).values for s, (a, b) in enumerate(draws)]
    pulls = np.array([(0.0 - f["median"]) / ((f["p84"] - f["p16"]) / 2) for f in found])
    assert abs(pulls.mean()) < 0.5 and 0.5 < pulls.std() < 1.3


def test_statistics_are_the_eight_and_percentiles_ascend():
    found = measure_sfr(galaxy(), Z)
    assert set(found.values) == {"avg", "entropy", "median", "mode", "p2p5", "p16", "p84", "p97p5"}
    assert all(np.diff([found.values[name] for name in ORDER]) > 0) and found.values["entropy"] < 0
    assert found.posterior.sum() == pytest.approx(1.0)


def test_same_call_gives_the_same_answer():
    assert measure_sfr(galaxy(), Z).values == measure_sfr(galaxy(), Z).values
    assert measure_sfr(galaxy(), Z, seed=1).values != measure_sfr(galaxy(), Z).values


def test_dust_is_never_below_zero_when_the_decrement_says_so():
    found = measure_sfr(galaxy(ebv=-0.2, noise=0.1), Z, image_r=picture())
    inside = np.log10(1 - np.exp(-0.5 * (1.5 / 1.2) ** 2))
    assert 0 < found.ebv_gas < 0.05 and found.values["median"] + inside > 0.3


def test_posterior_widens_where_hbeta_is_masked():
    masked = galaxy(noise=0.1)
    masked[1, np.abs(WAVE - line("Hbeta 4863").wave * (1 + Z)) < 120] = 0
    blind, clear = measure_sfr(masked, Z, image_r=picture()), measure_sfr(galaxy(noise=0.1), Z, image_r=picture())
    assert blind.method == "Halpha" and blind.bpt == "unclassified"
    assert blind.values["p84"] - blind.values["p16"] > 1.5 * (clear.values["p84"] - clear.values["p16"])


def test_typical_correction_stands_in_for_a_missing_image():
    found = measure_sfr(galaxy(0.3, noise=0.02), Z)
    assert found.aperture_dex == TYPICAL_APERTURE
    assert found.values["median"] == pytest.approx(0.3 + TYPICAL_APERTURE[0], abs=0.05)
    assert found.values["p84"] - found.values["p16"] > 2 * 0.9 * TYPICAL_APERTURE[1]


def test_galactic_dust_is_taken_off():
    from core.preprocess.extinction import a_lambda

    dusty = galaxy(noise=0.02)
    dusty *= np.stack([10 ** (-0.04 * a_lambda(WAVE)), 10 ** (0.08 * a_lambda(WAVE))])
    assert measure_sfr(dusty, Z, ebv=0.1).values["median"] == pytest.approx(measure_sfr(galaxy(noise=0.02), Z).values["median"], abs=0.01)


@pytest.mark.parametrize(
    ("spectrum", "z", "reason"),
    [
        (galaxy(z=0.45, log_sfr=1.5, continuum=5, noise=0.5), 0.45, ""),
        (galaxy(n2=2.0, o3=6.0, noise=0.05), Z, "An active nucleus lights the gas"),
        (galaxy(log_sfr=-2.8, noise=0.3, step=1.8), Z, "Halpha is not seen (S/N "),
        (galaxy(log_sfr=-2.1, ebv=0, noise=0.02, step=1.8), Z, "Halpha is no stronger than old stars make it (equivalent width "),
    ],
)
def test_break_stands_in_with_a_reason_where_halpha_cannot_be_used(spectrum, z, reason):
    if not reason:
        spectrum = spectrum.copy()
        spectrum[1, WAVE > 9200] = 0
        reason = "Halpha lies at 9519 A, where this spectrum has no information."
    found = measure_sfr(spectrum, z, image_r=picture())
    assert found.method == "D4000" and found.reason.startswith(reason) and found.reason.endswith("The 4000 A break stands in, with a wide posterior.")
    assert found.values["p84"] - found.values["p16"] > 0.8


def without_halpha(spectrum: np.ndarray) -> np.ndarray:
    """The same with nothing known from 6,900 A on, at redshift `Z`."""
    cut = spectrum.copy()
    cut[1, (WAVE > 6980) & (WAVE < 7230)] = 0
    return cut


def test_halpha_that_is_not_seen_bounds_the_rate_from_above():
    quiet = galaxy(log_sfr=-2.8, noise=0.3, step=1.5)
    bounded, free = measure_sfr(quiet, Z), measure_sfr(without_halpha(quiet), Z)
    assert bounded.method == free.method == "D4000"
    assert bounded.values["p97p5"] < free.values["p97p5"] - 0.5 and bounded.values["p2p5"] > free.values["p2p5"] - 0.8


def test_old_stars_may_have_made_some_of_a_weak_halpha():
    def told(continuum):
        return measure_sfr(galaxy(-0.4, continuum=continuum, noise=0.02), Z, image_r=picture(0.4)).values

    weak, strong = told(30.0), told(0.5)
    assert weak["median"] < strong["median"] - 0.05 and weak["p97p5"] - weak["p2p5"] > strong["p97p5"] - strong["p2p5"]


def test_disk_around_a_fibre_of_weak_halpha_may_form_more_than_its_light_tells():
    def beyond(continuum):
        inside, all_of_it = (measure_sfr(galaxy(-0.4, continuum=continuum, noise=0.02), Z, image_r=picture(s)) for s in (0.4, 2.0))
        return all_of_it.values["p84"] - inside.values["p84"] - all_of_it.aperture_dex[0]

    assert beyond(30.0) > beyond(1.0) + 0.2


def test_break_says_less_star_formation_the_deeper_it_is():
    medians = [measure_sfr(without_halpha(galaxy(log_sfr=-3, step=step)), Z).values["median"] for step in (1.2, 1.5, 1.8)]
    assert medians[0] > medians[1] + 0.5 > medians[2] + 1.0


def test_nothing_is_said_of_an_empty_spectrum_or_without_distance():
    empty = measure_sfr(np.zeros((2, len(LOGLAM))), Z)
    assert empty.method == "none" and empty.values == {} and empty.reason.endswith(NO_BREAK)
    assert measure_sfr(galaxy(), 0.0).reason == "z = 0.0000 gives no distance."
    assert measure_sfr(galaxy(), float("nan")).method == "none"


def lines_of(n2: float, o3: float, error: float = 0.01) -> dict[str, LineFlux]:
    fluxes = {"[NII] 6585": 10**n2, "Halpha 6565": 1.0, "[OIII] 5008": 10**o3, "Hbeta 4863": 1.0}
    return {name: LineFlux(flux, error, 1.0, 1.0) for name, flux in fluxes.items()}


@pytest.mark.parametrize(
    ("n2", "o3", "expected"),
    [(-0.5, -0.2, "star-forming"), (-0.5, 0.25, "composite"), (-0.5, 0.7, "AGN"), (0.1, 0.2, "AGN"), (0.1, -0.9, "composite"), (0.5, -1.0, "AGN")],
)
def test_bpt_class_follows_the_published_lines(n2, o3, expected):
    # Kauffmann et al. 2003: at -0.5 the border is 0.191; Kewley et al. 2001: at -0.5 it is 0.561, at 0.1 it is -0.459
    assert bpt_class(lines_of(n2, o3)) == expected


def test_bpt_class_needs_all_four_lines():
    assert bpt_class(lines_of(-0.5, -0.2, error=0.3)) == "unclassified"
    assert bpt_class(lines_of(-0.5, -0.2) | {"Hbeta 4863": LineFlux(np.nan, np.nan, np.nan, np.nan)}) == "unclassified"


def measured_in(path: Path):
    """What a survey file's spectrum tells at the pipeline's redshift."""
    chunk = sdss_spectrum.read(path)
    return measure_sfr(chunk.arrays["spectrum"][1][0], float(chunk.truth.query("target == 'z'")["value"].iloc[0]))


@pytest.mark.parametrize(("name", "method", "low", "high"), [("spec-1678-53433-0001", "Halpha", 0.0, 1.2), ("spec-2515-54180-0377", "D4000", -2.5, -0.5)])
def test_rates_of_real_galaxies_are_those_of_their_kind(real, name, method, low, high):
    found = measured_in(real / "legacy_spectra" / f"{name}.fits")
    assert found.method == method and low < found.values["median"] < high


def test_rate_of_a_sample_file_comes_from_its_lines():
    found = measured_in(ROOT / "data" / "sample" / "spec-14000-53070-0316.fits")
    assert (found.method, found.bpt) == ("Halpha", "star-forming") and 0.2 < found.values["median"] < 1.4
