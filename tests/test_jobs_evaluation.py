"""What a run's intervals hold before and after the calibration split had its say."""

import numpy as np
import pytest

from core.columns import TARGET_NAMES
from core.jobs.evaluation import CALIBRATION_SPLIT, calibrate, evaluate
from core.jobs.inputs import wide
from core.store import Workspace, objects, truth
from core.uncertainty.conformal import ALL
from tests.conftest import tiny_workspace


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> tuple[Workspace, np.ndarray, np.ndarray, np.ndarray]:
    """A workspace with ids, means and sigmas (n, 9) whose error bars are half as wide as they should be."""
    ws = tiny_workspace(tmp_path_factory.mktemp("evaluation") / "ws", 700)
    ids = objects.frame(ws)["id"].to_numpy(np.int64)
    values = wide(truth.frame(ws, ids), ids, TARGET_NAMES)
    sigma = np.full(values.shape, 0.1)
    return ws, ids, values + 2 * sigma * np.random.default_rng(0).standard_normal(values.shape), sigma


def test_calibration_asks_for_twice_the_width_of_error_bars_half_as_wide(said):
    ws, ids, mean, sigma = said
    stretches = calibrate(ws, ids, mean, sigma, TARGET_NAMES)
    assert stretches.counts["z"][ALL] == (objects.frame(ws)["split"] == CALIBRATION_SPLIT).sum() >= 50
    assert stretches.half_width("z", "68", np.array([np.nan]))[0] == pytest.approx(2, abs=0.5)
    assert stretches.together == ("z", "sfr_tot_median")


def test_calibration_sees_only_the_calibration_split(said):
    ws, ids, mean, sigma = said
    elsewhere = (objects.frame(ws)["split"] != CALIBRATION_SPLIT).to_numpy()
    worse = np.where(elsewhere[:, None], mean + 99, mean)
    assert calibrate(ws, ids, worse, sigma, TARGET_NAMES) == calibrate(ws, ids, mean, sigma, TARGET_NAMES)


def test_evaluation_measures_coverage_before_and_after_and_of_the_joint_region(said):
    ws, ids, mean, sigma = said
    stretches = calibrate(ws, ids, mean, sigma, TARGET_NAMES)
    found = evaluate(ws, ids, mean, sigma, TARGET_NAMES, stretches).set_index(["target", "subset", "name"])["value"].sort_index()
    assert found["z", "all", "coverage68"] == pytest.approx(0.38, abs=0.1)
    assert found["z", "all", "conformal68"] == pytest.approx(0.68, abs=0.12) and found["z", "all", "conformal95"] > 0.88
    assert found["z", "all", "joint68"] == found["sfr_tot_median", "all", "joint68"] == pytest.approx(0.68, abs=0.12)
    assert np.isfinite(found["z", "sn low", "conformal68"]) and np.isfinite(found["z", "sn low", "joint95"]) and ("sfr_tot_avg", "all", "joint68") not in found.index


def test_evaluation_says_nothing_of_intervals_that_were_not_calibrated(said):
    ws, ids, mean, sigma = said
    assert not evaluate(ws, ids, mean, sigma, TARGET_NAMES)["name"].str.startswith(("conformal", "joint")).any()
