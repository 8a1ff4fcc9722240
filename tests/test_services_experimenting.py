"""One command compares configurations on the same galaxies and labels, goes on when it was stopped, and says what it found."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.errors import BadInput, NotFound
from core.jobs.child import run_job
from core.jobs.evaluation import evaluate
from core.jobs.inputs import load_labels, training_ids
from core.models.percentiles import count_crossings
from core.models.registry import MODELS
from core.services import experimenting
from core.services.experimenting import presets, report, runner, tables
from core.services.experimenting.presets import PRESETS, Configuration, Preset, preset, variants
from core.store import Workspace, jobs, labels, objects, open_workspace, runs, truth
from tests.conftest import tiny_workspace

SMALL = Preset(
    "small", "A few classical models.",
    (Configuration("mean", "mean"), *variants(MODELS["linear"]), Configuration("forest photometry", "random_forest", {"modalities": "photometry", "trees": 8})),
    galaxies=256, seeds=2,
)  # fmt: skip
TWO = replace(SMALL, configurations=SMALL.configurations[:2], seeds=1)


def here(ws: Workspace, job_id: int, say=print) -> dict:
    """`core.jobs.foreground.follow` without a process of its own for the job."""
    job = jobs.claim(ws, "here", 600, only=job_id)
    run_job(ws, job_id, job["fence"])
    return jobs.one(ws, job_id)


def hear(line: str) -> None:
    """Listen, and say nothing."""


@pytest.fixture(scope="module")
def studied(tmp_path_factory) -> tuple[Workspace, experimenting.Experiment, experimenting.Findings]:
    """A small experiment that began in an empty workspace."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "follow", here)
        ws = open_workspace(tmp_path_factory.mktemp("experiment") / "ws")
        done = experimenting.run(ws, SMALL, say=hear)
        return ws, done, experimenting.write(ws, done, ws.path / "out")


@pytest.fixture
def followed_here(monkeypatch):
    monkeypatch.setattr(runner, "follow", here)


# What is compared


def test_study_compares_every_model_of_the_registry_with_every_variant_once():
    compared = PRESETS["study"].configurations
    assert {c.model for c in compared} == set(MODELS)
    assert len({c.name for c in compared}) == len(compared) == sum(len(variants(spec)) for spec in MODELS.values())
    assert [c.name for c in compared][:5] == ["mean", "linear image", "linear spectrum", "linear photometry", "linear all"]


@pytest.mark.parametrize("name", MODELS)
def test_variants_can_be_built_and_read_what_their_modality_says(name):
    for configuration in variants(MODELS[name]):
        read = MODELS[name].build(configuration.config).modalities
        assert configuration.modality == ("none" if not read else read[0] if len(read) == 1 else "fused")


def test_fusions_run_after_all_that_they_may_take_over():
    kinds = [MODELS[c.model].kind for c in PRESETS["study"].configurations]
    assert kinds == sorted(kinds, key=presets.KINDS.index)


def test_quick_preset_keeps_the_configurations_and_shortens_them():
    quick = preset("study", is_quick=True)
    assert [c.name for c in quick.configurations] == [c.name for c in PRESETS["study"].configurations]
    assert (quick.name, quick.galaxies, quick.seeds) == ("study-quick", presets.QUICK_GALAXIES, 1)
    for c in quick.configurations:
        assert set(c.config) <= set(MODELS[c.model].config) and c.config.get("epochs") == (presets.QUICK["epochs"] if "epochs" in MODELS[c.model].config else None)


def test_classical_preset_has_no_network():
    assert {MODELS[c.model].kind for c in PRESETS["classical"].configurations} == {"classical"}


def test_unknown_preset_is_refused_with_the_choices():
    with pytest.raises(NotFound, match="There is no preset 'everything'. Choose one of study, classical."):
        preset("everything")


# How it runs


def test_experiment_fits_every_configuration_with_every_seed_on_one_label_snapshot(studied):
    ws, done, _ = studied
    assert done.is_well and [(r.configuration.name, r.seed) for r in done.runs] == [(c.name, s) for s in range(2) for c in SMALL.configurations]
    table = runs.frame(ws).set_index("id").loc[[r.run_id for r in done.runs]]
    assert table["name"].tolist() == [c.name for c in SMALL.configurations] * 2 and table["seed"].tolist() == [0] * 6 + [1] * 6
    assert table["label_hash"].nunique() == 1 and table["label_hash"].iloc[0] == labels.snapshot_hash(labels.training(ws, done.mark))


def test_experiment_in_an_empty_workspace_simulates_a_sky_and_reveals_all_training_galaxies(studied):
    ws, _, _ = studied
    table = objects.frame(ws)
    eligible = truth.frame(ws, table.loc[(table["split"] == "train") & (table["class"] == "GALAXY"), "id"])
    seen = labels.training(ws)
    assert len(table) == 256 and set(seen["object_id"]) == set(eligible["object_id"])
    assert seen.sort_values(["object_id", "target"])["value"].tolist() == eligible.sort_values(["object_id", "target"])["value"].tolist()


def test_experiment_asked_again_fits_nothing(studied, monkeypatch):
    ws, done, _ = studied
    before, said = len(jobs.frame(ws)), []
    monkeypatch.setattr(runner, "follow", None)
    assert experimenting.run(ws, SMALL, say=said.append).runs == done.runs
    assert len(jobs.frame(ws)) == before
    assert said[0] == f"[1/12] mean, seed 0: run {done.runs[0].run_id} has these labels, settings and seed already"


def test_experiment_that_was_killed_goes_on_with_the_job_it_was_at(tiny, monkeypatch):
    def killed(ws, job_id, say):
        if (jobs.frame(ws)["status"] == "done").any():
            jobs.claim(ws, "killed", 0, only=job_id)
            raise KeyboardInterrupt
        return here(ws, job_id)

    monkeypatch.setattr(runner, "follow", killed)
    with pytest.raises(KeyboardInterrupt):
        experimenting.run(tiny, TWO, say=hear)
    queued = jobs.frame(tiny).query("status != 'done'")["title"].tolist()
    monkeypatch.setattr(runner, "follow", here)
    done = experimenting.run(tiny, TWO, say=hear)
    assert queued == ["Train linear image, seed 0"] and done.is_well
    assert jobs.frame(tiny).query("kind == 'train'")[["title", "status", "attempts"]].values.tolist() == [["Train linear image, seed 0", "done", 2], ["Train mean, seed 0", "done", 1]]


def test_experiment_that_a_person_stopped_tells_what_is_done_and_leaves_nothing_queued(tiny, monkeypatch, tmp_path):
    def stopped_at_the_second(ws, job_id, say):
        if jobs.one(ws, job_id)["title"].startswith("Train mean"):
            return here(ws, job_id)
        jobs.cancel(ws, job_id)
        return jobs.one(ws, job_id)

    monkeypatch.setattr(runner, "follow", stopped_at_the_second)
    done = experimenting.run(tiny, TWO, say=hear)
    assert [r.configuration.name for r in done.runs] == ["mean"] and not done.is_complete and not done.is_well
    assert jobs.active(tiny).empty
    experimenting.write(tiny, done, tmp_path)
    assert "The experiment was stopped; what follows is what had been finished." in (tmp_path / "report.html").read_text()


def test_configuration_that_fails_is_told_and_the_others_go_on(tiny, followed_here, tmp_path):
    broken = Configuration("broken", "linear", {"modalities": "smell"})
    done = experimenting.run(tiny, replace(TWO, configurations=(broken, *TWO.configurations)), say=hear)
    assert [(r.configuration.name, r.run_id is None) for r in done.runs] == [("broken", True), ("mean", False), ("linear image", False)] and not done.is_well
    assert done.runs[0].error.startswith("modalities must be one of image, spectrum")
    found = experimenting.write(tiny, done, tmp_path)
    assert found.done["configuration"].tolist() == ["mean", "linear image"]
    assert "broken, seed 0, failed: modalities must be one of image, spectrum" in (tmp_path / "report.html").read_text()


def test_other_labels_are_another_experiment(tiny, followed_here):
    first = experimenting.run(tiny, TWO, say=hear)
    labels.record(tiny, [labels.Decision(int(training_ids(tiny)[0]), "z", "label", "ada", "laptop", 1, value=0.5, grade=4)])
    second = experimenting.run(tiny, TWO, say=hear)
    assert second.mark == first.mark + 1 and {r.run_id for r in first.runs}.isdisjoint({r.run_id for r in second.runs})


def test_labels_of_people_are_kept_where_there_are_enough(tiny, monkeypatch):
    monkeypatch.setattr(runner, "FEW_LABELS", 20)
    before = labels.high_water(tiny)
    assert runner.prepare(tiny, SMALL, None, hear) == before
    added = runner.prepare(tiny, SMALL, 40, hear)
    assert added > before and runner.prepare(tiny, SMALL, 40, hear) == added


def test_reveal_that_was_interrupted_is_finished_when_asked_again(tiny, monkeypatch):
    whole = len(runner._oracle_order(tiny))
    runner.reveal(tiny, runner._oracle_order(tiny)[:25], runner.ORACLE)
    monkeypatch.setattr(runner, "FEW_LABELS", 31)
    runner.prepare(tiny, SMALL, None, hear)
    assert labels.current(tiny).query("client == @runner.ORACLE")["object_id"].nunique() == whole


def test_experiment_without_labels_and_truth_is_refused(tmp_path):
    ws = tiny_workspace(tmp_path / "bare", n=4)
    with ws.write() as db:
        db.conn.execute("DELETE FROM truth")
    for label in labels.current(ws)["id"]:
        labels.retract(ws, int(label), "me", "test", 10_000 + int(label))
    with pytest.raises(BadInput, match="labels must cover at least one galaxy of the train split; got 0"):
        experimenting.run(ws, TWO, say=hear)


# What it says


def test_report_has_every_number_that_the_study_asks_for(studied):
    _, _, found = studied
    asked = {"rmse", "r2", "mae", "crps", "coverage68", "coverage95"}
    for target in found.galaxies.targets:
        has = set(tables.pick(found.summary, target=target, configuration="linear all", subset="all")["metric"])
        assert asked | ({"bias", "nmad", "eta05", "eta15", "eta_1000kms"} if target == "z" else set()) <= has
    subsets = set(tables.pick(found.summary, target="sfr_tot_median", metric="rmse")["subset"])
    assert {"all", "sn low", "sn mid", "sn high", "star-forming", "passive", "complete"} <= subsets
    assert found.costs["configuration"].tolist() == [c.name for c in SMALL.configurations]
    assert (found.costs[["training_seconds", "milliseconds_per_galaxy", "peak_megabytes", "parameters"]] > 0).all(axis=None)


def test_summary_is_mean_and_standard_error_over_seeds(studied):
    _, _, found = studied
    two = tables.pick(found.long, configuration="forest photometry", target="z", subset="all", metric="rmse")["value"].to_numpy()
    row = tables.pick(found.summary, configuration="forest photometry", target="z", subset="all", metric="rmse").iloc[0]
    assert len(two) == 2 and two[0] != two[1]
    assert (row["mean"], row["standard_error"], row["seeds"]) == (pytest.approx(two.mean()), pytest.approx(abs(two[0] - two[1]) / 2), 2)


def test_configurations_that_know_something_beat_the_mean(studied):
    _, _, found = studied
    error = tables.pick(found.summary, target="sfr_tot_median", subset="all", metric="rmse").set_index("configuration")["mean"]
    assert error["linear all"] < error["mean"] and error["linear image"] < error["mean"]


def test_tests_compare_fused_configurations_with_the_best_single_modality_on_the_same_galaxies(studied):
    ws, done, found = studied
    row = tables.best(found.tests, "rmse", "sfr_tot_median", "fused")
    singles = tables.pick(found.summary, target="sfr_tot_median", subset="all", metric="rmse").set_index("configuration")["mean"]
    singles = singles[["linear image", "linear spectrum", "linear photometry", "forest photometry"]]
    assert row["configuration"] == "linear all" and row["best_single"] == singles.idxmin()
    assert row["value_of_best"] == pytest.approx(singles.min(), rel=1e-3)
    assert row["gain"] == pytest.approx(1 - row["value"] / row["value_of_best"]) and row["gain_low"] < row["gain"] < row["gain_high"]
    assert row["n"] == tables.pick(found.summary, configuration="linear all", target="sfr_tot_median", subset="all", metric="n")["mean"].iloc[0]
    assert set(found.tests["metric"]) == {"rmse", "nmad"} and set(tables.pick(found.tests, metric="nmad")["target"]) == {"z"}


def test_verdicts_name_both_configurations_the_gain_its_interval_and_p(studied):
    _, _, found = studied
    row = tables.best(found.tests, "rmse", "sfr_tot_median", "fused")
    said = experimenting.verdicts(found)[0]
    assert said.startswith(f"RMSE of sfr_tot_median, all {row['n']:,} test galaxies: the best fused configuration, linear all, reaches {row['value']:.4g}")
    assert f"{row['best_single']}, {row['value_of_best']:.4g}. That is {abs(row['gain']):.1%}" in said
    assert f"{row['gain_low']:+.1%} to {row['gain_high']:+.1%}; p = {row['p_galaxies']:.2g}" in said


def test_folder_holds_the_page_and_its_numbers(studied):
    ws, _, found = studied
    out = ws.path / "out"
    assert {p.name for p in out.iterdir()} == {"report.html", "metrics.csv", "summary.csv", "tests.csv", "costs.csv", "modality_use.csv", "runs.csv"}
    for name, table in (("metrics", found.long), ("summary", found.summary), ("tests", found.tests)):
        kept = pd.read_csv(out / f"{name}.csv")
        assert list(kept) == list(table) and len(kept) == len(table)
    assert pd.read_csv(out / "summary.csv")["mean"].to_numpy() == pytest.approx(found.summary["mean"].to_numpy())


def test_page_needs_nothing_else_says_simulated_and_shows_every_configuration(studied):
    ws, _, found = studied
    page = (ws.path / "out" / "report.html").read_text()
    assert "SIMULATED SKY" in page and "http" not in page.replace("http://www.w3.org", "")
    assert all(page.count(f"<td class=words>{c.name}</td>") >= 5 for c in SMALL.configurations)
    assert page.count("<svg") >= 5 and str(ws.path) not in page
    data = json.loads(page.partition("id='all-metrics'>")[2].partition("</script>")[0])
    value, error = data["values"]["forest photometry"]["z"]["sn low"]["rmse"]
    row = tables.pick(found.summary, configuration="forest photometry", target="z", subset="sn low", metric="rmse").iloc[0]
    assert (value, error) == (pytest.approx(row["mean"], rel=1e-3), pytest.approx(row["standard_error"], rel=1e-3))


def test_report_shows_what_runs_have_measured_of_their_modalities(studied, monkeypatch):
    ws, done, found = studied
    assert found.use.empty and "neglected" not in (ws.path / "out" / "report.html").read_text()
    measured = [{"modality_use": {"z": {"image": 0.01, "spectrum": u}, "sfr_tot_avg": {"image": 0.3}}, "modality_use_sn": {"sn low": {"z": {"image": 0.4}}},
                 "modality_verdicts": [f"The image is redundant ({u})."]} for u in (0.5, 0.7)]  # fmt: skip
    fused = [r.run_id for r in done.runs if r.configuration.name == "linear all"]
    one = runs.one
    monkeypatch.setattr(tables.runs, "one", lambda ws, i: one(ws, i) | ({"summary": measured[fused.index(i)]} if i in fused else {}))
    use, said = tables.modality_use(ws, found.done)
    rate = use.set_index(["configuration", "target", "subset", "modality"])["use"]
    assert rate.to_dict() == pytest.approx({("linear all", *key): v for key, v in {
        ("z", "all", "image"): 0.01, ("z", "all", "spectrum"): 0.6, ("sfr_tot_avg", "all", "image"): 0.3, ("z", "sn low", "image"): 0.4}.items()})  # fmt: skip
    assert said == {"linear all": ["The image is redundant (0.5)."]}
    section = report._modality_use(replace(found, use=use, balance=said))
    assert "Is a modality neglected, or is it redundant?" in section and "<li>The image is redundant (0.5).</li>" in section
    assert '<td data-v="0.6">0.60</td>' in section and "<th>image, sn low</th>" in section and "sfr_tot_avg" not in section


# What no model may see, and what no number may count


def test_training_and_test_galaxies_share_no_place_on_the_sky(studied):
    ws, _, found = studied
    table = objects.frame(ws).set_index("id")
    fitted = set(table.loc[training_ids(ws), "sky_group"])
    assert fitted.isdisjoint(found.galaxies.groups) and fitted.isdisjoint(table[table["split"] == "calibration"]["sky_group"])


def test_galaxies_observed_twice_fall_into_one_split(studied):
    ws, _, _ = studied
    table = objects.frame(ws).query("`class` == 'GALAXY'")
    radians = np.radians(table[["ra", "dec"]].to_numpy())
    east = (radians[:, 0, None] - radians[:, 0]) * np.cos(radians[:, 1])
    apart = np.degrees(np.hypot(east, radians[:, 1, None] - radians[:, 1])) * 3600
    first, second = np.nonzero(np.triu(apart < 1.0, k=1))
    assert len(first) >= 3
    assert table["split"].to_numpy()[first].tolist() == table["split"].to_numpy()[second].tolist()


def test_percentiles_cross_in_no_prediction_of_any_run(studied):
    ws, done, found = studied
    for run in done.runs:
        kept = runs.load_arrays(ws, run.run_id, "predictions")
        assert count_crossings(kept["mean"], tuple(kept["targets"].tolist())) == 0
        assert len(kept["mean"]) == 256


def test_missing_labels_stay_missing_and_truth_never_fills_them(tiny, followed_here):
    bare = int(objects.frame(tiny).query("split == 'train'")["id"].iloc[-1])
    before = experimenting.run(tiny, replace(TWO, configurations=TWO.configurations[:1]), n_labels=0, say=hear)
    labels.record(tiny, [labels.Decision(bare, "z", "label", "ada", "laptop", 1, value=0.9, grade=4)])
    known = load_labels(tiny, training_ids(tiny))
    row = training_ids(tiny).tolist().index(bare)
    assert known.values_nt[row, 0] == 0.9 and np.isnan(known.values_nt[row, 1:]).all() and len(truth.frame(tiny, [bare])) == 9
    after = experimenting.run(tiny, replace(TWO, configurations=TWO.configurations[:1]), n_labels=0, say=hear)
    old, new = (runs.load_arrays(tiny, e.runs[0].run_id, "predictions")["mean"] for e in (before, after))
    assert np.array_equal(old[:, 1:], new[:, 1:]) and (new[:, 0] > old[:, 0]).all()


def test_galaxies_without_a_true_value_count_in_no_number(studied, tiny):
    _, _, found = studied
    counted = tables.pick(found.summary, configuration="mean", subset="all", metric="n").set_index("target")["mean"]
    assert counted.to_dict() == dict(zip(found.galaxies.targets, np.isfinite(found.galaxies.truth_nt).sum(axis=0), strict=True))
    gone = int(objects.frame(tiny).query("split == 'test'")["id"].iloc[0])
    with tiny.write() as db:
        db.conn.execute("DELETE FROM truth WHERE target = 'z' AND object_id = ?", (gone,))
    galaxies = tables.held(tiny)
    said = np.where(np.isfinite(galaxies.truth_nt), galaxies.truth_nt, 1e6)
    table = evaluate(tiny, galaxies.ids, said, np.ones_like(said), galaxies.targets).query("subset == 'all'").set_index(["target", "name"])["value"]
    assert table["z", "n"] == len(galaxies.ids) - 1 == table["sfr_tot_median", "n"] - 1
    assert table["z", "rmse"] == 0 == table["z", "unpredicted"]
