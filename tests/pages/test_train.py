"""The Train page: queueing, searching, failing, cancelling."""

import pandas as pd

from core.store import jobs, labels, runs
from tests.pages.reading import fine, press, words
from tests.pages.written import read_redshift


def test_train_button_queues_the_ticked_models_with_their_settings(app, tiny):
    test = app(tiny, "train")
    test.checkbox(key="train_mean").check().run()
    test.number_input(key="train_seed").set_value(7).run()
    press(test, "Train 1 model")
    assert fine(test) and jobs.one(tiny, 1)["parameters"] == {"model": "mean", "config": {}, "seed": 7}
    assert "Train mean" in words(test) and "Waiting" in words(test)


def test_train_searches_settings_and_fills_in_what_was_found(app, tiny):
    found = jobs.enqueue(tiny, "tune", "Tune random_forest", {"model": "random_forest", "config": {}})
    claimed = jobs.claim(tiny, "test", 60)
    jobs.finish(tiny, claimed["id"], claimed["fence"], "done", {"best": {"trees": 50, "min_leaf": 7}})
    test = app(tiny, "train")
    test.checkbox(key="train_random_forest").check().run()
    assert test.selectbox(key="setting_random_forest_modalities").value == "all"
    test.button(key="take_random_forest").click().run()
    assert test.number_input(key="setting_random_forest_min_leaf").value == 7 and found == claimed["id"]
    next(b for b in test.button if b.label == "Search settings").click().run()
    asked = jobs.active(tiny).iloc[-1]
    assert (asked["kind"], asked["title"]) == ("tune", "Tune random_forest")


def test_train_without_labels_says_so_instead_of_queueing(app, ws):
    test = app(ws, "train")
    test.checkbox(key="train_mean").check().run()
    press(test, "Train 1 model")
    assert "labels must cover at least one galaxy of the train split" in test.error[0].value and jobs.active(ws).empty


def test_train_shows_what_a_failed_job_said_and_starts_it_again(app, tiny):
    jobs.enqueue(tiny, "train", "Train linear", {"model": "linear", "config": {}, "seed": 0})
    job = jobs.claim(tiny, "worker", 60)
    jobs.finish(tiny, job["id"], job["fence"], "failed", error="Traceback (most recent call last):\nMemoryError: 3 GB")
    test = app(tiny, "train")
    assert "MemoryError: 3 GB" in words(test)
    test.button(key="retry_1").click().run()
    assert fine(test) and jobs.one(tiny, 1)["status"] == "queued"


def test_train_cancels_a_waiting_job(app, tiny):
    jobs.enqueue(tiny, "embed", "Map", {})
    test = app(tiny, "train")
    test.button(key="cancel_1").click().run()
    assert fine(test) and jobs.one(tiny, 1)["status"] == "cancelled"


def test_train_marks_runs_whose_labels_were_undone(app, tiny):
    labels.retract(tiny, 1, "oracle", "test", 10_000)
    test = app(tiny, "train")
    assert test.dataframe[0].value["state"].tolist() == ["stale: 1 of its labels undone"]
    test.button(key="retrain_stale").click().run()
    assert jobs.active(tiny)["title"].tolist() == ["Train linear"]


def test_train_says_how_many_redshifts_are_held_back(app, tiny):
    read_redshift(tiny, "Annie", 40, 0.1), read_redshift(tiny, "Cecilia", 40, 0.4)
    assert "1 redshift is held back, because people disagree about it." in words(app(tiny, "train"))


def test_train_and_query_tell_what_more_labels_would_buy(app, tiny):
    runs.put_metrics(tiny, 1, pd.DataFrame([("test", "z", "all", "nmad", 0.01)], columns=["split", "target", "subset", "name", "value"]))
    for page in ("train", "query"):
        said = words(app(tiny, page))
        assert "lower the σ NMAD of z by" in said or "little left to learn" in said, said
        assert "cannot be told: this run was not measured on it" in said
