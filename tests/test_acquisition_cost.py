"""The seconds a label takes, from planted durations."""

import numpy as np
import pytest

from core.acquisition.cost import expected_seconds
from core.errors import BadInput


def test_seconds_are_the_typical_time_whatever_the_sn_after_a_few_decisions():
    assert expected_seconds(np.array([10.0]), np.array([40.0]), np.array([0.5, 10, 100, np.nan])) == pytest.approx([40] * 4)
    found = expected_seconds(np.array([1.0, 10]), np.array([80.0, 20]), np.array([1.0, 10]))
    assert found == pytest.approx([40 * 2 ** (0.5 / 3.7), 40 / 2 ** (0.5 / 3.7)])


def test_seconds_follow_a_planted_power_of_the_sn_and_stop_where_nobody_has_been():
    rng = np.random.default_rng(0)
    sn = 10 ** rng.uniform(0, 1.5, 1000)
    spent = 60 * sn**-0.8 * np.exp(rng.normal(0, 0.2, 1000))
    found = expected_seconds(sn, spent, np.array([1.0, 10, 30, 1e4]))
    assert found[:3] == pytest.approx(60 * np.array([1.0, 10, 30]) ** -0.8, rel=0.1)
    assert found[3] == pytest.approx(60 * 10 ** (-0.8 * 1.5), rel=0.1)


def test_seconds_count_a_break_as_five_minutes_and_an_unknown_sn_as_typical():
    found = expected_seconds(np.array([np.nan, np.nan]), np.array([1e5, 3.0]), np.array([np.nan, 7.0]))
    assert found == pytest.approx([30.0, 30.0])


def test_seconds_are_refused_before_anybody_has_decided():
    with pytest.raises(BadInput, match="The time that a label takes must be known from a decision at least; got none yet"):
        expected_seconds(np.array([]), np.array([]), np.array([5.0]))
