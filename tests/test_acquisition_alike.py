"""The chance that somebody can label a galaxy, by what became of the galaxies most like it."""

import numpy as np
import pytest

from core.acquisition.alike import LEAST, chance_alike

CLUMPS = np.concatenate([np.random.default_rng(0).normal(0, 1, (60, 3)), np.random.default_rng(1).normal(12, 1, (6, 3))])
IS_LABELLED = np.arange(66) < 60


def test_chance_is_one_when_nothing_was_refused_or_tried():
    assert chance_alike(np.zeros((3, 2)), np.zeros((0, 2)), np.zeros(0, bool)).tolist() == [1, 1, 1]
    assert chance_alike(np.zeros((3, 2)), np.ones((4, 2)), np.ones(4, bool)).tolist() == [1, 1, 1]


def test_chance_is_small_among_the_refused_and_large_among_the_labelled():
    chance = chance_alike(np.array([[0.0, 0, 0], [12, 12, 12]]), CLUMPS, IS_LABELLED)
    assert chance[0] > 0.95 and chance[1] < LEAST


def test_far_from_everything_tried_the_chance_goes_towards_the_share_of_all():
    far = chance_alike(np.array([[1e4, -1e4, 0.0]]), CLUMPS, IS_LABELLED)[0]
    assert far == pytest.approx(60 / 66, abs=0.01)


def test_one_refusal_is_enough_where_it_happened_again_and_again():
    twice = chance_alike(np.array([[5.0]]), np.array([[0.0], [1.0], [2.0], [5.0]]), np.array([True, True, True, False]))
    assert twice[0] < LEAST


def test_coinciding_features_stay_finite():
    assert np.isfinite(chance_alike(np.zeros((2, 3)), np.zeros((5, 3)), np.array([True, True, False, True, True]))).all()
