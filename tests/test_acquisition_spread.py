"""Score against distance: its two ends, what lies between, and the contract of every choice."""

from dataclasses import replace

import numpy as np
import pytest

from core.acquisition.candidates import Candidates
from core.acquisition.registry import STRATEGIES, strategy
from core.acquisition.spread import spread_out
from tests.candidates import line, pick, pool

HEEDING = pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if s.heeds_diversity])


def diverse(diversity: float, **changes) -> Candidates:
    return replace(pool(), diversity=diversity, allowed_p=np.ones(200, bool), **changes)


@HEEDING
@pytest.mark.parametrize("diversity", [0.3, 1.0])
def test_diverse_batch_is_unique_allowed_and_says_that_distance_counted(name, diversity):
    candidates = replace(pool(), diversity=diversity)
    picks = strategy(name).select(candidates, 40, np.random.default_rng(0))
    assert len(set(picks.indices.tolist())) == 40 and candidates.allowed_p[picks.indices].all() and np.isfinite(picks.scores).all()
    assert all(r.endswith("; weighed against how far it is from labels and picks") for r in picks.reasons)
    assert pick(name, candidates, 30, seed=5) == pick(name, candidates, 30, seed=5)


@pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if s.heeds_diversity and s.is_deterministic])
def test_diverse_batch_follows_the_pool_when_it_is_permuted(name):
    candidates, order = replace(pool(), diversity=0.5), np.random.default_rng(9).permutation(200)
    assert order[pick(name, candidates[order], 30, seed=2)].tolist() == pick(name, candidates, 30, seed=1)


@HEEDING
def test_diverse_batch_can_take_the_whole_pool_even_where_all_galaxies_are_alike(name):
    alike = replace(pool(25), diversity=0.5, features_pd=np.ones((25, 6)), labelled_ld=np.ones((2, 6)), labelled_aleatoric_lt=np.ones((2, 9)))
    assert sorted(pick(name, alike, int(alike.allowed_p.sum()))) == np.flatnonzero(alike.allowed_p).tolist()


def test_spread_of_all_diversity_is_k_centre_and_of_nearly_none_the_top():
    assert pick("epistemic", diverse(1.0), 30) == pick("k_centre", diverse(0.0), 30)
    assert pick("epistemic", diverse(1e-9), 30) == pick("epistemic", diverse(0.0), 30)


def test_spread_weighs_score_against_squared_distance_by_hand():
    score, candidates = np.array([16.0, 9, 1]), line([1, 2, 3], labelled=[0])
    ranked = {v: spread_out(replace(candidates, diversity=v), score, 3).tolist() for v in (0.25, 0.5, 0.9)}
    assert ranked[0.25] == [0, 1, 2]  # 8 * 1, 5.2 * 1.41, 1 * 1.73
    assert ranked[0.5] == [1, 0, 2]  # 4 * 1, 3 * 2, 1 * 3, then 4 * 1 and 1 * 1
    assert ranked[0.9] == [2, 0, 1]  # 1.3 * 1, 1.2 * 3.5, 1 * 7.2, then 1.3 and 1.2


def test_spread_draws_in_proportion_to_score_times_distance():
    candidates = line([1, 2, 3], labelled=[0], diversity=0.5)
    draws = [spread_out(candidates, np.array([16.0, 9, 1]), 1, np.random.default_rng(seed))[0] for seed in range(3000)]
    assert np.bincount(draws, minlength=3) / 3000 == pytest.approx(np.array([4, 6, 3]) / 13, abs=0.03)


def test_spread_is_free_of_units():
    candidates = diverse(0.5)
    score = candidates.epistemic_pt[:, 0]
    further = replace(candidates, features_pd=7 * candidates.features_pd, labelled_ld=7 * candidates.labelled_ld)
    assert spread_out(candidates, score, 20).tolist() == spread_out(further, 1e-6 * score, 20).tolist()


def test_spread_starts_from_the_middle_when_nothing_is_labelled_and_heeds_what_a_label_costs():
    assert spread_out(line([0, 4, 5, 11], diversity=1.0), np.ones(4), 2).tolist() == [3, 0]
    assert spread_out(line([1, 2], labelled=[0], diversity=0.5, cost_p=np.array([1.0, 4])), np.ones(2), 2).tolist() == [0, 1]


def test_spread_lowers_how_much_picks_resemble_each_other():
    rng = np.random.default_rng(0)
    clump = np.concatenate([rng.normal(0, 0.05, (30, 2)), rng.normal(0, 3, (170, 2))])
    candidates = Candidates(np.ones(200, bool), clump, np.full((1, 2), 9.0), np.concatenate([np.full(30, 5.0), rng.uniform(1, 4, 170)])[:, None], groups={"z": [0]})
    in_clump = [int((np.array(pick("epistemic", replace(candidates, diversity=v), 10)) < 30).sum()) for v in (0.0, 0.3, 0.8)]
    assert in_clump[0] == 10 and in_clump[1] < 4 and in_clump[2] < 3
