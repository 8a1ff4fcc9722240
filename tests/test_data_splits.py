"""Splits by position on the sky."""

import numpy as np

from core.data.splits import sky_groups, split_of


def test_the_same_galaxy_on_two_plates_is_in_one_group_even_across_a_cell_edge():
    edge = 0.1 / np.cos(np.radians(0.05))
    ra = np.array([edge - 0.0001, edge + 0.0001, edge + 0.05])
    groups = sky_groups(["a", "b", "c"], ra, np.full(3, 0.05))
    assert groups[0] == groups[1] != groups[2]


def test_a_chain_of_neighbours_is_one_group():
    step = 2.5 / 3600
    ra = edge = 0.1 / np.cos(np.radians(0.05)) + step * np.arange(-2, 3)
    assert len(set(sky_groups(list("abcde"), ra, np.full(len(edge), 0.05)))) == 1


def test_a_new_object_inherits_the_group_of_a_known_neighbour():
    known = (np.array([10.0]), np.array([20.0]), np.array([77]))
    groups = sky_groups(["a", "b"], np.array([10.0 + 1 / 3600, 10.5]), np.array([20.0, 20.0]), known)
    assert groups[0] == 77 and groups[1] != 77


def test_ra_wraps_at_360():
    groups = sky_groups(["a", "b"], np.array([359.99999, -0.00001]), np.array([0.05, 0.05]))
    assert groups[0] == groups[1]


def test_objects_without_position_have_groups_of_their_own():
    groups = sky_groups(["a", "b"], np.array([np.nan, np.nan]), np.array([np.nan, np.nan]))
    assert (groups < 0).all() and groups[0] != groups[1]


def test_split_is_a_fixed_draw_with_the_shares_promised():
    groups = np.arange(20_000)
    names = split_of(groups)
    assert names[:3].tolist() == split_of(groups[:3]).tolist()
    assert abs((names == "test").mean() - 0.20) < 0.01
    assert abs((names == "calibration").mean() - 0.10) < 0.01
