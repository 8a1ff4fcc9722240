"""Statistics of binned posteriors against values known by hand."""

import numpy as np
import pytest

from core.spectroscopy.posterior import LOG_SFR_GRID, statistics


def normal(mean: float, sigma: float) -> np.ndarray:
    p = np.exp(-0.5 * ((LOG_SFR_GRID - mean) / sigma) ** 2)[None]
    return p / p.sum()


def test_statistics_of_a_normal_distribution_are_its_own():
    found = statistics(normal(-0.71, 0.3))
    for name, sigmas in (("p2p5", -1.96), ("p16", -0.9945), ("median", 0), ("avg", 0), ("mode", 0), ("p84", 0.9945), ("p97p5", 1.96)):
        assert found[name][0] == pytest.approx(-0.71 + 0.3 * sigmas, abs=0.005)
    assert found["entropy"][0] == pytest.approx(np.log(0.05 / (0.3 * np.sqrt(2 * np.pi * np.e))), abs=0.005)


def test_statistics_ascend_even_when_all_probability_is_in_one_bin():
    p = np.zeros((1, len(LOG_SFR_GRID)))
    p[0, 100] = 1
    found = statistics(p)
    assert found["p2p5"] < found["p16"] < found["median"] < found["p84"] < found["p97p5"]
    assert found["median"][0] == pytest.approx(LOG_SFR_GRID[100]) and found["entropy"][0] == 0


def test_median_of_two_equal_peaks_lies_between_them_and_the_mode_at_the_higher():
    p = np.zeros((1, len(LOG_SFR_GRID)))
    p[0, 80], p[0, 120] = 0.49, 0.51
    found = statistics(p)
    assert found["mode"][0] == pytest.approx(LOG_SFR_GRID[120], abs=0.03)
    assert found["avg"][0] == pytest.approx(0.49 * LOG_SFR_GRID[80] + 0.51 * LOG_SFR_GRID[120])
