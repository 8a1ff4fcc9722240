"""Two runs compared in a real browser: a click on a point opens its galaxy, and the address keeps what was chosen."""

import re

import pandas as pd
import pytest

from core.store import labels, runs
from tests.conftest import tiny_workspace
from tests.journeys.conftest import wait_ready

WHERE = """i => {
    const plot = document.querySelector(".js-plotly-plot"), cloud = plot._fullData[0], {xaxis, yaxis} = plot._fullLayout, box = plot.getBoundingClientRect();
    return [box.x + xaxis._offset + xaxis.d2p(cloud.x[i]), box.y + yaxis._offset + yaxis.d2p(cloud.y[i]), String(cloud.customdata[i][0])];
}"""
"""Pixels and object of a point of the first cloud."""


@pytest.fixture(scope="module")
def compared(serve, tmp_path_factory):
    """The app on a tiny workspace with two runs that differ."""
    ws = tiny_workspace(tmp_path_factory.mktemp("compare") / "tiny")
    second = runs.create(ws, "linear image", "linear", {"modalities": "image"}, 1, {"high_water": labels.high_water(ws), "count": 30, "hash": "b"})
    first = runs.load_arrays(ws, 1, "predictions")
    runs.save_arrays(ws, second, "predictions", **first | {"mean": first["mean"] + 0.05})
    for run, rmse in ((1, 0.02), (second, 0.07)):
        rows = [("test", "z", subset, "rmse", rmse) for subset in ("all", "passive")]
        runs.put_metrics(ws, run, pd.DataFrame(rows, columns=["split", "target", "subset", "name", "value"]))
    runs.finish(ws, second, "done", {"seconds": 3.0})
    return serve(ws)


def test_compare_opens_the_galaxy_of_a_clicked_point_and_keeps_its_view_in_the_address(compared, page):
    page.goto(f"{compared.url}/compare?run=1")
    page.wait_for_selector(".js-plotly-plot .gl-container canvas", timeout=60_000)
    wait_ready(page)
    page.locator(".js-plotly-plot").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    x, y, object_id = page.evaluate(WHERE, 3)
    page.mouse.move(x - 4, y)
    page.mouse.move(x, y, steps=4)
    page.wait_for_timeout(300)
    page.mouse.click(x, y)
    page.wait_for_url(re.compile(rf"/label\?.*object={object_id}\b"), timeout=30_000)
    wait_ready(page)
    page.goto(f"{compared.url}/compare?run=1")
    page.get_by_role("tab", name="Cost").click(timeout=30_000)
    page.wait_for_url(re.compile("/compare.*view=Cost"))
    names = page.locator(".js-plotly-plot .annotation-text")
    names.first.wait_for(timeout=30_000)
    assert sorted(names.all_text_contents()) == ["linear", "linear image"]
