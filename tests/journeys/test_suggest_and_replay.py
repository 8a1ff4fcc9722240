"""Labelling what is suggested one by one, and asking which strategy pays, in a real browser."""

import os
import subprocess
import sys
import time

import pytest
from playwright.sync_api import expect

from core.services import labelling, suggesting
from core.store import jobs
from tests.conftest import tiny_workspace
from tests.journeys.conftest import ROOT, wait_ready

PATIENCE = 60_000


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    return tiny_workspace(tmp_path_factory.mktemp("suggest") / "tiny", n=140)


@pytest.fixture(scope="module")
def app(ws, serve):
    """The app and a worker, both ended by their own process ids."""
    command = [sys.executable, "-m", "core", "worker", "--workspace", str(ws.path), "--parent", str(os.getpid())]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield serve(ws)
    process.terminate()
    process.wait(timeout=20)


def acts(ws, action: str = "label"):
    return ws.frame("SELECT * FROM labels WHERE client <> 'test' AND action = ? ORDER BY id", (action,))


def until(is_so, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.1)
    return is_so()


def part(page, name: str):
    return page.locator(f"[data-part={name}]")


def test_suggestions_come_one_by_one_and_heed_every_label_and_its_undo(page, app, ws):
    page.goto(f"{app.url}/label?batch={labelling.SUGGESTED}")
    page.wait_for_selector(".candidate", timeout=PATIENCE)
    expect(page.get_by_text("every label up to now leave unknown")).to_be_visible(timeout=PATIENCE)
    for n in range(1, 4):
        key = part(page, "key").inner_text()
        page.keyboard.press("4")
        expect(part(page, "key")).not_to_have_text(key, timeout=PATIENCE)
        assert until(lambda n=n: len(acts(ws)) == n)
    assert acts(ws)["object_id"].nunique() == 3
    expect(part(page, "position")).to_have_text("4 / 8", timeout=PATIENCE)
    assert not set(suggesting.suggest(ws).ids) & set(acts(ws)["object_id"])
    page.keyboard.press("Backspace")
    assert until(lambda: len(acts(ws, "retract")) == 1)
    expect(part(page, "position")).to_have_text("3 / 7", timeout=PATIENCE)
    ground = suggesting.newest_ground(ws)
    assert int(acts(ws)["object_id"].iloc[-1]) in ground.ids[suggesting.learnt(ws, ground).pool]


def test_replay_is_asked_for_watched_stopped_and_goes_on(page, app, ws):
    page.goto(f"{app.url}/query")
    wait_ready(page)
    page.get_by_role("tab", name="Which strategy pays here?").click()
    expect(page.get_by_text("A replay hides the catalogue values").last).to_be_visible(timeout=PATIENCE)
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="linear", exact=True).click()
    for name, value in (("Seeds", 2), ("Rounds", 1)):
        page.get_by_role("spinbutton", name=name, exact=True).fill(str(value))
        page.keyboard.press("Tab")
        wait_ready(page)
    expect(page.get_by_text("75 labels for each curve; 16 trainings")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Replay", exact=True).click()
    assert until(lambda: len(replay_jobs(ws)) == 1 and replay_jobs(ws)[0]["status"] == "done")
    expect(page.get_by_text("On RMSE(delta)").first).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("So far")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator(".js-plotly-plot .legendtext")).to_have_text(["random", "epistemic sampled", "k means pp", "lcmd sampled"], timeout=PATIENCE)

    page.get_by_role("spinbutton", name="Seeds", exact=True).fill("50")
    page.keyboard.press("Tab")
    wait_ready(page)
    page.get_by_role("button", name="Replay", exact=True).click()
    page.get_by_role("button", name="Cancel").click(timeout=PATIENCE)
    assert until(lambda: replay_jobs(ws)[0]["status"] == "cancelled")
    page.get_by_role("button", name="Go on").click(timeout=PATIENCE)
    assert until(lambda: replay_jobs(ws)[0]["status"] in ("queued", "running", "done"))
    jobs.cancel(ws, replay_jobs(ws)[0]["id"])


def replay_jobs(ws) -> list[dict]:
    """Newest first."""
    return jobs.frame(ws).query("kind == 'replay'").to_dict("records")
