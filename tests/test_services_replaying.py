"""Active learning replayed: paired, resumable, and summed up as anybody could by hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import __main__ as command_line
from core.errors import BadInput, ChunkFailed, JobError, NotFound
from core.jobs.child import run_job
from core.jobs.replaying import Question, Step, probe, rounds, run_rounds, sky_source, states, table_source
from core.services import replaying
from core.services.replaying import asking
from core.store import jobs, labels, objects, truth
from core.training.session import Session

PROTOCOL = {"target": "z", "strategies": ("lcmd_sampled",), "initial": 20, "batch": 10, "rounds": 2, "seeds": 2, "config": {"epochs": 3}, "weights": "pool_mass"}
ERRORS = ["rmse_delta", "nmad", "eta05", "crps", "coverage68"]


def hear(line: str) -> None:
    """Listen, and say nothing."""


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    """300 rows whose third column says nothing; one row lacks a colour, one its redshift."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 3))
    rows = pd.DataFrame(x, columns=["a", "b", "c"]).assign(z=0.2 + 0.05 * x[:, 0] + 0.02 * np.tanh(x[:, 1]) + rng.normal(0, 0.005, 300))
    rows.loc[3, "b"], rows.loc[4, "z"] = np.nan, -9999.0
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    rows.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def replayed(table) -> tuple[pd.DataFrame, Question, Path]:
    """A whole replay on the table."""
    curves, question = replaying.on_table(table, ("a", "b", "c"), table.parent / "out", PROTOCOL, workers=1, say=hear)
    replaying.write(curves, question, table.parent / "out")
    return curves, question, table.parent / "out"


def rounds_of(out: Path) -> Path:
    return next((out / "rounds").iterdir())


# Curves and their pairing


def test_curves_have_a_row_for_every_strategy_seed_number_of_labels_and_metric(replayed):
    curves, _, out = replayed
    errors = curves[curves["metric"].isin(ERRORS)]
    assert list(curves) == ["strategy", "seed", "labels", "metric", "value"] and len(errors) == 2 * 2 * 3 * len(ERRORS)
    assert not errors.duplicated(["strategy", "seed", "labels", "metric"]).any() and np.isfinite(errors["value"]).all()
    assert sorted(set(curves["labels"])) == [20, 30, 40] and list(curves["strategy"].unique()) == ["random", "lcmd_sampled"]
    assert pd.read_csv(out / "curves.csv")["value"].to_numpy() == pytest.approx(curves["value"].to_numpy())


def test_strategies_share_initial_set_test_set_and_initialisation_of_a_seed_but_not_their_batches(replayed):
    curves, _, out = replayed
    first = curves[(curves["labels"] == 20) & curves["metric"].isin(ERRORS)].pivot(index=["seed", "metric"], columns="strategy", values="value")
    assert first["random"].tolist() == first["lcmd_sampled"].tolist()
    asked = {(s, seed, r): states.read(rounds_of(out), Step(s, seed, r)).asked for s in ("random", "lcmd_sampled") for seed in (0, 1) for r in (0, 2)}
    assert asked["random", 0, 0] == asked["lcmd_sampled", 0, 0] != asked["random", 1, 0]
    assert asked["random", 0, 2] != asked["lcmd_sampled", 0, 2] and asked["random", 0, 2][:20] == asked["random", 0, 0]
    assert all(len(set(rows)) == len(rows) == (20 if r == 0 else 40) for (_, _, r), rows in asked.items())


def test_no_row_is_asked_about_that_is_measured_on_and_each_seed_parts_the_rows_anew(table, replayed):
    source, left_out = table_source(table, ("a", "b", "c"), "z")
    worlds = [source.world(seed) for seed in (0, 1)]
    assert left_out == 2 and [len(w.test) for w in worlds] == [59, 59] and set(worlds[0].test) != set(worlds[1].test)
    for seed, world in enumerate(worlds):
        assert set(world.pool).isdisjoint(world.test) and len(world.pool) == 239
        assert set(states.read(rounds_of(replayed[2]), Step("lcmd_sampled", seed, 2)).asked) <= set(world.pool)
        assert np.median(world.inputs.arrays["photometry"][world.pool], axis=0) == pytest.approx(np.zeros(3), abs=1e-6)


def test_labels_of_a_chosen_batch_are_weighed_by_pool_mass_and_those_of_random_are_not(replayed):
    folder = rounds_of(replayed[2])
    weights = states.read(folder, Step("lcmd_sampled", 0, 0)).weights
    assert len(weights) == 30 and np.mean(weights) == pytest.approx(1) and np.std(weights) > 0.05
    assert states.read(folder, Step("random", 0, 0)).weights is None


def test_a_round_is_fitted_with_the_weights_that_the_round_before_left(table, replayed, monkeypatch):
    question, folder = replayed[1], rounds_of(replayed[2])
    source, _ = table_source(table, ("a", "b", "c"), "z")
    seen, fit = [], rounds._fit
    monkeypatch.setattr(rounds, "_fit", lambda world, model, rows, weights, seed: seen.append((rows.tolist(), weights, seed)) or fit(world, model, rows, weights, seed))
    step = Step("lcmd_sampled", 1, 1)
    before, here = states.read(folder, step._replace(round=0)), states.read(folder, step)
    again = rounds.one_round(source.world(1), question, source.model(question), step, before)
    assert seen == [(before.asked + before.following, before.weights, 1001)]
    assert (again.asked, again.metrics, again.following, again.weights) == (here.asked, here.metrics, here.following, here.weights)


def test_strategies_share_the_fit_to_the_initial_set_of_a_seed(table, tmp_path, monkeypatch):
    seeds, fit = [], rounds._fit
    monkeypatch.setattr(rounds, "_fit", lambda world, model, rows, weights, seed: seeds.append(seed) or fit(world, model, rows, weights, seed))
    question = Question(**{**PROTOCOL, "strategies": ("k_means_pp", "k_centre"), "rounds": 1}, model="small network")
    list(run_rounds(tmp_path, question, table_source(table, ("a", "b"), "z")[0], workers=1))
    assert seeds == [0, 1000, 1, 1, 1, 1001, 1001, 1001]


# Going on


def test_replay_that_was_killed_goes_on_and_gives_the_same_curves(table, replayed, tmp_path, monkeypatch):
    done, one_round = [], rounds.one_round

    def killed(*words):
        if len(done) == 5:
            raise KeyboardInterrupt
        done.append(words[3])
        return one_round(*words)

    monkeypatch.setattr(rounds, "one_round", killed)
    again = lambda: replaying.on_table(table, ("a", "b", "c"), tmp_path, PROTOCOL, workers=1, say=hear)[0]  # noqa: E731
    with pytest.raises(KeyboardInterrupt):
        again()
    (rounds_of(tmp_path) / "random" / "seed-000" / "round-002.123.part").write_text('{"asked": [')
    monkeypatch.setattr(rounds, "one_round", lambda *words: done.append(words[3]) or one_round(*words))
    measured = lambda curves: curves[~curves["metric"].str.endswith("seconds")].reset_index(drop=True)  # noqa: E731
    pd.testing.assert_frame_equal(measured(again()), measured(replayed[0]))
    assert len(done) == len(set(done)) == 12


def test_more_rounds_seeds_and_strategies_keep_what_is_there(replayed):
    _, question, _ = replayed
    more = Question(**{**PROTOCOL, "strategies": ("lcmd_sampled", "bald"), "rounds": 5, "seeds": 3}, model=question.model)
    assert more.mark("x") == question.mark("x") != Question(**{**PROTOCOL, "batch": 11}, model=question.model).mark("x") != question.mark("y")


def test_steps_go_one_by_one_where_the_pool_is_wide_enough_and_curve_by_curve_where_it_is_not():
    steps = Question("z", "linear", rounds=2, seeds=2).steps()
    assert rounds._chunks(steps, 1) == rounds._chunks(steps, 2) == [[s] for s in steps]
    assert [[s.round for s in chunk] for chunk in rounds._chunks(steps, 3)] == [[0, 1, 2]] * 4
    assert [s.round for s in steps] == [0] * 4 + [1] * 4 + [2] * 4


# The summary


def synthetic() -> pd.DataFrame:
    """Two seeds, three numbers of labels; `better` has random's values times 0.5, 0.8 and 1.25 with seed 0, times 1, 0.5 and 0.4 with seed 1."""
    base = {0: [0.4, 0.2, 0.1], 1: [0.4, 0.4, 0.1]}
    factors = {0: [0.5, 0.8, 1.25], 1: [1.0, 0.5, 0.4]}
    rows = [("random", s, n, "rmse", v) for s in base for n, v in zip((10, 20, 30), base[s], strict=True)]
    rows += [("better", s, n, "rmse", v * f) for s in base for n, v, f in zip((10, 20, 30), base[s], factors[s], strict=True)]
    rows += [("better", s, n, "junk_share", j) for s in base for n, j in ((20, 0.1), (30, 0.3))]
    return pd.DataFrame(rows, columns=["strategy", "seed", "labels", "metric", "value"])


def test_summary_has_the_area_its_standard_error_the_labels_saved_and_the_worst_step():
    table = replaying.summary(synthetic()).set_index("strategy")
    areas = [np.log(0.5 * 0.8 * 1.25) / 3, np.log(1.0 * 0.5 * 0.4) / 3]
    row = table.loc["better"]
    assert row["area"] == pytest.approx(np.mean(areas)) and row["area_error"] == pytest.approx(abs(areas[0] - areas[1]) / 2)
    assert (row["seeds"], row["labels"], row["final"]) == (2, 30, pytest.approx((0.125 + 0.04) / 2))
    assert row["labels_to_random_final"] == 30 and table.loc["random", "labels_to_random_final"] == 30
    steps = {20: np.log(0.8 * 0.5) / 2, 30: np.log(1.25 * 0.4) / 2}
    assert (row["worst_labels"], row["worst_step"]) == (30, pytest.approx(steps[30])) and steps[30] > steps[20]
    assert row["junk_share"] == pytest.approx(0.2) and np.isnan(table.loc["random", "junk_share"])
    assert (table.loc["random", "area"], table.loc["random", "area_error"]) == (0, 0)


def test_summary_compares_only_seeds_and_labels_that_both_have():
    curves = synthetic()
    partial = curves[~((curves["strategy"] == "better") & ((curves["seed"] == 1) | (curves["labels"] == 30)))]
    row = replaying.summary(partial).set_index("strategy").loc["better"]
    assert (row["seeds"], row["labels"], row["area"]) == (1, 20, pytest.approx(np.log(0.5 * 0.8) / 2)) and np.isnan(row["area_error"])


def test_summary_of_a_strategy_that_has_not_begun_says_so():
    curves = pd.concat([synthetic(), pd.DataFrame([("late", 5, 10, "rmse", 0.3)], columns=list(synthetic()))])
    row = replaying.summary(curves).set_index("strategy").loc["late"]
    assert row["seeds"] == 0 and np.isnan(row["area"])


def test_folder_holds_curves_summary_and_a_plot_that_needs_nothing_else(replayed):
    curves, question, out = replayed
    found, drawing = pd.read_csv(out / "summary.csv"), (out / "curves.svg").read_text()
    assert found["metric"].tolist() == ERRORS * 2 and found["training_seconds"].gt(0).all()
    assert drawing.count("<path") == 2 * len(ERRORS) + 2 and drawing.count('class="band"') == 2 * len(ERRORS) and "href" not in drawing
    assert json.loads((out / "question.json").read_text())["strategies"] == ["random", "lcmd_sampled"]
    lines = replaying.told(replaying.summary(curves)).splitlines()
    assert lines[1].startswith("random") and "+0.000 ± 0.000" in lines[1] and lines[0].split()[:4] == ["rmse_delta", "nmad", "eta05", "crps"] and str(out) not in drawing


# Galaxies of a workspace


def followed_here(ws, job_id: int, say=print) -> dict:
    """`core.jobs.foreground.follow` without a process of its own for the job."""
    job = jobs.claim(ws, "here", 600, only=job_id)
    run_job(ws, job_id, job["fence"])
    return jobs.one(ws, job_id)


SKY = Question("sfr_tot_median", "linear", ("k_centre",), {"modalities": "photometry"}, initial=10, batch=5, rounds=2, seeds=2)


def test_replay_in_a_workspace_is_a_job_that_records_no_label_and_asks_only_training_galaxies(tiny, monkeypatch):
    monkeypatch.setattr(asking, "follow", followed_here)
    train = objects.frame(tiny).query("split == 'train'")["id"].tolist()
    with tiny.write() as db:
        db.conn.execute("UPDATE objects SET class = 'STAR' WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(train[:6]),))
    before = labels.high_water(tiny)
    curves = replaying.in_workspace(tiny, SKY, workers=1, say=hear)
    assert labels.high_water(tiny) == before
    assert set(curves["metric"]) == {"rmse", "mae", "crps", "coverage68", "junk_share", "selection_seconds", "training_seconds"}
    assert len(curves.query("metric == 'rmse'")) == 2 * 2 * 3 and set(curves["labels"]) == {10, 15, 20}
    job = jobs.frame(tiny).query("kind == 'replay'").iloc[0]
    assert (job["status"], job["fraction"], job["message"]) == ("done", 1.0, "All 12 rounds are there")
    pd.testing.assert_frame_equal(replaying.growing(tiny, int(job["id"])), curves)
    world = sky_source(tiny, SKY).world(0)
    assert len(world.pool) == len(train) and world.is_junk_n[world.pool].sum() == 6 and not world.is_junk_n[world.test].any()
    asked = np.array(states.read(next((tiny.path / "replays").iterdir()), Step("k_centre", 0, 2)).asked)
    junk = curves.query("strategy == 'k_centre' and seed == 0 and metric == 'junk_share'").set_index("labels")["value"]
    assert junk.to_dict() == {15: world.is_junk_n[asked[10:15]].mean(), 20: world.is_junk_n[asked[15:]].mean()}


def test_replay_of_several_targets_balances_and_measures_them_all(tiny):
    question = Question("z,sfr_tot_median", "linear", ("epistemic",), {"modalities": "photometry"}, initial=12, batch=5, rounds=1, seeds=1)
    source = sky_source(tiny, question)
    candidates = rounds._candidates(question, *(source_model(source, question).predict(source.world(0).inputs[rows]) for rows in ([0, 1, 2], [3, 4])))
    assert candidates.groups == {"z": [0], "sfr_tot_median": [1]} and candidates.epistemic_pt.shape == (3, 2) and candidates.spread_name == "predicted z"
    measured = rounds.one_round(source.world(0), question, source.model(question), Step("epistemic", 0, 0), None).metrics
    seen = [f"z {m}" for m in ("rmse_delta", "nmad", "eta05", "crps", "coverage68")] + [f"sfr_tot_median {m}" for m in ("rmse", "mae", "crps", "coverage68")]
    assert list(measured) == seen
    curves = pd.DataFrame([(s, 0, 20, m, v) for s in ("random", "epistemic") for m, v in measured.items()], columns=list(synthetic()))
    table = replaying.summary(curves).set_index(["strategy", "metric"])
    assert np.isnan(table.loc[("epistemic", "z coverage68"), "area"]) and table.loc[("epistemic", "z eta05"), "area"] == 0


def source_model(source, question):
    """The question's model, fitted to a few galaxies of the source."""
    world, model = source.world(0), source.model(question)
    rounds._fit(world, model, world.answered(world.pool[:12]), None, 0)
    return model


def test_oracle_says_what_the_catalogue_says_and_nothing_of_junk(tiny):
    ids = objects.frame(tiny).query("split == 'train'")["id"].to_numpy()
    with tiny.write() as db:
        db.conn.execute("UPDATE objects SET class = 'QSO' WHERE id = ?", (int(ids[0]),))
        db.conn.execute("DELETE FROM truth WHERE object_id = ?", (int(ids[1]),))
    world = sky_source(tiny, SKY).world(0)
    known = truth.frame(tiny, ids[2:]).query("target == 'z'")["value"].tolist()
    assert len(world.pool) == len(ids) - 1 and world.answered(world.pool).tolist() == world.pool[1:].tolist()
    assert np.isnan(world.labels.values_nt[world.pool[0]]).all()
    assert world.labels.values_nt[world.pool[1:], world.labels.targets.index("z")].tolist() == known


def test_strategies_ask_for_no_more_of_the_strangest_than_random_would(tiny):
    question = replace(SKY, strategies=("epistemic",), strange_share=0.25)
    world, model = sky_source(tiny, question).world(0), sky_source(tiny, question).model(question)
    asked = rounds.first_asked(world, question, 0)
    left = world.pool[~np.isin(world.pool, asked)]
    model.fit(world.inputs[asked], world.labels[asked], Session(0, threads=1))
    unsure = left[np.argsort(-model.predict(world.inputs[left]).epistemic[:, world.labels.targets.index(question.target)])]
    measured = np.zeros((len(world.inputs), 2))
    measured[unsure[: len(left) // 4]] = 50.0
    strange = lambda w: np.isin(rounds.one_round(w, question, model, Step("epistemic", 0, 0), None, 0.0).following, unsure[: len(left) // 4]).sum()  # noqa: E731
    assert strange(replace(world, measured_nd=measured)) <= 2 < strange(replace(world, measured_nd=None))


def test_replay_asked_again_takes_up_the_job_that_did_not_end(tiny):
    first = replaying.start(tiny, SKY)
    jobs.cancel(tiny, first)
    assert replaying.start(tiny, SKY) == first and jobs.one(tiny, first)["status"] == "queued"
    assert replaying.start(tiny, Question(**{**SKY.asked(), "seeds": 3})) != first


def test_replay_that_failed_or_was_stopped_says_why(tiny, monkeypatch):
    monkeypatch.setattr(asking, "follow", followed_here)
    with pytest.raises(JobError, match=r"Job 1: Each strategy must find in the model what it needs; got disagreement \(Answers .* choose another model.$"):
        replaying.in_workspace(tiny, Question(**{**SKY.asked(), "strategies": ("disagreement",)}), workers=1, say=hear)
    monkeypatch.setattr(asking, "follow", lambda ws, job_id, say: jobs.cancel(ws, job_id) or jobs.one(ws, job_id))
    with pytest.raises(JobError, match="Job 2: the replay was cancelled. Ask for it again; it goes on where it was."):
        replaying.in_workspace(tiny, SKY, workers=1, say=hear)


# What is refused, before anything is run


@pytest.mark.parametrize(("change", "sentence"), [
    ({"strategies": ("psychic",)}, "The strategy must be one of random, .*; got psychic"),
    ({"rounds": 0}, "--rounds must be 1 or more; got 0"),
    ({"weights": "heavy"}, "--weights must be one of none, pool_mass; got heavy"),
    ({"control_share": 1.5}, "--control must be at least 0 and under 1; got 1.5"),
    ({"initial": 230, "rounds": 3}, r"The pool must hold 260 galaxies \(initial \+ rounds x batch\); got 239"),
    ({"strategies": ("disagreement", "lcmd")}, r"Each strategy must find in the model what it needs; got disagreement \(Answers of .*\), for model small network"),
    ({"target": "redshift"}, r"--features and --target must be columns of the table \(a, b, c, z\); got redshift"),
])  # fmt: skip
def test_bad_questions_are_refused_with_a_sentence_before_a_round_is_run(table, tmp_path, change, sentence):
    with pytest.raises(BadInput, match=sentence):
        replaying.on_table(table, ("a", "b", "c"), tmp_path / "out", {**PROTOCOL, **change}, workers=1, say=hear)
    assert not (tmp_path / "out").exists()


def test_strategies_that_need_ignorance_are_refused_to_a_model_that_knows_none(tiny):
    question = Question("z", "mean", ("epistemic", "lcmd"), initial=10, batch=5, rounds=1, seeds=1, weights="pool_mass")
    with pytest.raises(BadInput, match=r"lcmd \(Features must be known for lcmd\); pool_mass \(Features must be known\), for model mean"):
        probe(question, sky_source(tiny, question))


def test_unknown_targets_models_and_mixed_sources_are_refused(tiny, table, tmp_path):
    with pytest.raises(BadInput, match="--target must be one of z, .*; got mass"):
        replaying.start(tiny, Question("mass", "linear"))
    with pytest.raises(NotFound, match="There is no model 'oracle'"):
        replaying.start(tiny, Question("z", "oracle"))
    with pytest.raises(BadInput, match="--model must not be named with --table; got linear"):
        replaying.on_table(table, ("a",), tmp_path, PROTOCOL, model="linear")
    with pytest.raises(BadInput, match="--features must not hold the target; got z"):
        table_source(table, ("a", "z"), "z")
    with pytest.raises(BadInput, match="--table must name a file"):
        table_source(tmp_path / "none.csv", ("a",), "z")


def test_error_of_a_round_names_its_step(table, tmp_path, monkeypatch):
    def refuse(*words):
        raise BadInput("labels", "hold at least one value", "none", "20 galaxies", "Label a few galaxies first")

    monkeypatch.setattr(rounds, "one_round", refuse)
    question, (source, _) = Question(**PROTOCOL, model="small network"), table_source(table, ("a", "b"), "z")
    with pytest.raises(ChunkFailed, match="strategy='random', seed=0, round=0.*labels must hold at least one value"):
        list(run_rounds(tmp_path, question, source, workers=1))


def test_command_replays_a_table_and_prints_the_paired_table(table, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(rounds.os, "cpu_count", lambda: 1)
    monkeypatch.setattr("core.engine.os.cpu_count", lambda: 1)
    words = ["replay", "--table", str(table), "--features", "a,b", "--target", "z", "--strategies", "k_means_pp", "--initial", "12", "--batch", "6", "--rounds", "1"]
    assert command_line.main([*words, "--seeds", "1", "--epochs", "2", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "2 rows are left out: a column has no number there." in said and "100 %  4 of 4 rounds" in said
    assert [line.split()[0] for line in said.splitlines()[-3:-1]] == ["random", "k_means_pp"]
    assert set(pd.read_csv(tmp_path / "out" / "curves.csv")["labels"]) == {12, 18}
    assert command_line.main(["replay", "--target", "z", "--out", str(tmp_path)]) == 1
    assert "--model must be named for a workspace" in capsys.readouterr().err
