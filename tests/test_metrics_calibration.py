"""Reliability, tilt and width of the PIT, against values worked out by hand."""

import numpy as np
import pytest

from core import metrics

LEVELS = np.linspace(0.05, 0.95, 19)


def _quantiles(n: int = 2000) -> np.ndarray:
    """A perfect sample of a standard normal."""
    from scipy.special import ndtri

    return ndtri((np.arange(n) + 0.5) / n)


def test_reliability_of_a_calibrated_prediction_is_the_level_itself():
    truth = _quantiles() * 0.3 - 4
    assert metrics.reliability(truth, np.full(2000, -4.0), np.full(2000, 0.3), LEVELS) == pytest.approx(LEVELS, abs=1e-3)


def test_reliability_at_one_sigma_equals_coverage():
    rng = np.random.default_rng(0)
    truth, mean, sigma = rng.normal(size=500), rng.normal(size=500), rng.uniform(0.5, 2, 500)
    assert metrics.reliability(truth, mean, sigma, np.array([0.68, 0.95])).tolist() == [metrics.coverage(truth, mean, sigma, metrics.Z68), metrics.coverage(truth, mean, sigma, metrics.Z95)]


def test_pit_tilt_is_above_zero_where_predictions_lie_too_low():
    n = np.zeros(3)
    assert metrics.pit_tilt(n, n, n + 1) == 0
    assert metrics.pit_tilt(n + 1.0, n, n + 1) == pytest.approx(0.341345, abs=1e-6)
    assert metrics.pit_tilt(n - 1.0, n, n + 1) == pytest.approx(-0.341345, abs=1e-6)


def test_pit_width_says_too_narrow_below_zero_and_too_wide_above():
    truth, mean = _quantiles(), np.zeros(2000)
    assert metrics.pit_width(truth, mean, np.ones(2000)) == pytest.approx(0, abs=1e-6)
    assert metrics.pit_width(truth, mean, np.full(2000, 0.5)) < -0.1 and metrics.pit_width(truth, mean, np.full(2000, 2.0)) > 0.1
    assert metrics.pit_width(truth, truth, np.ones(2000)) == 0.5 and metrics.pit_width(truth + 99, truth, np.ones(2000)) == -0.5


def test_pit_width_is_the_mean_of_reliability_minus_level():
    truth, sigma, fine = _quantiles(), np.full(2000, 0.7), (np.arange(1000) + 0.5) / 1000
    mean_gap = np.mean(metrics.reliability(truth, np.zeros(2000), sigma, fine) - fine)
    assert metrics.pit_width(truth, np.zeros(2000), sigma) == pytest.approx(mean_gap, abs=1e-3)
