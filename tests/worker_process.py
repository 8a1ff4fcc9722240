"""Real workers for tests: start `python -m core ...` with the tasks of `tests.job_tasks`, watch, kill."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from core.store import Workspace, jobs

ROOT = Path(__file__).resolve().parent.parent


def start(ws: Workspace, *words: str, lease: float = 1.5) -> subprocess.Popen:
    """Start a command on a workspace; its words go to ``out.txt`` there."""
    environment = os.environ | {"LOOKBACK_TASKS": "tests.job_tasks", "LOOKBACK_LEASE_SECONDS": str(lease), "OMP_NUM_THREADS": "1", "WORKSPACE": str(ws.path)}
    with open(ws.path / "out.txt", "ab") as out:
        return subprocess.Popen([sys.executable, "-m", "core", *words, "--workspace", str(ws.path)], cwd=ROOT, env=environment, stdout=out, stderr=out)


def until(claim: Callable[[], object], seconds: float = 30.0) -> float:
    """Wait until a claim holds and return how long that took."""
    began = time.monotonic()
    while not claim():
        assert time.monotonic() - began < seconds, "waited in vain"
        time.sleep(0.05)
    return time.monotonic() - began


def status(ws: Workspace, job_id: int) -> str:
    return jobs.one(ws, job_id)["status"]


def ended(ws: Workspace, job_id: int, seconds: float = 40.0) -> dict:
    """The job, once it has ended."""
    until(lambda: status(ws, job_id) in jobs.ENDED, seconds)
    return jobs.one(ws, job_id)


def trail(ws: Workspace) -> list[list[int]]:
    """What the tasks wrote: one list of numbers a line."""
    path = ws.path / "trail.txt"
    return [[int(word) for word in line.split()] for line in path.read_text().splitlines()] if path.exists() else []


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def relatives(ws: Workspace) -> list[int]:
    """Every process that names the workspace on its command line or in its environment, this one apart."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
        if str(ws.path).encode() in words and int(folder.name) != os.getpid() and is_alive(int(folder.name)):
            found.append(int(folder.name))
    return found


def stop(process: subprocess.Popen, signum: int = signal.SIGTERM, seconds: float = 20.0) -> int:
    """Send a signal and return the exit status."""
    if process.poll() is None:
        process.send_signal(signum)
    return process.wait(seconds)
