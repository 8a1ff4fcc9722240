"""Stretched intervals hold what they claim, in every bin of S/N, alone and together."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from core import metrics
from core.uncertainty.conformal import ALL, BINS, FEWEST, LEVELS, THIRDS, UNKNOWN, Stretches, calibrated, stretch

TARGETS = ("z", "sfr_tot_median")


def sky(n: int, seed: int = 0):
    """Truth, mean, sigma (n, 2) and S/N: error bars are right at high S/N, three times too narrow at low, and z's five times worse than SFR's."""
    rng = np.random.default_rng(seed)
    sn = rng.gamma(3, 4, n)
    sigma = rng.uniform(0.1, 1, (n, 2))
    factor = np.where(sn < np.percentile(sn, 100 / 3), 3.0, 1.0)[:, None] * [5.0, 1.0]
    return factor * sigma * rng.standard_t(6, (n, 2)) - 3, np.full((n, 2), -3.0), sigma, sn


def held(n: int = 12_000, seed: int = 0) -> tuple[Stretches, tuple]:
    """Calibrated on one half, and the other half."""
    galaxies = sky(n, seed)
    half = n // 2
    return calibrated(*(a[:half] for a in galaxies), TARGETS, TARGETS), tuple(a[half:] for a in galaxies)


@pytest.mark.parametrize("level", ["50", "68", "95"])
def test_intervals_hold_their_share_of_new_galaxies_in_every_third_of_sn(level):
    stretches, (truth, mean, sigma, sn) = held()
    third = np.searchsorted(stretches.edges, sn)
    for t, target in enumerate(TARGETS):
        width = stretches.half_width(target, level, sn)
        for k in range(3):
            rows = third == k
            assert metrics.coverage(truth[rows, t], mean[rows, t], sigma[rows, t], width[rows]) == pytest.approx(LEVELS[level], abs=0.05)


def test_one_stretch_for_all_would_miss_the_thirds_that_bins_meet():
    stretches, (truth, mean, sigma, sn) = held()
    low = sn < stretches.edges[0]
    overall = stretches.widths["z"][ALL]["68"]
    assert metrics.coverage(truth[low, 0], mean[low, 0], sigma[low, 0], overall) < 0.5
    assert stretches.widths["z"]["sn low"]["68"] == pytest.approx(3 * stretches.widths["z"]["sn high"]["68"], rel=0.15)


@pytest.mark.parametrize("level", ["68", "95"])
def test_joint_region_holds_both_targets_at_its_level_in_every_third(level):
    stretches, (truth, mean, sigma, sn) = held()
    reach = sigma * np.column_stack([stretches.joint_half_width(t, level, sn) for t in TARGETS])
    third = np.searchsorted(stretches.edges, sn)
    assert metrics.joint_coverage(truth, mean, reach) == pytest.approx(LEVELS[level], abs=0.025)
    assert [metrics.joint_coverage(*(a[third == k] for a in (truth, mean, reach))) for k in range(3)] == pytest.approx([LEVELS[level]] * 3, abs=0.04)


def test_joint_region_does_not_widen_a_good_target_for_a_bad_one():
    stretches, (_, _, _, sn) = held()
    ratio = [float(np.median(stretches.joint_half_width(t, "68", sn) / stretches.half_width(t, "68", sn))) for t in TARGETS]
    assert ratio[0] == pytest.approx(ratio[1]) and 1.2 < ratio[0] < 1.7


def test_joint_coverage_is_honest_on_average_with_few_calibration_galaxies():
    """The scale of the box comes from the galaxies that conformalise it: no harm beyond a point."""
    shares = []
    for seed in range(300):
        galaxies = sky(100 + 500, seed)
        stretches = calibrated(*(a[:100] for a in galaxies), TARGETS, TARGETS)
        truth, mean, sigma, sn = (a[100:] for a in galaxies)
        shares.append(metrics.joint_coverage(truth, mean, sigma * np.column_stack([stretches.joint_half_width(t, "68", sn) for t in TARGETS])))
    assert np.mean(shares) == pytest.approx(LEVELS["68"], abs=0.02)


def test_bins_with_too_few_galaxies_take_the_stretch_of_all_and_say_so():
    truth, mean, sigma, sn = sky(75)
    stretches = calibrated(truth, mean, sigma, sn, TARGETS)
    assert stretches.counts["z"] == {ALL: 75, "sn low": 25, "sn mid": 25, "sn high": 25, UNKNOWN: 0}
    assert list(stretches.widths["z"]) == [ALL] and stretches.fallbacks("z") == list(THIRDS)
    assert stretches.half_width("z", "68", np.array([0.1, 99.0, np.nan])).tolist() == [stretches.widths["z"][ALL]["68"]] * 3


def test_a_bin_leans_on_all_galaxies_the_more_the_fewer_it_has():
    ratio = np.concatenate([np.full(100, 8.0), np.full(300, 2.0)])
    sn = np.concatenate([np.full(100, np.nan), np.arange(300.0)])
    found = calibrated(ratio[:, None], np.zeros((400, 1)), np.ones((400, 1)), sn, ("z",)).widths["z"]
    assert found[ALL]["50"] == 2 and found[UNKNOWN]["50"] == pytest.approx(4)  # halfway between 2 and 8 in logarithms
    larger = calibrated(np.tile(ratio, 9)[:, None], np.zeros((3600, 1)), np.ones((3600, 1)), np.tile(sn, 9), ("z",)).widths["z"]
    assert larger[UNKNOWN]["50"] == pytest.approx(8**0.9 * 2**0.1, rel=1e-4)


def test_galaxies_of_unknown_sn_are_a_bin_of_their_own():
    truth, mean, sigma, sn = sky(600)
    sn[:100], sigma[:100] = np.nan, sigma[:100] / 4
    stretches = calibrated(truth, mean, sigma, sn, TARGETS)
    assert stretches.counts["z"][UNKNOWN] == 100 and stretches.fallbacks("z") == []
    assert stretches.half_width("z", "68", np.array([np.nan]))[0] == stretches.widths["z"][UNKNOWN]["68"] > 1.7 * stretches.widths["z"][ALL]["68"]


def test_without_any_sn_all_galaxies_are_calibrated_together():
    truth, mean, sigma, _ = sky(200)
    stretches = calibrated(truth, mean, sigma, np.full(200, np.nan), TARGETS, TARGETS)
    assert list(stretches.edges) == [] and np.isfinite(stretches.joint_half_width("z", "95", np.array([5.0, np.nan]))).all()
    assert stretches.half_width("z", "68", np.array([5.0]))[0] == stretches.widths["z"][ALL]["68"]


def test_stretch_of_a_calibrated_model_is_about_one():
    assert stretch(np.abs(np.random.default_rng(1).standard_normal(20_000)), LEVELS["68"]) == pytest.approx(1.0, abs=0.03)


def test_missing_values_are_left_out():
    ratio = np.linspace(0, 1, 101)
    assert stretch(np.concatenate([ratio, np.full(50, np.nan)]), 0.5) == stretch(ratio, 0.5)
    truth, mean, sigma, sn = sky(200)
    gaps = [np.vstack([a, np.full((9, 2), gap)]) for a, gap in ((truth, np.nan), (mean, -3.0), (sigma, 0.5))]
    assert calibrated(*gaps, np.append(sn, np.full(9, 5.0)), TARGETS, TARGETS) == calibrated(truth, mean, sigma, sn, TARGETS, TARGETS)


def test_nothing_is_claimed_from_a_few():
    assert np.isnan(stretch(np.ones(FEWEST - 1), 0.5)) and stretch(np.ones(FEWEST), 0.95) == 1
    assert np.isnan(Stretches().half_width("z", "68", np.array([3.0, np.nan]))).all()


def test_targets_of_which_too_little_is_known_are_left_out_and_end_the_joint_region():
    truth, mean, sigma, sn = sky(90)
    truth[:, 1] = np.nan
    stretches = calibrated(truth, mean, sigma, sn, TARGETS, TARGETS)
    assert list(stretches.widths) == ["z"] and stretches.together == () and stretches.counts["sfr_tot_median"][ALL] == 0
    assert np.isnan(stretches.half_width("sfr_tot_median", "68", sn)).all()


def test_stretches_survive_being_stored_as_json():
    stretches, (*_, sn) = held(600)
    again = Stretches(**json.loads(json.dumps(asdict(stretches))))
    for target in (*TARGETS, stretches.joint_name):
        assert again.half_width(target, "95", sn).tolist() == stretches.half_width(target, "95", sn).tolist()
    assert set(stretches.widths["z"]["sn low"]) == set(LEVELS) and set(stretches.counts["z"]) == {ALL, *BINS}


def test_stretches_of_negative_targets_are_those_of_positive_ones():
    truth, mean, sigma, sn = sky(300)
    up, down = (calibrated(truth + shift, mean + shift, sigma, sn, TARGETS).widths["z"]["sn mid"]["68"] for shift in (0, 10))
    assert up == pytest.approx(down, abs=1e-4)
