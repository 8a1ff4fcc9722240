"""What a running task may ask of the world: say how far it is, stop, save, resume."""

import os
import shutil
import sys
import time
from pathlib import Path

from core.errors import StaleFence
from core.store import Workspace, jobs
from core.store.jobs import FencedWorkspace

CHECK_SECONDS = 0.2
REPORT_SECONDS = 0.2


class TaskContext:
    """The one argument of a task.

    Attributes
    ----------
    ws : the workspace; each of its transactions is refused once another worker holds the job.
    job_id, fence : which job, and which holding of it.
    parameters : what the job was queued with.
    """

    def __init__(self, ws: Workspace, job: dict):
        self.ws = FencedWorkspace(ws.path, job["id"], job["fence"])
        self.job_id: int = job["id"]
        self.fence: int = job["fence"]
        self.parameters: dict = job["parameters"]
        self._parent = os.getppid()
        self._checked = 0.0
        self._reported = 0.0
        self._pending: tuple[float, str] | None = None
        self._saves = 0

    def report(self, fraction: float, message: str) -> None:
        """Say how far the task is (0 to 1) and what it does now; also a `check`.

        At most five a second are written; the last one always is.
        """
        self._pending = (fraction, message)
        if fraction >= 1 or time.monotonic() - self._reported >= REPORT_SECONDS:
            self.flush()
        self.check()

    def flush(self) -> None:
        """Write the report that waits, if one does."""
        if self._pending is not None:
            jobs.report(self.ws, self.job_id, self.fence, *self._pending)
            self._pending, self._reported = None, time.monotonic()

    def check(self) -> None:
        """Raise `Cancelled` or `StaleFence` when the task must stop. Call it often: it looks at the store five times a second at most."""
        if os.getppid() != self._parent:
            raise StaleFence(f"The worker that started job {self.job_id} is gone; another one takes the job over.")
        if time.monotonic() - self._checked >= CHECK_SECONDS:
            jobs.check(self.ws, self.job_id, self.fence)
            self._checked = time.monotonic()

    @property
    def checkpoint_folder(self) -> Path:
        """A folder for files on their way to `publish_checkpoint`; no other holding of the job writes there."""
        folder = checkpoints(self.ws, self.job_id) / f"fence-{self.fence:04d}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def publish_checkpoint(self, path: Path, epoch: int | None = None) -> Path:
        """Make a finished file the one to resume from, and return where it is now.

        The file is moved to a name that carries job, fence and epoch (a running number when none is
        given) and is current once the store says so; files of earlier checkpoints are removed.
        Raises `StaleFence` when another worker holds the job: then the file stays unused.
        """
        self._saves += 1
        number = self._saves if epoch is None else epoch
        final = self.checkpoint_folder / f"job-{self.job_id:06d}-fence-{self.fence:04d}-epoch-{number:05d}-save-{self._saves:05d}{path.suffix}"
        _to_disk(path)
        os.replace(path, final)
        jobs.publish_checkpoint(self.ws, self.job_id, self.fence, str(final.relative_to(checkpoints(self.ws, self.job_id))))
        self._remove_older(final)
        return final

    def current_checkpoint(self) -> Path | None:
        """The file to resume from, whichever worker wrote it; None at the first start."""
        name = jobs.one(self.ws, self.job_id)["checkpoint"]
        if name is None:
            return None
        path = checkpoints(self.ws, self.job_id) / name
        if not path.exists():
            print(f"The checkpoint {path} is gone; the job starts from its beginning.", file=sys.stderr)
            return None
        return path

    def _remove_older(self, current: Path) -> None:
        """Remove what earlier holdings and earlier saves left; a later holding's files are not ours to touch."""
        for path in self.checkpoint_folder.glob("job-*"):
            if path != current:
                path.unlink()
        for folder in checkpoints(self.ws, self.job_id).glob("fence-*"):
            if folder.name < self.checkpoint_folder.name:
                shutil.rmtree(folder, ignore_errors=True)


def checkpoints(ws: Workspace, job_id: int) -> Path:
    """Where the checkpoints of a job lie."""
    return ws.path / "checkpoints" / f"job-{job_id:06d}"


def _to_disk(path: Path) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
