"""MaxDet and BAIT against determinants and inverses written out, and on pools small enough to do by hand."""

from dataclasses import replace

import numpy as np
import pytest

from core.acquisition.candidates import Candidates, Picks
from core.acquisition.posterior import PRIOR
from core.acquisition.registry import strategy


def plane(points, labelled=None, **fields) -> Candidates:
    """Everything allowed; nothing labelled unless said."""
    points = np.asarray(points, float)
    labelled = np.zeros((0, points.shape[1])) if labelled is None else np.asarray(labelled, float)
    return Candidates(np.ones(len(points), bool), points, labelled, **fields)


def picked(name: str, candidates: Candidates, size: int) -> Picks:
    return strategy(name).select(candidates, size, np.random.default_rng(0))


def cloud(p: int = 60, labelled: int = 12, d: int = 5, seed: int = 0) -> Candidates:
    rng = np.random.default_rng(seed)
    stretch = np.linspace(0.2, 2, d)
    return plane(rng.normal(0.3, 1, (p, d)) * stretch, rng.normal(0.3, 1, (labelled, d)) * stretch)


def scaled(candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    scale = np.sqrt((candidates.features_pd**2).sum(axis=1).mean())
    return candidates.features_pd / scale, candidates.labelled_ld / scale


def precision(rows: np.ndarray) -> np.ndarray:
    return PRIOR * np.eye(rows.shape[1]) + rows.T @ rows


def best(gains: list[float], taken: list[int]) -> int:
    return int(np.where(np.isin(np.arange(len(gains)), taken), -np.inf, gains).argmax())


def test_max_det_picks_the_longest_of_orthogonal_features_first_with_the_nats_by_hand():
    picks = picked("max_det", plane(np.diag([1.0, 3, 2])), 3)
    assert picks.indices.tolist() == [1, 2, 0]
    assert picks.scores.tolist() == pytest.approx([0.5 * np.log1p(n / (14 / 3) / PRIOR) for n in (9, 4, 1)], rel=1e-5)
    assert picks.reasons[0] == "Ignorance of 1.9e+02 times the noise after all labels and the picks before it: 2.6 nat"


def test_max_det_leaves_alone_what_a_label_or_a_pick_already_says():
    points = [[3.0, 0], [3, 0], [0, 1]]
    assert picked("max_det", plane(points), 2).indices.tolist() == [0, 2]
    assert picked("max_det", plane(points, labelled=[[3.0, 0]]), 1).indices.tolist() == [2]


def test_max_det_follows_the_determinant_written_out():
    candidates = cloud()
    points, known = scaled(candidates)
    expected: list[int] = []
    for _ in range(15):
        rows = np.vstack([known, points[expected]])
        expected.append(best([np.linalg.slogdet(precision(np.vstack([rows, x])))[1] for x in points], expected))
    picks = picked("max_det", candidates, 15)
    assert picks.indices.tolist() == expected
    whole = np.linalg.slogdet(precision(np.vstack([known, points[expected]])))[1] - np.linalg.slogdet(precision(known))[1]
    assert picks.scores.sum() == pytest.approx(whole / 2, rel=1e-4)


@pytest.mark.parametrize("name", ["max_det", "bait"])
def test_posterior_strategies_divide_features_by_the_predicted_noise(name):
    points = [[2.0, 0], [0, 1.9], [0, -0.1], [-0.1, 0]]
    assert picked(name, plane(points), 1).indices.tolist() == [0]
    noise = {"aleatoric_pt": np.array([[9.0], [1], [1], [1]]), "groups": {"z": [0]}}
    assert picked(name, plane(points, **noise), 1).indices.tolist() == [1]


def test_bait_follows_the_inverse_written_out_and_scores_the_share_it_takes_away():
    candidates = cloud(seed=1)
    points, known = scaled(candidates)
    left = [summed_variance(known, points)]
    expected: list[int] = []
    for _ in range(15):
        rows = np.vstack([known, points[expected]])
        expected.append(best([-summed_variance(np.vstack([rows, x]), points) for x in points], expected))
        left.append(summed_variance(np.vstack([known, points[expected]]), points))
    picks = picked("bait", candidates, 15)
    assert picks.indices.tolist() == expected
    assert picks.scores == pytest.approx(-np.diff(left) / left[0], rel=1e-3)


def summed_variance(rows: np.ndarray, served: np.ndarray) -> float:
    return float(np.trace(np.linalg.inv(precision(rows)) @ served.T @ served))


def test_bait_passes_by_the_outlier_that_max_det_takes():
    points = [[1.0, 0]] * 50 + [[0, 3.0]]
    assert picked("max_det", plane(points), 1).indices.tolist() == [50]
    assert picked("bait", plane(points), 1).indices.tolist() == [0]


def test_bait_picks_along_the_axis_on_which_its_population_lies():
    pool = plane([[5.0, 0], [0, 1], [0, 0.5], [-5, 0]])
    assert picked("bait", pool, 1).indices.tolist() == [0]
    served = picked("bait", replace(pool, population_md=np.array([[0.0, 2], [0, -1]])), 2)
    assert served.indices.tolist() == [1, 2]
    assert served.reasons[0].endswith("of the posterior variance over the population to be served")


def test_bait_lets_noisy_galaxies_of_the_population_count_less():
    fields = {"aleatoric_pt": np.ones((2, 1)), "groups": {"z": [0]}, "population_md": np.array([[2.0, 0], [0, 1]])}
    pool = plane([[1.0, 0], [0, 1.0]], **fields)
    assert picked("bait", replace(pool, population_aleatoric_mt=np.ones((2, 1))), 1).indices.tolist() == [0]
    assert picked("bait", replace(pool, population_aleatoric_mt=np.array([[99.0], [1]])), 1).indices.tolist() == [1]


@pytest.mark.parametrize("name", ["max_det", "bait"])
def test_posterior_strategies_do_not_depend_on_the_scale_of_the_features(name):
    candidates = cloud(seed=2)
    larger = replace(candidates, features_pd=1e4 * candidates.features_pd, labelled_ld=1e4 * candidates.labelled_ld)
    assert picked(name, larger, 12).indices.tolist() == picked(name, candidates, 12).indices.tolist()
