"""Runs are compared on the same held-out galaxies, by values known by hand."""

import numpy as np
import pandas as pd
import pytest

from core import metrics
from core.columns import TARGET_NAMES
from core.services import comparing
from core.services.comparing import METRICS
from core.store import labels, objects, runs, truth


def _second_run(ws, offset=0.1, model="mean") -> int:
    """A run whose every prediction is ``offset`` above the truth."""
    ids = objects.frame(ws)["id"].to_numpy()
    wide = truth.frame(ws, ids).pivot(index="object_id", columns="target", values="value").loc[ids, list(TARGET_NAMES)].to_numpy()
    run = runs.create(ws, "high", model, {}, 0, {"high_water": labels.high_water(ws), "count": 1, "hash": ""})
    runs.save_arrays(ws, run, "predictions", object_ids=ids, targets=np.array(TARGET_NAMES), mean=wide + offset, aleatoric=np.full(wide.shape, 0.03), epistemic=np.full(wide.shape, 0.01))
    rows = [("test", "z", "all", "rmse", offset), ("test", "z", "sn low", "rmse", 2 * offset), ("test", "z", "sn high", "rmse", offset / 2)]
    runs.put_metrics(ws, run, pd.DataFrame(rows, columns=["split", "target", "subset", "name", "value"]))
    runs.finish(ws, run, "done", {"seconds": 2.0, "milliseconds_per_galaxy": 0.3, "device": "cpu", "precision": "float32"})
    return run


def test_metrics_shown_are_all_defined_in_the_metrics_room():
    assert {m.name for m in METRICS} <= set(metrics.METRICS) | set(metrics.Z_METRICS)
    rmse = METRICS[0]
    assert rmse.sentence == "Root of the mean squared difference. Low is good." and all(m.sentence.endswith(".") for m in METRICS)


def test_metrics_of_a_star_formation_rate_leave_out_those_of_z():
    names = [m.name for m in comparing.shown("sfr_tot_median")]
    assert "eta05" not in names and {"rmse", "r2", "nmad", "crps"} <= set(names)
    assert "eta05" in [m.name for m in comparing.shown("z")]


def test_compared_has_one_row_a_run_and_keeps_what_was_not_measured_missing(tiny):
    run = _second_run(tiny)
    table = comparing.compared(tiny, [1, run], "z").set_index("run_id")
    assert table.loc[run, "rmse"] == pytest.approx(0.1) and np.isnan(table.loc[1, "rmse"]) and np.isnan(table.loc[run, "r2"])
    assert table.loc[run, "seconds"] == 2.0 and table.loc[1, "milliseconds_per_galaxy"] == 0.1
    assert table.loc[run, "device"] == "cpu float32" and table.loc[1, "stale"] == 0


def test_finished_takes_the_newest_run_of_each_model(tiny):
    older, newer = _second_run(tiny), _second_run(tiny)
    assert comparing.finished(tiny)["id"].tolist() == [newer, 1]
    assert comparing.finished(tiny, only_latest=False)["id"].tolist() == [newer, older, 1]


def test_subsets_come_in_a_fixed_order_all_first(tiny):
    run = _second_run(tiny)
    assert comparing.subsets(tiny, [run]) == ["all", "sn low", "sn high"]
    assert comparing.subsets(tiny, [1]) == ["all"]


@pytest.mark.parametrize(("name", "values", "row"), [
    ("rmse", [0.3, 0.1, np.nan], 1), ("r2", [0.3, 0.1, np.nan], 0), ("coverage68", [0.5, 0.7, 0.99], 1), ("bias", [-0.01, 0.5, 0.02], 0),
    ("n", [1, 2, 3], None), ("rmse", [np.nan, 0.1, np.nan], None),
])
def test_best_row_is_lowest_highest_or_nearest_to_what_it_should_be(name, values, row):
    metric = next(m for m in METRICS if m.name == name)
    assert comparing.best(pd.DataFrame({name: values}), metric) == row


def test_predicted_and_true_holds_only_test_galaxies_with_their_residuals(tiny):
    table = comparing.predicted_and_true(tiny, _second_run(tiny), "z")
    held_out = objects.frame(tiny).query("split == 'test'")["id"]
    assert sorted(table["object_id"]) == sorted(held_out)
    assert np.allclose(table["mean"] - table["truth"], 0.1) and np.allclose(table["residual"], 0.1 / (1 + table["truth"]))
    assert np.allclose(table["sigma"], 0.2)


def test_predicted_and_true_leaves_out_stars_and_quasars_as_the_metrics_do(tiny):
    first = int(objects.frame(tiny).query("split == 'test'")["id"].iloc[0])
    with tiny.write() as db:
        db.conn.execute("UPDATE objects SET class = 'QSO' WHERE id = ?", (first,))
    assert first not in set(comparing.predicted_and_true(tiny, 1, "z")["object_id"])


def test_residual_of_a_star_formation_rate_is_not_divided(tiny):
    table = comparing.predicted_and_true(tiny, _second_run(tiny), "sfr_tot_median")
    assert np.allclose(table["residual"], 0.1)


def test_binned_gives_median_and_central_68_percent_in_bins_of_equal_counts():
    table = pd.DataFrame({"sn": np.arange(1.0, 41.0), "residual": np.repeat([1.0, 2.0], 20)})
    bins = comparing.binned(table, "sn", bins=2)
    assert bins["n"].tolist() == [20, 20] and bins["median"].tolist() == [1.0, 2.0] and bins["centre"].tolist() == [10.5, 30.5]
    assert comparing.binned(table.head(3), "sn", bins=2).empty


def test_difference_is_positive_where_the_second_run_is_nearer(tiny):
    far, near = _second_run(tiny, 0.5), _second_run(tiny, -0.1, "linear")
    gain = comparing.difference(tiny, far, near, "sfr_tot_median")["gain"]
    assert np.allclose(gain, 0.4)
    assert np.allclose(comparing.difference(tiny, near, far, "sfr_tot_median")["gain"], -0.4)
