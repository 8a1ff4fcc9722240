"""The contract that every strategy keeps, and their choices on arrays small enough to do by hand."""

from dataclasses import fields, replace

import numpy as np
import pytest

from core.acquisition.batch import compose, fill_up
from core.acquisition.candidates import Candidates
from core.acquisition.registry import STRATEGIES, strategy
from core.acquisition.variance import balanced_uncertainty, gumbel_top
from core.columns import task_groups
from core.errors import BadInput

EVERY = pytest.mark.parametrize("name", STRATEGIES)
HEEDING = pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if s.heeds_cost])
NEEDY = pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if s.needs])


def pool(p: int = 200, labelled: int = 10, seed: int = 0) -> Candidates:
    rng = np.random.default_rng(seed)
    return Candidates(
        allowed_p=rng.random(p) > 0.2, features_pd=rng.normal(0, 1, (p, 6)), labelled_ld=rng.normal(0, 1, (labelled, 6)),
        epistemic_pt=rng.gamma(2, 1, (p, 9)), aleatoric_pt=rng.gamma(2, 1, (p, 9)), labelled_aleatoric_lt=rng.gamma(2, 1, (labelled, 9)),
        disagreement_pt=rng.gamma(1, 1, (p, 9)), spread_p=rng.uniform(0.02, 0.3, p), spread_name="predicted z", groups=task_groups(),
    )


def line(features, labelled=(), **fields) -> Candidates:
    """A pool on a line, everything allowed."""
    as_column = lambda x: np.asarray(x, float).reshape(-1, 1)  # noqa: E731
    return Candidates(np.ones(len(features), bool), as_column(features), as_column(labelled), **fields)


def pick(name: str, candidates: Candidates, size: int, seed: int = 1) -> list[int]:
    return strategy(name).select(candidates, size, np.random.default_rng(seed)).indices.tolist()


@EVERY
def test_strategy_returns_unique_allowed_rows_with_a_finite_score_and_a_reason_each(name):
    candidates = pool()
    picks = strategy(name).select(candidates, 40, np.random.default_rng(0))
    assert len(set(picks.indices.tolist())) == 40
    assert candidates.allowed_p[picks.indices].all()
    assert np.isfinite(picks.scores).all() and picks.scores.shape == (40,)
    assert len(picks.reasons) == 40 and all(len(r) > 10 and r[0].isupper() for r in picks.reasons)


@EVERY
def test_strategy_answers_the_same_when_the_generator_is_the_same(name):
    assert pick(name, pool(), 30, seed=5) == pick(name, pool(), 30, seed=5)


@EVERY
def test_strategy_can_take_the_whole_pool_and_a_single_galaxy(name):
    candidates = pool(p=25)
    allowed = int(candidates.allowed_p.sum())
    assert sorted(pick(name, candidates, allowed)) == np.flatnonzero(candidates.allowed_p).tolist()
    assert len(pick(name, candidates, 1)) == 1


@EVERY
def test_strategy_copes_when_nothing_is_labelled_and_when_all_galaxies_are_alike(name):
    alike = replace(pool(), features_pd=np.ones((200, 6)), labelled_ld=np.zeros((0, 6)), labelled_aleatoric_lt=np.zeros((0, 9)),
                    epistemic_pt=np.ones((200, 9)), aleatoric_pt=np.ones((200, 9)), spread_p=np.ones(200))
    assert len(set(pick(name, alike, 12))) == 12


@pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if s.is_deterministic])
def test_deterministic_strategy_follows_the_pool_when_it_is_permuted(name):
    candidates, order = pool(), np.random.default_rng(9).permutation(200)
    moved = pick(name, candidates[order], 30, seed=2)
    assert order[moved].tolist() == pick(name, candidates, 30, seed=1)


@EVERY
def test_strategy_treats_negative_targets_like_positive_ones(name):
    candidates = pool()
    assert pick(name, replace(candidates, spread_p=candidates.spread_p - 10), 20) == pick(name, candidates, 20)


@EVERY
def test_strategy_leaves_the_pool_as_it_found_it(name):
    candidates, untouched = pool(), pool()
    pick(name, candidates, 20)
    assert all(np.array_equal(getattr(candidates, f.name), getattr(untouched, f.name)) for f in fields(candidates) if f.name.endswith(("_p", "_pd", "_pt", "_ld", "_lt")))


@EVERY
def test_strategy_refuses_an_empty_pool_with_a_sentence(name):
    with pytest.raises(BadInput, match="The pool must hold at least one galaxy to ask about; got 0, for " + name):
        pick(name, replace(pool(), allowed_p=np.zeros(200, bool)), 5)


@EVERY
def test_strategy_refuses_a_batch_larger_than_the_pool(name):
    with pytest.raises(BadInput, match="The batch size must be from 1 to 4, the galaxies that may be asked about; got 5"):
        pick(name, replace(pool(), allowed_p=np.arange(200) < 4), 5)


@NEEDY
def test_strategy_refuses_nan_in_what_it_needs_and_ignores_it_in_rows_it_may_not_pick(name):
    for field in strategy(name).needs:
        broken = np.array(getattr(pool(), field))
        broken[7] = np.nan
        forbidden = replace(pool(), **{field: broken}, allowed_p=np.arange(200) != 7)
        assert 7 not in pick(name, forbidden, 20)
        with pytest.raises(BadInput, match="must be finite; got NaN or inf for 1"):
            pick(name, replace(forbidden, allowed_p=np.ones(200, bool)), 20)
        with pytest.raises(BadInput, match="be known for " + name):
            pick(name, replace(pool(), **{field: None}), 20)


@pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if "features_pd" in s.needs])
@pytest.mark.parametrize("beside", ["labelled_ld", "labelled_aleatoric_lt", "aleatoric_pt"])
def test_strategy_refuses_nan_in_what_stands_beside_its_features(name, beside):
    broken = np.array(getattr(pool(), beside))
    broken[3] = np.nan
    with pytest.raises(BadInput, match=f"beside the features .{beside}. must be finite; got NaN or inf for 1, for row 3 first"):
        pick(name, replace(pool(), **{beside: broken}, allowed_p=np.ones(200, bool)), 20)


@HEEDING
def test_strategy_ignores_a_cost_that_is_the_same_for_all_and_tells_it(name):
    candidates = replace(pool(), cost_p=np.full(200, 32.0))
    assert pick(name, candidates, 20) == pick(name, pool(), 20)
    assert all(r.endswith("; a label should take 32 s") for r in strategy(name).select(candidates, 20, np.random.default_rng(0)).reasons)


@HEEDING
def test_strategy_prefers_what_is_quick_to_label(name):
    is_quick = np.arange(200) % 2 == 0
    picks = strategy(name).select(replace(pool(), cost_p=np.where(is_quick, 10.0, 1e7)), 10, np.random.default_rng(0))
    assert is_quick[picks.indices].sum() >= 9


@pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if not s.heeds_cost])
def test_strategy_that_looks_at_no_worth_refuses_a_cost(name):
    with pytest.raises(BadInput, match=f"Cost must be heeded by the strategy; got {name}, which does not look at what a label is worth"):
        pick(name, replace(pool(), cost_p=np.ones(200)), 5)


@HEEDING
def test_strategy_refuses_a_cost_that_is_no_number_above_zero(name):
    for wrong in (0.0, np.nan, -1.0):
        with pytest.raises(BadInput, match="Cost must be a number above 0 for every galaxy"):
            pick(name, replace(pool(), cost_p=np.where(np.arange(200) == 5, wrong, 1.0), allowed_p=np.ones(200, bool)), 5)


@pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if not s.heeds_diversity])
def test_strategy_without_a_score_refuses_diversity(name):
    with pytest.raises(BadInput, match=f"Diversity must be heeded by the strategy; got {name}, which has no score to weigh against distance"):
        pick(name, replace(pool(), diversity=0.5), 5)


def test_diversity_is_from_0_to_1_and_needs_features():
    for wrong in (-0.1, 1.1):
        with pytest.raises(BadInput, match="Diversity must be from 0 to 1"):
            pick("epistemic", replace(pool(), diversity=wrong), 5)
    with pytest.raises(BadInput, match="Features must be known for epistemic"):
        pick("epistemic", replace(pool(), diversity=0.5, features_pd=None), 5)


@pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if s.heeds_weights])
def test_strategy_that_heeds_weights_answers_otherwise_when_one_group_has_all_the_say(name):
    chosen = {z: pick(name, replace(pool(), weights={"z": z, "sfr": 1 - z}), 20) for z in (0.0, 0.5, 1.0)}
    assert chosen[0.5] == pick(name, pool(), 20) and chosen[0.0] != chosen[1.0]


@pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if not s.heeds_weights])
def test_strategy_that_does_not_heed_weights_answers_the_same(name):
    assert pick(name, replace(pool(), weights={"z": 0.0}), 20) == pick(name, pool(), 20)


def test_weights_refuse_groups_that_nobody_hears():
    with pytest.raises(BadInput, match="The say of a task group must be 0 or more, and above 0 for one of them"):
        pick("epistemic", replace(pool(), weights={"z": 0.0, "sfr": 0.0}), 5)


def test_weights_decide_between_z_and_star_formation_by_hand():
    known = {"epistemic_pt": np.array([[4.0, 1, 1], [1, 2, 2]]), "aleatoric_pt": np.ones((2, 3)), "groups": {"z": [0], "sfr": [1, 2]}}
    scores = {z: strategy("epistemic").select(line([0, 0], **known, weights={"z": z, "sfr": 1 - z}), 2, np.random.default_rng(0)) for z in (0.0, 0.25, 1.0)}
    assert [s.indices.tolist() for s in scores.values()] == [[1, 0], [1, 0], [0, 1]]
    assert scores[0.25].scores.tolist() == pytest.approx([0.25 * 1 / 2.5 + 0.75 * 2 / 1.5, 0.25 * 4 / 2.5 + 0.75 / 1.5])
    told = strategy("bald").select(line([0, 0], **known, weights={"z": 3.0}), 1, np.random.default_rng(0))
    assert told.scores.tolist() == pytest.approx([(3 * 0.5 * np.log(5) + 0.5 * np.log(2)) / 4])


def test_weights_of_a_group_without_ignorance_alone_are_refused():
    known = {"epistemic_pt": np.array([[0.0, 1], [0, 2]]), "groups": {"z": [0], "sfr": [1]}}
    assert pick("epistemic", line([0, 0], **known), 1) == [1]
    with pytest.raises(BadInput, match="Epistemic variance must be 0 or more, and above 0 somewhere; got 0 to 0"):
        pick("epistemic", line([0, 0], **known, weights={"z": 1.0, "sfr": 0.0}), 1)


def test_cost_weighs_worth_by_hand():
    known = {"epistemic_pt": np.array([[4.0], [3], [1]]), "aleatoric_pt": np.ones((3, 1)), "groups": {"z": [0]}, "cost_p": np.array([8.0, 3, 0.5])}
    assert pick("epistemic", line([0] * 3, **known), 3) == [2, 1, 0]
    draws = [pick("epistemic_sampled", line([0] * 3, **known), 1, seed)[0] for seed in range(2000)]
    assert np.bincount(draws) / 2000 == pytest.approx(np.array([0.5, 1, 2]) / 3.5, abs=0.03)
    assert pick("k_centre", line([3, 4], labelled=[0], cost_p=np.array([1.0, 2])), 1) == [0]
    draws = [pick("lcmd_sampled", line([1, 2], labelled=[0], cost_p=np.array([1.0, 2])), 1, seed)[0] for seed in range(2000)]
    assert np.bincount(draws) / 2000 == pytest.approx([1 / 3, 2 / 3], abs=0.03)


def test_strategy_names_are_listed_when_an_unknown_one_is_asked_for():
    with pytest.raises(BadInput, match="be one of random, stratified_random, .*; got magic"):
        strategy("magic")


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


@EVERY
def test_batch_holds_a_random_control_slice_at_random_ranks(name):
    batch = compose(strategy(name), pool(), 40, np.random.default_rng(0), control_share=0.1)
    assert batch.control.sum() == 4 and len(set(batch.indices.tolist())) == 40
    assert np.isnan(batch.scores[batch.control]).all() and np.isfinite(batch.scores[~batch.control]).all()
    assert all(r.startswith("Random control") == c for r, c in zip(batch.reasons, batch.control, strict=True))
    assert batch.control[-4:].sum() < 4


@pytest.mark.parametrize("share, size, control", [(0.0, 20, 0), (0.1, 3, 1), (0.5, 20, 10), (1.0, 20, 20)])
def test_batch_rounds_the_control_share_but_never_to_nothing(share, size, control):
    assert compose(strategy("k_centre"), pool(), size, np.random.default_rng(0), share).control.sum() == control


def test_batch_control_is_uniform_over_the_pool_whatever_the_strategy():
    candidates = line([0, 1, 2, 50], labelled=[0])
    draws = [compose(strategy("k_centre"), candidates, 2, np.random.default_rng(s), 0.5) for s in range(1200)]
    controls = [int(b.indices[b.control][0]) for b in draws]
    assert np.bincount(controls, minlength=4) / 1200 == pytest.approx([0.25] * 4, abs=0.05)


def test_batch_gives_the_distance_to_the_nearest_label_only():
    batch = compose(strategy("k_centre"), line([1, 2, 9, 10, -4], labelled=[0]), 3, np.random.default_rng(0), 0)
    assert batch.distances.tolist() == pytest.approx([10, 4, 2])
    assert np.isnan(compose(strategy("k_centre"), line([1, 2, 3]), 2, np.random.default_rng(0), 0).distances).all()


@EVERY
def test_fill_up_adds_neither_what_is_kept_nor_what_is_barred(name):
    candidates = pool()
    allowed = np.flatnonzero(candidates.allowed_p)
    kept, barred = allowed[:20], allowed[20:40]
    batch = fill_up(strategy(name), candidates, kept, barred, 12, np.random.default_rng(0), 3)
    assert len(set(batch.indices.tolist())) == 12 and batch.control.sum() == 3
    assert candidates.allowed_p[batch.indices].all() and not np.isin(batch.indices, [*kept, *barred]).any()


def test_fill_up_goes_on_from_what_is_kept_and_tells_the_distance_to_labels_only():
    candidates = line([1, 2, 9, 10, -4], labelled=[0])
    batch = fill_up(strategy("k_centre"), candidates, np.array([3]), np.array([4]), 2, np.random.default_rng(0))
    assert batch.indices.tolist() == [1, 0] and batch.distances.tolist() == pytest.approx([2, 1])


def test_batch_refuses_more_than_the_pool_and_a_share_outside_its_range():
    with pytest.raises(BadInput, match="be from 1 to 3, .* got 4"):
        compose(strategy("random"), line([1, 2, 3]), 4, np.random.default_rng(0))
    with pytest.raises(BadInput, match="control share must be from 0 to 1; got 1.5"):
        compose(strategy("random"), line([1, 2, 3]), 2, np.random.default_rng(0), 1.5)
