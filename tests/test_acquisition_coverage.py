"""Strategies that cover feature space or draw at random, on arrays small enough to do by hand."""

from dataclasses import replace

import numpy as np
import pytest

from core.acquisition.registry import strategy
from tests.candidates import line, pick, pool


def test_stratified_random_takes_one_of_each_equal_share():
    candidates = line([0] * 9, spread_p=np.array([9.0, 1, 2, 3, 4, 5, 6, 7, 8]), spread_name="S/N")
    picks = strategy("stratified_random").select(candidates, 3, np.random.default_rng(0))
    assert sorted(np.ceil(picks.scores / 3).tolist()) == [1, 2, 3]
    assert any("stratum 3 of 3: S/N 7 to 9" in r for r in picks.reasons)


def test_k_centre_takes_the_farthest_from_labels_and_picks_by_hand():
    picks = strategy("k_centre").select(line([1, 2, 9, 10, -4], labelled=[0]), 3, np.random.default_rng(0))
    assert picks.indices.tolist() == [3, 4, 1]
    assert picks.scores.tolist() == pytest.approx([10, 4, 2])
    assert picks.reasons[0] == "The farthest that was left: 10 from the nearest label or pick"


def test_k_centre_starts_in_the_middle_when_nothing_is_labelled():
    assert pick("k_centre", line([0, 5, 6, 11]), 3) == [1, 3, 0]


def test_lcmd_prefers_the_heaviest_cluster_over_the_farthest_point_by_hand():
    candidates = line([1.0, 2, 3, 3.5, 104.1], labelled=[0, 100])
    picks = strategy("lcmd").select(candidates, 2, np.random.default_rng(0))
    assert picks.indices.tolist() == [3, 4]
    assert picks.scores.tolist() == pytest.approx([3.5, 4.1], rel=1e-4)
    assert pick("k_centre", candidates, 1) == [4]


def test_lcmd_divides_features_by_the_predicted_noise():
    noise = {"aleatoric_pt": np.array([[1.0], [1.0], [100.0]]), "labelled_aleatoric_lt": np.ones((1, 1)), "groups": {"z": [0]}}
    assert pick("lcmd", line([1, 2, 4], labelled=[0]), 1) == [2]
    assert pick("lcmd", line([1, 2, 4], labelled=[0], **noise), 1) == [1]


def test_lcmd_agrees_with_a_plain_double_loop():
    candidates = replace(pool(), aleatoric_pt=None, allowed_p=np.ones(200, bool))
    assert pick("lcmd", candidates, 25) == slow_lcmd(candidates.features_pd, candidates.labelled_ld, 25)


def slow_lcmd(points, labelled, size):
    centres, picked = list(labelled), []
    for _ in range(size):
        distance = np.array([[((p - c) ** 2).sum() for c in centres] for p in points])
        nearest, squared = distance.argmin(axis=1), distance.min(axis=1)
        heavy = np.array([squared[nearest == k].sum() for k in range(len(centres))]).argmax()
        picked.append(int(np.where((nearest == heavy) & ~np.isin(np.arange(len(points)), picked), squared, -1).argmax()))
        centres.append(points[picked[-1]])
    return picked


def test_lcmd_sampled_draws_by_squared_distance_inside_the_cluster():
    draws = [pick("lcmd_sampled", line([1, 2, 3], labelled=[0]), 1, seed)[0] for seed in range(2000)]
    assert np.bincount(draws, minlength=3) / 2000 == pytest.approx([1 / 14, 4 / 14, 9 / 14], abs=0.03)


def test_k_means_pp_draws_by_squared_distance_over_the_whole_pool():
    candidates = line([1, 2, 103], labelled=[0, 100])
    draws = [pick("k_means_pp", candidates, 1, seed)[0] for seed in range(2000)]
    assert np.bincount(draws, minlength=3) / 2000 == pytest.approx([1 / 14, 4 / 14, 9 / 14], abs=0.03)


def test_k_means_pp_divides_by_noise_and_hardly_repeats_a_pick():
    noise = {"aleatoric_pt": np.array([[1.0], [1.0], [1e6]]), "labelled_aleatoric_lt": np.ones((1, 1)), "groups": {"z": [0]}}
    assert {pick("k_means_pp", line([0, 2, 4], labelled=[0], **noise), 1, seed)[0] for seed in range(50)} == {1}
    twins = [pick("k_means_pp", line([5, 5, -5], labelled=[0]), 2, seed) for seed in range(50)]
    assert all(sorted(batch) != [0, 1] for batch in twins)


def test_k_means_takes_the_middle_of_each_cluster_largest_first():
    picks = strategy("k_means").select(line([0, 1, 2, 100, 101, 102, 101]), 2, np.random.default_rng(0))
    assert picks.indices[1] == 1 and picks.indices[0] in (4, 6)
    assert picks.scores.tolist() == [4, 3]
