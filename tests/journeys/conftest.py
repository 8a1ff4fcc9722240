"""The app in a real browser: a server of its own on a tiny workspace, Debian's chromium, helpers."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.store import Workspace
from tests.conftest import tiny_workspace

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--use-gl=angle", "--use-angle=swiftshader"]
READY = "[data-testid=stApp][data-test-script-state=notRunning]"
START_SECONDS = 60


@dataclass
class Server:
    """A running app. ``stop`` and ``start`` end and begin it again on the same port and workspace."""

    ws: Workspace
    port: int
    log: Path
    process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Server":
        """Run the app and wait until it answers."""
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port), "--server.address", "127.0.0.1", "--server.headless", "true"]
        environment = os.environ | {"WORKSPACE": str(self.ws.path), "OMP_NUM_THREADS": "1"}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        for _ in range(START_SECONDS * 10):
            if self._answers():
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(f"the app did not answer; its log says:\n{self.log.read_text()[-3000:]}")

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End the server, by its own process id."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=20)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False


@pytest.fixture(scope="session")
def serve(tmp_path_factory) -> Iterator[Callable[[Workspace], Server]]:
    """``serve(workspace)`` gives a running `Server`; all are ended with the session."""
    servers: list[Server] = []

    def run(ws: Workspace) -> Server:
        servers.append(Server(ws, free_port(), tmp_path_factory.mktemp("server") / "log.txt").start())
        return servers[-1]

    yield run
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def server(serve, tmp_path_factory) -> Server:
    """The app on a tiny workspace that the tests of one file share."""
    return serve(tiny_workspace(tmp_path_factory.mktemp("journey") / "tiny"))


@pytest.fixture(scope="session")
def browser():
    """Headless chromium; fails with a sentence where there is none."""
    if CHROMIUM is None:
        pytest.fail("no chromium on this machine: browser journeys need one (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A fresh browser session, 1280 by 900; storage and cookies of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def wait_ready(page, timeout: float = 60) -> None:
    """Until the script of the page has run and nothing is under way."""
    page.wait_for_selector(READY, timeout=timeout * 1000)


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
