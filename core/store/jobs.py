"""The queue of background work: who may run a job, how far it is, how it ended.

A worker holds a job by a lease that it renews and by a fence, a number that grows with
every claim. Whatever a worker writes is guarded by its fence: once the lease has run out
and another worker has claimed the job, the first one's writes touch no row and raise
`StaleFence`. Times of leases are Unix seconds.
"""

import json
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd
import sqlite_utils

from core.errors import Cancelled, NotFound, StaleFence
from core.store.workspace import Workspace

MAX_ATTEMPTS = 3
"""Starts that may end in a killed process before a job is given up; a new checkpoint starts the count again."""

ENDED = ("done", "failed", "cancelled")
_NOW = "strftime('%Y-%m-%dT%H:%M:%fZ')"
_CLAIMABLE = """FROM jobs WHERE (status = 'queued' OR (status = 'running' AND lease_until < :now))
    AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds)))
    AND kind NOT IN (SELECT value FROM json_each(:excluding)) AND id = COALESCE(:only, id) ORDER BY id LIMIT 1"""


@dataclass(frozen=True)
class FencedWorkspace(Workspace):
    """The workspace as a job's task sees it: every transaction first asks whether the job is still this worker's."""

    job_id: int
    fence: int

    @contextmanager
    def write(self) -> Iterator[sqlite_utils.Database]:
        """As `Workspace.write`; raises `StaleFence` before anything is written when the lease was lost."""
        with super().write() as db:
            _guarded(db, self.job_id, self.fence, {"fence": self.fence})
            yield db


def enqueue(ws: Workspace, kind: str, title: str, parameters: dict) -> int:
    """Put a job at the end of the queue and return its id; ``title`` is what people read."""
    with ws.write() as db:
        return insert(db, kind, title, parameters)


def enqueue_first(ws: Workspace, kind: str, title: str, parameters: dict) -> int | None:
    """Put a job into a workspace that has neither objects nor jobs; None, and nothing done, in any other."""
    with ws.write() as db:
        used = db.conn.execute("SELECT EXISTS (SELECT 1 FROM objects) OR EXISTS (SELECT 1 FROM jobs)").fetchone()[0]
        return None if used else insert(db, kind, title, parameters)


def claim(
    ws: Workspace, worker: str, lease_seconds: float, kinds: Collection[str] | None = None, excluding: Collection[str] = (), only: int | None = None
) -> dict | None:
    """Take the oldest job that waits or whose lease has run out.

    Parameters
    ----------
    worker : who holds it, for people to read.
    lease_seconds : how long the job is safe from other workers without a `renew`.
    kinds, excluding : kinds to take (None = all) and kinds to leave.
    only : id of the one job to take, None = any.

    Returns
    -------
    The job as `one` gives it, its ``fence`` one higher than before; None when nothing is to be done.
    Jobs that were to be cancelled, or have killed their process `MAX_ATTEMPTS` times, are ended on the way.
    """
    wanted = {"kinds": None if kinds is None else json.dumps(list(kinds)), "excluding": json.dumps(list(excluding)), "only": only}
    with ws.read() as db:
        if _candidate(db, wanted) is None:
            return None
    with ws.write() as db:
        while (job := _candidate(db, wanted)) is not None:
            if job["cancel_requested"]:
                _end(db, job["id"], "cancelled")
            elif job["attempts"] >= MAX_ATTEMPTS:
                _end(db, job["id"], "failed", worn_out(job["attempts"]))
            else:
                return _take(db, job["id"], worker, lease_seconds)
    return None


def renew(ws: Workspace, job_id: int, fence: int, lease_seconds: float) -> None:
    """Hold a job for another ``lease_seconds`` from now; raises `StaleFence`."""
    with ws.write() as db:
        _guarded(db, job_id, fence, {"lease_until": time.time() + lease_seconds})


def report(ws: Workspace, job_id: int, fence: int, fraction: float, message: str) -> None:
    """Say how far a job is (0 to 1) and what it does now; raises `StaleFence`."""
    with ws.write() as db:
        _guarded(db, job_id, fence, {"fraction": min(max(float(fraction), 0.0), 1.0), "message": message})


def check(ws: Workspace, job_id: int, fence: int) -> None:
    """Raise `StaleFence` when the job is no longer this worker's, `Cancelled` when a person wants it stopped."""
    with ws.read() as db:
        row = db.conn.execute("SELECT cancel_requested FROM jobs WHERE id = ? AND fence = ? AND status = 'running'", (int(job_id), int(fence))).fetchone()
    if row is None:
        raise _stale(job_id)
    if row[0]:
        raise Cancelled(f"Job {job_id} was cancelled.")


def publish_checkpoint(ws: Workspace, job_id: int, fence: int, name: str) -> None:
    """Make ``name`` the job's current checkpoint; raises `StaleFence`, and then the old one stays current."""
    with ws.write() as db:
        _guarded(db, job_id, fence, {"checkpoint": name, "attempts": 1})


def finish(ws: Workspace, job_id: int, fence: int, status: str, result: dict | None = None, error: str | None = None) -> None:
    """End a job as ``done``, ``failed`` or ``cancelled``; raises `StaleFence` when it is not this worker's to end.

    A run that the job had started and not ended is ended with it.
    """
    with ws.write() as db:
        _guarded(db, job_id, fence, {"fence": fence})
        _end(db, job_id, status, error, result)


def requeue(ws: Workspace, job_id: int, fence: int, message: str, is_counted: bool = True) -> None:
    """Give a job back to the queue; raises `StaleFence`.

    ``is_counted`` false takes the attempt back: the worker was asked to stop, the job did nothing wrong.
    """
    with ws.write() as db:
        _guarded(db, job_id, fence, {"status": "queued", "message": message, "worker": None, "lease_until": None})
        db.conn.execute("UPDATE jobs SET attempts = attempts - ? WHERE id = ?", (0 if is_counted else 1, int(job_id)))


def cancel(ws: Workspace, job_id: int) -> None:
    """Ask for a job to stop. One that waits, or whose worker is gone, ends at once; one that has ended stays as it is."""
    with ws.write() as db:
        job = _row(db, job_id)
        if job["status"] == "queued" or (job["status"] == "running" and job["lease_until"] < time.time()):
            _end(db, job_id, "cancelled")
        elif job["status"] == "running":
            db.conn.execute("UPDATE jobs SET cancel_requested = 1, message = 'Stopping' WHERE id = ?", (int(job_id),))


def retry(ws: Workspace, job_id: int) -> None:
    """Queue a failed or cancelled job again; it goes on from its last checkpoint."""
    with ws.write() as db:
        if _row(db, job_id)["status"] in ("failed", "cancelled"):
            db.conn.execute(
                "UPDATE jobs SET status = 'queued', fraction = 0, message = '', error = NULL, attempts = 0, cancel_requested = 0, finished = NULL WHERE id = ?",
                (int(job_id),),
            )
            db.conn.execute("UPDATE runs SET status = 'running', finished = NULL WHERE job_id = ? AND status IN ('failed', 'cancelled')", (int(job_id),))


def frame(ws: Workspace) -> pd.DataFrame:
    """All jobs, newest first; parameters and result as JSON text."""
    return ws.frame("SELECT * FROM jobs ORDER BY id DESC")


def active(ws: Workspace) -> pd.DataFrame:
    """Jobs that run or wait, in the order they were asked for."""
    return ws.frame("SELECT * FROM jobs WHERE status IN ('queued', 'running') ORDER BY id")


def one(ws: Workspace, job_id: int) -> dict:
    """One job as a mapping, parameters and result decoded; raises `NotFound`."""
    with ws.read() as db:
        return _row(db, job_id)


def worn_out(attempts: int) -> str:
    """The sentence of a job that was given up."""
    return (f"The job's process was killed {attempts} times without getting further, perhaps for want of memory. "
            "Look into its log, choose a smaller size, and start it again.")


def insert(db: sqlite_utils.Database, kind: str, title: str, parameters: dict) -> int:
    """`enqueue` within a transaction that is open."""
    return db.conn.execute("INSERT INTO jobs (kind, title, parameters) VALUES (?, ?, ?)", (kind, title, json.dumps(parameters))).lastrowid


def _candidate(db: sqlite_utils.Database, wanted: dict) -> dict | None:
    row = db.conn.execute(f"SELECT id, attempts, cancel_requested {_CLAIMABLE}", wanted | {"now": time.time()}).fetchone()
    return None if row is None else dict(zip(("id", "attempts", "cancel_requested"), row, strict=True))


def _take(db: sqlite_utils.Database, job_id: int, worker: str, lease_seconds: float) -> dict:
    db.conn.execute(
        f"UPDATE jobs SET status = 'running', worker = ?, fence = fence + 1, lease_until = ?, attempts = attempts + 1, started = COALESCE(started, {_NOW}) WHERE id = ?",
        (worker, time.time() + lease_seconds, int(job_id)),
    )
    return _row(db, job_id)


def _end(db: sqlite_utils.Database, job_id: int, status: str, error: str | None = None, result: dict | None = None) -> None:
    db.conn.execute(
        f"""UPDATE jobs SET status = :status, error = :error, result = :result, worker = NULL, lease_until = NULL, finished = {_NOW},
            fraction = CASE :status WHEN 'done' THEN 1 ELSE fraction END, checkpoint = CASE :status WHEN 'done' THEN NULL ELSE checkpoint END WHERE id = :id""",
        {"id": int(job_id), "status": status, "error": error, "result": None if result is None else json.dumps(result)},
    )
    db.conn.execute(f"UPDATE runs SET status = ?, finished = {_NOW} WHERE job_id = ? AND status = 'running'", (status, int(job_id)))


def _guarded(db: sqlite_utils.Database, job_id: int, fence: int, changes: dict) -> None:
    sets = ", ".join(f"{column} = ?" for column in changes)
    cursor = db.conn.execute(f"UPDATE jobs SET {sets} WHERE id = ? AND fence = ? AND status = 'running'", (*changes.values(), int(job_id), int(fence)))
    if cursor.rowcount == 0:
        raise _stale(job_id)


def _row(db: sqlite_utils.Database, job_id: int) -> dict:
    cursor = db.conn.execute("SELECT * FROM jobs WHERE id = ?", (int(job_id),))
    row = cursor.fetchone()
    if row is None:
        raise NotFound(f"There is no job {job_id} in this workspace. The Train page lists the jobs that are.")
    job = dict(zip([c[0] for c in cursor.description], row, strict=True))
    return job | {"parameters": json.loads(job["parameters"]), "result": json.loads(job["result"] or "null")}


def _stale(job_id: int) -> StaleFence:
    return StaleFence(f"Job {job_id} is no longer this worker's: its lease ran out and another took it, or it was ended. Nothing was written.")
