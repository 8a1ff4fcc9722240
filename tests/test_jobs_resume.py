"""Training that is killed with -9 goes on from its checkpoint and ends once."""

import os
import signal
from pathlib import Path

import pytest

from core.store import jobs, runs
from tests import worker_process as wp

EPOCHS = 25
MARK = 123.0


@pytest.fixture
def worker(tiny):
    """Starts workers on ``tiny``; none outlives the test."""
    started = []

    def start():
        started.append(wp.start(tiny, "worker", lease=2))
        return started[-1]

    yield start
    for process in started:
        wp.stop(process, signal.SIGKILL)
    wp.until(lambda: not wp.relatives(tiny))


def enqueue(ws) -> int:
    return jobs.enqueue(ws, "train", "Train image_bayesian_cnn", {"model": "image_bayesian_cnn", "config": {"epochs": EPOCHS}, "seed": 0})


def until_saved(ws, job: int) -> int:
    """Wait for a checkpoint and an epoch after it; mark the first epoch, which a resumed fit does not do again. The process that trains."""
    wp.until(lambda: jobs.one(ws, job)["checkpoint"], 90)
    saved = epochs(ws, job)
    wp.until(lambda: epochs(ws, job) > saved + 1, 30)
    runs.put_history(ws, runs.of_job(ws, job)["id"], 0, {"train_loss": MARK})
    return next(pid for pid in wp.relatives(ws) if b"run-job" in Path(f"/proc/{pid}/cmdline").read_bytes())


def epochs(ws, job: int) -> int:
    return len(losses(ws, job))


def losses(ws, job: int) -> list[float]:
    """The training loss of each epoch so far."""
    return runs.history(ws, runs.of_job(ws, job)["id"]).query("name == 'train_loss'")["value"].tolist()


def expect_resumed_and_ended_once(ws, job: int) -> None:
    ended = wp.ended(ws, job, 120)
    assert (ended["status"], ended["fence"], ended["attempts"]) == ("done", 2, 1), ended["error"]
    assert [(r.id, r.status) for r in runs.frame(ws).itertuples() if r.job_id == job] == [(ended["result"]["run"], "done")]
    assert runs.load_arrays(ws, ended["result"]["run"], "predictions")["mean"].shape == (60, 9)
    assert losses(ws, job)[0] == MARK and MARK not in losses(ws, job)[1:]


def test_training_resumes_when_its_process_is_killed(tiny, worker):
    job = enqueue(tiny)
    worker()
    os.kill(until_saved(tiny, job), signal.SIGKILL)
    expect_resumed_and_ended_once(tiny, job)


def test_training_resumes_in_the_next_worker_when_its_worker_is_killed(tiny, worker):
    job = enqueue(tiny)
    first = worker()
    child = until_saved(tiny, job)
    first.kill()
    wp.until(lambda: not wp.is_alive(child), 3)
    worker()
    expect_resumed_and_ended_once(tiny, job)


def test_cancelled_training_stops_within_two_seconds_and_takes_its_run_along(tiny, worker):
    job = enqueue(tiny)
    worker()
    until_saved(tiny, job)
    jobs.cancel(tiny, job)
    assert wp.until(lambda: wp.status(tiny, job) == "cancelled") < 2
    assert runs.of_job(tiny, job)["status"] == "cancelled"
