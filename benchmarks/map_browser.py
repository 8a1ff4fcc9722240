"""Seconds that a person waits at the map: lasso to linked gallery, another colouring, another page.

    python -m benchmarks.map_browser [--galaxies 5000 50000 200000 500000] [--rounds 5]

A workspace of random numbers for each count, a server of its own, headless chromium that draws WebGL in
software. A lasso counts from the release of the mouse until the page tells another count beside its gallery and
the app rests; its outline differs each time, so that nothing is answered from a cache. At the end a lasso goes
around every galaxy, and the app must still answer. Medians; trust the ratios.
"""

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from core.columns import TARGET_NAMES
from core.store import Workspace, arrays, embeddings, labels, objects, open_workspace, runs
from tests.journeys.conftest import CHROMIUM, CHROMIUM_FLAGS, Server, free_port, wait_ready

PICTURES, LABELLED, LATENT = 512, 2000, 16
MAP = ".lb-map .stage"
DRAWN = ".lb-map[data-drawn]"
COUNT = "[...document.querySelectorAll('p')].map(p => p.textContent).find(text => /galaxies.*labelled/.test(text))"
"""What the page says of what is caught."""


def workspace(path: Path, n: int, rng: np.random.Generator) -> Workspace:
    """Galaxies of random numbers in forty clumps, that share `PICTURES` images; some labels, one run, one map."""
    ws = open_workspace(path)
    rows = [{"key": f"random-{i:06d}", "sky_group": i, "split": ("train", "train", "train", "calibration", "test")[i % 5], "sn": float(s), "class": "GALAXY",
             "simulated": 1, "metadata": {}} for i, s in enumerate(rng.gamma(3, 4, n))]
    spot = 2 * np.exp(-((np.indices((64, 64)) - 31.5) ** 2).sum(0) / rng.uniform(10, 90, (PICTURES, 1, 1, 1)))
    with arrays.appending(ws) as appender:
        staged = appender.stage("image", rng.normal(0, 0.02, (PICTURES, 5, 64, 64)) + spot * rng.uniform(0.2, 1, (PICTURES, 5, 1, 1)))
        with ws.write() as db:
            ids = np.array(objects.upsert(db, rows))
            appender.publish(db)
            arrays.link(db, "image", ids, staged[ids % PICTURES])
    labels.record(ws, [labels.Decision(int(i), "z", "label", "somebody", "benchmark", k, value=0.1) for k, i in enumerate(ids[:LABELLED])])
    _run(ws, ids, rng)
    xy = rng.normal(0, 5, (40, 2))[rng.integers(0, 40, n)] + rng.normal(0, 1, (n, 2))
    embeddings.save(ws, "a map", "umap", "image", ids, xy, {}, 1)
    return ws


def _run(ws: Workspace, ids: np.ndarray, rng: np.random.Generator) -> None:
    run_id = runs.create(ws, "linear", "linear", {}, 0, {"high_water": labels.high_water(ws), "count": LABELLED, "hash": ""})
    mean, variance = rng.normal(0, 1, (len(ids), len(TARGET_NAMES))), rng.gamma(2, 0.01, (2, len(ids), len(TARGET_NAMES)))
    runs.save_arrays(ws, run_id, "predictions", object_ids=ids, targets=np.array(TARGET_NAMES), mean=mean, aleatoric=variance[0], epistemic=variance[1],
                     features=rng.standard_normal((len(ids), LATENT)).astype(np.float32))
    runs.finish(ws, run_id, "done", {"seconds": 1.0})


def lasso(page: Page, reach: float) -> None:
    """Drag a lasso, ``reach`` the share of the map's half width that it goes to."""
    box = page.locator(MAP).first.bounding_box()
    x, y, w, h = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"] / 2, box["height"] / 2
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -0.98)]
    page.mouse.move(x - reach * w, y - reach * h)
    page.mouse.down()
    for a, b in corners[1:]:
        page.mouse.move(x + a * reach * w, y + b * reach * h, steps=5)


def lasso_to_gallery(page: Page, reach: float) -> float:
    """Seconds from the release of the mouse until the gallery shows what was caught."""
    before = page.evaluate(COUNT)
    lasso(page, reach)
    begun = time.perf_counter()
    page.mouse.up()
    page.wait_for_function(f"before => {COUNT} && {COUNT} !== before && document.querySelector('.lb-grid img')", arg=before, polling=20)
    wait_ready(page)
    return time.perf_counter() - begun


def colour(page: Page, title: str) -> float:
    """Seconds from the choice of a colouring until the map says that it shows it and the app rests."""
    page.get_by_role("combobox", name="Colour by").click()
    page.keyboard.type(title)
    option = page.get_by_role("option", name=title, exact=True)
    begun = time.perf_counter()
    option.click()
    page.locator(f".lb-map[data-drawn='{title}']").wait_for()
    wait_ready(page)
    return time.perf_counter() - begun


def switch(page: Page, to: str, ready: str) -> float:
    """Seconds from the click on a page's name until it shows ``ready`` and the app rests."""
    begun = time.perf_counter()
    page.get_by_role("link", name=to).first.click()
    page.wait_for_selector(ready)
    wait_ready(page)
    return time.perf_counter() - begun


def timings(page: Page, url: str, rounds: int) -> dict[str, list[float]]:
    """All that is measured on one workspace, each ``rounds`` times after one unmeasured."""
    page.goto(f"{url}/explore")
    page.wait_for_selector(MAP, timeout=120_000)
    wait_ready(page)
    page.wait_for_timeout(2000)
    reaches = iter(np.linspace(0.35, 0.6, 2 * rounds + 2))
    colours = iter(["Signal-to-noise", "Epistemic uncertainty", "Prediction"] * rounds)
    tasks: dict[str, Callable[[], float]] = {
        "lasso to gallery": lambda: lasso_to_gallery(page, float(next(reaches))),
        "another colouring": lambda: colour(page, next(colours)),
        "to Data": lambda: switch(page, "Data", "h1:has-text('Data')"),
    }
    taken = {name: [task() for _ in range(rounds + 1)][1:] for name, task in list(tasks.items())[:2]}
    away, back = [], []
    for _ in range(rounds + 1):
        away.append(tasks["to Data"]())
        back.append(switch(page, "Explore", DRAWN))
    return taken | {"to the Data page": away[1:], "back to the map": back[1:]}


def all_of_them(page: Page) -> str:
    """Lasso everything and say what the page says then."""
    lasso_to_gallery(page, 0.97)
    return page.locator("p").filter(has_text=re.compile(r"galaxies.*labelled")).first.inner_text()


def main() -> None:
    """Print one line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--galaxies", type=int, nargs="+", default=[5000, 50_000, 200_000, 500_000])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        for n in given.galaxies:
            ws = workspace(Path(folder) / str(n), n, np.random.default_rng(0))
            server = Server(ws, free_port(), Path(folder) / f"{n}.log").start()
            try:
                page = browser.new_context(viewport={"width": 1280, "height": 1200}).new_page()
                for name, seconds in timings(page, server.url, given.rounds).items():
                    print(f"{n:>9,} galaxies  {name:<20} {statistics.median(seconds):6.2f} s  ({min(seconds):.2f} to {max(seconds):.2f})", flush=True)
                print(f"{n:>9,} galaxies  a lasso around all: {all_of_them(page)}", flush=True)
                page.context.close()
            finally:
                server.stop()


if __name__ == "__main__":
    main()
