"""The labelling desk under fast fingers, in a real browser: nothing pressed is lost, nothing is written twice."""

import signal
import time

import pytest
from playwright.sync_api import expect

from core.store import Workspace
from tests.conftest import tiny_workspace
from tests.journeys.conftest import wait_ready

FITTED = ".candidate"
PATIENCE = 20_000
"""Milliseconds a busy machine may take to draw what a key has asked for."""
NUDGES = """() => {
    const times = [];
    for (let i = 0; i < 20; i++) {
        const start = performance.now();
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, composed: true }));
        times.push(performance.now() - start);
    }
    return times;
}"""


def rows(ws: Workspace, action: str = "label"):
    """What this browser put into the log."""
    return ws.frame("SELECT * FROM labels WHERE client NOT IN ('test') AND action = ? ORDER BY id", (action,))


def wait_for_rows(ws: Workspace, count: int, action: str = "label", seconds: float = 60):
    """The rows of the log, once there are at least ``count``."""
    until = time.monotonic() + seconds
    while len(rows(ws, action)) < count and time.monotonic() < until:
        time.sleep(0.05)
    return rows(ws, action)


def sit_down(page, server, query: str = ""):
    """Open the Label page and wait until the first object has its redshift."""
    page.goto(f"{server.url}/label{query}")
    wait_ready(page)
    page.wait_for_selector(FITTED, timeout=60_000)
    return page


def part(page, name: str):
    """An element of the desk."""
    return page.locator(f"[data-part={name}]")


@pytest.fixture(scope="module")
def ws(server) -> Workspace:
    return server.ws


@pytest.fixture(scope="module")
def seated(browser, serve, tmp_path_factory):
    """One person at one desk with many objects to label, shared by the tests that follow each other."""
    server = serve(tiny_workspace(tmp_path_factory.mktemp("burst") / "tiny", n=140))
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = sit_down(context.new_page(), server)
    yield page, server.ws
    context.close()


@pytest.mark.parametrize("gap", [0, 60, 120])
def test_burst_of_ten_keys_gives_ten_rows_on_ten_objects(seated, gap):
    page, ws = seated
    before = len(rows(ws))
    for _ in range(10):
        page.keyboard.press("4")
        if gap:
            page.wait_for_timeout(gap)
    stored = wait_for_rows(ws, before + 10).iloc[before:]
    page.wait_for_function("document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot.querySelector('[data-part=sync]').textContent === 'saved'", timeout=60_000)
    assert len(rows(ws)) == before + 10
    assert stored["object_id"].nunique() == 10
    assert (stored["grade"] == 4).all() and stored["value"].notna().all()


def test_nudging_redshift_twenty_times_is_fast_and_keeps_the_zoom(seated):
    page, _ = seated
    page.wait_for_selector(FITTED, timeout=60_000)
    box = part(page, "plot").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for _ in range(4):
        page.mouse.wheel(0, -100)
    page.wait_for_timeout(300)
    view, z = part(page, "plot").get_attribute("data-view"), float(part(page, "z").input_value())
    times = page.evaluate(NUDGES)
    page.wait_for_timeout(500)
    assert sorted(times)[len(times) // 2] < 20
    assert float(part(page, "z").input_value()) == pytest.approx((1 + z) * 1.0005**20 - 1, abs=2e-5)
    assert part(page, "plot").get_attribute("data-view") == view


def test_undo_goes_back_and_retracts(seated):
    page, ws = seated
    key, before = part(page, "key").inner_text(), len(rows(ws))
    page.keyboard.press("3")
    wait_for_rows(ws, before + 1)
    expect(part(page, "key")).not_to_have_text(key, timeout=PATIENCE)
    page.keyboard.press("Backspace")
    undone = wait_for_rows(ws, 1, "retract")
    expect(part(page, "key")).to_have_text(key, timeout=PATIENCE)
    assert undone["supersedes"].tolist() == rows(ws)["id"].tolist()[-1:]


def test_skip_and_flag_keep_their_words(seated):
    page, ws = seated
    key = part(page, "key").inner_text()
    page.keyboard.press("f")
    page.keyboard.press("2")
    assert wait_for_rows(ws, 1, "flag")["flags"].tolist() == ["blend"]
    expect(part(page, "key")).to_have_text(key, timeout=PATIENCE)
    page.keyboard.press("x")
    page.keyboard.type("two galaxies")
    page.keyboard.press("Enter")
    skipped = wait_for_rows(ws, 1, "skip")
    assert skipped["comment"].tolist() == ["two galaxies"]
    expect(part(page, "key")).not_to_have_text(key, timeout=PATIENCE)


def test_keys_are_ignored_while_typing(seated):
    page, ws = seated
    page.wait_for_selector(FITTED, timeout=60_000)
    before, key = len(rows(ws)), part(page, "key").inner_text()
    page.keyboard.press("z")
    page.keyboard.type("0.4")
    page.keyboard.press("Escape")
    page.get_by_role("textbox", name="Your name").click()
    page.keyboard.type("41x")
    page.wait_for_timeout(600)
    assert len(rows(ws)) == before and part(page, "key").inner_text() == key
    page.locator("h1").click()
    page.wait_for_timeout(1500)
    wait_ready(page)
    page.wait_for_selector(FITTED, timeout=60_000)
    page.keyboard.press("z")
    page.keyboard.type("0.25")
    page.keyboard.press("Enter")
    page.keyboard.press("4")
    last = wait_for_rows(ws, before + 1).iloc[-1]
    assert last["value"] == 0.25 and '"origin": "typed"' in last["shown"]


def test_model_and_catalogue_are_recorded_as_such(seated):
    page, ws = seated
    page.wait_for_selector(FITTED, timeout=60_000)
    before = len(rows(ws))
    page.keyboard.press("Enter")
    expect(part(page, "revealed")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("4")
    assisted = wait_for_rows(ws, before + 1).iloc[-1]
    assert assisted["source"] == "model-assisted" and '"revealed": true' in assisted["shown"]
    page.keyboard.press("k")
    taken = wait_for_rows(ws, before + 10).iloc[before + 1 :]
    assert len(taken) == 9 and set(taken["source"]) == {"catalogue"} and taken["sequence"].nunique() == 1


def test_reload_in_the_middle_loses_nothing(page, server, ws):
    sit_down(page, server)
    before = len(rows(ws, "cannot"))
    for _ in range(5):
        page.keyboard.press("0")
    page.reload()
    sit_down(page, server)
    assert len(wait_for_rows(ws, before + 5, "cannot")) == before + 5
    assert rows(ws, "cannot")["object_id"].nunique() == len(rows(ws, "cannot"))


def test_two_people_on_one_object_are_two_rows(browser, server, ws):
    object_id = int(ws.frame("SELECT MAX(id) AS id FROM objects")["id"].iloc[0])
    for name in ("Annie", "Cecilia"):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": "lookback_annotator", "value": name, "url": server.url}])
        page = sit_down(context.new_page(), server, f"?object={object_id}")
        before = len(rows(ws))
        page.keyboard.press("4")
        wait_for_rows(ws, before + 1)
        context.close()
    here = rows(ws).query("object_id == @object_id")
    assert here["annotator"].tolist() == ["Annie", "Cecilia"]


def test_server_killed_in_the_middle_loses_nothing(page, server, ws):
    sit_down(page, server)
    before = len(rows(ws, "cannot"))
    server.stop(signal.SIGKILL)
    for _ in range(3):
        page.keyboard.press("0")
        page.wait_for_timeout(150)
    server.start()
    assert len(wait_for_rows(ws, before + 3, "cannot", 90)) == before + 3
