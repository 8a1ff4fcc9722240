"""Targets on a common scale, and who is held out."""

import numpy as np
import pytest

from core.models.prediction import Labels
from core.training.holdout import carve
from core.training.plan import Plan, one_cycle
from core.training.standard import Standard, standard_of


def labels_of(values, sigma=None, weight=None) -> Labels:
    values = np.asarray(values, dtype=float)
    n = len(values)
    return Labels(values, np.full(values.shape, np.nan) if sigma is None else np.asarray(sigma, float), np.ones(n) if weight is None else np.asarray(weight), np.arange(n), ("z", "sfr_tot_avg"))


def test_moments_leave_missing_labels_out_and_count_weights():
    found = standard_of(labels_of([[0.1, np.nan], [0.3, 2.0], [0.3, 4.0]], weight=[2.0, 0.5, 0.5]))
    assert found.centre_t == pytest.approx([(0.2 + 0.3) / 3, 3.0])
    assert found.share_t == pytest.approx([1.0, 1 / 3])
    assert found.low_t.tolist() == [0.1, 2.0] and found.high_t.tolist() == [0.3, 4.0]


def test_scale_of_labels_that_are_all_alike_is_one():
    found = standard_of(labels_of([[0.1, np.nan], [0.1, np.nan]]))
    assert found.scale_t.tolist() == [1.0, 1.0]
    assert found.is_labelled_t.tolist() == [True, False]


def test_typical_noise_is_the_geometric_mean_of_what_is_stated():
    found = standard_of(labels_of([[0.0, 1.0], [2.0, 1.0]], sigma=[[0.1, np.nan], [0.4, np.nan]]))
    assert found.noise_t == pytest.approx([0.2, 0.0])


def test_state_brings_the_standard_back():
    found = standard_of(labels_of([[0.1, np.nan], [0.3, 2.0]]))
    again = Standard.of_state(found.state())
    assert again.targets == found.targets
    assert again.weight_t == pytest.approx(found.weight_t)


def test_held_out_galaxies_stay_so_when_more_are_labelled():
    few, many = np.arange(100), np.arange(400)
    assert np.array_equal(carve(few, 0.15, 7), carve(many, 0.15, 7)[:100])


def test_held_out_share_is_about_what_was_asked_for():
    assert carve(np.arange(4000), 0.15, 0).mean() == pytest.approx(0.15, abs=0.02)


def test_nothing_is_held_out_of_a_handful():
    assert not carve(np.arange(6), 0.15, 0).any()


def test_rate_rises_and_falls():
    rates = [one_cycle(k, 40, 1.0) for k in range(40)]
    assert np.argmax(rates) == 10 and rates[0] < 0.11 and rates[-1] < 0.01
    assert (np.diff(rates[10:]) < 0).all()


@pytest.mark.parametrize(("n", "epochs"), [(10, 120), (400, 50), (100_000, 12)])
def test_plan_shows_the_network_about_as_many_galaxies_whatever_their_number(n, epochs):
    assert Plan(examples=20_000, fewest=12, most=120).epochs_for(n) == epochs
