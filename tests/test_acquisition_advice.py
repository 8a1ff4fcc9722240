"""What the next labels should buy: curves whose answer is known, and promises that keep within their errors."""

import numpy as np
import pytest

from core.acquisition.advice import Gain, gain_by_curve, gain_by_posterior, power_law


def curve(n, height=2.0, exponent=0.4, floor=0.1):
    return height * np.asarray(n, float) ** -exponent + floor


@pytest.mark.parametrize("truth", [(2.0, 0.5, 0.1), (5.0, 1.0, 0.0), (0.3, 0.25, 0.02)])
def test_power_law_is_found_again_in_errors_without_scatter(truth):
    n = np.array([100, 150, 250, 400, 700])
    law = power_law(n, curve(n, *truth))
    assert law.at(n) == pytest.approx(curve(n, *truth), rel=1e-6)
    assert [law.height[0], law.exponent[0], law.floor[0]] == pytest.approx(truth, rel=1e-4, abs=1e-6)


def test_gain_is_the_fall_of_the_curve_and_its_share_of_the_error_now():
    n = np.array([100, 200, 300, 400])
    gain = gain_by_curve(n, curve(n, exponent=0.5), 400, 100, np.random.default_rng(0))
    assert gain.now == pytest.approx(0.2) and gain.gain == pytest.approx(2 / 20 - 2 / np.sqrt(500), rel=1e-3)
    assert gain.share == pytest.approx(gain.gain / 0.2) and not gain.is_little
    assert gain.error > 0.0005


def test_promise_is_within_its_error_as_often_as_it_says():
    rng, n = np.random.default_rng(1), 100 + 50 * np.arange(6)
    came = curve(350) - curve(400)
    told = [gain_by_curve(n, curve(n) * (1 + 0.03 * rng.standard_normal(6)), 350, 50, rng) for _ in range(150)]
    away = np.array([abs(g.gain - came) / g.error for g in told])
    assert 0.55 < (away < 1).mean() < 0.85 and (away < 2).mean() > 0.85
    assert np.mean([g.gain for g in told]) == pytest.approx(came, rel=0.15)


def test_curve_that_has_become_flat_says_stop():
    n = np.array([100, 200, 400, 800, 1600])
    assert gain_by_curve(n, np.array([0.31, 0.302, 0.301, 0.3, 0.3]), 1600, 50, np.random.default_rng(0)).is_little
    rising = gain_by_curve(n, np.array([0.3, 0.31, 0.32, 0.33, 0.34]), 1600, 50, np.random.default_rng(0))
    assert rising.gain == pytest.approx(0, abs=1e-12) and rising.is_little


def test_curve_without_a_bend_says_nothing():
    assert gain_by_curve(np.array([100, 100, 200]), np.array([0.3, 0.31, 0.2]), 200, 50, np.random.default_rng(0)) is None


def test_posterior_that_learns_nothing_promises_nothing_and_one_that_learns_all_leaves_the_noise():
    before, noise = np.array([0.5, 1.5]), np.array([3.0, 3.0])
    assert gain_by_posterior(1.0, before, before, noise) == Gain(1.0, 0.0, 0.0)
    assert gain_by_posterior(1.0, before, 0 * before, noise).gain == pytest.approx(1 - np.sqrt(3 / 4))
