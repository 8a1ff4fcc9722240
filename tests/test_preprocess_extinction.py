"""Galactic extinction against published values."""

import numpy as np
import pytest

from core.preprocess.extinction import SFD_UGRIZ, a_lambda, known


def test_a_lambda_agrees_with_sfd_in_every_band():
    ratio = a_lambda(np.array([3551, 4686, 6166, 7480, 8932])) / SFD_UGRIZ
    assert ratio == pytest.approx([0.95, 1.011, 0.980, 1.019, 1.017], abs=0.001)


def test_a_lambda_is_r_v_at_the_v_band_and_continuous_where_the_formulas_meet():
    assert a_lambda(np.array(1e4 / 1.82)) == pytest.approx(3.1)
    below, above = a_lambda(1e4 / np.array([1.1001, 1.0999]))
    assert abs(above - below) < 0.005


def test_a_lambda_is_the_published_infrared_power_law():
    assert a_lambda(np.array(1e4)) == pytest.approx(3.1 * 0.574 - 0.527)


def test_a_lambda_refuses_wavelengths_outside_its_range():
    with pytest.raises(ValueError, match="between 3031 and 33333 A; got 2000 to 5000"):
        a_lambda(np.array([2000.0, 5000.0]))


def test_known_is_zero_where_e_b_v_is_missing_or_negative():
    assert known(np.array([np.nan, -0.1, 0.2])).tolist() == [0, 0, 0.2]
