"""The queue: leases, fences, and how jobs end."""

import multiprocessing
import time

import pytest

from core.errors import Cancelled, NotFound, StaleFence
from core.store import jobs, open_workspace, runs


def claimed(ws, lease=30.0, **parameters) -> dict:
    """A job of its own, held by worker a."""
    jobs.enqueue(ws, "train", "Train", parameters)
    return jobs.claim(ws, "a", lease)


def lapse(ws) -> None:
    """Let every lease run out."""
    with ws.write() as db:
        db.conn.execute("UPDATE jobs SET lease_until = ? WHERE status = 'running'", (time.time() - 1,))


def test_claim_takes_the_oldest_job_and_says_what_it_is(ws):
    first = jobs.enqueue(ws, "train", "Train linear", {"model": "linear"})
    jobs.enqueue(ws, "train", "Train mean", {"model": "mean"})
    job = jobs.claim(ws, "a", 30)
    assert (job["id"], job["title"], job["parameters"], job["fence"], job["attempts"], job["worker"]) == (first, "Train linear", {"model": "linear"}, 1, 1, "a")
    assert job["status"] == "running" and job["lease_until"] == pytest.approx(time.time() + 30, abs=2)


def test_claim_is_none_when_nothing_waits(ws):
    assert jobs.claim(ws, "a", 30) is None
    claimed(ws)
    assert jobs.claim(ws, "b", 30) is None


def test_claim_keeps_to_kinds_and_to_one_job(ws):
    train, ingest = (jobs.enqueue(ws, kind, kind, {}) for kind in ("train", "ingest"))
    assert jobs.claim(ws, "a", 30, kinds=("embed",)) is None
    assert jobs.claim(ws, "a", 30, excluding=("train", "ingest")) is None
    assert jobs.claim(ws, "a", 30, only=ingest + 1) is None
    assert jobs.claim(ws, "a", 30, excluding=("train",))["id"] == ingest
    assert jobs.claim(ws, "a", 30, kinds=("train",))["id"] == train


def test_claim_takes_a_job_whose_lease_ran_out_with_a_higher_fence(ws):
    job = claimed(ws)
    lapse(ws)
    again = jobs.claim(ws, "b", 30)
    assert (again["id"], again["fence"], again["attempts"], again["worker"]) == (job["id"], 2, 2, "b")


@pytest.mark.parametrize("act", [
    lambda ws, job, fence: jobs.renew(ws, job, fence, 30),
    lambda ws, job, fence: jobs.report(ws, job, fence, 0.5, "late"),
    lambda ws, job, fence: jobs.check(ws, job, fence),
    lambda ws, job, fence: jobs.publish_checkpoint(ws, job, fence, "late.npy"),
    lambda ws, job, fence: jobs.finish(ws, job, fence, "done", {"late": True}),
    lambda ws, job, fence: jobs.requeue(ws, job, fence, "late"),
], ids=["renew", "report", "check", "publish_checkpoint", "finish", "requeue"])
def test_stale_fence_is_refused_and_changes_nothing(ws, act):
    job = claimed(ws)
    lapse(ws)
    jobs.claim(ws, "b", 30)
    before = jobs.one(ws, job["id"])
    with pytest.raises(StaleFence, match=f"Job {job['id']} is no longer this worker's"):
        act(ws, job["id"], job["fence"])
    assert jobs.one(ws, job["id"]) == before


def test_lapsed_lease_is_renewed_when_nobody_took_the_job(ws):
    job = claimed(ws)
    lapse(ws)
    jobs.renew(ws, job["id"], job["fence"], 30)
    assert jobs.claim(ws, "b", 30) is None


def test_fenced_workspace_writes_until_the_job_is_taken(ws):
    job = claimed(ws)
    fenced = jobs.FencedWorkspace(ws.path, job["id"], job["fence"])
    jobs.enqueue(fenced, "embed", "Map", {})
    jobs.requeue(ws, job["id"], job["fence"], "back")
    with pytest.raises(StaleFence):
        jobs.enqueue(fenced, "embed", "Map again", {})
    assert jobs.frame(ws)["title"].tolist() == ["Map", "Train"]


def test_report_and_finish_show_in_the_job(ws):
    job = claimed(ws)
    jobs.report(ws, job["id"], 1, 0.25, "epoch 1")
    assert [jobs.one(ws, job["id"])[k] for k in ("fraction", "message")] == [0.25, "epoch 1"]
    jobs.finish(ws, job["id"], 1, "done", {"run": 7})
    ended = jobs.one(ws, job["id"])
    assert (ended["status"], ended["fraction"], ended["result"], ended["worker"]) == ("done", 1.0, {"run": 7}, None)
    assert jobs.active(ws).empty


def test_finish_ends_the_run_that_the_job_left_running(ws):
    job = claimed(ws)
    run = runs.create(ws, "linear", "linear", {}, 0, {"high_water": 0, "count": 0, "hash": ""}, job_id=job["id"])
    jobs.finish(ws, job["id"], 1, "failed", error="No labels.")
    assert runs.one(ws, run)["status"] == "failed"
    jobs.retry(ws, job["id"])
    assert runs.one(ws, run)["status"] == "running"


def test_cancel_ends_a_waiting_job_at_once(ws):
    job = jobs.enqueue(ws, "train", "Train", {})
    jobs.cancel(ws, job)
    assert jobs.one(ws, job)["status"] == "cancelled"
    assert jobs.claim(ws, "a", 30) is None


def test_cancel_tells_the_worker_of_a_running_job(ws):
    job = claimed(ws)
    jobs.cancel(ws, job["id"])
    with pytest.raises(Cancelled):
        jobs.check(ws, job["id"], 1)
    assert jobs.one(ws, job["id"])["status"] == "running"


def test_cancel_ends_a_job_whose_worker_is_gone(ws):
    job = claimed(ws)
    lapse(ws)
    jobs.cancel(ws, job["id"])
    assert jobs.one(ws, job["id"])["status"] == "cancelled"


def test_claim_ends_a_job_whose_worker_went_before_it_could_cancel(ws):
    job = claimed(ws)
    jobs.cancel(ws, job["id"])
    lapse(ws)
    assert jobs.claim(ws, "b", 30) is None
    assert jobs.one(ws, job["id"])["status"] == "cancelled"


def test_cancel_leaves_an_ended_job_as_it_is(ws):
    job = claimed(ws)
    jobs.finish(ws, job["id"], 1, "done", {})
    jobs.cancel(ws, job["id"])
    assert jobs.one(ws, job["id"])["status"] == "done"


def test_claim_gives_up_a_job_after_three_lost_workers(ws):
    job = claimed(ws)
    for _ in range(2):
        lapse(ws)
        jobs.claim(ws, "b", 30)
    lapse(ws)
    assert jobs.claim(ws, "c", 30) is None
    ended = jobs.one(ws, job["id"])
    assert ended["status"] == "failed"
    assert ended["error"].startswith("The job's process was killed 3 times without getting further")


def test_checkpoint_starts_the_count_of_attempts_again(ws):
    job = claimed(ws)
    lapse(ws)
    jobs.claim(ws, "b", 30)
    jobs.publish_checkpoint(ws, job["id"], 2, "epoch-1.npy")
    assert [jobs.one(ws, job["id"])[k] for k in ("attempts", "checkpoint")] == [1, "epoch-1.npy"]


def test_requeue_keeps_the_checkpoint_and_may_forgive_the_attempt(ws):
    job = claimed(ws)
    jobs.publish_checkpoint(ws, job["id"], 1, "epoch-1.npy")
    jobs.requeue(ws, job["id"], 1, "worker stopped", is_counted=False)
    waiting = jobs.one(ws, job["id"])
    assert [waiting[k] for k in ("status", "attempts", "checkpoint", "message")] == ["queued", 0, "epoch-1.npy", "worker stopped"]


def test_retry_queues_a_failed_job_afresh_and_nothing_else(ws):
    job = claimed(ws)
    jobs.retry(ws, job["id"])
    assert jobs.one(ws, job["id"])["status"] == "running"
    jobs.finish(ws, job["id"], 1, "failed", error="No.")
    jobs.retry(ws, job["id"])
    again = jobs.claim(ws, "a", 30)
    assert (again["id"], again["fence"], again["attempts"], again["error"], again["cancel_requested"]) == (job["id"], 2, 1, None, 0)


def test_enqueue_first_fills_only_a_workspace_without_jobs_and_objects(ws, tiny):
    assert jobs.enqueue_first(ws, "demo", "Demo", {}) == 1
    assert jobs.enqueue_first(ws, "demo", "Demo", {}) is None
    assert jobs.enqueue_first(tiny, "demo", "Demo", {}) is None


def test_one_says_what_to_do_about_an_unknown_job(ws):
    with pytest.raises(NotFound, match="There is no job 9 in this workspace"):
        jobs.one(ws, 9)


def _claim_all(path, worker, found) -> None:
    ws = open_workspace(path)
    while (job := jobs.claim(ws, worker, 30)) is not None:
        jobs.finish(ws, job["id"], job["fence"], "done", {"worker": worker})
        found.put((job["id"], worker))


def test_eight_processes_claim_a_hundred_jobs_once_each(ws):
    ids = [jobs.enqueue(ws, "train", f"Train {i}", {}) for i in range(100)]
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    workers = [context.Process(target=_claim_all, args=(ws.path, f"w{i}", found)) for i in range(8)]
    for worker in workers:
        worker.start()
    claims = [found.get(timeout=60) for _ in ids]
    for worker in workers:
        worker.join(30)
    assert found.empty() and sorted(job for job, _ in claims) == ids
    assert jobs.frame(ws)["attempts"].tolist() == [1] * 100
