"""The contract that every strategy keeps."""

from dataclasses import fields, replace

import numpy as np
import pytest

from core.acquisition.registry import STRATEGIES, strategy
from core.errors import BadInput
from tests.candidates import line, pick, pool

EVERY = pytest.mark.parametrize("name", STRATEGIES)
HEEDING = pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if s.heeds_cost])
NEEDY = pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if s.needs])


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
