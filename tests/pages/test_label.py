"""The Label page without its component: guidelines, skips, suggestions."""

from core.store import labels, runs
from tests.pages.reading import fine, words


def test_label_offers_guidelines_and_what_was_skipped(app, tiny):
    labels.record(tiny, [labels.Decision(40, "z", "skip", "anonymous", "c", 1, comment="too faint")])
    test = app(tiny, "label", batch="skipped", object="40")
    assert fine(test) and "Grade what the spectrum shows" in words(test)
    assert "Skipped, to look at again · 1 object" in test.selectbox(key="label_source").options
    assert "What you skipped, the longest ago first." in words(test) and "too faint" in words(test)


def test_label_without_a_run_says_why_nothing_is_suggested(app, tiny):
    runs.finish(tiny, 1, "failed")
    test = app(tiny, "label", batch="suggested")
    assert fine(test) and "train a model first" in words(test)
