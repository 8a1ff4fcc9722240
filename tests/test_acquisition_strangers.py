"""Of the pool's strangest a batch holds no more than a random one would."""

import numpy as np
import pytest

from core.acquisition.batch import compose
from core.acquisition.candidates import Candidates
from core.acquisition.registry import STRATEGIES, strategy
from core.acquisition.strangers import rationed


def held(novelty_p, size: int, share: float, allowed_p=None, seeds: int = 400) -> np.ndarray:
    """How often each galaxy may be asked about."""
    allowed_p = np.ones(len(novelty_p), bool) if allowed_p is None else allowed_p
    return np.mean([rationed(np.array(novelty_p, float), allowed_p, size, np.random.default_rng(s), share) for s in range(seeds)], axis=0)


def test_strangest_tenth_gets_in_as_often_as_a_random_batch_would_hold_it():
    often = held(np.arange(100), size=25, share=0.1)
    assert (often[:90] == 1).all()
    assert often[90:].sum() == pytest.approx(2.5, abs=0.1)
    assert often[90:] == pytest.approx(np.full(10, 0.25), abs=0.07)


def test_unknown_novelty_is_not_strange_and_what_is_not_allowed_stays_out():
    allowed = np.arange(20) != 19
    often = held([*range(18), np.nan, 99], size=1, share=0.1, allowed_p=allowed)
    assert often[18] == 1 and often[19] == 0
    assert often[17] < 0.1


def test_batch_can_be_had_whenever_the_pool_is_large_enough():
    for size in range(1, 21):
        assert rationed(np.arange(20.0), np.ones(20, bool), size, np.random.default_rng(size), 0.5).sum() >= size


def test_share_of_zero_lets_everybody_in():
    assert rationed(np.arange(9.0), np.ones(9, bool), 2, np.random.default_rng(0), 0.0).all()
    assert rationed(np.zeros(0), np.zeros(0, bool), 2, np.random.default_rng(0), 0.5).tolist() == []


def pool(p: int = 200) -> Candidates:
    """Twenty far outliers, of whom every strategy that covers space or follows ignorance would take too many."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(p, 3))
    features[:20] *= 40
    spread = np.linalg.norm(features, axis=1)
    ignorance = 0.01 + spread[:, None] ** 2
    return Candidates(np.ones(p, bool), features, rng.normal(size=(10, 3)), ignorance, np.full((p, 1), 0.1), np.full((10, 1), 0.1), spread_p=spread, disagreement_pt=ignorance, novelty_p=spread, groups={"z": [0]})


@pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if s.is_rationed])
def test_no_rationed_strategy_asks_for_more_strangers_than_random_would(name):
    batch = compose(strategy(name), pool(), 20, np.random.default_rng(1), control_share=0.0, strange_share=0.1)
    assert (batch.indices < 20).sum() <= 2
    assert len(np.unique(batch.indices)) == 20


def test_strategies_that_look_for_strangers_or_at_nothing_are_free():
    assert [s.name for s in STRATEGIES.values() if not s.is_rationed] == ["random", "stratified_random", "novelty"]
    free = compose(strategy("novelty"), pool(), 20, np.random.default_rng(1), control_share=0.0, strange_share=0.1)
    assert (free.indices < 20).sum() > 10
    assert (compose(strategy("lcmd"), pool(), 20, np.random.default_rng(1), 0.0, strange_share=0.0).indices < 20).sum() > 10


def test_random_control_is_drawn_before_anybody_is_rationed():
    counts = [(c := compose(strategy("lcmd"), pool(), 20, np.random.default_rng(s), 0.5, 0.1)).indices[c.control] for s in range(300)]
    assert np.mean(np.concatenate(counts) < 20) == pytest.approx(0.1, abs=0.02)
