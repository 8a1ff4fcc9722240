"""chi-square against redshift: classes joined, probabilities that add up, minima kept when it is thinned."""

import numpy as np
import pytest

from core.preprocess.spectrum import STEP
from core.spectroscopy.curve import NO_CURVE, Chi2Curve, joined


def parabola(shifts, at, depth):
    return depth + 0.5 * (shifts - at) ** 2


def two_classes(sure=0.8):
    fine, coarse = np.arange(-10, 400), np.arange(100, 2000, 5)
    return joined([("GALAXY", fine, parabola(fine, 200, 50.0)), ("QSO", coarse, parabola(coarse, 1500, 40.0))], sure, 14 * STEP)


def test_joined_curve_takes_the_lowest_class_at_each_redshift():
    curve = two_classes()
    assert curve.z_s[0] == pytest.approx(10 ** (-10 * STEP) - 1) and len(curve.z_s) == 10 + 1996
    best = curve.delta_chi2_s.argmin()
    assert curve.z_s[best] == pytest.approx(10 ** (1500 * STEP) - 1) and curve.class_s[best] == "QSO" and curve.delta_chi2_s[best] == 0
    assert curve.delta_chi2_s[210] == pytest.approx(10.0) and curve.class_s[210] == "GALAXY"


def test_posterior_gives_the_best_its_confidence_and_the_rest_to_all_others():
    curve = two_classes(sure=0.8)
    near = np.abs(np.log10(1 + curve.z_s) - 1500 * STEP) < 13.5 * STEP
    assert curve.posterior_s[near].sum() == pytest.approx(0.8) and curve.posterior_s.sum() == pytest.approx(1.0)
    assert curve.posterior_s[210] > 0.05


def test_redshifts_that_no_class_covers_are_left_out():
    low, high = np.arange(0, 10), np.arange(20, 30)
    assert len(joined([("STAR", low, np.ones(10)), ("QSO", high, np.ones(10))], 0.5, STEP).z_s) == 20


def test_thinned_curve_keeps_deep_minima_and_all_probability():
    rng = np.random.default_rng(0)
    z = 10 ** (np.arange(-20, 7600) * STEP) - 1
    rise = 30 + rng.random(len(z))
    rise[[1234, 5000]] = 0.0, 4.0
    p = rng.random(len(z))
    thin = Chi2Curve(z, rise, p / p.sum(), np.full(len(z), "GALAXY")).decimated()
    assert len(thin.z_s) <= 600 and (np.diff(thin.z_s) > 0).all() and thin.posterior_s.sum() == pytest.approx(1.0)
    assert thin.z_s[thin.delta_chi2_s < 5].tolist() == z[[1234, 5000]].tolist()


def test_thinning_an_empty_curve_gives_an_empty_curve():
    assert len(NO_CURVE.decimated().z_s) == 0
