"""Neighbours on the sky follow each other."""

import numpy as np

from core.acquisition.ordering import neighbours_together


def test_neighbours_follow_each_other_over_the_meridian_and_the_lost_come_last():
    ra, dec = np.array([359.9, np.nan, 180.0, 0.1, 180.2]), np.array([0.0, 10.0, 0.0, 0.0, -0.1])
    assert neighbours_together(ra, dec).tolist() == [4, 2, 0, 3, 1]


def test_neighbours_of_two_clumps_are_not_mixed_and_nobody_is_lost_or_doubled():
    rng = np.random.default_rng(0)
    clump = rng.permutation(np.repeat([0, 1], 20))
    order = neighbours_together(np.where(clump, 200.0, 20.0) + rng.normal(0, 1, 40), rng.normal(0, 1, 40))
    assert sorted(order.tolist()) == list(range(40)) and (np.diff(clump[order]) != 0).sum() == 1


def test_neighbours_of_nobody_and_of_objects_without_a_place():
    assert neighbours_together(np.array([]), np.array([])).tolist() == []
    assert neighbours_together(np.array([np.nan, np.nan]), np.array([1.0, np.nan])).tolist() == [0, 1]
