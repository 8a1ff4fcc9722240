"""What the worker can run: one file per kind of job.

`TASKS` is the one list. A task is called with a `core.jobs.context.TaskContext` and
returns a mapping that JSON can hold. The file of a task is imported when it runs.
"""

from dataclasses import dataclass
from importlib import import_module

from core.errors import JobError
from core.jobs.context import TaskContext
from core.settings import settings


@dataclass(frozen=True)
class Task:
    """A kind of job.

    Attributes
    ----------
    module : holds ``run(ctx) -> dict``, or another function named after a colon.
    is_heavy : takes the whole machine for minutes; heavy jobs wait for each other, never the light ones for them.
    """

    module: str
    is_heavy: bool = False

    def __call__(self, ctx: TaskContext) -> dict:
        module, _, function = self.module.partition(":")
        return getattr(import_module(module), function or "run")(ctx)


TASKS = {
    "demo": Task("core.jobs.tasks.demo", is_heavy=True),
    "ingest": Task("core.jobs.tasks.ingest"),
    "train": Task("core.jobs.tasks.train", is_heavy=True),
    "tune": Task("core.jobs.tasks.tune", is_heavy=True),
    "embed": Task("core.jobs.tasks.embed"),
    "replay": Task("core.jobs.tasks.replay", is_heavy=True),
}


def known_tasks() -> dict[str, Task]:
    """`TASKS`, and those of the site's own module when ``LOOKBACK_TASKS`` names one."""
    return TASKS | (import_module(settings().tasks).TASKS if settings().tasks else {})


def task_of(kind: str) -> Task:
    """The task of a kind of job; raises `JobError` for a kind that nobody knows."""
    tasks = known_tasks()
    if kind not in tasks:
        raise JobError(f"The kind of a job must be one of {', '.join(tasks)}; got {kind}. Queue it again with one of these.")
    return tasks[kind]
