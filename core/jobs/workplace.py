"""Who serves a workspace: one worker by preference, told by a lock on a file.

The lock only avoids needless company; that no job runs twice is the fence's doing.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TextIO

from core.store import Workspace

NAME = ".worker"


def take(ws: Workspace) -> TextIO | None:
    """The workspace's lock, kept until the file is closed or the process ends; None while another worker has it."""
    with ExitStack() as stack:
        file = stack.enter_context(open(ws.path / NAME, "a+"))
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        stack.pop_all()
        return file


def holder(ws: Workspace) -> str:
    """Process id of the worker that last took the lock, as text."""
    path = ws.path / NAME
    return path.read_text() if path.exists() else ""


def is_served(ws: Workspace) -> bool:
    """Whether a worker on this machine serves the workspace now."""
    with _probe(ws) as is_free:
        return not is_free


@contextmanager
def _probe(ws: Workspace) -> Iterator[bool]:
    """A shared lock fails while a worker has its own, and two people may look at once."""
    with open(ws.path / NAME, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
