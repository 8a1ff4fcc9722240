"""Two people on one object at once, what Review makes of it, and how it ends; in a real browser."""

import time

import pytest
from playwright.sync_api import expect

from core.services import assigning, reviewing
from core.spectroscopy.lines import line
from core.store import batches, labels, objects
from tests.conftest import tiny_workspace
from tests.journeys.conftest import wait_ready

FITTED, PATIENCE = ".candidate", 30_000
READINGS = {"Annie": 8012 / line("Halpha 6565").wave - 1, "Cecilia": 8012 / line("[OIII] 5008").wave - 1}


@pytest.fixture(scope="module")
def shared(serve, tmp_path_factory):
    """The app on a tiny workspace with a batch of three that two people both label."""
    ws = tiny_workspace(tmp_path_factory.mktemp("review") / "tiny")
    table = objects.frame(ws)
    ids = table.loc[(table["id"] > 30) & (table["split"] == "train"), "id"].tolist()[:3]
    batch = batches.save(ws, "together", "random", {}, 7, [{"object_id": i} for i in ids])
    assigning.assign(ws, batch, list(READINGS), 2, "Judge")
    return serve(ws), batch, ids


def come_in(browser, server, who: str, address: str):
    """A browser of one's own, under one's own name."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": "lookback_annotator", "value": who, "url": server.url}])
    page = context.new_page()
    page.goto(f"{server.url}/{address}")
    wait_ready(page)
    return page


def until(found, seconds: float = 60):
    """What ``found()`` gives once it is true."""
    end = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < end:
        time.sleep(0.1)
    return value


def test_two_people_at_once_disagree_and_a_third_settles_it(browser, shared):
    (server, batch, ids), ws = shared, shared[0].ws
    desks = {who: come_in(browser, server, who, f"label?batch={batch}") for who in READINGS}
    for who, page in desks.items():
        page.wait_for_selector(FITTED, timeout=PATIENCE)
        expect(page.get_by_text("You decide blind")).to_be_visible(timeout=PATIENCE)
        page.keyboard.press("z")
        page.keyboard.type(f"{READINGS[who]:.5f}")
        page.keyboard.press("Enter")
    for page in desks.values():
        page.keyboard.press("4")
    first = ids[0]
    assert until(lambda: len(labels.history(ws, first)) == 2)
    assert sorted(labels.history(ws, first)["annotator"]) == ["Annie", "Cecilia"] and labels.held_back(ws) == [first]
    desks["Cecilia"].goto(f"{server.url}/label?batch={batch}&object={first}")
    expect(desks["Cecilia"].get_by_text("Annie, ")).to_be_visible(timeout=PATIENCE)

    judge = come_in(browser, server, "Judge", "review")
    expect(judge.get_by_text("reads Hα 6565").first).to_be_visible(timeout=PATIENCE)
    expect(judge.get_by_text("at the same 8012 Å").first).to_be_visible()
    judge.get_by_role("button", name="Take Annie's").click()
    expect(judge.get_by_text("Everybody agrees")).to_be_visible(timeout=PATIENCE)
    assert labels.training(ws).query("object_id == @first and target == 'z'")["value"].tolist() == pytest.approx([round(READINGS["Annie"], 5)])
    assert labels.history(ws, first)["source"].tolist() == ["human", "human", labels.ADJUDICATION] and reviewing.disagreements(ws) == ()
    judge.get_by_role("button", name="Undo the last verdict").click()
    expect(judge.get_by_text("held back from training until settled")).to_be_visible(timeout=PATIENCE)
    assert labels.held_back(ws) == [first]
    for page in (*desks.values(), judge):
        page.context.close()
