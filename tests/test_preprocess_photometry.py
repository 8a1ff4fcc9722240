"""Magnitudes as model inputs."""

import numpy as np
import pytest

from core.preprocess import photometry


def _galaxy(**changes) -> np.ndarray:
    phot = np.stack([photometry.MAGNITUDE_CENTRE, 10**photometry.LOG_ERR_CENTRE])[None]
    for band, value in changes.items():
        phot[0, 0, "ugriz".index(band)] = value
    return phot


def _column(phot: np.ndarray, name: str) -> float:
    return float(photometry.model_input(phot)[0, photometry.COLUMNS.index(name)])


def test_model_input_centres_a_typical_galaxy_and_scales_a_fainter_one():
    assert _column(_galaxy(), "r") == pytest.approx(0, abs=1e-6)
    assert _column(_galaxy(r=17.9), "r") == pytest.approx(1)
    assert _column(_galaxy(), "log_err_g") == pytest.approx(0, abs=1e-6)


def test_model_input_turns_magnitudes_into_colours():
    before, after = _column(_galaxy(), "g-r"), _column(_galaxy(g=17.8 + 0.27), "g-r")
    assert after - before == pytest.approx(1, rel=1e-5)


def test_model_input_marks_a_missing_band_and_leaves_its_colours_at_the_centre():
    phot = _galaxy(u=np.nan)
    assert [_column(phot, c) for c in ("missing_u", "u", "u-g")] == [1, 0, 0]
    assert _column(phot, "missing_g") == 0
    assert _column(phot, "g-r") == _column(_galaxy(), "g-r")


def test_model_input_of_no_photometry_at_all_is_zero():
    assert not photometry.model_input(np.full((1, 2, 5), np.nan)).any()


def test_model_input_takes_an_error_of_zero_for_missing_and_holds_outliers():
    phot = _galaxy(z=99.0)
    phot[0, 1, 0] = 0.0
    assert _column(phot, "log_err_u") == 0
    assert _column(phot, "z") == photometry.LIMIT


def test_model_input_does_not_depend_on_the_other_rows():
    rng = np.random.default_rng(0)
    phot = np.stack([rng.uniform(15, 20, (9, 5)), rng.uniform(0.01, 0.1, (9, 5))], axis=1)
    assert np.array_equal(photometry.model_input(phot)[4:5], photometry.model_input(phot[4:5]))
