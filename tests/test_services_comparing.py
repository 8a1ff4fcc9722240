"""Runs are compared on the same held-out galaxies, by values known by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from core import metrics
from core.columns import TARGET_NAMES
from core.models.registry import MODELS
from core.services import comparing
from core.services.comparing import COSTS, METRICS
from core.services.comparing.held_out import held_out
from core.services.comparing.pair import Gain
from core.store import labels, objects, runs, truth
from core.uncertainty.conformal import THIRDS, Stretches


def _run(ws, offset=0.1, model="mean", config=None, seed=0, snapshot="", name=None, summary=None, rmse=None) -> int:
    """A run whose every prediction is ``offset`` above the truth."""
    ids = objects.frame(ws)["id"].to_numpy()
    wide = truth.frame(ws, ids).pivot(index="object_id", columns="target", values="value").loc[ids, list(TARGET_NAMES)].to_numpy()
    run = runs.create(ws, name or model, model, config or {}, seed, {"high_water": labels.high_water(ws), "count": 1, "hash": snapshot})
    runs.save_arrays(ws, run, "predictions", object_ids=ids, targets=np.array(TARGET_NAMES), mean=wide + offset, aleatoric=np.full(wide.shape, 0.03), epistemic=np.full(wide.shape, 0.01))
    rmse = offset if rmse is None else rmse
    rows = [("test", "z", "all", "rmse", rmse), ("test", "z", "sn low", "rmse", 2 * rmse), ("test", "z", "sn high", "rmse", rmse / 2)]
    runs.put_metrics(ws, run, pd.DataFrame(rows, columns=["split", "target", "subset", "name", "value"]))
    runs.finish(ws, run, "done", {"seconds": 2.0, "milliseconds_per_galaxy": 0.3, "device": "cpu", "precision": "float32", "peak_mb": 300, "parameters": 12, **(summary or {})})
    return run


def _table(ws, target="z", subset="all"):
    return comparing.compared(comparing.comparison(ws), target, subset).set_index("run_id")


def test_metrics_shown_are_all_defined_in_the_metrics_room():
    assert {m.name for m in METRICS} == set(metrics.METRICS) | set(metrics.Z_METRICS) | set(metrics.STRETCHED)
    rmse = METRICS[0]
    assert rmse.sentence == "Root of the mean squared difference. Low is good." and all(m.sentence.endswith(".") for m in (*METRICS, *COSTS))


def test_metrics_of_a_star_formation_rate_leave_out_those_of_z():
    names = [m.name for m in comparing.shown("sfr_tot_median")]
    assert "eta05" not in names and {"rmse", "r2", "nmad", "crps"} <= set(names)
    assert "eta05" in [m.name for m in comparing.shown("z")]


def test_metric_text_carries_its_standard_error_without_a_sign():
    bias = next(m for m in METRICS if m.name == "bias")
    assert (bias.text(0.01234), bias.text(0.01234, 0.002), bias.text(np.nan, 0.1), COSTS[3].text(1234567.0)) == ("+0.01234", "+0.01234 ± 0.00200", "", "1,234,567")


def test_compared_has_one_row_a_run_and_keeps_what_was_not_measured_missing(tiny):
    run = _run(tiny)
    table = _table(tiny)
    assert table.loc[run, "rmse"] == pytest.approx(0.1) and np.isnan(table.loc[1, "rmse"]) and np.isnan(table.loc[run, "r2"])
    assert table.loc[run, [m.name for m in COSTS]].tolist() == [2.0, 0.3, 300, 12] and np.isnan(table.loc[1, "peak_mb"])
    assert table.loc[run, "device"] == "cpu float32" and table.loc[1, "stale"] == 0
    assert _table(tiny, subset="sn low").loc[run, "rmse"] == pytest.approx(0.2)


def test_newest_keeps_the_newest_labels_of_each_configuration_and_one_run_a_seed(tiny):
    older, again, newer, other = _run(tiny, snapshot="a"), _run(tiny, snapshot="b", seed=1), _run(tiny, snapshot="b", seed=1), _run(tiny, snapshot="b", seed=2)
    everything = comparing.comparison(tiny)
    assert everything.runs["id"].tolist() == [other, newer, again, older, 1]
    assert everything.newest().runs["id"].tolist() == [other, newer, 1]


def test_settings_not_given_are_the_defaults_when_configurations_are_told_apart(tiny):
    _run(tiny, model="linear", config={"modalities": "all"}), _run(tiny, model="linear", config={"modalities": "image"})
    everything = comparing.comparison(tiny)
    assert everything.runs["configuration"].nunique() == 2
    assert everything.runs["title"].tolist() == ["linear (modalities image)", "linear", "linear"]
    assert everything.runs["reads"].tolist() == ["image", "fused", "fused"]


def test_reads_of_every_model_of_the_registry_is_one_of_the_list(tiny):
    for model in MODELS:
        _run(tiny, model=model)
    everything = comparing.comparison(tiny)
    assert set(everything.runs["reads"]) <= set(comparing.READS)
    assert everything.run(int(everything.runs.query("model == 'mean'")["id"].iloc[0]))["reads"] == "nothing"


def test_narrowed_lets_only_the_models_and_modalities_asked_for_pass(tiny):
    run = _run(tiny, model="photometry_mlp")
    everything = comparing.comparison(tiny)
    assert everything.narrowed(models=["photometry_mlp"]).runs["id"].tolist() == [run] == everything.narrowed(reads=["photometry"]).runs["id"].tolist()
    assert len(everything.narrowed().runs) == 2 and everything.narrowed(reads=["spectrum"]).is_empty


def test_joined_is_the_mean_over_seeds_with_its_standard_error(tiny):
    for seed, rmse in ((0, 0.1), (1, 0.2), (2, 0.3)):
        _run(tiny, snapshot="s", seed=seed, rmse=rmse)
    mean, error = comparing.joined(comparing.compared(comparing.comparison(tiny), "z"))
    assert mean["run_id"].tolist() == [4, 1] and mean["seeds"].tolist() == [3, 1]
    assert mean["rmse"].iloc[0] == pytest.approx(0.2) and error["rmse"].iloc[0] == pytest.approx(0.1 / np.sqrt(3))
    assert error["seconds"].iloc[0] == 0 and error.iloc[1].isna().all()


def test_separate_leaves_every_run_a_row_of_its_own(tiny):
    _run(tiny, seed=1), _run(tiny, seed=2)
    mean, error = comparing.separate(comparing.compared(comparing.comparison(tiny), "z"))
    assert mean["run_id"].tolist() == [3, 2, 1] and mean["seeds"].tolist() == [1, 1, 1] and error.isna().all(axis=None)


def test_subsets_come_in_a_fixed_order_all_first(tiny):
    assert comparing.comparison(tiny).subsets == ["all"]
    _run(tiny)
    assert comparing.comparison(tiny).subsets == ["all", "sn low", "sn high"]


@pytest.mark.parametrize(("name", "values", "rows"), [
    ("rmse", [0.3, 0.1, np.nan], [1]), ("r2", [0.3, 0.1, np.nan], [0]), ("coverage68", [0.5, 0.7, 0.99], [1]), ("bias", [-0.01, 0.5, 0.02], [0]),
    ("eta15", [0.0, 0.1, 0.0], [0, 2]), ("n", [1, 2, 3], []), ("rmse", [np.nan, 0.1, np.nan], []),
])
def test_best_row_is_lowest_highest_or_nearest_to_what_it_should_be(name, values, rows):
    metric = next(m for m in METRICS if m.name == name)
    assert comparing.best(pd.DataFrame({name: values}), metric) == rows


def test_predicted_and_true_holds_only_test_galaxies_with_their_residuals(tiny):
    table = comparing.predicted_and_true(tiny, _run(tiny), "z")
    held = objects.frame(tiny).query("split == 'test'")["id"]
    assert sorted(table["object_id"]) == sorted(held)
    assert np.allclose(table["mean"] - table["truth"], 0.1) and np.allclose(table["residual"], 0.1 / (1 + table["truth"]))
    assert table["half"].isna().all()
    wide = comparing.predicted_and_true(tiny, _run(tiny, summary={"conformal": {"widths": {"z": {"all": {"68": 1.5}}}}}), "z")
    assert np.allclose(wide["half"], 0.3)
    assert np.allclose(table["sigma"], 0.2) and np.allclose(table["z"], table["truth"]) and table["magnitude"].between(15, 20).all()


def test_predicted_and_true_over_a_subset_is_a_part_of_all(tiny):
    run, every = _run(tiny), held_out(tiny)
    thirds = [set(comparing.predicted_and_true(tiny, run, "z", name)["object_id"]) for name in ("sn low", "sn mid", "sn high")]
    assert sum(map(len, thirds)) == len(set.union(*thirds)) == len(every.table) and all(thirds)
    assert comparing.predicted_and_true(tiny, run, "z", "no such part").empty


def test_predicted_and_true_leaves_out_stars_and_quasars_as_the_metrics_do(tiny):
    first = int(objects.frame(tiny).query("split == 'test'")["id"].iloc[0])
    with tiny.write() as db:
        db.conn.execute("UPDATE objects SET class = 'QSO' WHERE id = ?", (first,))
    assert first not in set(comparing.predicted_and_true(tiny, 1, "z")["object_id"])


def test_residual_of_a_star_formation_rate_is_not_divided(tiny):
    table = comparing.predicted_and_true(tiny, _run(tiny), "sfr_tot_median")
    assert np.allclose(table["residual"], 0.1) and not np.allclose(table["z"], table["truth"])


def test_binned_gives_median_and_central_68_percent_in_bins_of_equal_counts():
    table = pd.DataFrame({"sn": np.arange(1.0, 41.0), "residual": np.repeat([1.0, 2.0], 20)})
    bins = comparing.binned(table, "sn", bins=2)
    assert bins["n"].tolist() == [20, 20] and bins["median"].tolist() == [1.0, 2.0] and bins["centre"].tolist() == [10.5, 30.5]
    assert comparing.binned(table.head(3), "sn", bins=2).empty


def test_difference_is_positive_where_the_second_run_is_nearer(tiny):
    far, near = _run(tiny, 0.5), _run(tiny, -0.1, "linear")
    gain = comparing.difference(tiny, far, near, "sfr_tot_median")["gain"]
    assert np.allclose(gain, 0.4)
    assert np.allclose(comparing.difference(tiny, near, far, "sfr_tot_median")["gain"], -0.4)


@pytest.mark.parametrize(("gains", "said"), [
    ([1.0, 1.2, 0.8, 1.0], "The **second** run is nearer to the truth on average, by 12.2 standard errors; the second is the nearer one for **100%** of 4"),
    ([-1.0, -1.2, -0.8, -1.0], "The **first** run is nearer"), ([1.0, -1.0, 0.5, -0.4], "On average the two are alike (0.1 standard errors apart)"), ([], "No held-out galaxy"),
    ([0.0, 0.0], "The two are equally near to the truth for each of 2"), ([0.4], "The **second** run is nearer to the truth by 0.4 for each of 1"),
])
def test_gain_says_which_run_is_nearer_and_whether_that_is_chance(gains, said):
    assert said in comparing.gain(pd.DataFrame({"gain": gains})).sentence


def test_gain_counts_galaxies_and_pairs_them():
    found = comparing.gain(pd.DataFrame({"gain": [0.2, -0.1, 0.5]}))
    assert found == Gain(3, pytest.approx(2 / 3), pytest.approx(0.2), pytest.approx(np.std([0.2, -0.1, 0.5], ddof=1) / np.sqrt(3)))


def test_settings_that_differ_names_only_what_differs(tiny):
    first, second = _run(tiny, model="linear", seed=1, snapshot="abcdef0123456789"), _run(tiny, model="linear", config={"modalities": "image"}, seed=2, snapshot="abcdef0123456789")
    table = comparing.settings_that_differ(comparing.comparison(tiny), first, second)
    assert table.to_numpy().tolist() == [["reads", "fused", "image"], ["modalities", "all", "image"], ["seed", "1", "2"]]
    assert comparing.settings_that_differ(comparing.comparison(tiny), first, first).empty


def test_metrics_that_differ_marks_the_better_run_of_each_line(tiny):
    first, second = _run(tiny, rmse=0.1), _run(tiny, rmse=0.2, summary={"seconds": 1.0})
    table = comparing.metrics_that_differ(comparing.comparison(tiny), first, second, "z", "all").set_index("metric")
    assert table.loc["RMSE"].tolist() == ["0.1000", "0.2000", "first"] and table.loc["training s"].tolist() == ["2.0", "1.0", "second"]
    assert table.loc["ms / galaxy", "better"] == "" and "R²" not in table.index


def test_stale_runs_are_counted_where_they_are_compared(tiny):
    labels.retract(tiny, 1, "oracle", "test", 10_000)
    assert comparing.comparison(tiny).run(1)["stale"] == 1 == _table(tiny).loc[1, "stale"]


def _predicted(scale=1.0, shift=0.0, n=600):
    """Truths drawn from N(0, 1) about a prediction that says N(shift, scale)."""
    from scipy.special import ndtri

    return pd.DataFrame({"truth": ndtri((np.arange(n) + 0.5) / n), "mean": shift, "sigma": scale, "sn": 5.0, "third": "sn mid"})


@pytest.mark.parametrize(("table", "said"), [
    (_predicted(), "Calibrated, as far as 600 galaxies can tell."), (_predicted(0.5), "Too narrow: 68 % intervals hold 38% of the galaxies, 95 % intervals 67%."),
    (_predicted(2.0), "Too wide: 68 % intervals hold 95%"), (_predicted(1, -0.5), "Biased low: it predicts too low for 69% of the galaxies."),
    (_predicted(1, 0.5), "Biased high: it predicts too high for 69% of the galaxies."), (_predicted(n=20), "Only 20 galaxies: too few to judge the error bars."),
])
def test_calibration_says_in_words_what_is_wrong(table, said):
    found = comparing.calibration(table, Stretches(), "z")
    assert said in found.verdict and found.is_fine == said.startswith("Calibrated")


def test_calibration_names_heavy_tails_where_the_middle_is_right():
    table = _predicted()
    table.loc[:5, "truth"], table.loc[590:, "truth"] = -9.0, 9.0
    assert comparing.calibration(table, Stretches(), "z").verdict == "Heavy tails: 2.7% of the galaxies lie beyond 3 σ, where a Gaussian has 0.3 %."


def test_calibration_names_the_end_that_holds_too_many():
    table = _predicted()
    table.loc[560:, "truth"] = 2.0
    assert comparing.calibration(table, Stretches(), "z").verdict == "Calibrated, as far as 600 galaxies can tell."
    table.loc[530:, "truth"] = 2.0
    assert comparing.calibration(table, Stretches(), "z").verdict == "Long tail above: 12% of the galaxies lie above what 95% should stay within."


STRETCHES = Stretches(widths={"z": {"all": {"68": 2.0, "95": 4.0}}}, counts={"z": {"all": 90, "sn low": 12, "sn mid": 39, "sn high": 39}})


def test_calibration_carries_curve_histogram_and_stretched_coverage():
    found = comparing.calibration(_predicted(0.5), STRETCHES, "z")
    assert found.galaxies == 600 and found.density.mean() == pytest.approx(1) and np.all(np.diff(found.covered) >= 0)
    assert found.stretched == pytest.approx({0.6827: 0.6833, 0.9545: 0.955}, abs=0.002)
    assert found.after == "Stretched by S/N as the calibration galaxies ask, they hold 68.3\u00a0±\u00a01.9\u00a0% and 95.3\u00a0±\u00a00.9\u00a0%; 90 calibration galaxies fix a 68 % interval to 4.9 points. Too few calibration galaxies of sn low: the stretch of all serves there."


def test_calibration_judges_the_pit_again_after_stretching():
    found = comparing.calibration(_predicted(0.5), STRETCHES, "z")
    assert found.verdict.startswith("Too narrow") and found.verdict_after == "Calibrated, as far as 600 galaxies can tell."
    assert found.density[0] == pytest.approx(4.1) and found.density_after == pytest.approx(np.ones(20), abs=0.05)


def test_stretched_scores_are_in_proportion_between_and_beyond_the_levels():
    stretches = Stretches(edges=(10.0, 20.0), widths={"z": {"all": {"68": 2.0, "95": 8.0}, "sn high": {"68": 1.0, "95": 2.0}}})
    truth, sn = np.array([1.0, -2.0, 5.0, 16.0, 2.0, 0.0]), np.array([5.0, 5.0, 5.0, 5.0, 30.0, 5.0])
    assert comparing.stretched_scores(truth, np.zeros(6), np.ones(6), stretches, "z", sn) == pytest.approx([0.5, -1, 1.5, 4, 2, 0], abs=2e-4)
    assert np.isnan(comparing.stretched_scores(truth, np.zeros(6), np.ones(6), stretches, "sfr_tot_median", sn)).all()


def test_calibration_says_where_no_interval_could_be_stretched():
    found = comparing.calibration(_predicted(), STRETCHES, "sfr_tot_median")
    assert found.stretched == {} and found.after.startswith("Not stretched: too few") and found.verdict_after == "" and not len(found.density_after)


def test_thirds_of_sn_are_judged_apart_before_and_after_stretching():
    table = pd.concat([_predicted(0.5), _predicted(1.0).assign(third="sn high"), _predicted(1, 0.5, 90).assign(third="sn low")])
    found = comparing.by_sn(table, STRETCHES, "z").set_index("third")
    assert found["verdict"].to_dict() == {"sn low": "Biased high", "sn mid": "Too narrow", "sn high": "Calibrated"} and found["galaxies"].tolist() == [90, 600, 600]
    assert found.loc["sn mid", ["held_68", "stretched_68"]].tolist() == pytest.approx([0.38, 0.683], abs=0.003)
    assert found.loc["sn mid", "error_95"] == pytest.approx(np.sqrt(0.9545 * 0.0455 / 600)) and found.loc["sn high", "crps"] == pytest.approx(1 / np.sqrt(np.pi), abs=0.003)
    assert comparing.by_sn(table, STRETCHES, "z", ("all", "sn high"))["galaxies"].tolist() == [1290, 600]
    assert comparing.by_sn(table, Stretches(), "z")["stretched_68"].isna().all() and comparing.by_sn(table.head(0), STRETCHES, "z").empty


def test_joint_region_is_told_with_what_it_holds(tiny):
    run = _run(tiny, summary={"conformal": {"together": ["z", "sfr_tot_median"]}})
    rows = [("test", t, "all", name, value) for t in ("z", "sfr_tot_median") for name, value in (("n", 100 if t == "z" else 120), ("joint68", 0.7), ("joint95", 0.95))]
    runs.put_metrics(tiny, run, pd.DataFrame(rows, columns=["split", "target", "subset", "name", "value"]))
    everything = comparing.comparison(tiny)
    assert comparing.joint(everything, run, "all") == "z and sfr_tot_median together: the joint 68 % region holds 70.0\u00a0±\u00a04.6\u00a0% of the galaxies, the 95 % region holds 95.0\u00a0±\u00a02.2\u00a0%."
    assert comparing.joint(everything, run, "passive") == "" == comparing.joint(everything, 1, "all")


def test_predicted_and_true_says_the_third_of_sn(tiny):
    table = comparing.predicted_and_true(tiny, 1, "z")
    means = table.groupby("third")["sn"].mean()
    assert set(table["third"]) <= set(THIRDS) and means["sn low"] < means["sn mid"] < means["sn high"]


def test_calibration_leaves_out_galaxies_without_an_error_bar():
    table = _predicted()
    table.loc[:99, "sigma"] = np.nan
    assert comparing.calibration(table, Stretches(), "z").galaxies == 500 and comparing.calibration(table.head(50), Stretches(), "z") is None


def test_pareto_front_holds_what_nothing_beats_in_both():
    assert comparing.pareto(np.array([1.0, 1.0, 2.0, 3.0, 4.0]), np.array([0.5, 0.4, 0.4, 0.1, np.nan])).tolist() == [False, True, False, True, False]


def test_pareto_front_keeps_equals():
    assert comparing.pareto(np.array([1.0, 1.0]), np.array([0.5, 0.5])).tolist() == [True, True]


def test_modality_rates_and_verdicts_come_from_the_summaries_of_runs(tiny):
    told = {"modality_use": {"z": {"image": 0.1, "spectrum": 0.9}}, "modality_use_sn": {"sn low": {"z": {"image": 0.4}}}, "modality_verdicts": ["The image is redundant for z."]}
    run = _run(tiny, model="fusion_late", summary=told)
    everything = comparing.comparison(tiny)
    assert comparing.rates(everything).to_numpy().tolist() == [[run, "fusion_late", "z", "image", 0.1], [run, "fusion_late", "z", "spectrum", 0.9]]
    assert comparing.rates(everything, "sn low")["rate"].tolist() == [0.4] and comparing.rates(everything, "passive").empty
    assert comparing.verdicts(everything) == {run: ["The image is redundant for z."]}


def test_modality_curves_are_read_from_the_history(tiny):
    runs.put_history(tiny, 1, 7, {"use/z/image": 0.25, "use/sfr_tot_median/spectrum": 0.5})
    table = comparing.over_training(tiny, [1])
    assert sorted(table.to_numpy().tolist()) == [[1, 7, "sfr_tot_median", "spectrum", 0.5], [1, 7, "z", "image", 0.25]]
    assert comparing.over_training(tiny, []).empty


def test_comparison_of_no_run_is_empty(ws):
    everything = comparing.comparison(ws)
    assert everything.is_empty and everything.subsets == ["all"] and everything.newest().is_empty


def test_configurations_are_read_as_they_were_written(tiny):
    run = _run(tiny, model="of another version", config={"depth": 3})
    found = comparing.comparison(tiny).run(run)
    assert (found["settings"], found["reads"], json.loads(found["configuration"])) == ({"depth": 3}, "nothing", ["of another version", {"depth": 3}])


def test_training_seconds_count_the_networks_that_a_fusion_took_over(tiny):
    snapshot = {"high_water": 1, "count": 1, "hash": "a"}
    branch = runs.create(tiny, "branch", "photometry_mlp", {}, 0, snapshot)
    runs.finish(tiny, branch, "done", {"seconds": 20.0})
    fused = runs.create(tiny, "fused", "fusion_late", {}, 0, snapshot)
    runs.finish(tiny, fused, "done", {"seconds": 3.0, "reused_runs": [branch]})
    table = comparing.comparison(tiny).runs.set_index("id")["seconds"]
    assert (table[branch], table[fused]) == (20.0, 23.0)
