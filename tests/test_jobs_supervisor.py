"""The worker: every job ends once, whatever is killed on the way."""

import os
import signal

import pytest

from core.jobs import workplace
from core.jobs.tasks import TASKS
from core.store import jobs
from tests import worker_process as wp


@pytest.fixture
def worker(ws):
    """Starts workers on ``ws``; none outlives the test."""
    started = []

    def start(**options):
        started.append(wp.start(ws, "worker", **options))
        return started[-1]

    yield start
    for process in started:
        wp.stop(process, signal.SIGKILL)
    wp.until(lambda: not wp.relatives(ws))


def enqueue(ws, kind, **parameters) -> int:
    return jobs.enqueue(ws, kind, kind.capitalize(), parameters)


def test_worker_runs_a_job_to_its_end(ws, worker):
    job = enqueue(ws, "count", steps=3, pause=0)
    worker()
    ended = wp.ended(ws, job)
    assert (ended["status"], ended["fraction"], ended["message"], ended["result"], ended["attempts"]) == ("done", 1.0, "step 3", {"first": 0}, 1)
    assert [step for step, *_ in wp.trail(ws)] == [0, 1, 2]
    wp.until(lambda: not list((ws.path / "checkpoints").iterdir()))


def test_job_resumes_from_its_checkpoint_when_its_process_is_killed(ws, worker):
    job = enqueue(ws, "count", steps=6, pause=0.3)
    worker()
    wp.until(lambda: len(wp.trail(ws)) >= 3)
    os.kill(wp.trail(ws)[-1][2], signal.SIGKILL)
    ended = wp.ended(ws, job)
    assert (ended["status"], ended["fence"]) == ("done", 2)
    assert ended["result"]["first"] in (2, 3)
    expect_each_step_once_but_the_interrupted(ws, 6)


def test_job_resumes_in_another_worker_when_its_worker_is_killed(ws, worker):
    job = enqueue(ws, "count", steps=6, pause=0.3)
    first = worker()
    wp.until(lambda: len(wp.trail(ws)) >= 3)
    first.kill()
    child = wp.trail(ws)[-1][2]
    wp.until(lambda: not wp.is_alive(child), 2)
    worker()
    ended = wp.ended(ws, job)
    assert (ended["status"], ended["fence"]) == ("done", 2)
    assert ended["result"]["first"] in (2, 3)
    expect_each_step_once_but_the_interrupted(ws, 6)


def expect_each_step_once_but_the_interrupted(ws, steps: int) -> None:
    done = [step for step, *_ in wp.trail(ws)]
    assert sorted(set(done)) == list(range(steps)) and len(done) <= steps + 1
    assert [fence for _, fence, _ in wp.trail(ws)] == sorted(fence for _, fence, _ in wp.trail(ws))


def test_stalled_worker_finds_its_fence_stale_when_it_wakes(ws, worker):
    job = enqueue(ws, "count", steps=6, pause=0.3)
    first = worker()
    wp.until(lambda: len(wp.trail(ws)) >= 2)
    child = wp.trail(ws)[-1][2]
    for pid in (first.pid, child):
        os.kill(pid, signal.SIGSTOP)
    with open(ws.path / workplace.NAME) as held:
        os.rename(held.name, ws.path / "held")
    worker()
    wp.until(lambda: wp.trail(ws)[-1][1] == 2)
    for pid in (first.pid, child):
        os.kill(pid, signal.SIGCONT)
    assert wp.ended(ws, job)["status"] == "done"
    wp.until(lambda: not wp.is_alive(child), 3)
    assert first.poll() is None
    expect_each_step_once_but_the_interrupted(ws, 6)


def test_cancel_stops_a_task_that_checks_within_two_seconds(ws, worker):
    job = enqueue(ws, "count", steps=1000, pause=0.1)
    worker()
    wp.until(lambda: len(wp.trail(ws)) >= 2)
    jobs.cancel(ws, job)
    assert wp.until(lambda: wp.status(ws, job) == "cancelled") < 2


def test_cancel_stops_a_task_that_never_checks_within_two_seconds(ws, worker):
    job = enqueue(ws, "stubborn")
    worker()
    wp.until(lambda: wp.trail(ws))
    jobs.cancel(ws, job)
    assert wp.until(lambda: wp.status(ws, job) == "cancelled") < 2
    assert not wp.is_alive(wp.trail(ws)[0][0])


def test_light_job_does_not_wait_for_a_heavy_one(ws, worker):
    heavy, light = enqueue(ws, "stubborn"), enqueue(ws, "touch")
    worker()
    assert wp.ended(ws, light)["status"] == "done"
    assert wp.status(ws, heavy) == "running"


def test_errors_are_shown_as_sentences(ws, worker):
    refused, crashed, unsayable, left, unknown = (enqueue(ws, kind) for kind in ("refuse", "crash", "unsayable", "leave", "knit"))
    worker()
    assert wp.ended(ws, refused)["error"] == "flux must have 4620 samples; got 12, for spec-1.fits. Download it again."
    error = wp.ended(ws, crashed)["error"]
    assert error.startswith("Something went wrong that Lookback did not foresee (KeyError: 'nothing'). logs/job-000002.log in the workspace has it under id ")
    log = (ws.path / "logs" / "job-000002.log").read_text()
    assert error[-9:-1] in log and "Traceback" in log
    assert "(TypeError: Object of type ndarray is not JSON serializable)" in wp.ended(ws, unsayable)["error"]
    assert wp.ended(ws, left)["error"] == "The job's process ended with status 7 and said nothing. Look into logs/job-000004.log in the workspace."
    assert wp.ended(ws, unknown)["error"].startswith(f"The kind of a job must be one of {', '.join(TASKS)}, ")


def test_job_that_kills_its_process_is_given_up_after_three_attempts(ws, worker):
    job = enqueue(ws, "die")
    worker()
    ended = wp.ended(ws, job)
    assert (ended["status"], ended["attempts"], ended["fence"]) == ("failed", 3, 3)
    assert ended["error"].startswith("The job's process was killed 3 times without getting further")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_worker_asked_to_stop_gives_its_jobs_back_and_leaves_no_process(ws, worker, signum):
    job = enqueue(ws, "stubborn")
    process = worker()
    wp.until(lambda: wp.trail(ws))
    assert wp.stop(process, signum) == 0
    waiting = jobs.one(ws, job)
    assert (waiting["status"], waiting["attempts"], waiting["message"]) == ("queued", 0, "The worker was stopped; the next one goes on")
    assert wp.relatives(ws) == []


def test_processes_of_a_pool_end_with_a_killed_worker(ws, worker):
    enqueue(ws, "family")
    process = worker()
    wp.until(lambda: len(wp.trail(ws)) == 2)
    process.kill()
    assert wp.until(lambda: not any(wp.is_alive(pid) for pid, in wp.trail(ws))) < 3


def test_second_worker_waits_and_takes_over(ws, worker):
    first = worker()
    wp.until(lambda: workplace.is_served(ws))
    second = worker()
    wp.until(lambda: f"Another worker (process {first.pid}) serves" in (ws.path / "out.txt").read_text())
    assert wp.stop(first) == 0
    assert wp.ended(ws, enqueue(ws, "touch"))["status"] == "done"
    assert second.poll() is None


def test_two_workers_without_the_lock_run_each_job_once(ws, worker):
    ids = [enqueue(ws, "touch") for _ in range(4)]
    worker()
    wp.until(lambda: workplace.is_served(ws))
    os.rename(ws.path / workplace.NAME, ws.path / "held")
    worker()
    for job in ids:
        assert wp.ended(ws, job)["status"] == "done"
    assert sorted(job for job, in wp.trail(ws)) == ids
