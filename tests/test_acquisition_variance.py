"""Strategies that go by predicted variances, on arrays small enough to do by hand."""

import numpy as np
import pytest

from core.acquisition.registry import strategy
from core.acquisition.variance import balanced_uncertainty, gumbel_top
from core.columns import task_groups
from core.errors import BadInput
from tests.candidates import line, pick


def test_balanced_uncertainty_lets_eight_sfr_columns_weigh_what_z_weighs():
    epistemic = np.ones((2, 9))
    epistemic[0, 0], epistemic[1, 1:] = 3.0, 3.0
    score, by_group = balanced_uncertainty(epistemic, task_groups())
    assert score.tolist() == [1.0, 1.0]
    assert by_group.tolist() == [[1.5, 0.5], [0.5, 1.5]]


def test_balanced_uncertainty_is_free_of_units_and_of_groups_without_variance():
    epistemic = np.random.default_rng(0).gamma(2, 1, (50, 3))
    groups = {"z": [0], "sfr": [1, 2]}
    score, _ = balanced_uncertainty(epistemic, groups)
    assert np.allclose(balanced_uncertainty(epistemic * [1e-6, 1.0, 40.0], groups)[0], score)
    assert np.allclose(balanced_uncertainty(epistemic * [0.0, 1.0, 1.0], groups)[0].mean(), 1.0)


def test_epistemic_takes_the_largest_first_and_says_which_group_leads():
    candidates = line([0] * 4, epistemic_pt=np.array([[1.0, 1], [5, 1], [1, 3], [1, 1]]), groups={"z": [0], "sfr": [1]})
    picks = strategy("epistemic").select(candidates, 2, np.random.default_rng(0))
    assert picks.indices.tolist() == [1, 2]
    assert picks.scores.tolist() == pytest.approx([(5 / 2 + 1 / 1.5) / 2, (1 / 2 + 3 / 1.5) / 2])
    assert picks.reasons[0] == "Epistemic variance 1.6 times the pool's mean, above 75 % of it, mostly z (2.5 times)"


def test_epistemic_refuses_a_model_that_is_never_unsure():
    with pytest.raises(BadInput, match="Epistemic variance must be 0 or more, and above 0 somewhere; got 0 to 0"):
        pick("epistemic", line([0, 1], epistemic_pt=np.zeros((2, 1)), groups={"z": [0]}), 1)


def test_epistemic_sampled_draws_in_proportion_to_variance():
    candidates = line([0] * 4, epistemic_pt=np.array([[1.0], [2], [5], [0]]), groups={"z": [0]})
    draws = [pick("epistemic_sampled", candidates, 1, seed)[0] for seed in range(2000)]
    assert np.bincount(draws, minlength=4) / 2000 == pytest.approx([0.125, 0.25, 0.625, 0], abs=0.03)


@pytest.mark.parametrize("beta, shares", [(0.0, [1 / 3, 1 / 3, 1 / 3]), (1.0, [1 / 6, 2 / 6, 3 / 6]), (2.0, [1 / 14, 4 / 14, 9 / 14])])
def test_gumbel_top_draws_in_proportion_to_a_power_of_the_score(beta, shares):
    rng = np.random.default_rng(0)
    draws = [gumbel_top(np.array([1.0, 2.0, 3.0]), 1, rng, beta)[0] for _ in range(4000)]
    assert np.bincount(draws, minlength=3) / 4000 == pytest.approx(shares, abs=0.03)


def test_gumbel_top_draws_without_replacement_and_nothing_of_score_zero_before_the_rest():
    drawn = gumbel_top(np.array([0.0, 1, 1, 0, 1]), 5, np.random.default_rng(0))
    assert sorted(drawn[:3].tolist()) == [1, 2, 4] and sorted(drawn.tolist()) == [0, 1, 2, 3, 4]


def test_total_variance_takes_noise_for_ignorance_and_epistemic_does_not():
    candidates = line([0, 0], epistemic_pt=np.array([[1.0], [2]]), aleatoric_pt=np.array([[9.0], [2]]), groups={"z": [0]})
    picks = strategy("total_variance").select(candidates, 1, np.random.default_rng(0))
    assert picks.indices.tolist() == [0] and picks.scores.tolist() == pytest.approx([10 / 7])
    assert picks.reasons == ["Total variance 1.4 times the pool's mean, above 50 % of it, mostly z (1.4 times)"]
    assert pick("epistemic", candidates, 1) == [1]


def test_bald_ranks_by_ignorance_over_noise_and_not_by_variance():
    candidates = line([0] * 3, epistemic_pt=np.array([[9.0], [1], [3]]), aleatoric_pt=np.array([[9.0], [1 / 15], [1]]), groups={"z": [0]})
    picks = strategy("bald").select(candidates, 3, np.random.default_rng(0))
    assert picks.indices.tolist() == [1, 2, 0] and pick("epistemic", candidates, 3) == [0, 2, 1]
    assert picks.scores.tolist() == pytest.approx([2 * np.log(2), np.log(2), 0.5 * np.log(2)])
    assert picks.reasons[0] == "A label should tell 1.4 nat, more than for 67 % of the pool, mostly about z (1.4 nat)"


def test_bald_lets_eight_sfr_columns_weigh_what_z_weighs_whatever_the_units():
    epistemic, aleatoric = np.zeros((2, 9)), np.ones((2, 9))
    epistemic[0, 0], epistemic[1, 1:] = 3.0, 3.0
    for unit in (1.0, 1e-6):
        candidates = line([0, 0], epistemic_pt=epistemic * unit, aleatoric_pt=aleatoric * unit, groups=task_groups())
        assert strategy("bald").select(candidates, 2, np.random.default_rng(0)).scores.tolist() == pytest.approx([np.log(2) / 2] * 2)


def test_bald_sampled_draws_in_proportion_to_nats():
    candidates = line([0] * 2, epistemic_pt=np.array([[3.0], [63]]), aleatoric_pt=np.ones((2, 1)), groups={"z": [0]})
    draws = [pick("bald_sampled", candidates, 1, seed)[0] for seed in range(2000)]
    assert np.bincount(draws) / 2000 == pytest.approx([0.25, 0.75], abs=0.03)


@pytest.mark.parametrize("name", ["bald", "bald_sampled"])
def test_bald_refuses_a_model_without_noise_or_without_ignorance(name):
    known = {"epistemic_pt": np.ones((2, 1)), "aleatoric_pt": np.ones((2, 1)), "groups": {"z": [0]}}
    with pytest.raises(BadInput, match="Aleatoric variance must be above 0 everywhere; got 0 at least"):
        pick(name, line([0, 1], **known | {"aleatoric_pt": np.array([[0.0], [1]])}), 1)
    with pytest.raises(BadInput, match="Epistemic variance must be 0 or more, and above 0 somewhere; got 0 to 0"):
        pick(name, line([0, 1], **known | {"epistemic_pt": np.zeros((2, 1))}), 1)


def test_disagreement_is_drawn_in_proportion_to_squared_sigmas_with_groups_balanced():
    candidates = line([0] * 3, disagreement_pt=np.array([[1.0, 0, 0], [0, 3, 3], [0, 0, 0]]), groups={"z": [0], "sfr": [1, 2]})
    draws = [pick("disagreement", candidates, 1, seed)[0] for seed in range(2000)]
    assert np.bincount(draws, minlength=3) / 2000 == pytest.approx([0.25, 0.75, 0], abs=0.03)
    picks = strategy("disagreement").select(candidates, 2, np.random.default_rng(0))
    assert sorted(picks.scores.tolist()) == [0.5, 1.5]
    assert "Image and spectrum differ by 1.2 sigma, most about sfr (1.7 sigma)" in picks.reasons
