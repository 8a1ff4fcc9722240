"""How many random labels would have served as well as chosen ones."""

import numpy as np
import pytest

from core.acquisition.equal_worth import equal_worth

LABELS = np.array([100, 100, 200, 200, 400, 400])


@pytest.mark.parametrize("as_good_as", [150, 400, 900])
def test_equal_worth_inverts_the_baselines_curve(as_good_as):
    worth = equal_worth(LABELS, 2 * LABELS**-0.4 + 0.05, 2 * as_good_as**-0.4 + 0.05, np.random.default_rng(0))
    assert worth.middle == pytest.approx(as_good_as, rel=0.02)
    assert worth.low < as_good_as < worth.high and worth.limit == 1200


def test_equal_worth_is_surer_where_the_baselines_seeds_agree():
    rng = np.random.default_rng(1)
    exact = 2 * LABELS**-0.4
    noisy = exact * (1 + 0.15 * np.array([1, -1, -1, 1, 1, -1]))
    sure, unsure = (equal_worth(LABELS, errors, 2 * 300**-0.4, rng) for errors in (exact, noisy))
    assert sure.high - sure.low < 0.6 * (unsure.high - unsure.low)


def test_equal_worth_is_endless_below_what_the_curve_levels_out_at():
    assert equal_worth(LABELS, 3.0 / LABELS + 0.5, 0.4, np.random.default_rng(0)).middle == np.inf


def test_equal_worth_asks_for_three_numbers_of_labels():
    assert equal_worth(LABELS[:4], 2 * LABELS[:4] ** -0.4, 0.1, np.random.default_rng(0)) is None
