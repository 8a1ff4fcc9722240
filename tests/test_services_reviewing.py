"""What is looked at again: disagreements and how they end, how good people are, labels that stand out."""

import numpy as np
import pytest

from core.errors import NotFound
from core.metrics import SPEED_OF_LIGHT_KMS
from core.services import assigning, labelling, reviewing
from core.services.reviewing.annotators import wilson
from core.spectroscopy.lines import line
from core.store import batches, labels, objects, runs, truth
from core.store.labels import ADJUDICATION, Decision

HALPHA, OIII = (8012 / line(name).wave - 1 for name in ("Halpha 6565", "[OIII] 5008"))


@pytest.fixture
def reads(tiny):
    """``reads(who, object_id, z, grade)`` puts a redshift into the log; z None = cannot tell. Returns the row."""
    sequence = iter(range(1, 10_000))

    def record(who, object_id, z, grade=4, **more):
        said = {"action": "cannot"} if z is None else {"action": "label", "value": float(z), "grade": grade}
        return labels.record(tiny, [Decision(object_id, "z", annotator=who, client="test-client", sequence=next(sequence), **said | more)])[0]

    return record


def event(sequence, object_id, **more):
    return {"client": "c1", "sequence": sequence, "kind": "grade", "object": object_id, "z": 0.1, "grade": 4, "batch": None, "milliseconds": 900, "revealed": False} | more


def test_disagreement_is_explained_by_the_lines_that_were_confused(tiny, reads):
    reads("Annie", 40, HALPHA, 4), reads("Cecilia", 40, OIII, 3)
    (found,) = reviewing.disagreements(tiny)
    assert found.explanation == "Annie reads Hα 6565, Cecilia reads [O III] 5008 at the same 8012 Å." and found.wave == pytest.approx(8012)
    assert found.apart_kms == pytest.approx(SPEED_OF_LIGHT_KMS * np.log(line("Halpha 6565").wave / line("[OIII] 5008").wave)) and found.is_held_back
    assert [(r.annotator, r.told) for r in found.readings] == [("Annie", f"z {HALPHA:.5f}, grade 4"), ("Cecilia", f"z {OIII:.5f}, grade 3")]


def test_people_who_agree_or_are_alone_or_only_revealed_the_catalogue_do_not_disagree(tiny, reads):
    reads("Annie", 40, 0.1), reads("Cecilia", 40, 0.1003), reads("Annie", 41, 0.1), reads("Annie", 41, 0.5)
    reads("Annie", 42, 0.3), reads("oracle", 42, 0.1, None, source="catalogue")
    assert reviewing.disagreements(tiny) == ()


def test_disagreements_come_held_back_first_then_surest_then_widest(tiny, reads):
    for object_id, (first, second) in {40: ((0.1, 4), (0.2, 1)), 41: ((0.1, 3), (0.2, 3)), 42: ((0.1, 4), (0.2, 4)), 43: ((0.1, 4), (0.4, 4)), 44: ((0.1, 4), (None, 0))}.items():
        reads("Annie", object_id, *first), reads("Cecilia", object_id, *second)
    found = reviewing.disagreements(tiny)
    assert [d.object_id for d in found] == [43, 42, 41, 40, 44] and [d.is_held_back for d in found] == [True, True, True, False, False]
    assert found[-1].explanation == "Annie reads a redshift, Cecilia says that it cannot be told." and np.isnan(found[-1].apart_kms)


def test_dissent_from_a_majority_is_listed_but_holds_nothing_back(tiny, reads):
    for who, z in (("Annie", 0.1), ("Cecilia", 0.1), ("Vera", 0.4)):
        reads(who, 40, z)
    (found,) = reviewing.disagreements(tiny)
    assert not found.is_held_back and labels.training(tiny).query("object_id == 40")["value"].tolist() == [0.1]


def test_adjudication_takes_one_reading_ends_the_disagreement_and_trains(tiny, reads):
    reads("Annie", 40, HALPHA, 4), reads("Cecilia", 40, OIII, 3, sigma=1e-4)
    (case,) = reviewing.disagreements(tiny)
    row = reviewing.adjudicate(tiny, case, case.readings[1].label_id, "Judge", "page", 1)
    last = labels.history(tiny, 40).iloc[-1]
    assert (last["id"], last["annotator"], last["source"], last["value"], last["sigma"], last["grade"]) == (row, "Judge", ADJUDICATION, OIII, 1e-4, 3)
    assert f'"took": {case.readings[1].label_id}' in last["shown"]
    assert reviewing.disagreements(tiny) == () and labels.training(tiny).query("object_id == 40")["value"].tolist() == [OIII]
    labelling.undo(tiny, "Judge", "page", 2)
    assert len(reviewing.disagreements(tiny)) == 1 and labels.held_back(tiny) == [40]


def test_adjudicator_who_is_one_of_the_two_keeps_what_they_read(tiny, reads):
    reads("Annie", 40, HALPHA), reads("Cecilia", 40, OIII)
    (case,) = reviewing.disagreements(tiny)
    reviewing.adjudicate(tiny, case, next(r.label_id for r in case.readings if r.annotator == "Cecilia"), "Annie", "page", 1)
    own = labels.current(tiny).query("object_id == 40")
    assert own[["annotator", "source", "value"]].to_numpy().tolist() == [["Annie", "human", HALPHA], ["Cecilia", "human", OIII], ["Annie", ADJUDICATION, OIII]]


def test_nobody_can_tell_takes_the_object_out_of_training(tiny, reads):
    reads("Annie", 40, 0.1), reads("Cecilia", 40, 0.4), reads("Vera", 40, 0.4)
    (case,) = reviewing.disagreements(tiny)
    reviewing.nobody_can_tell(tiny, case, "Judge", "page", 1)
    assert reviewing.disagreements(tiny) == () and labels.training(tiny).query("object_id == 40 and target == 'z'").empty


def test_adjudicate_refuses_a_reading_that_is_not_there(tiny, reads):
    reads("Annie", 40, 0.1), reads("Cecilia", 40, None)
    (case,) = reviewing.disagreements(tiny)
    for label_id in (1, case.readings[1].label_id):
        with pytest.raises(NotFound, match=f"no reading {label_id} of mock-00039 to take"):
            reviewing.adjudicate(tiny, case, label_id, "Judge", "page", 1)


def test_third_value_from_the_desk_adjudicates(tiny, reads):
    reads("Annie", 40, HALPHA), reads("Cecilia", 40, OIII)
    queue = reviewing.queue(tiny, labelling.DISAGREEMENTS)
    assert queue.ids.tolist() == [40] and "Annie reads Hα" in queue.reasons[40] and labelling.states(tiny, queue, "Annie") == {}
    labelling.apply_events(tiny, "Annie", [event(1, 40, z=0.25, queue=queue.source, origin="proposal")])
    last = labels.history(tiny, 40).iloc[-1]
    assert (last["source"], last["value"]) == (ADJUDICATION, 0.25) and '"queue": "disagreements"' in last["shown"]
    assert labelling.states(tiny, queue, "Annie") == {40: "label"} and labels.training(tiny).query("object_id == 40")["value"].tolist() == [0.25]
    again = reviewing.queue(tiny, labelling.DISAGREEMENTS)
    assert len(again) == 0 and again.sentence == "Nobody disagrees about a redshift."


def test_cannot_in_the_queue_of_disagreements_adjudicates_and_elsewhere_does_not(tiny):
    labelling.apply_events(tiny, "Judge", [event(1, 40, kind="cannot", queue=labelling.DISAGREEMENTS), event(2, 41, kind="star", queue="unlabelled", origin="proposal")])
    assert [labels.history(tiny, i)["source"].iloc[-1] for i in (40, 41)] == [ADJUDICATION, "human"]


def test_agreement_measures_against_the_first_reference_that_there_is_and_never_against_oneself(tiny, reads):
    reads("Annie", 40, 0.1, 4), reads("Cecilia", 40, 0.1002, 3)
    reads("Annie", 41, 0.1, 3), reads("Cecilia", 41, 0.4, 4), reads("Cecilia", 41, 0.4, 4, source=ADJUDICATION)
    reads("Annie", 1, 0.9, 2), reads("Annie", 43, 0.2, 4), reads("Vera", 44, 0.2, 1), reads("Annie", 44, 0.2, 4)
    table = reviewing.agreement(tiny)
    seen = {(r.annotator, r.object_id): (r.against, r.is_right) for r in table.itertuples()}
    assert seen == {
        ("Annie", 40): ("other people", True), ("Cecilia", 40): ("other people", True), ("Annie", 41): ("adjudicated", False), ("Cecilia", 41): ("other people", False),
        ("Annie", 1): ("catalogue", False), ("Vera", 44): ("other people", True),
    }
    grades = reviewing.by_grade(table).set_index(["annotator", "grade"])
    assert grades.loc[("Annie", 4), ["n", "right"]].tolist() == [1, 1] and grades.loc[("Annie", 3), "share"] == 0
    assert grades.index.tolist() == [("Annie", 4), ("Annie", 3), ("Annie", 2), ("Cecilia", 4), ("Cecilia", 3), ("Vera", 1)]


def test_agreement_measures_known_answers_for_the_person_who_was_given_them(tiny, reads):
    table = objects.frame(tiny)
    ids = table.loc[(table["id"] > 30) & (table["split"] == "train"), "id"].tolist()[:4]
    batch = batches.save(tiny, "b", "random", {}, 7, [{"object_id": i} for i in ids])
    assigning.assign(tiny, batch, ["Annie"], 1, "Judge", gold_share=0.5)
    gold = assigning.assignments.items(tiny, batch, "Annie").dropna(subset="gold")
    (first, z), (second, _) = gold[["object_id", "gold"]].itertuples(index=False)
    reads("Annie", first, z), reads("Annie", second, 0.9), reads("Bob", first, 0.9)
    mine = reviewing.agreement(tiny).query("annotator == 'Annie'")
    assert mine["against"].tolist() == ["known answer"] * 2 and mine["is_right"].tolist() == [True, False]
    row = reviewing.people(tiny).set_index("annotator").loc["Annie"]
    assert (row["gold"], row["gold_right"], row["decisions"], row["grade4"]) == (2, 1, 2, 2)


def test_people_are_counted_by_grade_with_their_adjudications(tiny, reads):
    reads("Annie", 40, 0.1, 4), reads("Annie", 41, 0.1, 2), reads("Annie", 42, None), reads("Annie", 40, 0.2, 4, source=ADJUDICATION)
    row = reviewing.people(tiny).set_index("annotator").loc["Annie"]
    assert row[["decisions", "grade4", "grade2", "cannot", "adjudications"]].tolist() == [3, 1, 1, 1, 1] and len(reviewing.people(tiny)) == 1


def test_pairs_count_shared_objects_and_agreement_within_1000_km_s(tiny, reads):
    for object_id, (a, b) in {40: (0.1, 0.1), 41: (0.1, 0.1 + 1.1 * 990 / SPEED_OF_LIGHT_KMS), 42: (0.1, 0.1 + 1.1 * 1010 / SPEED_OF_LIGHT_KMS), 43: (0.1, None)}.items():
        reads("Annie", object_id, a), reads("Cecilia", object_id, b)
    (pair,) = reviewing.pairs(tiny).itertuples()
    assert (pair.first, pair.second, pair.n, pair.right) == ("Annie", "Cecilia", 3, 2) and pair.low < 2 / 3 < pair.high


@pytest.mark.parametrize(("right", "n", "low", "high"), [(0, 10, 0.0, 0.0909), (10, 10, 0.9091, 1.0), (5, 10, 0.3492, 0.6508)])
def test_wilson_keeps_its_width_at_the_ends(right, n, low, high):
    assert [float(v) for v in wilson(np.array(right), np.array(n))] == pytest.approx([low, high], abs=1e-3)


def _predict(ws, **changes):
    """Store predictions of run 1 with some z changed: object id -> z."""
    saved = runs.load_arrays(ws, 1, "predictions")
    mean = truth.frame(ws).query("target == 'z'").set_index("object_id")["value"].loc[saved["object_ids"]].to_numpy()
    saved["mean"] = saved["mean"].copy()
    saved["mean"][:, 0] = mean + np.random.default_rng(0).normal(0, 2e-4, len(mean))
    for key, z in changes.items():
        saved["mean"][saved["object_ids"] == int(key[1:]), 0] = z
    saved["aleatoric"], saved["epistemic"] = np.full_like(saved["mean"], 0.8e-6), np.full_like(saved["mean"], 0.2e-6)
    runs.save_arrays(ws, 1, "predictions", **saved)


def test_relook_lists_labels_that_a_model_disputes_the_worst_first_with_the_reason(tiny, reads):
    _predict(tiny, o40=HALPHA, o41=0.21)
    reads("Annie", 40, OIII), reads("Cecilia", 41, 0.2), reads("Vera", 42, float(truth.frame(tiny, [42]).query("target == 'z'")["value"].iloc[0]))
    table = reviewing.relook(tiny).query("kind == 'model' and target == 'z'")
    assert table["object_id"].tolist() == [40, 41] and table["annotator"].tolist() == ["Annie", "Cecilia"] and table["severity"].is_monotonic_decreasing
    assert "linear (run 1) expects z 0.2205, the label says 0.5998: over 100 σ" in table["reason"].iloc[0] and "it has not learned from it." in table["reason"].iloc[0]
    assert table["reason"].iloc[0].endswith("Annie reads [O III] 5008, the model reads Hα 6565 at the same 8012 Å.") and "0.2205" not in table["hint"].iloc[0]


def test_relook_says_when_the_model_has_learned_from_the_label(tiny):
    learned = objects.frame(tiny).query("split == 'train' and id <= 30")["id"].iloc[0]
    _predict(tiny, **{f"o{learned}": 0.9})
    table = reviewing.relook(tiny).query("kind == 'model' and target == 'z'")
    assert table["object_id"].tolist() == [learned] and "although it learned from it" in table["reason"].iloc[0]


def test_relook_takes_the_pull_of_a_label_on_the_model_out(tiny):
    from core.services.reviewing.relook import _pull

    saved = runs.load_arrays(tiny, 1, "predictions")
    value = saved["mean"][:20, 0].astype(float)
    pull = _pull(saved, np.arange(20), 0, value, np.arange(20) < 15)
    assert (pull[:15] > 0).all() and (pull[15:] == 0).all() and (pull < 1).all()


def test_relook_forgets_a_label_that_was_given_again_from_it_or_changed(tiny, reads):
    _predict(tiny, o40=0.3, o41=0.3)
    reads("Annie", 40, 0.5), reads("Annie", 41, 0.5), reads("Vera", 42, 0.9)
    queue = reviewing.queue(tiny, "re-look")
    assert set(queue.ids.tolist()) >= {40, 41} and labelling.states(tiny, queue, "Annie") == {}
    labelling.apply_events(tiny, "Annie", [event(1, 40, z=0.5, queue="re-look"), event(2, 41, z=0.3), event(3, 42, z=0.9, grade=3, queue="re-look")])
    assert labelling.states(tiny, queue, "Annie") == {40: "label", 41: "label", 42: "label"}
    assert labels.training(tiny).query("object_id == 42 and target == 'z'")["value"].tolist() == [0.9]
    assert not {40, 41, 42} & set(reviewing.relook(tiny).query("target == 'z'")["object_id"])


def test_relook_lists_duplicates_that_contradict_each_other(tiny, reads):
    with tiny.write() as db:
        db.conn.execute("UPDATE objects SET ra = 150.0, dec = 2.0 WHERE id = 40")
        db.conn.execute("UPDATE objects SET ra = 150.0, dec = 2.0 + 2.0 / 3600 WHERE id IN (41, 42)")
    reads("Annie", 40, 0.3, 3), reads("Cecilia", 41, 0.1, 4), reads("Cecilia", 42, 0.1, 4)
    table = reviewing.relook(tiny).query("kind == 'duplicate'")
    assert table["object_id"].tolist() == [40] and table["severity"].tolist() == pytest.approx([SPEED_OF_LIGHT_KMS * np.log(1.3 / 1.1)])
    assert table["reason"].iloc[0].startswith("mock-00040, 2.0 arcsec away, has z 0.10000 (Cecilia), this one 0.30000: 50,082 km/s apart.")


def test_relook_lists_sfr_statistics_that_break_their_own_percentiles(tiny):
    def save(object_id, sequence, **values):
        labels.record(tiny, [Decision(object_id, f"sfr_tot_{k}", "label", "Vera", "f", sequence, value=v) for k, v in values.items()])

    save(40, 1, p2p5=-0.4, p97p5=0.8, avg=1.2), save(41, 2, p16=0.5), save(41, 3, p84=0.1), save(42, 4, p2p5=-1.0, median=0.0, p97p5=1.0, avg=-0.9, mode=0.9)
    table = reviewing.relook(tiny).query("kind == 'percentiles'")
    assert table[["object_id", "target"]].to_numpy().tolist() == [[40, "sfr_tot_avg"], [41, "sfr_tot_p84"]] and table["severity"].tolist() == [0.4, 0.4]
    assert table["reason"].tolist() == ["The mean of 1.2 lies outside its own 2.5th to 97.5th percentile, -0.4 to 0.8.", "The p84 of 0.1 lies below the p16 of 0.5."]


def test_relook_is_empty_without_labels_and_models(ws):
    assert reviewing.relook(ws).empty and reviewing.queue(ws, "re-look").sentence == "No past label stands out." and reviewing.disagreements(ws) == ()
