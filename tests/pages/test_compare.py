"""The Compare page: each view, filters, two runs."""

import pandas as pd
import pytest

from core.store import labels, runs
from tests.pages.reading import fine, words
from tests.pages.written import second_run


def test_compare_shows_the_metrics_of_a_run(app, tiny):
    runs.put_metrics(tiny, 1, pd.DataFrame([("test", "z", "all", "rmse", 0.0123)], columns=["split", "target", "subset", "name", "value"]))
    test = app(tiny, "compare")
    assert fine(test) and test.dataframe[0].value["rmse"].tolist() == [0.0123]
    test.selectbox(key="target").set_value("sfr_tot_median").run()
    assert fine(test) and "eta05" not in test.dataframe[0].value


@pytest.mark.parametrize("view", ["Predictions", "Error bars", "Kinds of galaxies", "Cost", "Modalities", "Two runs"])
def test_compare_opens_each_view_from_the_address(app, tiny, view):
    second_run(tiny, modalities="image")
    test = app(tiny, "compare", view=view)
    assert fine(test), [e.value for e in (*test.exception, *test.error)]
    expected = {"Predictions": "Click a point to open its galaxy", "Error bars": "Only ", "Kinds of galaxies": "Where each is good", "Cost": "Accuracy against cost",
                "Modalities": "No run that is shown has measured what each modality is worth", "Two runs": "The two are equally near to the truth"}  # fmt: skip
    assert expected[view] in words(test)


def test_compare_shows_two_runs_with_what_differs(app, tiny):
    run = second_run(tiny, modalities="image")
    test = app(tiny, "compare", view="Two runs", first="linear #1", second=f"linear (modalities image) #{run}")
    tables = [d.value for d in test.dataframe]
    settings, metrics = next(t for t in tables if "what" in t), next(t for t in tables if "better" in t)
    assert ["modalities", "all", "image"] in settings.to_numpy().tolist() and ["seed", "0", "1"] in settings.to_numpy().tolist()
    assert metrics.set_index("metric").loc["training s"].tolist() == ["★ 1.5", "3.0", "first"]


def test_compare_says_what_modalities_are_worth(app, tiny):
    runs.finish(tiny, 1, "done", {"modality_use": {"z": {"image": 0.1, "spectrum": 0.8}}, "modality_verdicts": ["The image is redundant for z."]})
    runs.put_history(tiny, 1, 3, {"use/z/image": 0.2})
    test = app(tiny, "compare", view="Modalities")
    assert fine(test) and "The image is redundant for z." in words(test)
    assert "Modality use was not measured for sfr_tot_avg, only for z." in words(test.selectbox(key="target").set_value("sfr_tot_avg").run())


def test_compare_filter_that_lets_nothing_pass_says_so(app, tiny):
    run = second_run(tiny, modalities="image")
    test = app(tiny, "compare", reads="image")
    assert fine(test) and test.dataframe[0].value["run_id"].tolist() == [run]
    test.multiselect(key="model").set_value(["linear"]).run()
    assert fine(test) and test.dataframe[0].value["run_id"].tolist() == [run]


def test_compare_marks_stale_runs(app, tiny):
    labels.retract(tiny, 1, "oracle", "test", 10_000)
    test = app(tiny, "compare")
    assert test.dataframe[0].value[["title", "labels_state"]].to_numpy().tolist() == [["linear ⚠", "stale"]] and "labels that have been undone since: linear #1 (1)" in words(test)


def test_compare_joins_seeds_unless_asked_not_to(app, tiny):
    first, second = second_run(tiny, modalities="image"), second_run(tiny, modalities="image")
    with tiny.write() as db:
        db.conn.execute("UPDATE runs SET seed = 2 WHERE id = ?", (second,))
    assert app(tiny, "compare").dataframe[0].value["seeds"].tolist() == [2, 1]
    assert app(tiny, "compare", rows="every run").dataframe[0].value["run_id"].tolist() == [second, first, 1]
