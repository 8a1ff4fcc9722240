"""Processes that end with the one that started them, however that one ended."""

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.5


def die_with_parent(parent: int | None = None, signum: int = signal.SIGKILL) -> None:
    """Have this process receive ``signum`` when its parent is gone, even by ``kill -9``.

    ``parent`` is the process id that the starter told us; when that one is gone already, the
    signal comes at once. Linux sees to it (prctl, man 2 prctl); elsewhere a thread looks twice a second.
    """
    parent = parent or os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signum)
    else:
        threading.Thread(target=_watch, args=(parent, signum), daemon=True).start()
    if os.getppid() != parent:
        os.kill(os.getpid(), signum)


def _watch(parent: int, signum: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os.kill(os.getpid(), signum)
