"""The Overview page: what is here, and the next step."""


from core.store import jobs, labels
from tests.pages.reading import fine, press, words
from tests.pages.written import second_run


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
    second_run(tiny)
    labels.retract(tiny, 1, "oracle", "test", 10_000)
    test = app(tiny, "overview")
    test.segmented_control(key="curve_metric_True").set_value("RMSE").run()
    assert "2 of these runs have learnt from labels that were undone since" in words(test)
    assert "0 labelled galaxies were drawn at random, and a baseline needs 40" in words(test)
    test.button(key="stale_again").click().run()
    assert jobs.active(tiny)["title"].tolist() == ["Train linear"]
