"""Every page opens on an empty and on a filled workspace without an error; the sidebar; what the guard says."""

import logging

import pytest

from core.errors import BadInput
from core.models.registry import MODELS
from core.ui.guard import sentence
from tests.pages.reading import fine, words

PAGES = ("overview", "explore", "uncertainty", "query", "label", "review", "train", "compare", "data")


@pytest.mark.parametrize("page", PAGES)
def test_page_opens_on_an_empty_workspace(app, ws, page):
    test = app(ws, page)
    assert fine(test), [e.value for e in (*test.exception, *test.error)]
    assert page.title() in [t.value for t in test.title]


@pytest.mark.parametrize("page", PAGES)
def test_page_opens_on_a_filled_workspace_and_says_that_it_is_simulated(app, tiny, page):
    test = app(tiny, page)
    assert fine(test), [e.value for e in (*test.exception, *test.error)]
    assert page.title() in [t.value for t in test.title] and "simulated" in words(test)


@pytest.mark.parametrize(("page", "expected"), [
    ("overview", ("An empty sky", "Build the demo sky")), ("train", ("No galaxy of the train split has a label yet", "No run has ended yet", *MODELS)),
    ("compare", ("nothing to compare before the first run",)), ("data", ("Bring in",)),
])
def test_empty_page_says_what_to_do(app, ws, page, expected):
    said = words(app(ws, page))
    assert all(e in said for e in expected), said


def test_sidebar_remembers_the_declared_name_between_pages(app, tiny):
    test = app(tiny)
    test.text_input(key="annotator_box").set_value("Ada").run()
    test.switch_page("pages/train.py").run()
    assert test.session_state["annotator"] == "Ada" and test.text_input(key="annotator_box").value == "Ada"


def test_guard_shows_a_lookback_error_as_its_sentence():
    assert sentence(BadInput("flux", "be finite", "NaN", "spec-1.fits", "Mask it")) == "flux must be finite; got NaN, for spec-1.fits. Mask it."


def test_guard_logs_anything_else_whole_under_the_id_it_shows(caplog):
    with caplog.at_level(logging.ERROR, logger="lookback"):
        try:
            raise ZeroDivisionError("secret path")
        except ZeroDivisionError as error:
            said = sentence(error)
    log_id = said.rstrip(".").split()[-1]
    assert "secret" not in said and log_id in caplog.text and "ZeroDivisionError: secret path" in caplog.text
