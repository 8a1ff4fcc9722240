"""What is unlike anything labelled, on a line."""

import numpy as np
import pytest

from core.acquisition.candidates import Picks
from core.acquisition.novelty import novelty
from core.acquisition.registry import strategy
from tests.candidates import line


def picked(candidates, size: int) -> Picks:
    return strategy("novelty").select(candidates, size, np.random.default_rng(0))


def column(*values) -> np.ndarray:
    return np.array(values, float).reshape(-1, 1)


def test_novelty_is_measured_by_how_close_the_labels_nearby_are_to_each_other():
    labels = column(0, 0.1, 0.2, 10, 11, 12)
    assert novelty(column(2.2, 14), labels, 1) == pytest.approx([20, 2], rel=1e-3)


def test_novelty_of_labelled_kinds_is_about_one():
    rng = np.random.default_rng(0)
    scores = novelty(rng.normal(0, 1, (300, 4)), rng.normal(0, 1, (200, 4)))
    assert np.median(scores) == pytest.approx(1.0, abs=0.15)


def test_novelty_stays_finite_where_labels_coincide_and_with_a_single_label():
    assert novelty(column(0, 1), column(0, 0, 0)).tolist() == [0.0, 1.0]
    assert novelty(column(0, 1, 2), column(0)).tolist() == pytest.approx([0, 1, 2])


def test_novelty_agrees_with_a_plain_computation():
    rng = np.random.default_rng(1)
    points, labels = rng.normal(0, 2, (30, 3)), rng.normal(0, 1, (20, 3))
    between = np.linalg.norm(labels[:, None] - labels[None], axis=2)
    own = np.sort(between, axis=1)[:, 1:4].mean(axis=1)
    away = np.linalg.norm(points[:, None] - labels[None], axis=2)
    order = np.argsort(away, axis=1)[:, :3]
    assert novelty(points, labels, 3) == pytest.approx(np.take_along_axis(away, order, axis=1).mean(axis=1) / own[order].mean(axis=1), rel=1e-4)


def test_most_novel_asks_about_a_clump_once_before_it_looks_elsewhere():
    picks = picked(line([1.5, 50, 50.1, 50.2, -30], labelled=[0, 1, 2, 3]), 3)
    assert picks.indices.tolist()[:2] == [3, 4]
    assert picks.scores[0] > picks.scores[1] > picks.scores[2]
    assert picks.reasons[0].startswith("Unlike anything labelled: ") and "2 of the pool are nearer to it than its nearest label" in picks.reasons[0]
    assert float(picks.reasons[0].split()[3]) == pytest.approx(novelty(column(50.2), column(0, 1, 2, 3))[0], rel=0.1)
    assert "nothing in the pool is nearer to it than its nearest label" in picks.reasons[1]


def test_most_novel_does_not_call_a_familiar_galaxy_unlike_anything_labelled():
    assert picked(line([1.5, 2.4], labelled=[0, 1, 2, 3]), 1).reasons[0].startswith("The least familiar that was left: ")


def test_most_novel_takes_features_as_they_are_and_the_run_at_its_word():
    noise = {"aleatoric_pt": np.array([[1.0], [100.0]]), "labelled_aleatoric_lt": np.ones((4, 1)), "groups": {"z": [0]}}
    assert picked(line([8, 12], labelled=[0, 1, 2, 3], **noise), 1).indices.tolist() == [1]
    told = picked(line([8, 12], labelled=[0, 1, 2, 3], novelty_p=np.array([7.0, 2.0])), 1)
    assert (told.indices.tolist(), told.scores.tolist()) == ([0], [7.0])
    assert picked(line([8, 12], labelled=[0, 1, 2, 3], novelty_p=np.array([7.0, np.nan])), 1).indices.tolist() == [1]


def test_most_novel_measures_from_the_middle_of_the_pool_when_nothing_is_labelled():
    picks = picked(line([0, 2, -2, 7, -7]), 2)
    assert sorted(picks.indices.tolist()) == [3, 4]
    assert picks.reasons[0] == "1.9 times as far from the middle of the pool as the average: nothing is labelled yet"
