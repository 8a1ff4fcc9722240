"""Spectra on the common grid, and as model inputs."""

import numpy as np
import pytest

from core.preprocess import spectrum
from core.preprocess.extinction import a_lambda
from core.preprocess.spectrum import LOGLAM, WAVE, resample

LINEAR = np.linspace(3839.7244, 8914.597, 4620)
_WIDTH = 10 ** (LOGLAM + 0.5e-4) - 10 ** (LOGLAM - 0.5e-4)


def _bump(wave: np.ndarray) -> np.ndarray:
    """A line and a slope that vanish before the ends of both grids."""
    return np.exp(-(((wave - 6000) / 8) ** 2)) + 1e-3 * np.clip(1 - np.abs(wave - 6200) / 1500, 0, None)


def test_loglam_is_the_grid_that_legacy_and_boss_pixels_lie_on():
    assert (LOGLAM[0], len(LOGLAM)) == (3.55, 4620)
    assert np.diff(LOGLAM) == pytest.approx(1e-4, rel=1e-8)


def test_resample_conserves_flux_from_a_linear_grid():
    flux = _bump(LINEAR)
    out = resample(LINEAR, flux, np.ones_like(flux))
    assert (out[0].astype(float) * _WIDTH).sum() == pytest.approx(flux.sum() * (LINEAR[1] - LINEAR[0]), rel=1e-6)


def test_resample_conserves_flux_under_a_shift_of_half_a_pixel():
    shifted = LOGLAM[:-1] + 0.5e-4
    flux = _bump(10**shifted)
    out = resample(shifted, flux, np.ones_like(flux))
    width = 10 ** (shifted + 0.5e-4) - 10 ** (shifted - 0.5e-4)
    assert (out[0].astype(float) * _WIDTH).sum() == pytest.approx((flux * width).sum(), rel=1e-6)


def test_resample_under_half_a_pixel_averages_two_neighbours_and_doubles_their_ivar():
    shifted = LOGLAM[100:110] + 0.5e-4
    flux = np.arange(10.0)
    out = resample(shifted, flux, np.full(10, 2.0))
    assert out[0, 101:110] == pytest.approx(np.arange(9) + 0.5, abs=1e-4)
    assert out[1, 101:110] == pytest.approx(np.full(9, 4.0), rel=1e-6)


def test_resample_keeps_a_constant_and_its_ivar_where_new_pixels_lie_inside_old_ones():
    wave = np.arange(4000.0, 9000.0, 50.0)
    out = resample(wave, np.full(len(wave), 7.0), np.full(len(wave), 0.25))
    covered = out[1] > 0
    assert out[0, covered] == pytest.approx(np.full(covered.sum(), 7.0))
    inside = np.abs((WAVE - 4000) % 50 - 25) > 1
    assert out[1, covered & inside] == pytest.approx(0.25)


def test_resample_moves_a_native_grid_without_touching_its_values():
    rng = np.random.default_rng(0)
    loglam = (3.5793 + 1e-4 * np.arange(3850)).astype(np.float32)
    flux, ivar = rng.standard_normal(3850).astype(np.float32), rng.uniform(1, 2, 3850).astype(np.float32)
    out = resample(loglam, flux, ivar)
    assert np.array_equal(out[:, 293 : 293 + 3850], np.stack([flux, ivar]))
    assert not out[:, :293].any() and not out[:, 293 + 3850 :].any()


def test_resample_cuts_what_lies_beyond_the_grid():
    out = resample(LOGLAM[0] - 5e-4 + 1e-4 * np.arange(4700), np.arange(4700.0), np.ones(4700))
    assert out[0, [0, -1]].tolist() == [5, 4624]


def test_resample_takes_wavelengths_and_their_logarithms_for_the_same():
    flux = _bump(WAVE[500:900])
    both = [resample(grid, flux, np.ones(400)) for grid in (LOGLAM[500:900], WAVE[500:900])]
    assert np.array_equal(*both)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_resample_gives_a_pixel_without_information_no_ivar_and_no_flux(bad):
    ivar = np.ones(20)
    ivar[7] = bad
    out = resample(LOGLAM[:20], np.full(20, 3.0), ivar)
    assert out[:, 7].tolist() == [0, 0]
    assert out[0, [6, 8]].tolist() == [3, 3]


def test_resample_never_mixes_bad_flux_into_good_pixels():
    flux, ivar = np.full(4620, 2.0), np.ones(4620)
    flux[1000], ivar[1000], flux[2000] = 1e9, 0, np.nan
    out = resample(LINEAR, flux, ivar)
    assert out[0, out[1] > 0] == pytest.approx(2.0)
    assert (out[1] == 0).sum() > (out[1, np.searchsorted(WAVE, LINEAR[0]) + 1 : np.searchsorted(WAVE, LINEAR[-1]) - 1] == 0).sum() >= 2


def test_resample_honours_sdss_mask_bits_and_boolean_masks():
    bits = np.zeros(20, dtype=np.int32)
    bits[3], bits[4] = 1 << 23, 1 << 16
    ivar = resample(LOGLAM[:20], np.ones(20), np.ones(20), bits)[1, :20]
    assert np.flatnonzero(ivar == 0).tolist() == [3]
    assert np.array_equal(ivar, resample(LOGLAM[:20], np.ones(20), np.ones(20), bits == 1 << 23)[1, :20])


def test_resample_of_many_spectra_is_that_of_each():
    rng = np.random.default_rng(0)
    flux, ivar = rng.standard_normal((3, 4620)), rng.uniform(0, 2, (3, 4620))
    together = resample(LINEAR, flux, ivar)
    assert together.shape == (3, 2, 4620)
    assert np.array_equal(together[1], resample(LINEAR, flux[1], ivar[1]))


def test_resample_refuses_a_grid_that_does_not_ascend_or_fit():
    with pytest.raises(ValueError, match="ascending"):
        resample(np.array([5000.0, 4999.0, 5001.0]), np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match="one value per wavelength"):
        resample(LINEAR, np.ones(10), np.ones(10))


def test_continuum_ignores_lines_and_masked_pixels():
    slope = np.linspace(2, 6, 4620)
    flux = slope + 50 * np.exp(-(((np.arange(4620) - 2000) / 4) ** 2))
    ivar = np.ones(4620)
    flux[3000:3040], ivar[3000:3040] = 1e5, 0
    level = spectrum.continuum(flux[None], ivar[None])[0]
    assert np.abs(level - slope)[200:-200].max() < 0.06


def test_continuum_reaches_into_gaps_and_is_zero_without_any_pixel():
    flux, ivar = np.full((2, 4620), 3.0), np.ones((2, 4620))
    ivar[0, :1000], ivar[1] = 0, 0
    level = spectrum.continuum(flux, ivar)
    assert level[0] == pytest.approx(3.0)
    assert not level[1].any()


def test_model_input_significance_is_the_line_over_its_noise():
    flux, ivar = np.full(4620, 4.0), np.full(4620, 0.25)
    flux[2000] = 10.0
    x = spectrum.model_input(np.stack([flux, ivar])[None], np.array([np.nan]))
    assert x.shape == (1, len(spectrum.CHANNELS), 4620)
    assert x[0, 0, 2000] == pytest.approx(np.arcsinh(3.0), rel=1e-5)
    assert x[0, 1, 2000] == pytest.approx(np.arcsinh(10.0), rel=1e-5)
    assert x[0, 0, 1990] == pytest.approx(0, abs=1e-5)


def test_model_input_undoes_dust_in_flux_and_not_in_signal_to_noise():
    rng = np.random.default_rng(0)
    spectra = np.stack([rng.normal(5, 1, 4620), np.ones(4620)])[None].repeat(2, axis=0)
    x = spectrum.model_input(spectra, np.array([0.0, 0.2]))
    ratio = np.sinh(x[1, 1].astype(float)) / np.sinh(x[0, 1].astype(float))
    assert np.median(ratio / 10 ** (0.4 * 0.2 * a_lambda(WAVE))) == pytest.approx(1, rel=1e-5)
    assert np.abs(np.sinh(x[1, 0]) - np.sinh(x[0, 0])).max() < 0.12


def test_model_input_fills_bad_pixels_with_the_continuum_and_is_zero_outside_the_coverage():
    spectra = np.stack([np.full(4620, 5.0), np.ones(4620)])[None]
    spectra[0, :, 4000:] = 0
    spectra[0, :, 1500] = [1e6, 0]
    x = spectrum.model_input(spectra, np.array([np.nan]))
    assert x[0, 0, 1500] == 0
    assert x[0, 1, 1500] == pytest.approx(np.arcsinh(5.0), rel=1e-5)
    assert not x[0, :, 4000:].any()
    flux = spectrum.dereddened_flux(x)[0]
    assert flux[:4000] == pytest.approx(5.0, rel=1e-4)
    assert np.isnan(flux[4000:]).all()


def test_model_input_of_a_missing_spectrum_is_zero():
    assert not spectrum.model_input(np.full((1, 2, 4620), np.nan), np.array([0.1])).any()


def test_native_spectra_of_every_reduction_lie_on_the_grid(real):
    from astropy.io import fits

    for path in sorted(real.glob("*_spectra/spec-*.fits"))[::20]:
        table = fits.getdata(path, 1)
        names = {name.lower(): name for name in table.columns.names}
        flux, ivar, loglam = (np.asarray(table[names[c]]) for c in ("flux", "ivar", "loglam"))
        start = round((loglam[0] - LOGLAM[0]) / 1e-4)
        out = resample(loglam, flux, ivar)
        good = (ivar > 0)[max(-start, 0) :][: 4620 - max(start, 0)]
        assert np.array_equal(out[0, max(start, 0) :][: len(good)][good], flux[max(-start, 0) :][: len(good)][good])
