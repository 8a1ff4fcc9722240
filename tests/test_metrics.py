"""Every metric against a value worked out by hand."""

import numpy as np
import pytest

from core import metrics
from core.models.percentiles import count_crossings

TARGETS = ("z", "sfr_tot_median")


def _value(table, target, name, subset="all") -> float:
    return table.query("target == @target and name == @name and subset == @subset")["value"].item()


def test_delta_divides_by_one_plus_z():
    assert metrics.delta(np.array([0.3, 1.0]), np.array([0.25, 1.0])) == pytest.approx([0.04, 0.0])


def test_nmad_by_hand_ignores_an_outlier_and_a_bias():
    assert metrics.nmad(np.array([-0.02, -0.01, 0.0, 0.01, 0.02])) == pytest.approx(1.4826 * 0.01)
    assert metrics.nmad(np.array([0.98, 0.99, 1.0, 1.01, 50.0])) == pytest.approx(1.4826 * 0.01)


def test_eta_counts_strictly_beyond_the_limit_on_both_sides():
    assert metrics.eta(np.array([0.05, -0.06, 0.2, 0.0]), 0.05) == 0.5
    assert metrics.eta(np.array([0.05, -0.06, 0.2, 0.0]), 0.15) == 0.25


def test_r2_is_zero_for_the_mean_and_undefined_without_variance():
    truth = np.array([-1.0, 0.0, 1.0])
    assert metrics.r2(truth, np.zeros(3)) == 0
    assert metrics.r2(truth, truth) == 1
    assert np.isnan(metrics.r2(np.ones(3), np.ones(3)))


def test_crps_of_a_standard_normal_at_its_mean():
    # (sqrt 2 - 1) / sqrt pi
    assert metrics.crps_gaussian(np.array([0.0]), np.array([0.0]), np.array([1.0]))[0] == pytest.approx(0.2336950, abs=1e-7)


def test_crps_scales_with_sigma_and_becomes_the_absolute_error_without_it():
    one = metrics.crps_gaussian(np.array([1.3]), np.array([0.3]), np.array([1.0]))[0]
    assert metrics.crps_gaussian(np.array([2.6]), np.array([0.6]), np.array([2.0]))[0] == pytest.approx(2 * one)
    assert metrics.crps_gaussian(np.array([1.0]), np.array([-1.0]), np.array([0.0]))[0] == 2.0
    assert metrics.crps_gaussian(np.array([1.0]), np.array([-1.0]), np.array([1e-9]))[0] == pytest.approx(2.0)


def test_crps_of_samples_approaches_the_closed_form():
    samples = np.random.default_rng(0).standard_normal((20_000, 1)) * 0.5 - 2
    closed = metrics.crps_gaussian(np.array([-1.5]), np.array([-2.0]), np.array([0.5]))
    assert metrics.crps_samples(np.array([-1.5]), samples) == pytest.approx(closed, abs=0.005)


def test_crps_of_one_sample_is_the_absolute_error():
    assert metrics.crps_samples(np.array([1.0, -1.0]), np.array([[3.0, -1.5]])).tolist() == [2.0, 0.5]


def test_pit_is_half_at_the_mean_and_84_percent_one_sigma_above():
    assert metrics.pit(np.array([-1.0, -0.5]), np.array([-1.0, -1.0]), np.array([0.5, 0.5])) == pytest.approx([0.5, 0.841345])


def test_pit_histogram_of_a_calibrated_prediction_is_flat():
    truth = np.random.default_rng(0).standard_normal(50_000)
    density, edges = metrics.pit_histogram(truth, np.zeros(50_000), np.ones(50_000), bins=10)
    assert density == pytest.approx(np.ones(10), abs=0.05)
    assert edges[[0, -1]].tolist() == [0, 1]


def test_coverage_of_a_gaussian_is_68_and_95_percent():
    truth = np.random.default_rng(0).standard_normal(100_000)
    assert metrics.coverage(truth, np.zeros(100_000), np.ones(100_000), metrics.Z68) == pytest.approx(0.68, abs=0.005)
    assert metrics.coverage(truth, np.zeros(100_000), np.ones(100_000), metrics.Z95) == pytest.approx(0.95, abs=0.003)


def test_coverage_by_hand():
    assert metrics.coverage(np.array([0.0, 1.0, 3.0, -3.0]), np.zeros(4), np.ones(4), half_width=2) == 0.5


def test_evaluate_uses_delta_for_z_and_the_difference_for_star_formation():
    table = metrics.evaluate(np.array([[1.0, -1.0], [1.0, -2.0]]), np.array([[1.2, -0.8], [1.2, -1.8]]), np.ones((2, 2)), TARGETS)
    assert _value(table, "z", "bias") == pytest.approx(0.1)
    assert _value(table, "sfr_tot_median", "bias") == pytest.approx(0.2)
    assert _value(table, "z", "eta05") == 1
    assert _value(table, "z", "rmse") == pytest.approx(0.2)
    assert _value(table, "z", "rmse_delta") == pytest.approx(0.1)
    assert set(table.query("target == 'sfr_tot_median'")["name"]) == set(metrics.METRICS)


def test_evaluate_reports_spectroscopic_success():
    z = np.full((4, 1), 0.5)
    table = metrics.evaluate(z, z + np.array([[0.0005], [-0.002], [0.006], [0.3]]), np.ones((4, 1)), ("z",))
    assert _value(table, "z", "good") == 0.25
    assert _value(table, "z", "eta_1000kms") == 0.5


def test_evaluate_treats_negative_targets_like_positive_ones():
    rng = np.random.default_rng(0)
    truth, error, sigma = rng.standard_normal((50, 2)), rng.standard_normal((50, 2)), rng.uniform(0.5, 2, (50, 2))
    names = ("sfr_tot_avg", "sfr_tot_median")
    up = metrics.evaluate(truth + 10, truth + 10 + error, sigma, names)
    down = metrics.evaluate(truth - 10, truth - 10 + error, sigma, names)
    assert up["value"].to_numpy() == pytest.approx(down["value"].to_numpy(), rel=1e-9)


def test_evaluate_leaves_out_missing_values_and_counts_them():
    truth = np.array([[0.1, np.nan], [0.2, np.nan], [0.3, np.nan]])
    mean = np.array([[0.1, 0.0], [np.nan, 0.0], [0.3, 0.0]])
    table = metrics.evaluate(truth, mean, np.ones((3, 2)), TARGETS)
    assert (_value(table, "z", "n"), _value(table, "z", "unpredicted"), _value(table, "z", "rmse")) == (2, 1, 0)
    assert table.query("target == 'sfr_tot_median'")["name"].tolist() == ["n", "unpredicted"]
    assert _value(table, "sfr_tot_median", "n") == 0


def test_evaluate_reports_subsets():
    truth = np.array([[0.0], [0.0], [0.0], [0.0]])
    table = metrics.evaluate(truth, truth + [[1], [1], [3], [3]], np.ones((4, 1)), ("sfr_tot_avg",), {"passive": np.array([0, 0, 1, 1], dtype=bool)})
    assert _value(table, "sfr_tot_avg", "mae") == 2
    assert _value(table, "sfr_tot_avg", "mae", "passive") == 3
    assert _value(table, "sfr_tot_avg", "n", "passive") == 2


def test_evaluate_gives_no_probabilistic_metric_without_uncertainty():
    truth = np.array([[-1.0], [-2.0]])
    table = metrics.evaluate(truth, truth, np.full((2, 1), np.nan), ("sfr_tot_avg",))
    assert not {"crps", "coverage68", "coverage95"} & set(table["name"])
    assert _value(table, "sfr_tot_avg", "rmse") == 0


def test_count_crossings_counts_galaxies():
    names = ("sfr_tot_p16", "z", "sfr_tot_p84", "sfr_tot_median")
    mean = np.array([[-1, 9, 1, 0], [0, 9, 1, -1], [1, 9, 0, 0.5], [np.nan, 9, 1, 0]])
    assert count_crossings(mean, names) == 2


def test_coverage_takes_a_width_of_each_galaxy_and_says_nothing_where_one_is_missing():
    truth, width = np.array([1.0, -1.0, 3.0]), np.array([1.5, 0.5, 3.0])
    assert metrics.coverage(truth, np.zeros(3), np.ones(3), width) == pytest.approx(2 / 3)
    assert np.isnan(metrics.coverage(truth, np.zeros(3), np.ones(3), np.array([1.5, np.nan, 3.0])))


def test_joint_coverage_counts_galaxies_that_lie_inside_in_every_target():
    truth = np.array([[0.5, -0.5], [0.5, -2.0], [-2.0, 0.5], [np.nan, 0.0]])
    assert metrics.joint_coverage(truth, np.zeros((4, 2)), np.ones((4, 2))) == pytest.approx(1 / 3)
    assert np.isnan(metrics.joint_coverage(truth[3:], np.zeros((1, 2)), np.ones((1, 2))))


def test_evaluate_measures_stretched_intervals_where_they_are_given():
    truth, mean = np.array([[1.0, -1.0], [3.0, -1.0]]), np.zeros((2, 2))
    widths = {"conformal68": np.array([[2.0, np.nan], [2.0, np.nan]])}
    table = metrics.evaluate(truth, mean, np.ones((2, 2)), TARGETS, {"sn low": np.array([True, False])}, widths)
    assert _value(table, "z", "conformal68") == 0.5 and _value(table, "z", "conformal68", "sn low") == 1.0
    assert table.query("target == 'sfr_tot_median' and name == 'conformal68'").empty
