"""Every page opens on an empty and on a filled workspace without an error, and says what it should."""

import logging

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.errors import BadInput
from core.models.registry import MODELS
from core.services import exploring
from core.settings import ROOT, settings
from core.store import assignments, batches, embeddings, ingested, jobs, labels, objects, runs
from core.ui.guard import sentence

PAGES = ("overview", "explore", "uncertainty", "query", "label", "review", "train", "compare", "data")


@pytest.fixture
def app(monkeypatch):
    """Opens a page of the app on a workspace."""

    def opened(ws, page: str = "overview", **query) -> AppTest:
        monkeypatch.setenv("WORKSPACE", str(ws.path))
        settings.cache_clear()
        test = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        for name, value in query.items():
            test.query_params[name] = value
        return test.switch_page(f"pages/{page}.py").run()

    yield opened
    settings.cache_clear()


def words(test: AppTest) -> str:
    """Everything a page says in text, labels and figures."""
    kinds = (test.title, test.subheader, test.markdown, test.caption, test.error, test.warning, test.info, test.code)
    spoken = [e.value for kind in kinds for e in kind]
    named = [e.label for kind in (test.button, test.checkbox, test.selectbox, test.text_input, test.metric, test.toggle) for e in kind]
    return "\n".join(map(str, spoken + named + [m.value for m in test.metric]))


def fine(test: AppTest) -> bool:
    """Neither Streamlit nor the guard had an error to show."""
    return not test.exception and not test.error


def _press(test: AppTest, label: str) -> None:
    next(b for b in test.button if b.label == label).click().run()


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


def test_overview_shows_what_is_here_and_the_next_step(app, tiny):
    test = app(tiny)
    figures = {m.label: m.value for m in test.metric}
    assert (figures["Galaxies"], figures["Labelled"], figures["Finished runs"]) == ("60", "30", "1")
    assert "**Ask for a batch**" in words(test) and "The curve begins with the first finished run" in words(test)


def test_overview_button_queues_the_demo_and_shows_its_progress(app, ws):
    test = app(ws)
    _press(test, "Build the demo sky")
    assert fine(test) and "Your sky is being made" in words(test)
    assert jobs.active(ws)["kind"].tolist() == ["demo"]


def test_train_button_queues_the_ticked_models_with_their_settings(app, tiny):
    test = app(tiny, "train")
    test.checkbox(key="train_mean").check().run()
    test.number_input(key="train_seed").set_value(7).run()
    _press(test, "Train 1 model")
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
    _press(test, "Train 1 model")
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


def test_compare_shows_the_metrics_of_a_run(app, tiny):
    runs.put_metrics(tiny, 1, pd.DataFrame([("test", "z", "all", "rmse", 0.0123)], columns=["split", "target", "subset", "name", "value"]))
    test = app(tiny, "compare")
    assert fine(test) and test.dataframe[0].value["rmse"].tolist() == [0.0123]
    test.selectbox(key="target").set_value("sfr_tot_median").run()
    assert fine(test) and "eta05" not in test.dataframe[0].value


@pytest.mark.parametrize("view", ["Predictions", "Error bars", "Kinds of galaxies", "Cost", "Modalities", "Two runs"])
def test_compare_opens_each_view_from_the_address(app, tiny, view):
    _second_run(tiny, modalities="image")
    test = app(tiny, "compare", view=view)
    assert fine(test), [e.value for e in (*test.exception, *test.error)]
    expected = {"Predictions": "Click a point to open its galaxy", "Error bars": "Only ", "Kinds of galaxies": "Where each is good", "Cost": "Accuracy against cost",
                "Modalities": "No run that is shown has measured what each modality is worth", "Two runs": "The two are equally near to the truth"}  # fmt: skip
    assert expected[view] in words(test)


def test_compare_shows_two_runs_with_what_differs(app, tiny):
    run = _second_run(tiny, modalities="image")
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
    run = _second_run(tiny, modalities="image")
    test = app(tiny, "compare", reads="image")
    assert fine(test) and test.dataframe[0].value["run_id"].tolist() == [run]
    test.multiselect(key="model").set_value(["linear"]).run()
    assert fine(test) and test.dataframe[0].value["run_id"].tolist() == [run]


def test_compare_marks_stale_runs(app, tiny):
    labels.retract(tiny, 1, "oracle", "test", 10_000)
    test = app(tiny, "compare")
    assert test.dataframe[0].value[["title", "labels_state"]].to_numpy().tolist() == [["linear ⚠", "stale"]] and "labels that have been undone since: linear #1 (1)" in words(test)


def test_compare_joins_seeds_unless_asked_not_to(app, tiny):
    first, second = _second_run(tiny, modalities="image"), _second_run(tiny, modalities="image")
    with tiny.write() as db:
        db.conn.execute("UPDATE runs SET seed = 2 WHERE id = ?", (second,))
    assert app(tiny, "compare").dataframe[0].value["seeds"].tolist() == [2, 1]
    assert app(tiny, "compare", rows="every run").dataframe[0].value["run_id"].tolist() == [second, first, 1]


def _read(ws, who: str, object_id: int, z: float, sequence: int = 1, **more) -> None:
    labels.record(ws, [labels.Decision(object_id, "z", "label", who, f"c-{who}", sequence, value=z, grade=4, **more)])


@pytest.mark.parametrize(("tab", "expected"), [
    ("Disagreements", "Only when two people label the same object can they disagree"), ("Look again", "A model disputes it"),
    ("People", "Nobody has labelled by hand yet"), ("Share a batch", "There is no open batch to share out"),
])  # fmt: skip
def test_review_opens_each_tab_and_says_what_to_do_where_nothing_is(app, tiny, tab, expected):
    if tab == "Look again":
        _read(tiny, "oracle", 40, 0.9, source="catalogue")
    test = app(tiny, "review", tab=tab)
    assert fine(test), [e.value for e in (*test.exception, *test.error)]
    assert expected in words(test) + " ".join(o for group in test.button_group for o in group.options)


def test_review_settles_a_disagreement_with_a_button_and_undoes_it(app, tiny):
    _read(tiny, "Annie", 40, 0.22045), _read(tiny, "Cecilia", 40, 0.59976)
    test = app(tiny, "review")
    assert fine(test) and "**1** object on which people disagree" in words(test) and "reads Hα 6565" in words(test)
    test.button(key=f"take_{labels.history(tiny, 40)['id'].iloc[1]}").click().run()
    assert fine(test) and labels.history(tiny, 40)["source"].iloc[-1] == "adjudication" and "Everybody agrees" in words(test)
    test.button(key="review_undo").click().run()
    assert fine(test) and labels.held_back(tiny) == [40]
    test.button(key="nobody_40").click().run()
    assert fine(test) and labels.history(tiny, 40)["action"].tolist()[-2:] == ["retract", "cannot"]


def test_review_shows_how_right_people_are_by_grade(app, tiny):
    for n, i in enumerate((40, 41, 42)):
        _read(tiny, "Annie", i, 0.1, n), _read(tiny, "Cecilia", i, 0.1 + 0.2 * (i == 42), n)
    test = app(tiny, "review", tab="People")
    assert fine(test) and "6 redshifts measured: 6 against other people." in words(test)
    assert test.dataframe[0].value.set_index("annotator").loc["Annie", "decisions"] == 3


def test_review_shares_a_batch_out_and_gives_it_back(app, tiny):
    batch = batches.save(tiny, "first", "random", {}, 7, [{"object_id": i} for i in range(40, 46)])
    _read(tiny, "Annie", 31, 0.1), _read(tiny, "Vera", 32, 0.1)
    test = app(tiny, "review", tab="Share a batch")
    test.multiselect(key="share_people").set_value(["Annie", "Vera"]).run()
    _press(test, "Share it out")
    assert fine(test) and assignments.of(tiny, batch).overlap == 2
    assert next(d.value for d in test.dataframe)[["annotator", "share"]].to_numpy().tolist() == [["Annie", 6], ["Vera", 6]]
    test.button(key=f"unshare_{batch}").click().run()
    assert fine(test) and assignments.of(tiny, batch) is None and "everybody sees the whole of each" in words(test)


def test_train_says_how_many_redshifts_are_held_back(app, tiny):
    _read(tiny, "Annie", 40, 0.1), _read(tiny, "Cecilia", 40, 0.4)
    assert "1 redshift is held back, because people disagree about it." in words(app(tiny, "train"))


def test_data_previews_and_queues_what_is_given(app, ws, tmp_path):
    (tmp_path / "notes.txt").write_text("no survey file")
    (tmp_path / "sky.csv").write_text("id,ra,dec,u,g,r,i,z\n1,10.0,2.0,19.1,18.0,17.4,17.0,16.8\n")
    test = app(ws, "data")
    test.text_area(key="ingest_paths").set_value(str(tmp_path / "sky.csv") + "\n" + str(tmp_path / "notes.txt")).run()
    _press(test, "Look first")
    assert fine(test) and "**1** files would be read, **1** refused." in words(test) and "notes.txt" in words(test)
    _press(test, "Read them")
    assert fine(test) and jobs.one(ws, 1)["parameters"]["paths"] == [str(tmp_path / "sky.csv"), str(tmp_path / "notes.txt")]


def test_data_refuses_a_path_that_is_not_there_with_a_sentence(app, ws):
    test = app(ws, "data")
    test.text_area(key="ingest_paths").set_value("/no/such/place").run()
    _press(test, "Read them")
    assert "a path must exist; got nothing, for /no/such/place" in test.error[0].value and jobs.active(ws).empty


def test_data_shows_what_came_in_and_why_the_rest_did_not(app, ws):
    job = jobs.enqueue(ws, "ingest", "Read", {"paths": []})
    with ws.write() as db:
        ingested.put(db, job, [ingested.Entry("a/sky.csv", "table", "read", new=3, counts={"photometry": 3, "missing": {"u": 2}, "complete": 1}),
                               ingested.Entry("a/notes.txt", "", "refused", message="a file must end in .fits; got .txt, for notes.txt. Leave it out.")])
    test = app(ws, "data")
    assert fine(test) and "notes.txt" in words(test) and "a file must end in .fits" in words(test)
    summary = next(d.value for d in test.dataframe if "files refused" in d.value)
    assert summary.set_index("product").loc["in all", ["new", "missing", "files refused"]].tolist() == [3, 2, 1]


def test_data_lists_objects_that_pass_a_filter(app, tiny):
    test = app(tiny, "data", tab="Objects")
    assert "**60** objects pass." in words(test)
    test.text_input(key="object_text").set_value("mock-0000").run()
    assert fine(test) and "**10** objects pass." in words(test)


def test_data_export_shows_the_checksum_of_the_training_set(app, tiny):
    test = app(tiny, "data", tab="Export")
    _press(test, "Prepare the export")
    from core.services import curating

    made = curating.export(tiny, "anybody")
    assert fine(test) and made.checksums["training_set.csv"] in [c.value for c in test.code] and made.methods in [c.value for c in test.code]


def test_data_says_how_the_sky_is_divided(app, tiny):
    test = app(tiny, "data", tab="Splits and gaps")
    counted = objects.frame(tiny)["split"].value_counts()
    table = next(d.value for d in test.dataframe if "groups" in d.value)
    assert fine(test) and table.set_index("split")["objects"].to_dict() == counted.to_dict()


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


def test_label_offers_guidelines_and_what_was_skipped(app, tiny):
    labels.record(tiny, [labels.Decision(40, "z", "skip", "anonymous", "c", 1, comment="too faint")])
    test = app(tiny, "label", batch="skipped", object="40")
    assert fine(test) and "Grade what the spectrum shows" in words(test)
    assert "Skipped, to look at again · 1 object" in test.selectbox(key="label_source").options
    assert "What you skipped, the longest ago first." in words(test) and "too faint" in words(test)


def test_query_replays_strategies_and_shows_how_it_stands(app, tiny):
    test = app(tiny, "query", part="Which strategy pays here?")
    assert fine(test) and "A replay hides the catalogue values" in words(test)
    test.selectbox(key="replay_model").set_value("linear").run()
    assert "200 labels for each curve; 84 trainings, at most 2 min" in words(test)
    _press(test, "Replay")
    asked = jobs.one(tiny, 1)["parameters"]["question"]
    assert fine(test) and (asked["model"], asked["target"], asked["strategies"]) == ("linear", "z", ["random", "epistemic_sampled", "k_means_pp", "lcmd_sampled"])
    assert "The first round draws the first points." in words(test) and "Waiting" in words(test)
    jobs.cancel(tiny, 1)
    test.run()
    _press(test, "Go on")
    assert fine(test) and jobs.one(tiny, 1)["status"] == "queued"


def test_query_without_anything_to_replay_says_so(app, tiny):
    with tiny.write() as db:
        db.conn.execute("DELETE FROM arrays")
    assert "No galaxy here has an image, a spectrum or photometry." in words(app(tiny, "query", part="Which strategy pays here?"))


def test_query_compares_two_strategies_and_takes_one(app, tiny):
    test = app(tiny, "query", size="6", compare="true")
    assert fine(test) and "Press Preview to see which galaxies would be asked about" in words(test) and test.number_input(key="size").value == 6
    _press(test, "Preview")
    on_desk = test.session_state["query_desk"]
    assert fine(test) and [b.request.strategy for b in (on_desk.batch, on_desk.rival)] == ["lcmd_sampled", "random"]
    assert [len(b.table) for b in (on_desk.batch, on_desk.rival)] == [6, 6] and "All 6 picks are on this map." in words(test)
    [b for b in test.button if b.label == "Take this one"][1].click().run()
    taken = test.session_state["query_desk"]
    assert fine(test) and taken.batch is on_desk.rival and taken.rival is None and "settings have changed" not in words(test)
    _press(test, "Undo")
    assert fine(test) and test.session_state["query_desk"].rival is on_desk.rival
    test.selectbox(key="strategy").set_value("k_centre").run()
    assert "The settings have changed since this preview" in words(test)


def test_query_keeps_the_batch_when_there_is_nothing_to_compare_it_with(app, tiny):
    test = app(tiny, "query", size="4", compare="true")
    test.selectbox(key="strategy_against").set_value("disagreement").run()
    _press(test, "Preview")
    on_desk = test.session_state["query_desk"]
    assert on_desk.rival is None and len(on_desk.batch.table) == 4 and not test.exception
    assert [e.value for e in test.error][0].startswith("Nothing to compare with: Answers of a model of images and of a model of spectra must be known for disagreement")


def test_query_offers_only_what_a_strategy_can_heed(app, tiny):
    test = app(tiny, "query", strategy="random", size="5")
    assert test.select_slider(key="query_diversity").disabled and test.checkbox(key="query_minute").disabled and test.segmented_control(key="query_population").disabled
    assert "random has no score to weigh against distance" in words(test) and "random looks at no variance" in words(test)
    test.selectbox(key="strategy").set_value("epistemic").run()
    assert not test.select_slider(key="query_diversity").disabled and "looks at no variance" not in words(test)
    test.session_state["query_diversity"] = 0.5
    test.slider(key="query_balance").set_value(80).run()
    _press(test, "Preview")
    assert fine(test), [e.value for e in (*test.exception, *test.error)]
    asked = test.session_state["query_desk"].batch.request
    assert (asked.strategy, asked.diversity, asked.balance) == ("epistemic", 0.5, 0.8)
    test.selectbox(key="strategy").set_value("bait").run()
    test.segmented_control(key="query_population").set_value("a list").run()
    test.text_area(key="query_population_list").set_value("1 2 mock-00004").run()
    _press(test, "Preview")
    assert fine(test), [e.value for e in (*test.exception, *test.error)]
    asked = test.session_state["query_desk"].batch.request
    assert (asked.population, asked.whom, asked.diversity) == ((1, 2, 5), "my list", 0.0)
    test.segmented_control(key="query_population").set_value("by filter").run()
    test.session_state["explore_sn_least"] = 10.0
    test.run()
    _press(test, "Preview")
    asked = test.session_state["query_desk"].batch.request
    assert fine(test) and (set(asked.population), asked.whom) == (set(objects.frame(tiny).query("sn >= 10")["id"]), "filtered") and asked.region is None


def test_query_without_a_run_or_a_map_composes_all_the_same(app, tiny):
    runs.finish(tiny, 1, "failed")
    with tiny.write() as db:
        db.conn.execute("DELETE FROM embeddings")
    test = app(tiny, "query", size="4")
    assert fine(test) and "There is no map to show the picks on yet." in words(test) and "epistemic" not in test.selectbox(key="strategy_without_run").options
    test.segmented_control(key="query_region").set_value("by filter").run()
    assert fine(test) and "Filters look at a map, and there is none yet" in words(test)
    test.selectbox(key="strategy_without_run").set_value("random").run()
    _press(test, "Preview")
    assert fine(test) and len(test.session_state["query_desk"].batch.table) == 4 and "random control" in str(test.session_state["query_desk"].batch.table["reason"].tolist()).lower()


def test_query_asks_within_a_saved_view_or_the_filters(app, tiny):
    exploring.save_view(tiny, "bright", exploring.View("pca image", 1, "sn", "z", exploring.Filters(sn=(10.0, None))), "ann")
    test = app(tiny, "query", size="2")
    test.segmented_control(key="query_region").set_value("by filter").run()
    assert fine(test) and "60 of 60 galaxies of pca image meet the filters." in words(test)
    test.selectbox(key="query_view").set_value("bright").run()
    bright = set(objects.frame(tiny).query("sn >= 10")["id"])
    assert fine(test) and f"{len(bright)} galaxies are shown by bright." in words(test)
    _press(test, "Preview")
    batch = test.session_state["query_desk"].batch
    assert fine(test) and set(batch.request.region) == bright and set(batch.ids.tolist()) <= bright and batch.request.where == "view bright"


def test_query_fills_up_what_was_taken_out_and_says_when_a_pick_is_on_no_map(app, tiny):
    ids, xy = embeddings.load(tiny, "pca image")
    embeddings.save(tiny, "half", "pca", "image", ids[:50], xy[:50], {})
    test = app(tiny, "query", size="12")
    _press(test, "Preview")
    here = sum(i <= 50 for i in test.session_state["query_desk"].batch.ids)
    assert here < 12 and f"{here} of 12 picks are on this map; the others have no place on it" in words(test)
    first = test.session_state["query_desk"].batch
    from core.services import querying
    from core.ui.query.desk import Desk, facts

    less = querying.without(first, first.ids[:3])
    test.session_state["query_desk"] = Desk(less, None, facts(tiny, less), (Desk(first, None, facts(tiny, first)),))
    test.run()
    assert "Changed by hand: 3 taken out." in words(test)
    _press(test, "Fill up to 12")
    full = test.session_state["query_desk"].batch
    assert fine(test) and len(full.table) == 12 and not set(first.ids[:3]) & set(full.ids)
    nobody = querying.without(full, full.ids)
    test.session_state["query_desk"] = Desk(nobody, None, facts(tiny, nobody))
    test.run()
    assert fine(test) and next(b for b in test.button if b.label == "Save batch").disabled and "All 0 picks" not in words(test)


def test_label_without_a_run_says_why_nothing_is_suggested(app, tiny):
    runs.finish(tiny, 1, "failed")
    test = app(tiny, "label", batch="suggested")
    assert fine(test) and "train a model first" in words(test)


def test_train_and_query_tell_what_more_labels_would_buy(app, tiny):
    runs.put_metrics(tiny, 1, pd.DataFrame([("test", "z", "all", "nmad", 0.01)], columns=["split", "target", "subset", "name", "value"]))
    for page in ("train", "query"):
        said = words(app(tiny, page))
        assert "lower the σ NMAD of z by" in said or "little left to learn" in said, said
        assert "cannot be told: this run was not measured on it" in said


def test_explore_opens_a_view_by_its_address_and_says_when_it_is_gone(app, tiny):
    exploring.save_view(tiny, "mine", exploring.View("a map that was", 1, "sn", "z", exploring.Filters(sn=(5.0, None))), "ann")
    test = app(tiny, "explore", view="mine")
    assert fine(test) and test.selectbox(key="explore_colour").value == "sn" and test.number_input(key="explore_sn_least").value == 5.0
    assert [w.value for w in test.warning] == ["The map of this view is no longer here; the rest of it is shown."]
    exploring.save_view(tiny, "stale", exploring.View("pca image", 99, "column:that_was", "mass", exploring.Filters(annotators=("who left",))), "ann")
    stale = app(tiny, "explore", view="stale")
    assert fine(stale) and [w.value for w in stale.warning] == ["The model run and the colouring and the target of this view are no longer here; the rest of it is shown."]
    assert stale.selectbox(key="explore_colour").value == "state" and stale.multiselect(key="explore_annotators").value == ["who left"]
    gone = app(tiny, "explore", view="yours")
    assert fine(gone) and gone.warning[0].value.startswith("There is no saved view named yours") and gone.selectbox(key="explore_name").value == "pca image"


def _unsure(ws, ignorance: float = 1.0) -> int:
    """A run like the first, with another ignorance, after a label."""
    _read(ws, "Annie", 40, 0.1)
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
    _read(tiny, "Annie", 50, 0.12345)
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
