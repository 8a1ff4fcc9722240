"""Trainings are queued with what they will learn from, and runs say when the labels have moved on."""

import pytest

from core.errors import BadInput, NotFound
from core.models.registry import MODELS
from core.services import overviewing, training
from core.store import jobs, labels, objects, runs


def test_snapshot_names_the_labels_a_run_would_see(tiny):
    seen = training.snapshot(tiny)
    assert seen.values == 270 and seen.high_water == 270
    assert seen.hash == labels.snapshot_hash(labels.training(tiny))
    assert seen.galaxies == overviewing.labelled_galaxies(tiny) and seen.galaxies["z"] < 30


def test_start_queues_one_job_a_model_with_its_settings(tiny):
    ids = training.start(tiny, ["mean", "random_forest"], seed=3, epochs=5, configs={"random_forest": {"trees": 7}})
    asked = [jobs.one(tiny, i)["parameters"] for i in ids]
    assert asked == [{"model": "mean", "config": {}, "seed": 3, "epochs": 5}, {"model": "random_forest", "config": {"trees": 7}, "seed": 3, "epochs": 5}]
    assert jobs.active(tiny)["title"].tolist() == ["Train mean", "Train random_forest"]
    assert jobs.one(tiny, training.start(tiny, ["mean"], weights="none")[0])["parameters"]["weights"] == "none"


@pytest.mark.parametrize(("models", "error"), [([], BadInput), (["linear", "crystal_ball"], NotFound)])
def test_start_queues_nothing_when_a_model_is_unknown_or_none_is_chosen(tiny, models, error):
    with pytest.raises(error):
        training.start(tiny, models)
    assert jobs.active(tiny).empty


def test_start_asks_for_labels_when_there_is_none(ws):
    with pytest.raises(BadInput, match="labels must cover at least one galaxy of the train split"):
        training.start(ws, ["mean"])


def test_retrain_repeats_each_models_newest_run_with_its_settings(tiny):
    run = runs.create(tiny, "forest", "random_forest", {"trees": 9, "device": "cpu"}, 5, {"high_water": 1, "count": 1, "hash": ""})
    runs.finish(tiny, run, "done", {})
    asked = [jobs.one(tiny, i)["parameters"] for i in training.retrain(tiny)]
    assert asked == [{"model": "linear", "config": {}, "seed": 0, "up_to": 270}, {"model": "random_forest", "config": {"trees": 9}, "seed": 5, "up_to": 270}]
    assert training.retrain(tiny) == [] and training.is_training(tiny)


def test_retrain_starts_every_model_when_none_has_finished(ws, tiny):
    tiny_runs = runs.frame(tiny)["id"].tolist()
    for run in tiny_runs:
        runs.finish(tiny, run, "failed")
    assert len(training.retrain(tiny)) == len(MODELS)


def test_curves_are_those_of_each_models_newest_run(tiny):
    again = runs.create(tiny, "again", "linear", {}, 0, {"high_water": 1, "count": 1, "hash": ""})
    runs.put_history(tiny, again, 0, {"train_loss": 0.5, "validation_loss": 0.7, "learning_rate": 1e-3})
    table = training.curves(tiny)
    assert table["run_id"].unique().tolist() == [again]
    assert dict(zip(table["name"], table["value"], strict=True)) == {"train_loss": 0.5, "validation_loss": 0.7}


def test_finished_runs_say_how_far_the_labels_have_moved_on(tiny):
    assert training.finished(tiny)["state"].tolist() == ["up to date"]
    unlabelled = int(objects.frame(tiny).query("split == 'train'")["id"].iloc[-1])
    labels.record(tiny, [labels.Decision(unlabelled, "z", "label", "Ada", "laptop", 1, value=0.2)])
    assert training.finished(tiny)["state"].tolist() == ["1 new label since"]
    labels.retract(tiny, 1, "Ada", "laptop", 2)
    assert training.finished(tiny)["state"].tolist() == ["stale: 1 of its labels undone"]
    assert training.finished(tiny)["seconds"].tolist() == [1.5]


def test_unhappy_jobs_are_the_failed_and_cancelled_ones_newest_first(ws):
    for title in ("first", "second", "third"):
        jobs.enqueue(ws, "embed", title, {})
    failed = jobs.claim(ws, "worker", 60)
    jobs.finish(ws, failed["id"], failed["fence"], "failed", error="Traceback\nMemoryError: 3 GB\n")
    jobs.cancel(ws, 2)
    assert training.unhappy(ws)["title"].tolist() == ["second", "first"]
    assert training.last_line(training.unhappy(ws)["error"].iloc[1]) == "MemoryError: 3 GB"
