"""Physical features against values known by hand."""

import numpy as np
import pytest

from core.preprocess import features, image, spectrum
from core.preprocess.spectrum import WAVE
from tests.test_preprocess_comb import EMISSION, galaxy

_Y, _X = np.indices((64, 64)) - 31.5


def _image(profile: np.ndarray, scale_ugriz=(1, 1, 1, 1, 1)) -> dict[str, float]:
    stamp = profile[None] * np.asarray(scale_ugriz, dtype=float)[:, None, None]
    row = features.image(image.model_input(stamp[None], np.array([np.nan])))[0]
    return dict(zip(features.IMAGE_COLUMNS, row.tolist(), strict=True))


def _gaussian(flux: float, sigma_x: float, sigma_y: float) -> np.ndarray:
    return flux / (2 * np.pi * sigma_x * sigma_y) * np.exp(-0.5 * ((_X / sigma_x) ** 2 + (_Y / sigma_y) ** 2))


def _spectrum(stored: np.ndarray) -> dict[str, float]:
    row = features.spectrum(spectrum.model_input(stored[None], np.array([np.nan])))[0]
    return dict(zip(features.SPECTRUM_COLUMNS, row.tolist(), strict=True))


def test_image_magnitudes_are_those_of_the_flux_inside_the_aperture():
    found = _image(_gaussian(100, 4, 4))
    for radius in features.APERTURES_ARCSEC:
        inside = 100 * (1 - np.exp(-0.5 * (radius / 0.396 / 4) ** 2))
        assert found[f"mag_r_{radius:g}"] == pytest.approx(22.5 - 2.5 * np.log10(inside), abs=0.01)
    assert found["aperture_correction"] == pytest.approx(found["mag_r_1.5"] - found["mag_r_12"], abs=1e-5)


def test_image_colour_is_the_flux_ratio():
    found = _image(_gaussian(500, 4, 4), (1, 2, 4, 4, 4))
    assert found["g-r_6"] == pytest.approx(2.5 * np.log10(2), abs=0.001)
    assert found["r-i_1.5"] == pytest.approx(0, abs=1e-5)


def test_image_radii_and_shape_of_a_gaussian():
    sigma = 4 * 0.396
    found = _image(_gaussian(100, 4, 4))
    assert 10 ** found["log_r50"] == pytest.approx(sigma * np.sqrt(2 * np.log(2)), rel=0.02)
    assert found["concentration"] == pytest.approx(np.sqrt(np.log(10) / np.log(2)), rel=0.02)
    assert found["ellipticity"] == pytest.approx(0, abs=1e-3)
    weighted = 1 / np.sqrt(1 / sigma**2 + 1 / 3.0**2)
    assert 10 ** found["log_size"] == pytest.approx(weighted, rel=0.01)


def test_image_ellipticity_grows_with_flattening_and_not_with_orientation():
    wide, tall = _image(_gaussian(100, 6, 3)), _image(_gaussian(100, 3, 6))
    assert wide["ellipticity"] == pytest.approx(tall["ellipticity"], abs=1e-4)
    assert wide["ellipticity"] > 0.4


def test_image_features_do_not_change_under_the_augmentations():
    stamp = (_gaussian(50, 5, 3) + 0.001 * _X)[None, None].repeat(5, axis=1)
    turned = np.concatenate([image.turn(stamp, code, np.flip) for code in range(8)])
    rows = features.image(image.model_input(turned, np.zeros(8)))
    assert np.ptp(rows, axis=0).max() < 2e-3


def test_image_without_positive_flux_has_magnitudes_but_no_radii():
    found = _image(np.full((64, 64), -0.01))
    assert found["mag_r_12"] > 22.5
    assert np.isnan(found["log_r50"]) and np.isnan(found["ellipticity"])


def test_spectrum_line_flux_is_that_of_the_gaussian_put_in():
    found = _spectrum(galaxy(0.1, EMISSION, width=2.0, noise=0.05))
    wave = 6564.614 * 1.1
    area = 8.0 * np.sqrt(2 * np.pi) * 2e-4 * np.log(10) * wave
    assert np.sinh(found["flux_Halpha 6565"]) == pytest.approx(area, rel=0.02)
    assert np.sinh(found["ew_Halpha 6565"]) == pytest.approx(area / 10, rel=0.02)
    assert found["balmer_decrement"] == pytest.approx(np.log10(8 / 3 * 6564.614 / 4862.683), abs=0.02)


def test_spectrum_level_and_break_of_a_step_at_4000():
    stored = galaxy(0.1, EMISSION, noise=0.05)
    stored[0] += np.where(WAVE > 3975 * 1.1, 10.0, 0.0)
    found = _spectrum(stored)
    assert found["d4000"] == pytest.approx(2.0, abs=0.05)
    assert found["level_30"] == pytest.approx(np.arcsinh(20.0), abs=0.05)
    assert found["log_r_flux"] == pytest.approx(np.log10(20.2), abs=0.02)


def test_spectrum_features_are_missing_outside_the_coverage():
    stored = galaxy(0.3, EMISSION)
    stored[:, WAVE > 8000] = 0
    found = _spectrum(stored)
    assert np.isnan(found["level_41"]) and np.isnan(found["flux_Halpha 6565"])
    assert np.isfinite(found["flux_[OII] 3727"])


@pytest.mark.parametrize("modality", features.COLUMNS)
def test_features_of_absent_rows_are_missing_and_the_others_unmoved(modality):
    shape = {"image": (5, 64, 64), "spectrum": (2, 4620), "photometry": (19,)}[modality]
    inputs = np.random.default_rng(0).standard_normal((4, *shape)).astype(np.float32)
    some = features.of(modality, inputs, np.array([True, False, True, True]))
    assert np.isnan(some[1]).all()
    assert some[[0, 2]] == pytest.approx(features.of(modality, inputs, np.ones(4, dtype=bool))[[0, 2]], nan_ok=True, rel=1e-4, abs=1e-4)


def test_features_hardly_change_when_inputs_are_kept_in_half_precision():
    stored = galaxy(0.1, EMISSION, noise=0.5)
    whole = spectrum.model_input(stored[None], np.array([np.nan]))
    one, two = (features.of("spectrum", x, np.ones(1, dtype=bool))[0] for x in (whole, whole.astype(np.float16)))
    assert two == pytest.approx(one, abs=0.06)
    stamp = image.model_input(_gaussian(2000, 3, 3)[None, None].repeat(5, axis=1), np.zeros(1))
    one, two = (features.of("image", x, np.ones(1, dtype=bool))[0] for x in (stamp, stamp.astype(np.float16)))
    assert two == pytest.approx(one, abs=0.005)


def test_normalised_spectrum_puts_a_line_at_its_rest_wavelength_whatever_the_redshift_and_the_brightness():
    found = []
    for z, brightness in ((0.05, 1.0), (0.2, 7.0)):
        flux = np.full(4620, 10.0) * brightness
        flux[np.abs(np.log10(WAVE / (6564.6 * (1 + z)))) < 15e-4] *= 2
        inputs = spectrum.model_input(np.stack([flux, np.ones(4620)])[None], np.array([np.nan]))
        found.append(features.normalised(inputs, np.array([np.log10(1 + z)]))[0])
    at = int((np.log10(6564.6) - np.log10(features.REST_RANGE[0])) / 1e-4 / features.REST_PIXELS)
    assert found[0][at] == pytest.approx(np.arcsinh(1.0), abs=0.05)
    assert found[0] == pytest.approx(found[1], abs=0.15)
    assert np.abs(np.delete(found[0], range(at - 2, at + 3))).max() < 0.02


def test_normalised_spectrum_is_missing_outside_the_coverage_and_without_a_redshift():
    inputs = spectrum.model_input(np.stack([np.ones(4620), np.ones(4620)])[None].repeat(2, axis=0), np.full(2, np.nan))
    rows = features.normalised(inputs, np.array([np.log10(1.7), np.nan]))
    assert np.isnan(rows[1]).all()
    covered = np.isfinite(rows[0])
    assert covered[0] and not covered[-1]
    last = features.REST_RANGE[0] * 10 ** (1e-4 * features.REST_PIXELS * covered.sum())
    assert last * 1.7 == pytest.approx(WAVE[-1], rel=0.003)
