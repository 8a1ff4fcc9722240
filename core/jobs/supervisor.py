"""The worker: claims jobs, runs each in a process of its own, and sees it to its end.

Two lanes, one job each: heavy jobs (training) never hold up light ones (ingest, maps).
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TextIO

from core.errors import Cancelled, JobError, StaleFence
from core.jobs import retraining, workplace
from core.jobs.child import log_name
from core.jobs.tasks import known_tasks
from core.settings import ROOT, settings
from core.store import Workspace, jobs

POLL_SECONDS = 0.2
RULE_SECONDS = 1.0
"""How often the worker looks whether the workspace's rule asks for trainings."""
GRACE_SECONDS = 1.2
"""What a task has between the wish to cancel it and its end by force; with two polls under two seconds."""


def say_aloud(sentence: str) -> None:
    """Print at once, also into a pipe."""
    print(sentence, flush=True)


def work(ws: Workspace, say: Callable[[str], None] = say_aloud) -> None:
    """Serve a workspace until SIGTERM, SIGINT or SIGHUP; waits while another worker serves it."""
    with stop_on_signals() as stop:
        lock = _wait_for_lock(ws, stop, say)
        if lock is None:
            return
        with lock:
            supervisor = Supervisor(ws, say=say)
            try:
                while not stop.wait(POLL_SECONDS):
                    supervisor.turn()
            finally:
                supervisor.close()


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that is set when this process is asked to end; what the signals did before is put back afterwards."""
    stop = threading.Event()
    before = {signum: signal.signal(signum, lambda *_: stop.set()) for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        yield stop
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _wait_for_lock(ws: Workspace, stop: threading.Event, say: Callable[[str], None]) -> TextIO | None:
    """The workspace's lock, or None when this process is asked to end before it is free."""
    tries = 0
    while (lock := workplace.take(ws)) is None and not stop.wait(POLL_SECONDS):
        tries += 1
        if tries == 4:
            say(f"Another worker (process {workplace.holder(ws)}) serves {ws.path}. This one waits and takes over when that one ends.")
    return lock


@dataclass
class Child:
    """A job and the process that runs it; the process leads a group of its own.

    ``renewed`` and ``doomed`` are when the lease was last renewed and when the process was first
    seen to have no right to go on (monotonic seconds).
    """

    job: dict
    process: subprocess.Popen
    renewed: float = field(default_factory=time.monotonic)
    doomed: float | None = None

    @property
    def key(self) -> tuple[int, int]:
        return self.job["id"], self.job["fence"]

    def has_ended(self) -> bool:
        """Whether the process is over."""
        return self.process.poll() is not None

    def end(self, patience: float = 0.0) -> int:
        """Wait ``patience`` seconds, kill what is left of the group and return how the process ended; negative = by that signal."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.process.wait()


class Supervisor:
    """Runs the jobs of a workspace, one per lane, and queues the trainings that its rule asks for; `turn` does what is due and returns at once.

    ``only`` limits it to one job.
    """

    def __init__(self, ws: Workspace, only: int | None = None, say: Callable[[str], None] = say_aloud):
        heavy = tuple(kind for kind, task in known_tasks().items() if task.is_heavy)
        self._ws, self._only, self._say = ws, only, say
        self._lease = settings().lease_seconds
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._lanes = {"heavy": {"kinds": heavy}, "light": {"excluding": heavy}}
        self._children: dict[str, Child] = {}
        self._looked = 0.0

    @property
    def is_busy(self) -> bool:
        """Whether a job runs here."""
        return bool(self._children)

    def turn(self) -> None:
        """Look after the running jobs and claim for the free lanes."""
        self._retrain()
        for lane, wanted in self._lanes.items():
            if lane in self._children:
                self._look_after(lane)
            elif job := jobs.claim(self._ws, self._name, self._lease, only=self._only, **wanted):
                self._children[lane] = self._start(job)

    def _retrain(self) -> None:
        if self._only is None and time.monotonic() - self._looked >= RULE_SECONDS:
            self._looked = time.monotonic()
            for job_id in retraining.queue_due(self._ws):
                self._say(f"{_title(jobs.one(self._ws, job_id))}: queued, because enough galaxies have been labelled")

    def close(self) -> None:
        """End the processes and give their jobs back to the queue."""
        for child in self._children.values():
            child.end(GRACE_SECONDS if self._standing(child) is StaleFence else 0.0)
            standing = self._standing(child)
            if standing is Cancelled:
                jobs.finish(self._ws, *child.key, "cancelled")
            elif standing is None:
                jobs.requeue(self._ws, *child.key, "The worker was stopped; the next one goes on", is_counted=False)
            self._tell(child.job["id"])
        self._children.clear()

    def _start(self, job: dict) -> Child:
        log = self._ws.path / log_name(job["id"])
        log.parent.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "core", "run-job", "--workspace", str(self._ws.path), "--parent", str(os.getpid()), str(job["id"]), str(job["fence"])]
        with open(log, "ab") as file:
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
        self._say(f"{_title(job)}: started, attempt {job['attempts']}")
        return Child(job, process)

    def _look_after(self, lane: str) -> None:
        child = self._children[lane]
        if self._standing(child) is not None:
            child.doomed = child.doomed or time.monotonic()
        if child.has_ended() or (child.doomed and time.monotonic() - child.doomed >= GRACE_SECONDS):
            del self._children[lane]
            self._conclude(child, child.end())

    def _standing(self, child: Child) -> type[JobError] | None:
        """None while the job is ours to run, else `Cancelled` or `StaleFence`; renews the lease in good time."""
        try:
            jobs.check(self._ws, *child.key)
            if time.monotonic() - child.renewed >= self._lease / 3:
                jobs.renew(self._ws, *child.key, self._lease)
                child.renewed = time.monotonic()
        except (Cancelled, StaleFence) as reason:
            return type(reason)
        return None

    def _conclude(self, child: Child, code: int) -> None:
        """Write how a job ended whose process is over, unless the process wrote it itself."""
        standing = self._standing(child)
        if standing is Cancelled:
            jobs.finish(self._ws, *child.key, "cancelled")
        elif standing is None and code >= 0:
            jobs.finish(self._ws, *child.key, "failed", error=f"The job's process ended with status {code} and said nothing. Look into {log_name(child.job['id'])} in the workspace.")
        elif standing is None:
            self._after_kill(child, -code)
        self._tell(child.job["id"])

    def _after_kill(self, child: Child, signum: int) -> None:
        attempts = jobs.one(self._ws, child.job["id"])["attempts"]
        if attempts >= jobs.MAX_ATTEMPTS:
            jobs.finish(self._ws, *child.key, "failed", error=jobs.worn_out(attempts))
        else:
            jobs.requeue(self._ws, *child.key, f"Its process was killed ({signal.Signals(signum).name}); it starts again from where it was saved")

    def _tell(self, job_id: int) -> None:
        job = jobs.one(self._ws, job_id)
        self._say(f"{_title(job)}: {job['status']}{' - ' + job['error'] if job['error'] else ''}")


def _title(job: dict) -> str:
    return f"Job {job['id']}, {job['title']}"
