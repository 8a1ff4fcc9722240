"""Tasks that tests give to a worker through ``LOOKBACK_TASKS=tests.job_tasks``."""

import os
import signal
import time

import numpy as np

from core.engine import map_chunks
from core.errors import BadInput
from core.jobs.tasks import Task


def count(ctx) -> dict:
    """Write one line a step (step, fence, process) and a checkpoint after each; goes on from the last one."""
    saved = ctx.current_checkpoint()
    first = int(np.load(saved)) if saved else 0
    for step in range(first, ctx.parameters["steps"]):
        _leave_trail(ctx, f"{step} {ctx.fence} {os.getpid()}")
        _pause(ctx, ctx.parameters["pause"])
        np.save(ctx.checkpoint_folder / "saving.npy", step + 1)
        ctx.publish_checkpoint(ctx.checkpoint_folder / "saving.npy", epoch=step)
        ctx.report((step + 1) / ctx.parameters["steps"], f"step {step + 1}")
    return {"first": first}


def touch(ctx) -> dict:
    _leave_trail(ctx, str(ctx.job_id))
    return {}


def demo(ctx) -> dict:
    """In the place of the real one; takes as many seconds as its seed says."""
    _leave_trail(ctx, str(ctx.job_id))
    _pause(ctx, ctx.parameters["seed"])
    return {}


def refuse(ctx) -> dict:
    raise BadInput("flux", "have 4620 samples", 12, "spec-1.fits", "Download it again")


def crash(ctx) -> dict:
    return {}["nothing"]


def unsayable(ctx) -> dict:
    return {"array": np.zeros(2)}


def stubborn(ctx) -> dict:
    _leave_trail(ctx, str(os.getpid()))
    time.sleep(ctx.parameters.get("seconds", 60))
    return {}


def die(ctx) -> dict:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def leave(ctx) -> dict:
    os._exit(7)


def family(ctx) -> dict:
    return {"sum": sum(map_chunks(nap, [ctx.ws.path] * 2, workers=2))}


def nap(folder) -> int:
    with open(folder / "trail.txt", "a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(60)
    return 1


def _leave_trail(ctx, line: str) -> None:
    with open(ctx.ws.path / "trail.txt", "a") as file:
        file.write(line + "\n")


def _pause(ctx, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ctx.check()
        time.sleep(0.02)


TASKS = {f.__name__: Task(f"tests.job_tasks:{f.__name__}", f in (count, stubborn)) for f in (count, touch, refuse, crash, unsayable, stubborn, die, leave, family)}
TASKS |= {"demo": Task("tests.job_tasks:demo", is_heavy=True), "ingest": TASKS["refuse"]}
