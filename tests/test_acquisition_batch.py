"""From picks to a batch: the control slice, filling up, and distances."""

import numpy as np
import pytest

from core.acquisition.batch import compose, fill_up
from core.acquisition.registry import STRATEGIES, strategy
from core.errors import BadInput
from tests.candidates import line, pool

EVERY = pytest.mark.parametrize("name", STRATEGIES)


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
