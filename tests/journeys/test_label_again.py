"""Work that survives people, in a real browser: what was skipped comes back, a new session goes on, an old decision opens again."""

import json

import pytest
from playwright.sync_api import expect

from tests.conftest import tiny_workspace
from tests.journeys.test_label_keys import PATIENCE, part, rows, sit_down, wait_for_rows

WHO = "Annie"


@pytest.fixture(scope="module")
def server(serve, tmp_path_factory):
    return serve(tiny_workspace(tmp_path_factory.mktemp("again") / "tiny"))


@pytest.fixture
def page(browser, server):
    """A session of a person with a name, new each time."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_cookies([{"name": "lookback_annotator", "value": WHO, "url": server.url}])
    yield context.new_page()
    context.close()


def test_what_was_skipped_waits_with_its_reason_and_new_session_goes_on(page, server):
    sit_down(page, server)
    skipped = part(page, "key").inner_text()
    page.keyboard.press("x")
    page.keyboard.press("1")
    wait_for_rows(server.ws, 1, "skip")
    expect(part(page, "key")).not_to_have_text(skipped, timeout=PATIENCE)
    page.wait_for_selector(".candidate")
    place = part(page, "key").inner_text()
    sit_down(page, server)
    expect(part(page, "key")).to_have_text(place, timeout=PATIENCE)
    sit_down(page, server, "?batch=skipped")
    expect(part(page, "key")).to_have_text(skipped, timeout=PATIENCE)
    expect(part(page, "facts")).to_contain_text("too faint")
    page.keyboard.press("4")
    assert rows(server.ws, "skip")["object_id"].tolist() == wait_for_rows(server.ws, 1)["object_id"].tolist()


def test_old_decision_opens_with_its_values_and_the_new_one_stands_beside_it(page, server):
    before = rows(server.ws).iloc[-1]
    sit_down(page, server, "?batch=decided")
    expect(part(page, "z")).to_have_value(f"{before['value']:.5f}", timeout=PATIENCE)
    expect(part(page, "badges")).to_contain_text("labelled, grade 4")
    for key in ";", "1", "v", "2":
        page.keyboard.press(key)
    now = wait_for_rows(server.ws, 2).iloc[-1]
    assert (now["object_id"], now["grade"], now["comment"]) == (before["object_id"], 2, "one line only")
    assert json.loads(now["shown"])["revealed"] is True
    expect(page.get_by_text("replaced since")).to_be_visible(timeout=PATIENCE)
