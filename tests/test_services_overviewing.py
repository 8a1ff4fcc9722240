"""What the Overview page says is counted from the store."""

import time
from types import SimpleNamespace

import pandas as pd
import pytest

from core.services import overviewing
from core.store import batches, jobs, labels, objects, runs

STEPS = ["Bring in galaxies", "Draw a map", "Ask for a batch", "Label it", "Train", "Compare"]


def _run(ws, model, mark, nmad, config=None) -> int:
    """A finished run that read the label log up to row ``mark``."""
    run = runs.create(ws, model, model, config or {}, 0, {"high_water": mark, "count": 1, "hash": ""})
    runs.put_metrics(ws, run, pd.DataFrame([("test", "z", "all", "nmad", nmad)], columns=["split", "target", "subset", "name", "value"]))
    runs.finish(ws, run, "done", {})
    return run


def _label(ws, object_id, sequence, batch_id=None, value=0.1) -> int:
    return labels.record(ws, [labels.Decision(object_id, "z", "label", "Ada", "laptop", sequence, value=value, grade=4, batch_id=batch_id)])[0]


def test_census_counts_objects_modalities_labels_runs_and_maps(tiny):
    here = overviewing.take_census(tiny)
    assert (here.objects, here.simulated, here.labelled, here.runs, here.maps) == (60, 60, 30, 1, 1)
    assert here.modalities == {"image": 60, "spectrum": 60, "photometry": 60} and here.complete == 60
    assert here.splits["objects"].sum() == 60 and here.splits["labelled"].sum() == 30
    assert len(here.sn_n) == 60


def test_census_of_an_empty_workspace_is_all_zeros(ws):
    here = overviewing.take_census(ws)
    assert (here.objects, here.labelled, here.runs, here.maps) == (0, 0, 0, 0)
    assert here.splits["split"].tolist() == ["train", "calibration", "test"] and here.splits["objects"].tolist() == [0, 0, 0]
    assert not overviewing.is_simulated(ws)


def test_checklist_begins_with_data_when_nothing_is_here(ws):
    steps = overviewing.checklist(ws)
    assert [s.title for s in steps] == STEPS
    assert [s.is_done for s in steps] == [False] * 6 and [s.is_next for s in steps] == [True] + [False] * 5


def test_checklist_follows_one_turn_of_the_loop(tiny):
    def coming():
        return next(s.title for s in overviewing.checklist(tiny) if s.is_next)

    assert coming() == "Ask for a batch"
    ids = objects.frame(tiny).query("split == 'train'")["id"].tolist()[-2:]
    batch = batches.save(tiny, "Round 1", "random", {}, 0, [{"object_id": i} for i in ids])
    assert coming() == "Label it"
    for sequence, object_id in enumerate(ids):
        _label(tiny, object_id, sequence, batch)
    assert coming() == "Train" and overviewing.fresh_labels(tiny) == 2
    _run(tiny, "linear", labels.high_water(tiny), 0.01)
    assert coming() == "Ask for a batch" and overviewing.fresh_labels(tiny) == 0


def test_learning_curve_counts_galaxies_of_the_train_split_as_the_run_saw_them(tiny):
    train = overviewing.labelled_galaxies(tiny)["z"]
    early = labels.history(tiny, int(labels.training(tiny)["object_id"].iloc[0]))["id"].max()
    _run(tiny, "linear", labels.high_water(tiny), 0.02)
    _run(tiny, "mean", int(early), 0.5, {"labels": "random"})
    table = overviewing.learning_curve(tiny, "z", "nmad").set_index("model")
    assert table.loc["linear", "galaxies"] == train and table.loc["linear", "value"] == 0.02
    assert table.loc["mean", "galaxies"] in (0, 1) and table["is_control"].to_dict() == {"linear": False, "mean": True}


def test_labelled_galaxies_of_a_past_mark_stay_as_they_were_when_the_log_grows(tiny):
    mark = labels.high_water(tiny)
    before = overviewing.labelled_galaxies(tiny, mark)
    splits = objects.frame(tiny)
    unlabelled = splits[(splits["split"] == "train") & ~splits["id"].isin(labels.training(tiny)["object_id"])]["id"].iloc[0]
    _label(tiny, int(unlabelled), 1)
    assert overviewing.labelled_galaxies(tiny, mark) == before
    assert overviewing.labelled_galaxies(tiny)["z"] == before["z"] + 1


def test_best_of_newest_takes_each_models_newest_run_and_the_lowest_value(tiny):
    mark = labels.high_water(tiny)
    _run(tiny, "mean", mark, 0.001)
    newest = _run(tiny, "mean", mark, 0.5)
    linear = _run(tiny, "linear", mark, 0.03)
    assert overviewing.best_of_newest(tiny, "z", "nmad") == overviewing.Best(0.03, "linear", linear)
    assert overviewing.best_of_newest(tiny, "z", "rmse") is None and newest


def test_demo_is_queued_once_and_only_into_an_empty_workspace(ws, tiny):
    assert overviewing.build_demo(ws, n=10) == 1 and overviewing.build_demo(ws) is None and overviewing.build_demo(tiny) is None
    assert jobs.one(ws, 1)["parameters"] == {"n": 10, "seed": 0}
    assert overviewing.is_filling(ws) and not overviewing.is_filling(tiny)


def test_stages_of_the_demo_follow_its_jobs(ws):
    jobs.enqueue(ws, "demo", "Build", {})
    job = jobs.claim(ws, "worker", 60)
    jobs.report(ws, job["id"], job["fence"], 0.25, "Drawing galaxy 750 of 3,000")
    first, *rest = overviewing.stages(ws)
    assert (first.title, first.state, first.fraction, first.sentence) == ("Galaxies", "running", 0.25, "Drawing galaxy 750 of 3,000")
    assert [s.state for s in rest] == ["waiting", "waiting"]
    jobs.enqueue(ws, "embed", "Map", {})
    jobs.finish(ws, job["id"], job["fence"], "done", {})
    assert overviewing.stages(ws)[0].state == "done" and overviewing.is_filling(ws)


def test_stage_whose_jobs_failed_says_so(ws):
    jobs.enqueue(ws, "demo", "Build", {})
    job = jobs.claim(ws, "worker", 60)
    jobs.finish(ws, job["id"], job["fence"], "failed", error="No space left")
    assert (overviewing.stages(ws)[0].state, overviewing.stages(ws)[0].sentence) == ("failed", "0 of 1 ready")
    assert overviewing.failures(ws) == 1 and not overviewing.is_filling(ws)


def test_training_after_the_demo_is_not_part_of_it(ws):
    jobs.enqueue(ws, "demo", "Build", {})
    job = jobs.claim(ws, "worker", 60)
    jobs.finish(ws, job["id"], job["fence"], "done", {})
    time.sleep(0.01)
    jobs.enqueue(ws, "train", "Train mean", {"model": "mean"})
    assert not overviewing.is_filling(ws) and overviewing.stages(ws)[2].state == "waiting"


def test_jobs_without_a_worker_wait_in_vain(ws):
    assert not overviewing.is_waiting_in_vain(ws)
    jobs.enqueue(ws, "embed", "Map", {})
    assert overviewing.is_waiting_in_vain(ws)


@pytest.mark.parametrize(("fraction", "status", "left"), [(0.25, "running", 300.0), (0.01, "running", None), (0.5, "queued", None)])
def test_remaining_seconds_go_on_as_they_have(fraction, status, left):
    job = SimpleNamespace(status=status, fraction=fraction, started="2025-01-01T00:00:00.000Z")
    now = overviewing._unix(job.started) + 100
    assert overviewing.remaining_seconds(job, now) == left


def test_orphaned_is_a_running_job_whose_lease_has_run_out():
    job = SimpleNamespace(status="running", lease_until=time.time() - 1)
    assert overviewing.is_orphaned(job) and not overviewing.is_orphaned(job, now=job.lease_until - 5)
