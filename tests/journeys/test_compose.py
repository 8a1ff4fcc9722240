"""A batch composed in a real browser: two strategies side by side, one taken, changed by hand, saved for somebody, downloaded, closed and opened again."""

import json
import time

import pandas as pd
import pytest
from playwright.sync_api import expect

from core.services import querying
from core.services.querying import Request
from core.store import assignments, batches
from tests.journeys.conftest import wait_ready
from tests.journeys.test_explore import ALL, box

PATIENCE = 60_000
HEAD, ROW = 35, 44
"""Pixels of the head and of a row of the table of picks."""


def tick(page, row: int) -> None:
    """Tick a row of the picks."""
    table = page.locator(".st-key-query_picks [data-testid=stDataFrame]")
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    page.mouse.click(box["x"] + 16, box["y"] + HEAD + ROW * (row + 0.5))
    wait_ready(page)


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click(timeout=PATIENCE)
    wait_ready(page)


def press_key(page, key: str) -> None:
    """Press the button of a widget key, and wait until the page has followed."""
    page.locator(f".st-key-{key} button:enabled").first.click(timeout=PATIENCE)
    page.wait_for_timeout(600)
    wait_ready(page)


def until(is_so, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not is_so() and time.monotonic() < end:
        time.sleep(0.1)
    return is_so()


def previewed(server, page, asked: str) -> None:
    """The Query page as its address asks for it, its batch previewed."""
    page.set_viewport_size({"width": 1280, "height": 1500})
    page.goto(f"{server.url}/query?{asked}")
    page.locator(".lb-map[data-drawn]").wait_for(timeout=PATIENCE)
    wait_ready(page)
    page.get_by_role("button", name="Preview").click()


@pytest.fixture
def composed(server, page):
    """Eight galaxies by `lcmd_sampled` beside eight at random."""
    previewed(server, page, "compare=true&size=8")
    expect(page.get_by_role("button", name="Take this one")).to_have_count(2, timeout=PATIENCE)
    asked = Request("random", 8, run_id=1, needs_spectrum=True)
    return querying.preview(server.ws, asked)


def test_two_strategies_are_compared_one_is_taken_changed_by_hand_and_saved(server, page, composed):
    legend = page.locator(".lb-map .legend")
    expect(legend).to_contain_text("only lcmd sampled")
    expect(legend).to_contain_text("only random")
    expect(page.locator(".st-key-worth")).to_contain_text("vs random")
    page.get_by_role("button", name="Take this one").last.click()
    expect(legend).to_contain_text("random control (1)", timeout=PATIENCE)
    expect(page.get_by_role("button", name="Take this one")).to_have_count(0)

    ids = composed.ids.tolist()
    gone = composed.table.index[~composed.table["control"]][0]
    tick(page, gone)
    press(page, "Remove 1")
    expect(page.get_by_text("Changed by hand: 1 taken out.")).to_be_visible(timeout=PATIENCE)
    fresh = next(int(i) for i in composed.pool.object_ids if i not in ids)
    press_key(page, "query_add")
    page.get_by_role("textbox", name="Galaxies to add").fill(f"{fresh}, 1")
    page.keyboard.press("Control+Enter")
    wait_ready(page)
    press(page, "Add them")
    expect(page.get_by_text("Changed by hand: 1 taken out, 1 put in.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Not added: 1 already decided on.").or_(page.get_by_text("Not added: 1 kept for calibration and test."))).to_be_visible()
    tick(page, 7)
    press_key(page, "query_move_up")
    press_key(page, "query_move_top")
    expect(page.get_by_text("Changed by hand: 1 taken out, 1 put in, ordered by hand.")).to_be_visible(timeout=PATIENCE)

    page.get_by_role("combobox", name="For").fill("Ada")
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-query_people")).to_contain_text("Ada")
    page.keyboard.press("Escape")
    wait_ready(page)
    press(page, "Save batch")
    assert until(lambda: not batches.frame(server.ws).empty)
    row = batches.frame(server.ws).iloc[0]
    items, by_hand = batches.items(server.ws, row["id"]), json.loads(row["parameters"])["by hand"]
    assert items["object_id"].tolist() == [fresh, *(i for i in ids if i != ids[gone])] and row["strategy"] == "random"
    assert items["reason"].iloc[0] == "Added by hand (anonymous)" and items["control"].sum() == 1
    assert by_hand == {"removed": [ids[gone]], "added": [fresh], "removed_control": 0, "order": "by hand"}
    assert until(lambda: assignments.progress(server.ws)["annotator"].tolist() == ["Ada"])

    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click(timeout=PATIENCE)
    assert pd.read_csv(download.value.path(), comment="#")["object_id"].tolist() == items["object_id"].tolist()
    for name, status in (("Close", "closed"), ("Open", "open")):
        page.get_by_role("button", name=name).filter(has_text=row["name"]).click(timeout=PATIENCE)
        assert until(lambda status=status: batches.frame(server.ws)["status"].iloc[0] == status)


def test_what_a_box_catches_is_added_and_what_may_not_be_asked_about_is_told(server, page):
    previewed(server, page, "size=3")
    expect(page.get_by_text("All 3 picks are on this map.")).to_be_visible(timeout=PATIENCE)
    box(page, ALL)
    page.get_by_role("button", name="Add the 60 to the batch").click(timeout=PATIENCE)
    expect(page.get_by_text("added at the end of the batch.")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("Not added: 3 in the batch already, 21 kept for calibration and test, 19 already decided on")).to_be_visible()
    press_key(page, "query_undo")
    expect(page.get_by_text("All 3 picks are on this map.")).to_be_visible(timeout=PATIENCE)
