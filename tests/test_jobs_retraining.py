"""A workspace retrains by itself once enough galaxies have been labelled, and never twice for the same labels."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.jobs import retraining
from core.jobs.retraining import Rule
from core.jobs.supervisor import Supervisor
from core.store import jobs, labels, objects, runs


@pytest.fixture
def learner(tiny):
    """Labels one train galaxy after another: ``learner(2)`` gives two more a redshift, ``grade=2`` one that is not trained on."""
    ids = iter(objects.frame(tiny).query("split == 'train' and id > 30")["id"].tolist())

    def label(count=1, **options) -> list[int]:
        return [labels.record(tiny, [labels.Decision(i, "z", "label", "Ada", "laptop", i, value=0.1, **options)])[0] for i in (next(ids) for _ in range(count))]

    return label


def on(ws, after, models=()):
    retraining.set_rule(ws, Rule(True, after, models), "Ada")


def finish(ws, job_id) -> None:
    """End a queued training as its worker would."""
    job = jobs.claim(ws, "worker", 60)
    assert job["id"] == job_id
    run = runs.create(ws, job["parameters"]["model"], job["parameters"]["model"], {}, 0, {"high_water": job["parameters"]["up_to"], "count": 1, "hash": ""}, job_id)
    runs.finish(ws, run, "done", {})
    jobs.finish(ws, job_id, job["fence"], "done", {})


def test_rule_is_off_until_somebody_sets_it_and_is_the_workspaces(tiny):
    assert retraining.rule(tiny) == Rule(False, 50, ()) and retraining.queue_due(tiny) == []
    on(tiny, 7, ("linear",))
    assert retraining.rule(tiny) == Rule(True, 7, ("linear",))


def test_rule_queues_the_newest_runs_settings_once_enough_is_new(tiny, learner):
    on(tiny, 3)
    learner(2)
    assert retraining.queue_due(tiny) == []
    learner(1)
    [job] = retraining.queue_due(tiny)
    assert jobs.one(tiny, job)["title"] == "Train linear"
    assert jobs.one(tiny, job)["parameters"] == {"model": "linear", "config": {}, "seed": 0, "up_to": labels.high_water(tiny)}


def test_rule_counts_neither_skips_nor_guesses_nor_held_out_galaxies_nor_what_was_undone(tiny, learner):
    on(tiny, 1)
    learner(1, grade=2)
    held_out = int(objects.frame(tiny).query("split != 'train' and id > 30")["id"].iloc[0])
    labels.record(tiny, [labels.Decision(held_out, "z", "label", "Ada", "laptop", 900, value=0.1), labels.Decision(31, "z", "skip", "Ada", "laptop", 901)])
    labels.retract(tiny, learner(1)[0], "Ada", "laptop", 902)
    assert retraining.queue_due(tiny) == []


def test_undoing_a_label_that_was_learnt_counts_as_new(tiny):
    on(tiny, 1)
    seen = labels.training(tiny).merge(objects.frame(tiny)[["id", "split"]], left_on="object_id", right_on="id").query("split == 'train'")
    labels.retract(tiny, int(seen["label_id"].iloc[0]), "Ada", "laptop", 1)
    assert len(retraining.queue_due(tiny)) == 1


def test_rule_waits_for_a_training_under_way_and_then_counts_from_what_it_read(tiny, learner):
    on(tiny, 2)
    learner(2)
    [job] = retraining.queue_due(tiny)
    learner(1)
    assert retraining.queue_due(tiny) == []
    finish(tiny, job)
    assert retraining.queue_due(tiny) == []
    learner(1)
    assert len(retraining.queue_due(tiny)) == 1


def test_training_that_was_cancelled_or_failed_is_not_begun_again_for_the_same_labels(tiny, learner):
    on(tiny, 1)
    learner(1)
    [job] = retraining.queue_due(tiny)
    jobs.cancel(tiny, job)
    assert retraining.queue_due(tiny) == []
    learner(1)
    assert len(retraining.queue_due(tiny)) == 1


def test_rule_names_its_models_and_leaves_baselines_and_untrained_ones_alone(tiny, learner):
    forest = runs.create(tiny, "forest", "random_forest", {"trees": 9}, 5, {"high_water": 270, "count": 1, "hash": ""})
    baseline = runs.create(tiny, "mean", "mean", {"labels": "random"}, 0, {"high_water": 270, "count": 1, "hash": ""})
    for run in (forest, baseline):
        runs.finish(tiny, run, "done", {})
    assert list(retraining.trained(tiny)) == ["linear", "random_forest"]
    on(tiny, 1, ("random_forest", "mean"))
    learner(1)
    assert [jobs.one(tiny, i)["parameters"]["model"] for i in retraining.queue_due(tiny)] == ["random_forest"]


def test_weights_of_a_training_are_repeated(tiny):
    job = jobs.enqueue(tiny, "train", "Train mean", {"model": "mean", "config": {}, "seed": 3, "weights": "none"})
    run = runs.create(tiny, "mean", "mean", {}, 3, {"high_water": 270, "count": 1, "hash": ""}, job)
    runs.finish(tiny, run, "done", {})
    assert retraining.trained(tiny)["mean"] == {"config": {}, "seed": 3, "weights": "none"}


def test_labels_that_arrive_at_once_queue_one_training(tiny, learner):
    on(tiny, 2)
    learner(2)
    with ThreadPoolExecutor(8) as pool:
        queued = [job for found in pool.map(lambda _: retraining.queue_due(tiny), range(24)) for job in found]
    assert len(queued) == 1 and len(jobs.active(tiny)) == 1


def test_worker_asks_the_rule_and_a_worker_of_one_job_does_not(tiny, learner):
    on(tiny, 1)
    learner(1)
    said = []
    Supervisor(tiny, only=99, say=said.append).turn()
    assert jobs.active(tiny).empty
    Supervisor(tiny, say=said.append)._retrain()
    assert jobs.active(tiny)["title"].tolist() == ["Train linear"] and said == ["Job 1, Train linear: queued, because enough galaxies have been labelled"]
