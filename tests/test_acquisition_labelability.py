"""The chance that somebody can label a galaxy, learned from planted decisions."""

import numpy as np
import pytest

from core.acquisition.labelability import Facts, chance, learn


def facts(sn, good=0.8, magnitude=17.5, has=(True, True)) -> Facts:
    sn = np.atleast_1d(np.asarray(sn, float))
    return Facts(sn, np.broadcast_to(np.asarray(good, float), sn.shape), np.broadcast_to(np.asarray(magnitude, float), sn.shape), np.broadcast_to(has, (len(sn), 2)))


def test_chance_is_the_prior_for_everybody_before_anybody_has_decided():
    weights = learn(facts([])[:0], np.array([]))
    assert chance(facts([0.1, 5, 100], good=0.1, has=(False, True)), weights) == pytest.approx([0.9] * 3, abs=1e-4)


@pytest.mark.parametrize("decisions", [1, 5, 19])
def test_chance_of_bright_galaxies_survives_a_handful_of_faint_ones_that_nobody_could_tell(decisions):
    weights = learn(facts(np.full(decisions, 1.0)), np.zeros(decisions, bool))
    faint, bright = chance(facts([1.0, 20.0]), weights)
    assert faint < 0.9 and bright > 0.6 and faint < bright
    assert faint > 0.2 or decisions > 5


def test_chance_follows_a_planted_dependence_on_sn_and_masks():
    rng = np.random.default_rng(0)
    seen = facts(10 ** rng.uniform(-0.3, 1.7, 4000), good=rng.uniform(0.3, 1, 4000))
    true = lambda f: 1 / (1 + np.exp(-(1 + 4 * np.log10(f.sn_n / 5) + 5 * (f.good_n - 0.8))))  # noqa: E731
    weights = learn(seen, rng.random(4000) < true(seen))
    probe = facts([1.0, 3, 5, 10, 30, 10], good=[0.9, 0.9, 0.7, 0.7, 0.7, 0.35])
    assert chance(probe, weights) == pytest.approx(true(probe), abs=0.05)


def test_chance_learns_that_nobody_can_tell_without_a_spectrum():
    has = np.tile([[True, True], [True, False]], (40, 1))
    seen = Facts(np.where(has[:, 1], 10.0, np.nan), np.where(has[:, 1], 0.8, np.nan), np.full(80, 17.5), has)
    weights = learn(seen, has[:, 1])
    with_spectrum, without = chance(seen, weights)[:2]
    assert with_spectrum > 0.9 and without < 0.15


def test_weights_balance_decisions_and_prior():
    rng = np.random.default_rng(1)
    seen, told = facts(10 ** rng.uniform(-1, 2, 50), magnitude=rng.uniform(15, 20, 50)), rng.random(50) < 0.5
    weights = learn(seen, told)
    design = np.column_stack([np.ones(50), (np.log10(seen.sn_n) - np.log10(5)) / 0.5, np.zeros(50), (seen.magnitude_n - 17.5) / 1.5, np.zeros((50, 2))])
    pull = (weights - [np.log(9), 0, 0, 0, 0, 0]) 
    assert design.T @ (told - 1 / (1 + np.exp(-design @ weights))) == pytest.approx(pull, abs=1e-3)
    assert weights[2] == weights[4] == weights[5] == 0


def test_weights_stay_finite_when_decisions_are_separable_and_facts_are_unknown():
    seen = facts([0.0, -3, np.nan, 50, 60], good=[np.nan, 0, 1, 1, 1], magnitude=[np.nan, 30, 10, 17, 18])
    found = chance(seen, learn(seen, np.array([False, False, True, True, True])))
    assert np.isfinite(found).all() and (found > 0).all() and (found < 1).all()
