"""Variances that are kept up label by label, against asking the posterior anew."""

import numpy as np
import pytest

from core.uncertainty.last_layer import fit
from core.uncertainty.watched import watch
from tests.test_uncertainty_last_layer import TARGETS, labelled


def test_watched_variances_and_means_are_those_of_a_refit_after_thirty_labels():
    features, values, noise = labelled(130)
    before, pool = fit(features[:100], values[:100], noise[:100], TARGETS), features[::3] + 0.5
    watched = watch(before, pool)
    for i in range(100, 130):
        watched = watched.absorb(features[i], values[i], noise[i])
    refit = fit(features, values, noise, TARGETS, before.prior)
    rows = before.prior.rows(pool)
    assert watched.epistemic_pt == pytest.approx(refit.variance(rows), rel=1e-8)
    assert watched.mean_pt == pytest.approx(rows @ refit.weights_te.T + before.prior.centre_t, rel=1e-8)


def test_label_that_is_expected_shrinks_variances_as_the_label_itself_does_and_moves_no_mean():
    features, values, noise = labelled()
    watched = watch(fit(features, values, noise, TARGETS), features)
    place, variance = features[7] + 3, np.array([0.04, np.inf, 0.01])
    expected = watched.expect(place, variance)
    told = watched.absorb(place, np.array([5.0, np.nan, -4.0]), variance)
    assert expected.epistemic_pt == pytest.approx(told.epistemic_pt, rel=1e-12)
    assert expected.mean_pt == pytest.approx(watched.mean_pt, rel=1e-10) and not np.allclose(told.mean_pt, watched.mean_pt)
    assert (expected.epistemic_pt[:, 1] == watched.epistemic_pt[:, 1]).all() and (expected.epistemic_pt[:, 0] < watched.epistemic_pt[:, 0]).all()
