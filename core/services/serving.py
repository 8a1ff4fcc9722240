"""The app and its worker, started together and ended together."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from functools import partial
from threading import Event

from core.engine.lifeline import die_with_parent
from core.errors import LookbackError
from core.jobs.supervisor import POLL_SECONDS, say_aloud, stop_on_signals
from core.settings import ROOT
from core.store import Workspace, jobs

ADDRESS = "127.0.0.1"
DEMO = {"n": 3000, "seed": 0}
END_SECONDS = 8.0
SOON_SECONDS, ENOUGH = 5.0, 3
"""A worker that ends this soon after its start, this many times running, is not started again."""


def serve(ws: Workspace, port: int) -> int:
    """Run worker and app until Ctrl-C or SIGTERM; an empty workspace gets the demo. Returns an exit status.

    Raises `LookbackError` when the port is taken.
    """
    _check_port(port)
    if jobs.enqueue_first(ws, "demo", "Build the demo sky", DEMO):
        say_aloud(f"The workspace {ws.path} is empty: the demo sky is being built.")
    with stop_on_signals() as stop:
        children = {"app": _start_app(ws, port), "worker": _start_worker(ws)}
        try:
            _announce(children["app"], port, stop)
            return _watch(ws, children, stop)
        finally:
            _end(children)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise LookbackError(f"Port {port} must be free; got {error.strerror.lower()}, for {ADDRESS}. Choose another: PORT={port + 1} make run.") from error


def _start_app(ws: Workspace, port: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), f"--server.port={port}", "--logger.hideWelcomeMessage=true"]
    return _start(command, ws, preexec_fn=partial(die_with_parent, os.getpid()))


def _start_worker(ws: Workspace) -> subprocess.Popen:
    return _start([sys.executable, "-m", "core", "worker", "--workspace", str(ws.path), "--parent", str(os.getpid())], ws)


def _start(command: list[str], ws: Workspace, **options) -> subprocess.Popen:
    """A session of its own: Ctrl-C in the terminal reaches only the parent, which then ends its children in order."""
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"WORKSPACE": str(ws.path)}, stdin=subprocess.DEVNULL, start_new_session=True, **options)


def _announce(app: subprocess.Popen, port: int, stop: Event) -> None:
    """Say where the app is, once it answers there."""
    began = time.monotonic()
    while not stop.is_set() and app.poll() is None:
        if _answers(port):
            say_aloud(f"Lookback is at http://localhost:{port} (it took {time.monotonic() - began:.1f} s). Ctrl-C ends it.")
            return
        stop.wait(POLL_SECONDS)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{ADDRESS}:{port}/_stcore/health", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _watch(ws: Workspace, children: dict[str, subprocess.Popen], stop: Event) -> int:
    """Wait for the wish to end. A worker that was killed is replaced; without the app there is nothing to serve."""
    started, failures = time.monotonic(), 0
    while not stop.wait(POLL_SECONDS):
        if children["app"].poll() is not None:
            say_aloud(f"The app ended with status {children['app'].returncode}; its last words are above.")
            return 1
        if children["worker"].poll() is not None:
            failures = failures + 1 if time.monotonic() - started < SOON_SECONDS else 0
            if failures == ENOUGH:
                say_aloud(f"The worker ended {ENOUGH} times right after its start; its last words are above.")
                return 1
            say_aloud("The worker was killed; another one takes its place.")
            children["worker"], started = _start_worker(ws), time.monotonic()
    return 0


def _end(children: dict[str, subprocess.Popen]) -> None:
    for child in children.values():
        child.terminate()
    deadline = time.monotonic() + END_SECONDS
    for child in children.values():
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
