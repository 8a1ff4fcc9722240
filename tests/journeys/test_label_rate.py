"""The star-formation rate at the desk, the model's word after the grade, and the way back, in a real browser."""

import json

import pytest
from playwright.sync_api import expect

from tests.conftest import tiny_workspace
from tests.journeys.test_label_keys import FITTED, PATIENCE, part, rows, sit_down, wait_for_rows

HERE, THERE = 31, 45
"""Objects without a label."""


@pytest.fixture(scope="module")
def seated(browser, serve, tmp_path_factory):
    """One person at one desk, shared by the tests that follow each other."""
    server = serve(tiny_workspace(tmp_path_factory.mktemp("rate") / "tiny"))
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    yield page, server
    context.close()


def type_z(page, z: float) -> None:
    page.keyboard.press("z")
    page.keyboard.type(f"{z:.5f}")
    page.keyboard.press("Enter")


def true_z(ws, object_id: int) -> float:
    return float(ws.frame("SELECT value FROM truth WHERE object_id = ? AND target = 'z'", (object_id,))["value"].iloc[0])


def test_measured_rate_is_taken_by_a_key_and_saved_with_the_grade(seated):
    page, server = seated
    sit_down(page, server, f"?object={HERE}")
    type_z(page, true_z(server.ws, HERE))
    for key in "p4":
        page.keyboard.press(key)
    stored = wait_for_rows(server.ws, 9)
    assert len(stored) == 9 and set(stored["grade"]) == {4} and stored["sequence"].nunique() == 1
    assert stored.set_index("target")["source"].value_counts().to_dict() == {"measured": 8, "human": 1}
    assert json.loads(stored.set_index("target")["shown"]["sfr_tot_median"])["sfr"]["method"] == "Halpha"


def test_after_the_grade_the_model_speaks_and_one_key_goes_back(seated):
    page, server = seated
    sit_down(page, server, f"?object={THERE}")
    key, before = part(page, "key").inner_text(), len(rows(server.ws))
    type_z(page, 1.2)
    page.keyboard.press("4")
    blind = wait_for_rows(server.ws, before + 1).iloc[-1]
    assert json.loads(blind["shown"])["revealed"] is False
    expect(part(page, "afterword")).to_contain_text("Look again?", timeout=PATIENCE)
    page.keyboard.press("y")
    expect(part(page, "key")).to_have_text(key, timeout=PATIENCE)
    expect(part(page, "revealed")).to_be_visible(timeout=PATIENCE)
    type_z(page, 0.2)
    page.keyboard.press("3")
    again = wait_for_rows(server.ws, before + 2).iloc[-1]
    assert again["object_id"] == THERE and json.loads(again["shown"])["revealed_by"] == "an earlier grade"


def test_a_changed_number_is_the_persons_and_crossing_ones_are_refused(seated):
    page, server = seated
    sit_down(page, server, f"?object={HERE}")
    before, key = len(rows(server.ws)), part(page, "key").inner_text()
    field = page.locator("input[data-target=sfr_tot_p16]")
    field.fill("4.5")
    field.press("Enter")
    page.keyboard.press("4")
    expect(part(page, "said")).to_contain_text("Percentiles must not cross", timeout=PATIENCE)
    assert part(page, "key").inner_text() == key and len(rows(server.ws)) == before
    page.locator("[data-do=rate-clear]").click()
    page.locator("input[data-target=sfr_tot_entropy]").fill("-1.5")
    page.reload()
    page.wait_for_selector(FITTED, timeout=60_000)
    expect(page.locator("input[data-target=sfr_tot_entropy]")).to_have_value("-1.500", timeout=PATIENCE)
    page.locator("[data-do=rate-save]").click()
    saved = wait_for_rows(server.ws, before + 1).iloc[-1]
    assert (saved["target"], saved["value"], saved["source"], saved["grade"]) == ("sfr_tot_entropy", -1.5, "human", 4)
    page.wait_for_selector(FITTED)
