"""The map in a real browser: lassos add and subtract, a view opens by its address, who moved most is listed."""

import re

import numpy as np
import pytest

from core.services import exploring
from core.services.exploring import Filters, View
from core.store import embeddings
from core.ui.map.cloud import frame
from tests.journeys.conftest import wait_ready

LEFT, RIGHT, ALL = (0.005, 0.5), (0.5, 0.995), (0.005, 0.995)


@pytest.fixture
def shown(server, page):
    """The map of the tiny workspace as it is drawn, opened in the browser."""
    page.goto(f"{server.url}/explore")
    page.locator(".lb-map[data-drawn]").wait_for(timeout=60_000)
    wait_ready(page)
    return exploring.map_table(server.ws, "pca image", 1)


def box(page, across: tuple[float, float]) -> None:
    """Drag a box over the full height of the map, between two shares of its width."""
    stage = page.locator(".lb-map .stage").first.bounding_box()
    x, y, w, h = stage["x"], stage["y"], stage["width"], stage["height"]
    page.locator("[data-tool=box]").first.click()
    page.mouse.move(x + across[0] * w, y + 0.005 * h)
    page.mouse.down()
    page.mouse.move(x + across[1] * w, y + 0.995 * h, steps=4)
    page.mouse.up()


def caught(page, count: int) -> None:
    """Wait until the map and the page say that so many galaxies are caught."""
    page.locator(f".lb-map[data-caught='{count}']").first.wait_for(timeout=30_000)
    page.get_by_text(f"{count} galaxies,").first.wait_for(timeout=30_000)


def test_lassos_add_subtract_and_invert_and_a_click_shows_one_galaxy(server, page, shown):
    low, high = shown.xy[:, 0].min(), shown.xy[:, 0].max()
    left = int((shown.xy[:, 0] < (low + high) / 2).sum())
    box(page, LEFT)
    caught(page, left)
    page.locator(".lb-grid a img").nth(min(left, 24) - 1).wait_for(timeout=30_000)
    assert page.locator(".lb-grid a img").count() == min(left, 24)
    page.keyboard.down("Shift")
    box(page, RIGHT)
    page.keyboard.up("Shift")
    caught(page, 60)
    page.locator("[data-how=subtract]").click()
    box(page, RIGHT)
    caught(page, left)
    page.locator("[data-do=invert]").click()
    caught(page, 60 - left)
    page.get_by_text("Table", exact=True).click()
    wait_ready(page)
    caught(page, 60 - left)
    page.locator("[data-do=clear]").click()
    page.get_by_text("Draw a lasso around some galaxies").wait_for()
    x0, x1, y0, y1 = frame(shown.xy)
    row = int(np.argmax(shown.xy[:, 0]))
    stage, (x, y) = page.locator(".lb-map .stage").first.bounding_box(), shown.xy[row].tolist()
    page.mouse.click(stage["x"] + stage["width"] * (x - x0) / (x1 - x0), stage["y"] + stage["height"] * (y1 - y) / (y1 - y0))
    page.get_by_text(f"Open {shown.key[row]}").wait_for(timeout=30_000)
    page.get_by_role("button", name="Catch its neighbours").click()
    caught(page, 13)


def test_a_saved_view_opens_by_its_address_with_what_was_caught(server, page):
    shown = exploring.map_table(server.ws, "pca image", 1)
    kept = shown.object_ids[shown.sn >= 10][:3].tolist()
    exploring.save_view(server.ws, "bright", View("pca image", 1, "sn", "z", Filters(sn=(10.0, None)), tuple(kept)), "somebody")
    page.goto(f"{server.url}/explore?view=bright")
    page.locator(".lb-map[data-drawn='Signal-to-noise']").wait_for(timeout=60_000)
    hidden = int((shown.sn < 10).sum())
    told = page.get_by_text(f"{hidden} hidden by filters")
    told.wait_for(timeout=30_000)
    assert hidden > 0 and told.is_visible()
    caught(page, 3)
    curves = page.locator(".lb-grid img.lb-curve")
    curves.nth(2).wait_for(timeout=30_000)
    assert curves.count() == 3 and not page.get_by_text(re.compile("^z = ")).count()
    page.get_by_text("Labels", exact=True).click()
    page.get_by_text(re.compile("^z = 0")).first.wait_for(timeout=30_000)


def test_moved_most_lists_who_left_and_catches_them(server, page):
    ids = np.arange(1, 61)
    _, xy = embeddings.load(server.ws, "pca image")
    before = xy + np.where(ids[:, None] == 17, 30.0, 0.0)
    embeddings.save(server.ws, "next round", "pca", "image", ids, xy, {}, before=before)
    page.goto(f"{server.url}/explore")
    page.locator(".lb-map[data-drawn]").wait_for(timeout=60_000)
    assert page.locator(".lb-grid img").first.get_attribute("alt").startswith("mock-00016:")
    page.get_by_role("button", name="Catch them").click()
    caught(page, 12)


def test_two_maps_share_what_is_caught_and_it_is_set_against_the_rest_and_thinned_out(server, page):
    ids, xy = embeddings.load(server.ws, "pca image")
    embeddings.save(server.ws, "a mirror", "pca", "image", ids, -xy, {})
    page.goto(f"{server.url}/explore")
    page.locator(".lb-map[data-drawn]").wait_for(timeout=60_000)
    wait_ready(page)
    page.get_by_text("Two maps", exact=True).click()
    page.locator(".lb-map[data-drawn]").nth(1).wait_for(timeout=30_000)
    wait_ready(page)
    box(page, ALL)
    page.locator(".lb-map[data-caught='60']").nth(1).wait_for(timeout=30_000)
    page.get_by_text("Against the rest", exact=True).click()
    for name in ("label of z", "prediction of z", "median spectrum"):
        page.locator(f"[data-testid=stPlotlyChart] [aria-label*='{name}' i], [data-testid=stPlotlyChart][aria-label*='{name}' i]").first.wait_for(state="attached", timeout=30_000)
    page.get_by_role("button", name="Thin out").first.click()
    page.get_by_role("spinbutton", name="Galaxies to keep").fill("5")
    page.keyboard.press("Tab")
    wait_ready(page)
    page.get_by_role("button", name="Thin out").last.click()
    page.locator(".lb-map[data-caught='5']").nth(1).wait_for(timeout=30_000)
    assert [page.locator(".lb-map").nth(k).get_attribute("data-caught") for k in range(2)] == ["5", "5"]
    caught(page, 5)
