"""The Uncertainty page: each view, one galaxy, and what to do where nothing is known."""

import pytest

from core.store import labels, runs
from tests.pages.reading import fine, words
from tests.pages.written import read_redshift


def _unsure(ws, ignorance: float = 1.0) -> int:
    """A run like the first, with another ignorance, after a label."""
    read_redshift(ws, "Annie", 40, 0.1)
    run = runs.create(ws, "linear", "linear", {}, 0, {"high_water": labels.high_water(ws), "count": 31, "hash": "b"})
    said = runs.load_arrays(ws, 1, "predictions")
    runs.save_arrays(ws, run, "predictions", **said | {"epistemic": said["epistemic"] * ignorance})
    runs.finish(ws, run, "done", {})
    return run


@pytest.mark.parametrize(("view", "expected"), [
    ("Where", "In which galaxies: epistemic uncertainty"), ("Noise or ignorance", "A label here teaches the model most."), ("One galaxy", "The model says z ="),
    ("Can it be believed", "**As stated.** Only "), ("Since the last batch", "Between the two, 1 galaxy was labelled: **1** outside a batch."),
])  # fmt: skip
def test_uncertainty_opens_each_view_from_the_address(app, tiny, view, expected):
    run = _unsure(tiny, 0.25)
    test = app(tiny, "uncertainty", view=view, run=str(run), galaxy="40")
    assert fine(test), [e.value for e in (*test.exception, *test.error)]
    assert expected in words(test), words(test)


def test_uncertainty_says_what_to_do_where_there_is_no_run_and_no_earlier_one(app, tiny):
    assert "is the first run of its model" in words(app(tiny, "uncertainty", view="Since the last batch"))
    runs.finish(tiny, 1, "failed")
    assert "No model has finished yet" in words(app(tiny, "uncertainty"))


@pytest.mark.parametrize("view", ["Noise or ignorance", "Since the last batch"])
def test_uncertainty_of_a_run_that_knows_no_ignorance_says_so(app, tiny, view):
    run = _unsure(tiny, 0.0)
    test = app(tiny, "uncertainty", view=view, run=str(run))
    assert fine(test) and "does not tell noise from ignorance of z" in words(test) and "–" in [m.value for m in test.metric]


def test_uncertainty_finds_a_galaxy_and_keeps_what_others_know_until_asked(app, tiny):
    read_redshift(tiny, "Annie", 50, 0.12345)
    test = app(tiny, "uncertainty", view="One galaxy", galaxy="50")
    assert "mock-00049" in words(test) and "0.1234" not in words(test)
    test.toggle(key="unsure_reveal_galaxy_50").set_value(True).run()
    assert fine(test) and "**Label** 0.1235 :gray[Annie]" in words(test) and "**Catalogue**" in words(test)
    test.text_input(key="unsure_search").set_value("mock-00016").run()
    assert fine(test) and "What the model says of mock-00016" in words(test)
    test.text_input(key="unsure_search").set_value("nowhere").run()
    assert "There is no galaxy named nowhere" in test.error[0].value


def test_uncertainty_says_when_a_run_cannot_tell_whom_labels_would_help(app, tiny):
    test = app(tiny, "uncertainty", view="Noise or ignorance")
    assert fine(test) and "in this run ignorance rises and falls with noise" in words(test) and test.button(key="unsure_ask_ask").disabled


def test_uncertainty_without_a_map_and_without_positions_says_what_is_missing(app, tiny):
    with tiny.write() as db:
        db.conn.execute("DELETE FROM embeddings")
        db.conn.execute("UPDATE objects SET ra = NULL")
    test = app(tiny, "uncertainty")
    assert fine(test) and "There is no map yet to show it on." in words(test) and "No galaxy here has both a position on the sky and this uncertainty." in words(test)
    assert "There is no map yet to show the change on." in words(app(tiny, "uncertainty", view="Since the last batch", run=str(_unsure(tiny, 0.5))))


def test_uncertainty_names_the_galaxy_it_knows_least_about(app, tiny):
    test = app(tiny, "uncertainty", view="One galaxy")
    assert "No galaxy has been chosen" in words(test)
    least = int(runs.load_arrays(tiny, 1, "predictions")["epistemic"][:, 0].argmax())
    test.button(key="unsure_least").click().run()
    assert fine(test) and f"What the model says of mock-{least:05d}" in words(test)
