"""The Overview page: what is here, and the next step."""

import pandas as pd

from core.store import jobs, labels, runs
from tests.pages.reading import fine, press, words


def test_overview_shows_what_is_here_and_the_next_step(app, tiny):
    test = app(tiny)
    figures = {m.label: m.value for m in test.metric}
    assert (figures["Galaxies"], figures["Labelled"], figures["Finished runs"]) == ("60", "30", "1")
    assert "**Ask for a batch**" in words(test) and "The curve begins with the first finished run" in words(test)


def test_overview_button_queues_the_demo_and_shows_its_progress(app, ws):
    test = app(ws)
    press(test, "Build the demo sky")
    assert fine(test) and "Your sky is being made" in words(test)
    assert jobs.active(ws)["kind"].tolist() == ["demo"]


def test_overview_says_what_choosing_bought_or_why_it_cannot_and_marks_stale_runs(app, tiny):
    _second_run(tiny)
    labels.retract(tiny, 1, "oracle", "test", 10_000)
    test = app(tiny, "overview")
    test.segmented_control(key="curve_metric_True").set_value("RMSE").run()
    assert "2 of these runs have learnt from labels that were undone since" in words(test)
    assert "0 labelled galaxies were drawn at random, and a baseline needs 40" in words(test)
    test.button(key="stale_again").click().run()
    assert jobs.active(tiny)["title"].tolist() == ["Train linear"]


def _second_run(ws, **config) -> int:
    """A run with the metrics and predictions of the first, and a configuration of its own."""
    run = runs.create(ws, "linear", "linear", config, 1, {"high_water": labels.high_water(ws), "count": 30, "hash": "b"})
    runs.save_arrays(ws, run, "predictions", **runs.load_arrays(ws, 1, "predictions"))
    rows = [("test", "z", subset, name, value) for subset in ("all", "passive") for name, value in (("rmse", 0.02), ("r2", 0.9), ("eta05", 0.1))]
    for number in (1, run):
        runs.put_metrics(ws, number, pd.DataFrame(rows, columns=["split", "target", "subset", "name", "value"]))
    runs.finish(ws, run, "done", {"seconds": 3.0})
    return run
