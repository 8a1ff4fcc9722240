"""Follow one job from a terminal, running it there when no worker serves the workspace."""

from collections.abc import Callable
from threading import Event

from core.jobs import workplace
from core.jobs.supervisor import POLL_SECONDS, Supervisor, say_aloud, stop_on_signals
from core.store import Workspace, jobs


def follow(ws: Workspace, job_id: int, say: Callable[[str], None] = say_aloud) -> dict:
    """Wait for a job's end, saying how far it is, and return it as `core.store.jobs.one` does.

    Ctrl-C cancels a job that runs here; one that a worker runs goes on without us.
    """
    supervisor = Supervisor(ws, only=job_id, say=lambda sentence: None)
    with stop_on_signals() as stop:
        try:
            return _until_ended(ws, job_id, supervisor, stop, say)
        finally:
            supervisor.close()


def _until_ended(ws: Workspace, job_id: int, supervisor: Supervisor, stop: Event, say: Callable[[str], None]) -> dict:
    told = ""
    while (job := jobs.one(ws, job_id))["status"] not in jobs.ENDED:
        if supervisor.is_busy or not workplace.is_served(ws):
            supervisor.turn()
        told = _tell(job, told, say)
        if stop.wait(POLL_SECONDS):
            return _leave(ws, job, supervisor, say)
    return job


def _tell(job: dict, told: str, say: Callable[[str], None]) -> str:
    line = f"{job['fraction']:4.0%}  {job['message']}"
    if job["message"] and line != told:
        say(line)
    return line


def _leave(ws: Workspace, job: dict, supervisor: Supervisor, say: Callable[[str], None]) -> dict:
    if supervisor.is_busy or job["status"] == "queued":
        jobs.cancel(ws, job["id"])
    else:
        say(f"Job {job['id']} goes on in the worker; cancel it on the Train page.")
    return job | {"status": "cancelled"}
