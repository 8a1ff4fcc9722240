"""Retraining from the sidebar in a real browser: new labels are counted, progress moves, a notice says what the run reached."""

import os
import re
import subprocess
import sys

import pytest

from core.jobs import retraining
from core.store import jobs, labels, objects, runs
from tests.conftest import tiny_workspace
from tests.journeys.conftest import ROOT, wait_ready

SIDEBAR = "[data-testid=stSidebar]"


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A tiny workspace whose one model is a network that takes some seconds to fit, also on a fast machine: progress is looked at once a second."""
    ws = tiny_workspace(tmp_path_factory.mktemp("retrain") / "tiny")
    runs.finish(ws, 1, "failed")
    run = runs.create(ws, "photometry_mlp", "photometry_mlp", {"epochs": 1200, "members": 2}, 0, {"high_water": labels.high_water(ws), "count": 1, "hash": ""})
    runs.finish(ws, run, "done", {})
    return ws


@pytest.fixture(scope="module")
def worker(taught):
    """A worker for the workspace, ended by its own process id."""
    command = [sys.executable, "-m", "core", "worker", "--workspace", str(taught.path), "--parent", str(os.getpid())]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield process
    process.terminate()
    process.wait(timeout=20)


def label(ws, count: int) -> None:
    """Somebody else labels, somewhere else."""
    free = objects.frame(ws).query("split == 'train'")
    ids = free.loc[~free["id"].isin(labels.training(ws)["object_id"]), "id"].head(count).tolist()
    labels.record(ws, [labels.Decision(int(i), "z", "label", "Ben", "desk", int(i), value=0.1) for i in ids])


def test_labels_are_retrained_from_the_sidebar_and_by_themselves_and_the_outcome_is_told(taught, worker, serve, page):
    server = serve(taught)
    page.goto(f"{server.url}/review")
    wait_ready(page)
    side = page.locator(SIDEBAR)
    side.get_by_text("Every label is learnt").wait_for()
    label(taught, 2)
    side.get_by_text("2 new labels to learn").wait_for(timeout=15_000)
    side.get_by_role("button", name="Retrain now").click()
    seen = set()
    while not page.get_by_test_id("stToast").filter(has_text="on 2 more labels").count():
        seen |= set(re.findall(r"(\d+)%", side.inner_text()))
        page.wait_for_timeout(150)
    assert len(seen) > 1, seen
    side.get_by_text(re.compile("photometry_mlp: z NMAD .* on 2 more labels")).wait_for()
    page.locator(".st-key-sidebar_newest").get_by_role("link", name="Compare").click()
    page.wait_for_url(f"**/compare?run={runs.latest(taught)}")
    side.get_by_text("Every label is learnt").wait_for(timeout=15_000)

    retraining.set_rule(taught, retraining.Rule(False, 1), "Ben")
    side.get_by_text("By itself, every label").click(timeout=15_000)
    label(taught, 1)
    page.get_by_test_id("stToast").filter(has_text="on 1 more label").wait_for(timeout=120_000)
    assert retraining.rule(taught).is_on
    assert len(jobs.frame(taught)) == 2 and runs.one(taught, runs.latest(taught))["label_high_water"] == labels.high_water(taught)


def test_undone_label_marks_the_runs_that_learnt_it_and_offers_to_train_them_again(server, page):
    labels.retract(server.ws, int(labels.training(server.ws)["label_id"].iloc[0]), "Ben", "desk", 1)
    page.goto(f"{server.url}/train")
    again = page.get_by_role("button", name="Train linear again")
    again.wait_for(timeout=60_000)
    again.click()
    page.get_by_test_id("stToast").filter(has_text="1 training queued").wait_for()
    asked = jobs.frame(server.ws)
    assert asked["title"].tolist() == ["Train linear"] and jobs.one(server.ws, 1)["parameters"]["up_to"] == labels.high_water(server.ws)
