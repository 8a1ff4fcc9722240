"""What a batch buys, by hand; and distances against a plain computation."""

import numpy as np
import pytest

from core.acquisition.distances import BLOCK, nearest, squared_between
from core.acquisition.worth import covered, squared_to_labels


def column(*values) -> np.ndarray:
    return np.array(values, float).reshape(-1, 1)


def test_covered_weighs_galaxies_by_their_uncertainty():
    pool, label = column(1, 2), column(0)
    assert covered(pool, np.array([0.0, 1.0]), label, np.array([1])) == pytest.approx((1.0, 0.0))
    assert covered(pool, np.array([1.0, 1.0]), label, np.array([1])) == pytest.approx((0.5, 0.0))


def test_covered_is_nothing_when_the_picks_are_where_the_labels_are():
    assert covered(column(0, 5), np.ones(2), column(0), np.array([0])) == (0.0, 0.0)


def test_covered_redundancy_grows_when_picks_repeat_each_other():
    pool = column(0, 10, 10.1, 10.2, 20)
    alike = covered(pool, np.ones(5), column(0), np.array([1, 2, 3]))
    spread = covered(pool, np.ones(5), column(0), np.array([2, 4]))
    assert alike[1] > 0.6 > 0.3 > spread[1]
    assert spread[0] > alike[0]


def test_covered_measures_from_the_middle_when_nothing_is_labelled():
    share, _ = covered(column(-1, 1), np.ones(2), np.zeros((0, 1)), np.array([0]))
    assert share == pytest.approx(0.5)


def test_covered_is_the_same_when_distances_to_labels_are_known_already():
    pool, label = column(0, 4, 4, 9), column(0)
    assert squared_to_labels(pool, label).tolist() == [0, 16, 16, 81] and squared_to_labels(column(-1, 1), np.zeros((0, 1))).tolist() == [1, 1]
    assert covered(pool, np.ones(4), label, np.array([1, 3]), squared_to_labels(pool, label)) == covered(pool, np.ones(4), label, np.array([1, 3]))


def test_nearest_agrees_with_a_plain_computation_across_blocks_and_far_from_the_origin():
    rng = np.random.default_rng(0)
    points, centres = rng.normal(500, 1, (BLOCK + 7, 3)), rng.normal(500, 1, (11, 3))
    plain = ((points[:, None] - centres[None]) ** 2).sum(-1)
    squared, index = nearest(points, centres)
    assert np.allclose(squared, plain.min(axis=1), atol=1e-4)
    assert (index == plain.argmin(axis=1)).mean() > 0.999
    assert np.allclose(squared_between(points[:5], centres), plain[:5], atol=1e-4)


def test_nearest_is_infinitely_far_when_there_is_no_centre():
    assert nearest(column(1, 2), np.zeros((0, 1)))[0].tolist() == [np.inf, np.inf]
