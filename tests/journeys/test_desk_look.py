"""What follows the redshift on the desk, in a real browser: curve, refit, named features, neighbours, own keys."""

import pytest
from playwright.sync_api import expect

from core.spectroscopy.lines import line
from core.store import truth
from core.ui import keys
from tests.conftest import tiny_workspace
from tests.journeys.conftest import wait_ready
from tests.journeys.test_label_keys import FITTED, PATIENCE, part, rows, sit_down, wait_for_rows

AT = 40
HALPHA = line("Halpha 6565").wave


@pytest.fixture(scope="module")
def desk(browser, serve, tmp_path_factory):
    """One person before one object, with a key of their own."""
    ws = tiny_workspace(tmp_path_factory.mktemp("look") / "tiny")
    (ws.path / keys.FILE).write_text('refit = "m"\n')
    server = serve(ws)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = sit_down(context.new_page(), server, f"?object={AT}")
    page.wait_for_timeout(1500)
    wait_ready(page)
    yield page, ws
    context.close()


def z_of(page) -> float:
    return float(part(page, "z").input_value())


def test_click_on_the_curve_takes_a_candidate_or_a_redshift(desk):
    page, _ = desk
    box = part(page, "curve").bounding_box()
    first = z_of(page)
    page.keyboard.press("o")
    second = z_of(page)
    page.keyboard.press("i")
    assert z_of(page) == first != second
    taken = set()
    for share in (0.15, 0.4, 0.65, 0.9):
        page.mouse.click(box["x"] + 46 + share * (box["width"] - 56), box["y"] + box["height"] / 2)
        taken.add(z_of(page))
    assert len(taken) == 4 and sorted(taken)[0] < 0.1 and sorted(taken)[-1] > 2
    page.keyboard.press("o")


def test_own_key_refits_to_the_best_redshift_near_and_its_error_is_stored(desk):
    page, ws = desk
    page.locator(FITTED).first.click()
    best = z_of(page)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert z_of(page) > best + 0.001
    page.keyboard.press("u")
    assert z_of(page) > best + 0.001
    page.keyboard.press("m")
    assert z_of(page) == pytest.approx(best, abs=2e-4)
    expect(part(page, "origin")).to_have_text("refit")


def test_feature_that_is_clicked_gets_a_name_and_gives_the_redshift(desk):
    page, ws = desk
    z = truth.frame(ws, [AT]).query("target == 'z'")["value"].iloc[0]
    page.keyboard.press("w")
    low, high = map(float, part(page, "plot").get_attribute("data-view").split())
    box = part(page, "plot").bounding_box()
    x, y = box["x"] + 46 + ((1 + z) * HALPHA - low) / (high - low) * (box["width"] - 56), box["y"] + box["height"] / 2
    page.mouse.click(x, y)
    names = part(page, "names")
    expect(names).to_be_visible()
    assert "peak at" in names.inner_text()
    page.keyboard.press("Escape")
    expect(names).to_be_hidden()
    page.mouse.click(x + 1, y)
    names.get_by_text("Halpha 6565").click()
    expect(names).to_be_hidden()
    assert z_of(page) == pytest.approx(z, abs=1e-3)
    expect(part(page, "origin")).to_have_text("line Halpha 6565")


def test_switches_and_the_sheet_of_keys_show_the_keys_as_they_are(desk):
    page, _ = desk
    for name, key in (("template", "t"), ("ghosts", "g"), ("noise", "a")):
        before = part(page, name).get_attribute("aria-pressed")
        page.keyboard.press(key)
        expect(part(page, name)).not_to_have_attribute("aria-pressed", before)
    page.keyboard.press("?")
    assert "Fit again around this redshift" in part(page, "keys").inner_text() and keys.FILE in part(page, "keys-file").inner_text()
    assert part(page, "keys").get_by_text("Fit again around this redshift").locator("..").get_attribute("title") == "refit"
    page.keyboard.press("Escape")
    assert page.locator("[data-do=refit] kbd").inner_text() == "m"


def test_simulated_sky_has_no_pages_elsewhere_and_neighbours_lead_to_themselves(desk):
    page, ws = desk
    links = page.locator(".viewer")
    assert links.count() == 3 and all(links.nth(i).get_attribute("href") is None for i in range(3))
    assert "no such place" in links.first.get_attribute("title")
    other = page.locator(".neighbour").first
    key = other.get_attribute("title").split(":")[0]
    other.click()
    expect(part(page, "key")).to_have_text(key, timeout=PATIENCE)
    page.wait_for_selector(FITTED, timeout=60_000)
    page.keyboard.press("m")
    page.keyboard.press("3")
    last = wait_for_rows(ws, 1).iloc[-1]
    assert '"origin": "refit"' in last["shown"] and 0 < last["sigma"] < 0.01


def test_file_of_keys_that_breaks_a_rule_is_told_in_place_of_the_desk(desk):
    page, ws = desk
    (ws.path / keys.FILE).write_text('next = "b"\n')
    page.reload()
    expect(page.get_by_text("the key 'b' must do one thing; got next and previous")).to_be_visible(timeout=PATIENCE)
    (ws.path / keys.FILE).unlink()
    assert len(rows(ws)) == 1
