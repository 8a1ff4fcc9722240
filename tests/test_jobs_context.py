"""What a task may ask of the world."""

import numpy as np
import pytest

from core.errors import Cancelled, JobError, StaleFence
from core.jobs import context
from core.jobs.context import TaskContext
from core.jobs.tasks import TASKS, task_of
from core.store import Workspace, jobs


def take(ws, worker: str = "a") -> TaskContext:
    return TaskContext(ws, jobs.claim(ws, worker, 30))


@pytest.fixture
def ctx(ws) -> TaskContext:
    """A task under way, with the parameters {"steps": 2}."""
    jobs.enqueue(ws, "train", "Train", {"steps": 2})
    return take(ws)


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time the context sees; starts at 100 s."""
    now = [100.0]
    monkeypatch.setattr(context.time, "monotonic", lambda: now[0])
    return now


def lose(ctx: TaskContext) -> TaskContext:
    """Give the job to another worker and return that one's context."""
    jobs.requeue(ctx.ws, ctx.job_id, ctx.fence, "lost")
    return take(Workspace(ctx.ws.path), "b")


def save(ctx: TaskContext, value: int, epoch: int | None = None):
    np.save(ctx.checkpoint_folder / "saving.npy", value)
    return ctx.publish_checkpoint(ctx.checkpoint_folder / "saving.npy", epoch)


def test_context_holds_the_job(ctx):
    assert (ctx.job_id, ctx.fence, ctx.parameters) == (1, 1, {"steps": 2})


def test_reports_are_throttled_but_the_last_one_lands(ctx, clock):
    seen = []
    for step in range(1, 11):
        ctx.report(step / 20, f"step {step}")
        seen.append(jobs.one(ctx.ws, 1)["message"])
        clock[0] += 0.06
    assert len(set(seen)) == 3 and seen[0] == "step 1"
    ctx.flush()
    assert [jobs.one(ctx.ws, 1)[k] for k in ("fraction", "message")] == [0.5, "step 10"]


def test_report_of_the_end_is_written_at_once(ctx, clock):
    ctx.report(0.1, "start")
    ctx.report(1.0, "end")
    assert jobs.one(ctx.ws, 1)["message"] == "end"


def test_check_looks_five_times_a_second_at_most(ctx, clock):
    ctx.check()
    jobs.cancel(ctx.ws, 1)
    clock[0] += 0.19
    ctx.check()
    clock[0] += 0.02
    with pytest.raises(Cancelled, match="Job 1 was cancelled."):
        ctx.check()


def test_check_stops_a_task_whose_worker_is_gone(ctx, monkeypatch):
    monkeypatch.setattr(context.os, "getppid", lambda: ctx._parent + 1)
    with pytest.raises(StaleFence, match="The worker that started job 1 is gone"):
        ctx.check()


def test_checkpoint_is_current_once_published(ctx):
    assert ctx.current_checkpoint() is None
    path = save(ctx, 7, epoch=3)
    assert path.name == "job-000001-fence-0001-epoch-00003-save-00001.npy"
    assert ctx.current_checkpoint() == path and np.load(path) == 7


def test_checkpoint_replaces_the_earlier_ones(ctx):
    save(ctx, 1)
    second = save(ctx, 2)
    assert [p.name for p in ctx.checkpoint_folder.iterdir()] == [second.name]
    later = lose(ctx)
    assert later.current_checkpoint() == second
    third = save(later, 3)
    assert later.current_checkpoint() == third
    assert list(context.checkpoints(ctx.ws, 1).rglob("*.npy")) == [third]


def test_checkpoint_of_a_stale_worker_stays_unused(ctx):
    save(ctx, 1)
    later = lose(ctx)
    newest = save(later, 2)
    with pytest.raises(StaleFence):
        save(ctx, 3)
    assert later.current_checkpoint() == newest and np.load(newest) == 2


def test_lost_checkpoint_file_starts_the_job_anew(ctx, capsys):
    save(ctx, 1).unlink()
    assert ctx.current_checkpoint() is None
    assert "is gone; the job starts from its beginning" in capsys.readouterr().err


def test_stale_task_writes_nothing_to_the_workspace(ctx):
    lose(ctx)
    with pytest.raises(StaleFence), ctx.ws.write() as db:
        db.conn.execute("DELETE FROM jobs")
    assert len(jobs.frame(ctx.ws)) == 1


def test_ingest_and_maps_are_light_and_never_wait_for_training():
    assert [TASKS[kind].is_heavy for kind in ("demo", "train", "ingest", "embed")] == [True, True, False, False]


def test_unknown_kind_is_refused_with_the_choices():
    with pytest.raises(JobError, match=f"must be one of {', '.join(TASKS)}; got knit"):
        task_of("knit")
