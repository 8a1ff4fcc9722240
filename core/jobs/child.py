"""The process of one job: runs its task and writes how it ended."""

import json
import shutil
import sys
import traceback
import uuid

from core.engine.lifeline import die_with_parent
from core.errors import Cancelled, LookbackError, StaleFence
from core.jobs.context import TaskContext, checkpoints
from core.jobs.tasks import task_of
from core.store import Workspace, jobs

STALE = 3
"""Exit status of a process that found its job in other hands."""


def run_job(ws: Workspace, job_id: int, fence: int, parent: int | None = None) -> int:
    """Run a claimed job to its end and return the exit status of this process.

    ``parent`` is the supervisor's process id: this process ends with it.
    """
    if parent is not None:
        die_with_parent(parent)
    try:
        _run(TaskContext(ws, jobs.one(ws, job_id) | {"fence": fence}))
    except StaleFence as error:
        print(error, file=sys.stderr)
        return STALE
    return 0


def _run(ctx: TaskContext) -> None:
    try:
        ctx.check()
        result = task_of(jobs.one(ctx.ws, ctx.job_id)["kind"])(ctx)
        json.dumps(result)
        ctx.flush()
    except StaleFence:
        raise
    except Cancelled:
        jobs.finish(ctx.ws, ctx.job_id, ctx.fence, "cancelled")
    except Exception as error:
        jobs.finish(ctx.ws, ctx.job_id, ctx.fence, "failed", error=_sentence(error, ctx.job_id))
    else:
        jobs.finish(ctx.ws, ctx.job_id, ctx.fence, "done", result)
        shutil.rmtree(checkpoints(ctx.ws, ctx.job_id), ignore_errors=True)


def _sentence(error: Exception, job_id: int) -> str:
    """What a person reads of an error; the traceback goes to the job's log."""
    log_id = uuid.uuid4().hex[:8]
    print(f"log id {log_id}\n{traceback.format_exc()}", file=sys.stderr, flush=True)
    if isinstance(error, LookbackError):
        return str(error)
    brief = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return f"Something went wrong that Lookback did not foresee ({brief}). {log_name(job_id)} in the workspace has it under id {log_id}."


def log_name(job_id: int) -> str:
    """The file in the workspace that holds what a job's processes printed."""
    return f"logs/job-{job_id:06d}.log"
