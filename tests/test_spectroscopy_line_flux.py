"""Line fluxes and the 4000 A break on spectra made by hand."""

import numpy as np
import pytest

from core.preprocess.extinction import a_lambda
from core.preprocess.spectrum import LOGLAM, WAVE
from core.spectroscopy.basis import LN10_C
from core.spectroscopy.line_flux import TROUGH_EW, TROUGH_KM_S, d4000, measure
from core.spectroscopy.lines import line

FLUXES = {"[OII] 3727": 20.0, "[OII] 3730": 30.0, "Hbeta 4863": 25.0, "[OIII] 4960": 40 / 2.98, "[OIII] 5008": 40.0, "[NII] 6550": 24 / 3.05,
          "Halpha 6565": 90.0, "[NII] 6585": 24.0, "[SII] 6718": 12.0, "[SII] 6733": 9.0}


def spectrum(z=0.08, continuum=2.0, noise=0.2, seed=0, width=130.0, fluxes=FLUXES):
    flux, sigma = np.full(len(LOGLAM), continuum), width / LN10_C
    for name, total in fluxes.items():
        wave = line(name).wave * (1 + z)
        flux = flux + total * np.exp(-0.5 * ((LOGLAM - np.log10(wave)) / sigma) ** 2) / (sigma * np.log(10) * wave * np.sqrt(2 * np.pi))
    return np.stack([flux + noise * np.random.default_rng(seed).standard_normal(len(LOGLAM)), np.full(len(LOGLAM), noise**-2)])


def with_troughs(clean, z, equivalent_widths, continuum=2.0):
    """The spectrum with stellar absorption of given rest equivalent widths (A)."""
    out, sigma = clean.copy(), TROUGH_KM_S / LN10_C
    for name, width in equivalent_widths.items():
        wave = line(name).wave * (1 + z)
        profile = np.exp(-0.5 * ((LOGLAM - np.log10(wave)) / sigma) ** 2) / (sigma * np.log(10) * wave * np.sqrt(2 * np.pi))
        out[0] -= width * continuum * (1 + z) * profile
    return out


def test_fluxes_come_back_when_there_is_no_noise():
    found = measure(spectrum(noise=1e-4), 0.08)
    for name, flux in FLUXES.items():
        assert found[name].flux == pytest.approx(flux, rel=2e-3), name
        assert found[name].continuum == pytest.approx(2.0, rel=1e-2)


def test_absorption_by_stars_is_filled_up_by_what_the_pixels_beside_the_line_tell():
    deep = with_troughs(spectrum(noise=1e-4), 0.08, {"Halpha 6565": 3.0, "Hbeta 4863": 4.0})
    found = measure(deep, 0.08)
    for name in ("Halpha 6565", "Hbeta 4863"):
        assert found[name].flux == pytest.approx(FLUXES[name], rel=5e-3)


def test_absorption_is_the_typical_one_where_the_spectrum_is_too_noisy_to_tell():
    typical = {name: ew for name, (ew, _) in TROUGH_EW.items()}
    measured = [measure(with_troughs(spectrum(noise=1.5, seed=s), 0.08, typical), 0.08)["Hbeta 4863"].flux for s in range(40)]
    assert np.mean(measured) == pytest.approx(FLUXES["Hbeta 4863"], abs=3.5)


def test_equivalent_width_is_flux_over_continuum_in_the_rest_frame():
    found = measure(spectrum(noise=1e-4), 0.08)["[OIII] 5008"]
    assert found.equivalent_width == pytest.approx(40 / (2.0 * 1.08), rel=5e-3)


def test_errors_match_the_scatter():
    draws = [measure(spectrum(seed=s), 0.08)["[NII] 6585"] for s in range(60)]
    fluxes, errors = np.array([(d.flux, d.error) for d in draws]).T
    assert abs(fluxes.mean() - 24) < 0.5 and 0.75 < fluxes.std() / errors.mean() < 1.3


def test_lines_outside_the_spectrum_or_masked_are_missing():
    masked = spectrum()
    masked[1, np.abs(WAVE - 5008.24 * 1.08) < 30] = 0
    assert np.isnan(measure(masked, 0.08)["[OIII] 5008"].flux)
    assert np.isnan(measure(spectrum(), 0.7)["Halpha 6565"].flux)
    assert all(np.isnan(f.flux) for f in measure(np.zeros((2, len(LOGLAM))), 0.08).values())


def test_galactic_dust_is_taken_off():
    dusty = spectrum(noise=1e-4)
    dusty[0] *= 10 ** (-0.4 * 0.1 * a_lambda(WAVE))
    assert measure(dusty, 0.08, 0.1)["[OIII] 5008"].flux == pytest.approx(40.0, rel=2e-3)


def test_break_of_a_step_in_frequency_units_is_the_step():
    rest = WAVE / 1.05
    flux = np.where(rest > 3975, 1.6, 1.0) / WAVE**2 * 1e7
    value, error = d4000(np.stack([flux, np.full_like(flux, 1e4)]), 0.05)
    assert value == pytest.approx(1.6, rel=1e-6) and 0 < error < 0.05


def test_break_is_missing_where_a_side_is_not_covered():
    assert np.isnan(d4000(np.zeros((2, len(LOGLAM))), 0.05)).all()
