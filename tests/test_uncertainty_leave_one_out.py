"""Residuals without the label's own pull, against fits that really leave it out."""

import numpy as np
import pytest

from core.errors import BadInput
from core.uncertainty import last_layer
from core.uncertainty.leave_one_out import MOST, leverage


@pytest.fixture
def galaxies():
    rng = np.random.default_rng(5)
    features = rng.standard_normal((40, 6))
    noise = rng.uniform(0.02, 0.1, (40, 1))
    return features, features @ rng.standard_normal((6, 1)) + rng.standard_normal((40, 1)) * np.sqrt(noise), noise


def test_leverage_gives_the_residual_of_a_fit_without_the_label(galaxies):
    features, values, noise = galaxies
    prior = last_layer.prior_of(features, values, noise, ("z",))
    residual = values - last_layer.fit(features, values, noise, ("z",), prior).predict(features, noise).mean
    pulled = residual / (1 - leverage(features, values, noise, ("z",)))
    for left_out in (0, 7, 39):
        rest = np.delete(np.arange(40), left_out)
        without = last_layer.fit(features[rest], values[rest], noise[rest], ("z",), prior).predict(features[[left_out]], noise[[left_out]]).mean
        assert pulled[left_out, 0] == pytest.approx(values[left_out, 0] - without[0, 0], rel=1e-6)


def test_leverage_is_bounded_and_0_where_there_is_no_label(galaxies):
    features, values, noise = galaxies
    values[3] = np.nan
    found = leverage(features, values, noise, ("z",))
    alone = leverage(features[:4], np.array([[0.0], [1.0], [2.0], [3.0]]), np.full((4, 1), 1e-12), ("z",))
    assert found[3, 0] == 0 and (found >= 0).all() and 0 < found.mean() < 0.3 and alone.max() <= MOST


def test_leverage_refuses_features_that_are_not_finite(galaxies):
    features, values, noise = galaxies
    features[2, 1] = np.nan
    with pytest.raises(BadInput, match="Latent features must be finite"):
        leverage(features, values, noise, ("z",))
