"""Pool-mass weights: a label counts by the galaxies it stands for."""

import numpy as np
import pytest

from core.acquisition.mass import pool_mass_weights
from core.errors import BadInput


def test_weights_follow_the_root_of_one_plus_the_galaxies_nearest_to_each_label():
    pool = np.concatenate([np.zeros((8, 2)), np.full((3, 2), 10.0)])
    weights = pool_mass_weights(pool, np.array([[0.1, 0.0], [10.0, 9.0], [99.0, 99.0]]))
    assert weights == pytest.approx(np.array([3.0, 2.0, 1.0]) / 2.0)


def test_weights_have_mean_one_and_follow_their_labels_when_those_are_permuted():
    rng = np.random.default_rng(0)
    pool, labelled = rng.standard_normal((500, 5)), rng.standard_normal((20, 5))
    weights, order = pool_mass_weights(pool, labelled), rng.permutation(20)
    assert weights.mean() == pytest.approx(1) and weights.min() > 0
    assert pool_mass_weights(pool[::-1], labelled[order]) == pytest.approx(weights[order])


def test_weights_are_equal_when_no_galaxy_is_left_in_the_pool():
    assert pool_mass_weights(np.zeros((0, 3)), np.eye(3)).tolist() == [1.0, 1.0, 1.0]


def test_weights_without_labels_or_with_missing_features_are_refused():
    with pytest.raises(BadInput, match="Pool-mass weights must have a label to weigh; got none"):
        pool_mass_weights(np.zeros((4, 2)), np.zeros((0, 2)))
    with pytest.raises(BadInput, match="Features must be finite; got NaN or inf, for pool-mass weights"):
        pool_mass_weights(np.array([[np.nan, 0.0]]), np.zeros((1, 2)))
