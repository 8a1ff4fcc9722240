"""What a person hears of a training that has ended."""

import pandas as pd

from core.services import outcomes
from core.store import jobs, labels, objects, runs


def train(ws, model="linear", status="done", error=None, nmad=0.0171, rmse=None, mark=270, config=None) -> int:
    """A training job that ended as it is told to; its id."""
    job = jobs.enqueue(ws, "train", f"Train {model}", {"model": model})
    taken = jobs.claim(ws, "worker", 60)
    if status == "done":
        run = runs.create(ws, model, model, config or {}, 0, {"high_water": mark, "count": 1, "hash": ""}, job)
        rows = [("test", "z", "all", "nmad", nmad)] + ([] if rmse is None else [("test", "sfr_tot_median", "all", "rmse", rmse)])
        runs.put_metrics(ws, run, pd.DataFrame(rows, columns=["split", "target", "subset", "name", "value"]))
        runs.finish(ws, run, "done", {})
    jobs.finish(ws, job, taken["fence"], status, {}, error)
    return job


def test_outcome_tells_the_run_against_the_one_before_on_how_many_more_labels(tiny):
    runs.put_metrics(tiny, 1, pd.DataFrame([("test", "z", "all", "nmad", 0.018)], columns=["split", "target", "subset", "name", "value"]))
    ids = objects.frame(tiny).query("split == 'train' and id > 30")["id"].head(2)
    labels.record(tiny, [labels.Decision(int(i), "z", "label", "Ada", "laptop", int(i), value=0.1) for i in ids])
    before = outcomes.newest(tiny)
    train(tiny, nmad=0.0171, rmse=0.2, mark=labels.high_water(tiny))
    [told] = outcomes.since(tiny, before)
    assert (told.job_id, told.run_id, told.is_well) == (1, 2, True)
    assert told.sentence == "linear: z NMAD 0.0171, was 0.0180; SFR RMSE 0.200, on 2 more labels."
    assert outcomes.since(tiny, outcomes.newest(tiny)) == []


def test_outcome_says_when_the_labels_are_fewer_or_the_same(tiny):
    train(tiny, "mean", nmad=0.5)
    train(tiny, "mean", nmad=0.4)
    train(tiny, "mean", nmad=0.6, mark=9)
    first, second, third = (told.sentence for told in outcomes.since(tiny, ""))
    assert first == "mean: z NMAD 0.500."
    assert second == "mean: z NMAD 0.400, was 0.500, on as many labels."
    assert third.startswith("mean: z NMAD 0.600, was 0.400, on ") and third.endswith(" fewer labels.")


def test_outcome_of_a_failure_says_why_and_what_was_cancelled_is_not_told(tiny):
    train(tiny, status="failed", error="Traceback\nMemoryError: 3 GB\n")
    train(tiny, status="cancelled")
    [told] = outcomes.since(tiny, "")
    assert (told.run_id, told.is_well, told.sentence) == (None, False, "Train linear failed: MemoryError: 3 GB")


def test_outcome_of_a_map_is_told_only_when_it_failed(ws):
    for status in ("done", "failed"):
        job = jobs.enqueue(ws, "embed", "UMAP of images", {})
        jobs.finish(ws, job, jobs.claim(ws, "worker", 60)["fence"], status, {}, "MemoryError" if status == "failed" else None)
    assert [told.sentence for told in outcomes.since(ws, "")] == ["UMAP of images failed: MemoryError"]


def test_baseline_is_told_by_itself_and_is_nobodys_predecessor(tiny):
    train(tiny, "mean", nmad=0.5, config={"labels": "random"})
    train(tiny, "mean", nmad=0.4)
    assert [told.sentence for told in outcomes.since(tiny, "")] == ["mean: z NMAD 0.500.", "mean: z NMAD 0.400."]
