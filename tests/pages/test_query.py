"""The Query page: composing, comparing, replaying."""

from core.services import exploring
from core.store import embeddings, jobs, objects, runs
from tests.pages.reading import fine, press, words


def test_query_replays_strategies_and_shows_how_it_stands(app, tiny):
    test = app(tiny, "query", part="Which strategy pays here?")
    assert fine(test) and "A replay hides the catalogue values" in words(test)
    test.selectbox(key="replay_model").set_value("linear").run()
    assert "200 labels for each curve; 84 trainings, at most 2 min" in words(test)
    press(test, "Replay")
    asked = jobs.one(tiny, 1)["parameters"]["question"]
    assert fine(test) and (asked["model"], asked["target"], asked["strategies"]) == ("linear", "z", ["random", "epistemic_sampled", "k_means_pp", "lcmd_sampled"])
    assert "The first round draws the first points." in words(test) and "Waiting" in words(test)
    jobs.cancel(tiny, 1)
    test.run()
    press(test, "Go on")
    assert fine(test) and jobs.one(tiny, 1)["status"] == "queued"


def test_query_without_anything_to_replay_says_so(app, tiny):
    with tiny.write() as db:
        db.conn.execute("DELETE FROM arrays")
    assert "No galaxy here has an image, a spectrum or photometry." in words(app(tiny, "query", part="Which strategy pays here?"))


def test_query_compares_two_strategies_and_takes_one(app, tiny):
    test = app(tiny, "query", size="6", compare="true")
    assert fine(test) and "Press Preview to see which galaxies would be asked about" in words(test) and test.number_input(key="size").value == 6
    press(test, "Preview")
    on_desk = test.session_state["query_desk"]
    assert fine(test) and [b.request.strategy for b in (on_desk.batch, on_desk.rival)] == ["lcmd_sampled", "random"]
    assert [len(b.table) for b in (on_desk.batch, on_desk.rival)] == [6, 6] and "All 6 picks are on this map." in words(test)
    [b for b in test.button if b.label == "Take this one"][1].click().run()
    taken = test.session_state["query_desk"]
    assert fine(test) and taken.batch is on_desk.rival and taken.rival is None and "settings have changed" not in words(test)
    press(test, "Undo")
    assert fine(test) and test.session_state["query_desk"].rival is on_desk.rival
    test.selectbox(key="strategy").set_value("k_centre").run()
    assert "The settings have changed since this preview" in words(test)


def test_query_keeps_the_batch_when_there_is_nothing_to_compare_it_with(app, tiny):
    test = app(tiny, "query", size="4", compare="true")
    test.selectbox(key="strategy_against").set_value("disagreement").run()
    press(test, "Preview")
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
    press(test, "Preview")
    assert fine(test), [e.value for e in (*test.exception, *test.error)]
    asked = test.session_state["query_desk"].batch.request
    assert (asked.strategy, asked.diversity, asked.balance) == ("epistemic", 0.5, 0.8)
    test.selectbox(key="strategy").set_value("bait").run()
    test.segmented_control(key="query_population").set_value("a list").run()
    test.text_area(key="query_population_list").set_value("1 2 mock-00004").run()
    press(test, "Preview")
    assert fine(test), [e.value for e in (*test.exception, *test.error)]
    asked = test.session_state["query_desk"].batch.request
    assert (asked.population, asked.whom, asked.diversity) == ((1, 2, 5), "my list", 0.0)
    test.segmented_control(key="query_population").set_value("by filter").run()
    test.session_state["explore_sn_least"] = 10.0
    test.run()
    press(test, "Preview")
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
    press(test, "Preview")
    assert fine(test) and len(test.session_state["query_desk"].batch.table) == 4 and "random control" in str(test.session_state["query_desk"].batch.table["reason"].tolist()).lower()


def test_query_asks_within_a_saved_view_or_the_filters(app, tiny):
    exploring.save_view(tiny, "bright", exploring.View("pca image", 1, "sn", "z", exploring.Filters(sn=(10.0, None))), "ann")
    test = app(tiny, "query", size="2")
    test.segmented_control(key="query_region").set_value("by filter").run()
    assert fine(test) and "60 of 60 galaxies of pca image meet the filters." in words(test)
    test.selectbox(key="query_view").set_value("bright").run()
    bright = set(objects.frame(tiny).query("sn >= 10")["id"])
    assert fine(test) and f"{len(bright)} galaxies are shown by bright." in words(test)
    press(test, "Preview")
    batch = test.session_state["query_desk"].batch
    assert fine(test) and set(batch.request.region) == bright and set(batch.ids.tolist()) <= bright and batch.request.where == "view bright"


def test_query_fills_up_what_was_taken_out_and_says_when_a_pick_is_on_no_map(app, tiny):
    ids, xy = embeddings.load(tiny, "pca image")
    embeddings.save(tiny, "half", "pca", "image", ids[:50], xy[:50], {})
    test = app(tiny, "query", size="12")
    press(test, "Preview")
    here = sum(i <= 50 for i in test.session_state["query_desk"].batch.ids)
    assert here < 12 and f"{here} of 12 picks are on this map; the others have no place on it" in words(test)
    first = test.session_state["query_desk"].batch
    from core.services import querying
    from core.ui.query.desk import Desk, facts

    less = querying.without(first, first.ids[:3])
    test.session_state["query_desk"] = Desk(less, None, facts(tiny, less), (Desk(first, None, facts(tiny, first)),))
    test.run()
    assert "Changed by hand: 3 taken out." in words(test)
    press(test, "Fill up to 12")
    full = test.session_state["query_desk"].batch
    assert fine(test) and len(full.table) == 12 and not set(first.ids[:3]) & set(full.ids)
    nobody = querying.without(full, full.ids)
    test.session_state["query_desk"] = Desk(nobody, None, facts(tiny, nobody))
    test.run()
    assert fine(test) and next(b for b in test.button if b.label == "Save batch").disabled and "All 0 picks" not in words(test)
