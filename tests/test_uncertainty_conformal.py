"""Stretched intervals cover what they claim."""

import numpy as np
import pytest

from core.uncertainty.conformal import stretch, stretches


@pytest.mark.parametrize("level", [0.6827, 0.9545])
def test_stretched_interval_covers_its_share_of_new_galaxies(level):
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.1, 1, 4000)
    error = 3 * sigma * rng.standard_t(4, 4000)
    factor = stretch(error[:2000], np.zeros(2000), sigma[:2000], level)
    assert np.mean(np.abs(error[2000:]) <= factor * sigma[2000:]) == pytest.approx(level, abs=0.03)


def test_stretch_of_a_calibrated_model_is_about_one():
    error = np.random.default_rng(1).standard_normal(20_000)
    assert stretch(error, np.zeros(20_000), np.ones(20_000), 0.6827) == pytest.approx(1.0, abs=0.03)


def test_missing_values_are_left_out():
    error = np.linspace(0, 1, 101)
    with_gaps = np.concatenate([error, np.full(50, np.nan)])
    assert stretch(with_gaps, np.zeros(151), np.ones(151), 0.5) == stretch(error, np.zeros(101), np.ones(101), 0.5)


def test_nothing_is_claimed_from_a_few():
    assert np.isnan(stretch(np.ones(29), np.zeros(29), np.ones(29), 0.5))


def test_targets_of_which_too_little_is_known_are_left_out():
    truth = np.column_stack([np.linspace(-1, 1, 50), np.full(50, np.nan)])
    found = stretches(truth, np.zeros((50, 2)), np.ones((50, 2)), ("z", "sfr_tot_avg"))
    assert list(found) == ["z"] and found["z"]["68"] < found["z"]["95"]
