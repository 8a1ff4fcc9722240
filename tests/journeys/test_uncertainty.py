"""What a model does not know, in a real browser: a galaxy by a click, what is known of it when asked for, and what the last batch changed."""

import re

import numpy as np
import pytest

from core.store import batches, labels, runs
from tests.conftest import tiny_workspace
from tests.journeys.conftest import wait_ready

WHERE = """i => {
    const plot = document.querySelector(".js-plotly-plot"), cloud = plot._fullData[0], {xaxis, yaxis} = plot._fullLayout, box = plot.getBoundingClientRect();
    return [box.x + xaxis._offset + xaxis.d2p(cloud.x[i]), box.y + yaxis._offset + yaxis.d2p(cloud.y[i]), cloud.customdata[i][1]];
}"""
"""Pixels and key of a point of the first cloud."""


@pytest.fixture(scope="module")
def rounds(serve, tmp_path_factory):
    """The app on a tiny workspace with two runs of one model, and a batch labelled in between that halved ignorance about it."""
    ws = tiny_workspace(tmp_path_factory.mktemp("unsure") / "tiny")
    said = runs.load_arrays(ws, 1, "predictions")
    said["epistemic"] = said["epistemic"] * np.linspace(0.1, 3, 60)[np.random.default_rng(3).permutation(60)][:, None]
    runs.save_arrays(ws, 1, "predictions", **said)
    batch = batches.save(ws, "round two", "lcmd_sampled", {}, 0, [{"object_id": i} for i in (41, 42, 43)])
    labels.record(ws, [labels.Decision(i, "z", "label", "Ann", "c", i, value=0.1, grade=4, batch_id=batch) for i in (41, 42, 43)])
    second = runs.create(ws, "linear", "linear", {}, 0, {"high_water": labels.high_water(ws), "count": 33, "hash": "b"})
    asked = np.isin(said["object_ids"], (41, 42, 43))[:, None]
    runs.save_arrays(ws, second, "predictions", **said | {"epistemic": said["epistemic"] * np.where(asked, 0.25, 1.0)})
    runs.finish(ws, second, "done", {})
    return serve(ws)


def test_a_click_opens_a_galaxy_whose_label_stays_hidden_until_asked_for(rounds, page):
    page.goto(f"{rounds.url}/uncertainty?run=1")
    page.locator(".lb-map[data-drawn='Epistemic uncertainty']").wait_for(timeout=60_000)
    page.locator(".js-plotly-plot .heatmaplayer image").first.wait_for(timeout=30_000)
    page.get_by_text("Aleatoric uncertainty", exact=True).first.click()
    page.locator(".lb-map[data-drawn='Aleatoric uncertainty']").wait_for(timeout=30_000)
    page.get_by_role("tab", name="Noise or ignorance").click()
    page.locator(".js-plotly-plot .gl-container canvas").first.wait_for(timeout=30_000)
    wait_ready(page)
    page.wait_for_timeout(500)
    x, y, key = page.evaluate(WHERE, 2)
    page.mouse.move(x - 4, y)
    page.mouse.move(x, y, steps=4)
    page.wait_for_timeout(300)
    page.mouse.click(x, y)
    page.get_by_text(f"What the model says of {key}").wait_for(timeout=30_000)
    assert page.get_by_text("Catalogue", exact=True).count() == 0
    page.get_by_text("Reveal what is known").click()
    page.get_by_text("Catalogue", exact=True).wait_for(timeout=30_000)
    page.locator("[class*=st-key-unsure_ask_] button:enabled").first.click()
    page.wait_for_url(re.compile("/query"), timeout=30_000)
    page.get_by_text("in my lasso").first.wait_for(timeout=30_000)


def test_the_last_batch_is_told_with_what_it_changed_and_the_address_opens_a_galaxy(rounds, page):
    page.goto(f"{rounds.url}/uncertainty?run=2&galaxy=41&view=Since+the+last+batch")
    page.get_by_text("Between the two, 3 galaxies were labelled").wait_for(timeout=60_000)
    page.locator(".lb-map[data-drawn='Ignorance, doublings']").wait_for(timeout=30_000)
    page.get_by_text("Asked about -50% (3 galaxies)").wait_for(timeout=30_000)
    page.get_by_role("tab", name="One galaxy").click()
    page.get_by_text("What the model says of mock-00040").wait_for(timeout=30_000)
    search = page.get_by_role("textbox", name="Go to a galaxy")
    search.fill("mock-00016")
    search.press("Enter")
    page.get_by_text("What the model says of mock-00016").wait_for(timeout=30_000)
    assert "galaxy=17" in page.url
