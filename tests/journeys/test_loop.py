"""One complete turn of the loop in a real browser: map, lasso, batch, labels by keys, undo, retrain, compare."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.jobs.foreground import follow
from core.store import batches, jobs, labels, open_workspace, runs
from tests.journeys.conftest import ROOT, wait_ready


@pytest.fixture(scope="module")
def small_sky(tmp_path_factory):
    """A mock sky of 300 with one map and two finished models."""
    ws = open_workspace(tmp_path_factory.mktemp("loop") / "sky")
    follow(ws, jobs.enqueue(ws, "demo", "Build the demo sky", {"n": 300, "seed": 1, "labels": 60, "models": ["mean"]}), say=lambda line: None)
    for job in jobs.frame(ws).query("status == 'queued'").sort_values("id").itertuples():
        wanted = job.title == "Train mean" or job.title.startswith("PCA")
        follow(ws, job.id, say=lambda line: None) if wanted else jobs.cancel(ws, job.id)
    follow(ws, jobs.enqueue(ws, "train", "Train random_forest", {"model": "random_forest", "config": {}, "seed": 0}), say=lambda line: None)
    return ws


@pytest.fixture(scope="module")
def worker(small_sky):
    """A worker for the workspace, ended by its own process id."""
    command = [sys.executable, "-m", "core", "worker", "--workspace", str(small_sky.path), "--parent", str(os.getpid())]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield process
    process.terminate()
    process.wait(timeout=20)


def lasso(page):
    """Drag a lasso around the middle of the map."""
    box = page.locator(".lb-map .stage").last.bounding_box()
    x, y, w, h = box["x"], box["y"], box["width"], box["height"]
    corners = [(0.05, 0.05), (0.95, 0.05), (0.95, 0.95), (0.05, 0.95), (0.05, 0.06)]
    page.mouse.move(x + corners[0][0] * w, y + corners[0][1] * h)
    page.mouse.down()
    for a, b in corners[1:]:
        page.mouse.move(x + a * w, y + b * h, steps=6)
    page.mouse.up()


def until(found, seconds: float = 90):
    """What ``found()`` gives once it is true."""
    end = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < end:
        time.sleep(0.1)
    return value


def human_rows(ws, action: str = "label"):
    return ws.frame("SELECT * FROM labels WHERE source <> 'catalogue' AND action = ? ORDER BY id", (action,))


def test_one_turn_of_the_loop(small_sky, worker, serve, page):
    ws, server = small_sky, serve(small_sky)
    page.goto(f"{server.url}/explore")
    wait_ready(page)
    page.locator(".lb-map[data-drawn]").wait_for(timeout=60_000)
    page.wait_for_timeout(1500)
    lasso(page)
    page.get_by_role("button", name="Ask within").and_(page.locator(":enabled")).first.click(timeout=30_000)

    page.wait_for_url("**/query*")
    wait_ready(page)
    page.get_by_role("spinbutton", name="Galaxies").fill("8")
    page.keyboard.press("Tab")
    wait_ready(page)
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Save batch").click(timeout=60_000)
    batch = until(lambda: not batches.frame(ws).empty) and batches.frame(ws).iloc[0]
    assert batch["size"] == 8 and batches.items(ws, batch["id"])["reason"].str.len().gt(0).all()

    page.goto(f"{server.url}/label?batch={batch['id']}")
    page.wait_for_selector(".candidate", timeout=60_000)
    for _ in range(5):
        page.keyboard.press("4")
        page.wait_for_timeout(400)
    until(lambda: len(human_rows(ws)) >= 5)
    assert len(human_rows(ws)) == 5 and human_rows(ws)["object_id"].nunique() == 5
    page.keyboard.press("Backspace")
    until(lambda: len(human_rows(ws, "retract")) >= 1)
    assert human_rows(ws, "retract")["supersedes"].tolist() == [human_rows(ws)["id"].iloc[-1]]

    before = runs.frame(ws)["id"].max()
    page.goto(f"{server.url}/train")
    wait_ready(page)
    page.get_by_role("button", name="Retrain everything").click()
    fractions: set[float] = set()
    until(lambda: fractions.update(jobs.frame(ws)["fraction"]) or (runs.frame(ws)["id"].max() >= before + 2 and (runs.frame(ws).head(2)["status"] == "done").all()))
    newest = runs.frame(ws).iloc[0]
    assert newest["status"] == "done" and newest["id"] > before and newest["label_high_water"] == labels.high_water(ws)
    assert len(fractions) > 2

    page.goto(f"{server.url}/compare?run={newest['id']}")
    wait_ready(page)
    page.get_by_text("Side by side").wait_for(timeout=30_000)
    page.get_by_text(re.compile(newest["model"])).first.wait_for(state="attached", timeout=30_000)

    page.goto(f"{server.url}/data?tab=Export")
    wait_ready(page)
    page.get_by_role("button", name="Prepare the export").click()
    page.get_by_role("button", name="Everything (zip)").wait_for(timeout=30_000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Everything (zip)").click()
    assert Path(download.value.path()).read_bytes()[:2] == b"PK"
