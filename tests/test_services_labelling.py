"""The labelling desk without its page: what is shown, what events become, and what is taken back."""

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from core.errors import NotFound
from core.services import labelling
from core.store import acts, batches, labels, objects, runs
from core.store.labels import Decision
from tests.desk import WHO, event, standing_rate


def test_states_prefer_decisions_to_skips_to_flags(tiny, batch):
    labelling.apply_events(tiny, WHO, [
        event(1, 50, "cannot"), event(2, 50, "skip"), event(3, 40, "skip"), event(4, 40, "flag"), event(5, 45, "flag"), event(6, 31),
    ])
    labelling.apply_events(tiny, "Cecilia", [event(1, 33)])
    assert labelling.states(tiny, labelling.queue(tiny, str(batch)), WHO) == {50: "cannot", 40: "skip", 45: "flag", 31: "label"}


def test_find_takes_id_key_or_part_of_it(tiny):
    assert labelling.find(tiny, " 12 ") == 12
    assert labelling.find(tiny, "mock-00041") == 42
    assert labelling.find(tiny, str(10**18 + 7)) == 8
    with pytest.raises(NotFound, match="'no-such'"):
        labelling.find(tiny, "no-such")


def test_desk_shows_arrays_proposal_and_own_label(tiny):
    labelling.apply_events(tiny, WHO, [event(1, 40, z=0.123, grade=3)])
    run = labelling.proposal_run(tiny)
    here = labelling.desk(tiny, 40, WHO, run)
    mean = runs.load_arrays(tiny, run, "predictions")["mean"][39, 0]
    assert here["key"] == "mock-00039" and here["has_truth"] and here["simulated"] and here["fibre_arcsec"] == 3.0
    assert here["spectrum"].shape == (2, 4620) and here["composite"].shape == (64, 64, 3) and here["bands"].dtype == np.uint8
    assert here["proposal"]["run"] == run and here["proposal"]["z"]["value"] == pytest.approx(mean, abs=1e-6)
    assert here["own"] == {"action": "label", "z": 0.123, "grade": 3, "source": "human", "words": ""} and not here["told"] and here["rate"] == {}
    assert len(here["candidates"]) == 5 and here["candidates"][0]["delta_chi2"] == 0
    assert len(here["curve"].z_s) <= 600 and here["curve"].delta_chi2_s.min() == 0 and len(here["neighbours"]) == 6


def test_desk_serves_object_without_arrays(ws):
    with ws.write() as db:
        objects.upsert(db, [{"key": "bare", "sky_group": 1, "split": "train", "plate": 4000}])
    here = labelling.desk(ws, 1, WHO)
    assert here["spectrum"] is None and here["bands"] is None and here["proposal"] is None and here["candidates"] == []
    assert here["fibre_arcsec"] == 2.0 and here["ra"] is None


def test_proposal_run_prefers_models_that_read_spectra(tiny):
    snapshot = {"high_water": 0, "count": 0, "hash": ""}
    arrays = runs.load_arrays(tiny, 1, "predictions")
    for model in ("mean", "linear", "mean", "linear"):
        run = runs.create(tiny, model, model, {}, 0, snapshot)
        runs.finish(tiny, run, "done")
        if run != 5:
            runs.save_arrays(tiny, run, "predictions", **arrays)
    assert labelling.proposal_run(tiny) == 3


def test_proposal_run_is_none_where_nothing_has_been_trained(ws):
    assert labelling.proposal_run(ws) is None


def test_proposal_leaves_out_what_a_run_does_not_predict(tiny):
    arrays = runs.load_arrays(tiny, 1, "predictions")
    arrays["mean"][0, 0] = np.nan
    arrays["epistemic"] = arrays["epistemic"].copy()
    arrays["epistemic"][1, 3] = np.nan
    runs.save_arrays(tiny, 1, "predictions", **arrays)
    first, second = labelling.desks(tiny, [1, 2], WHO, 1)
    assert first["proposal"] is None and second["proposal"]["sfr"] is None and second["proposal"]["z"]["value"] > 0


def test_apply_events_writes_what_each_kind_means(tiny):
    applied = labelling.apply_events(tiny, WHO, [
        event(1, 40, z=0.2, sigma=1e-4, grade=2, proposal=0.3, run=1, origin="candidate 1"), event(2, 41, "cannot"), event(3, 42, "star"),
        event(4, 43, "skip", words="too faint"), event(5, 44, "flag", words="blend"), event(6, 45, origin="proposal", revealed=True),
    ])
    table = pd.concat([labels.history(tiny, i) for i in range(40, 46)])
    assert applied.acked == {"c1": 6} and not applied.refused
    assert table["action"].tolist() == ["label", "cannot", "cannot", "skip", "flag", "label"]
    assert table["source"].tolist() == ["human"] * 5 + ["model-assisted"]
    first = table.iloc[0]
    assert (first["value"], first["sigma"], first["grade"], first["milliseconds"]) == (0.2, 1e-4, 2, 900)
    assert first["shown"] == '{"revealed": false, "proposal": 0.3, "run": 1, "origin": "candidate 1"}'
    assert table["flags"].tolist() == ["", "", "star", "", "blend", ""] and table["comment"].tolist()[3] == "too faint"


def test_apply_events_records_each_event_once_however_often_it_comes(tiny):
    events = [event(n, 30 + n) for n in range(1, 11)]
    for part in (events[:4], events[2:8], events, events[::-1]):
        labelling.apply_events(tiny, WHO, part)
    mine = tiny.frame("SELECT object_id, sequence FROM labels WHERE annotator = ? ORDER BY id", (WHO,))
    assert mine["object_id"].tolist() == list(range(31, 41)) and mine["sequence"].tolist() == list(range(1, 11))


@pytest.mark.parametrize(("wrong", "sentence"), [
    ({"z": 99}, "z must be a number from -0.01 to 8.0; got 99"), ({"z": "0.1"}, "z must be a number"), ({"z": None}, "z must be a number"),
    ({"grade": 5}, "grade must be 1, 2, 3 or 4; got 5"), ({"object": 999}, "no object 999"), ({"object": None}, "object must be a number"),
    ({"batch": 12}, "no batch 12"), ({"kind": "drop"}, "event must be one of grade"), ({"z": float("nan")}, "z must be a number"),
])
def test_apply_events_refuses_what_breaks_a_rule_and_keeps_the_rest(tiny, wrong, sentence):
    applied = labelling.apply_events(tiny, WHO, [event(1, 40), event(2, 41) | wrong, event(3, 42)])
    assert sentence in applied.refused[0].sentence and applied.refused[0].sequence == 2
    assert applied.acked == {"c1": 3}
    assert tiny.frame("SELECT object_id FROM labels WHERE annotator = ?", (WHO,))["object_id"].tolist() == [40, 42]


def test_apply_events_counts_for_the_batch(tiny, batch):
    labelling.apply_events(tiny, WHO, [event(1, 50, batch=batch), event(2, 40, "skip", batch=batch)])
    assert batches.frame(tiny)["done"].tolist() == [1]


def test_catalogue_reveals_all_nine_values(tiny):
    labelling.apply_events(tiny, WHO, [event(1, 40, "catalogue")])
    rows = labels.history(tiny, 40)
    assert len(rows) == 9 and set(rows["source"]) == {"catalogue"} and rows["sigma"].tolist() == [0.1] * 9
    assert standing_rate(tiny, 40)["sfr_tot_median"] == rows.set_index("target")["value"]["sfr_tot_median"]


def test_catalogue_without_values_is_refused(ws):
    with ws.write() as db:
        objects.upsert(db, [{"key": "bare", "sky_group": 1, "split": "train"}])
    applied = labelling.apply_events(ws, WHO, [event(1, 1, "catalogue")])
    assert "The catalogue knows no value of object 1." in applied.refused[0].sentence


def test_undo_takes_back_the_named_act_once(tiny):
    labelling.apply_events(tiny, WHO, [event(1, 40), event(2, 41, "catalogue"), event(3, 42)])
    undo = event(4, 41, "undo", undoes={"client": "c1", "sequence": 2})
    applied = labelling.apply_events(tiny, WHO, [undo])
    labelling.apply_events(tiny, WHO, [undo])
    assert applied.back_to == 41
    assert tiny.frame("SELECT supersedes FROM labels WHERE action = 'retract'")["supersedes"].tolist() == labels.history(tiny, 41)["id"].tolist()[:9]
    assert set(labels.current(tiny).query("annotator == @WHO")["object_id"]) == {40, 42}


def test_undo_without_a_name_takes_back_the_newest_act(tiny):
    labelling.apply_events(tiny, WHO, [event(1, 40), event(2, 41)])
    backs = [labelling.undo(tiny, WHO, "c1", n) for n in (3, 4, 4, 5)]
    assert backs == [41, 40, 40, None]


def test_undo_touches_no_other_annotator(tiny):
    labelling.apply_events(tiny, "Cecilia", [event(1, 40)])
    assert labelling.undo(tiny, WHO, "c1", 2, ("c1", 1)) is None
    assert len(labels.current(tiny).query("annotator == 'Cecilia'")) == 1


def test_exposure_is_kept_and_whoever_was_told_stays_told(tiny):
    labelling.apply_events(tiny, WHO, [event(1, 40, revealed=True, revealed_by="key", revealed_after=1200), event(2, 41, proposal=0.3, run=1), event(3, 42)])
    assert json.loads(labels.history(tiny, 40)["shown"].iloc[0]) == {"revealed": True, "revealed_by": "key", "revealed_after": 1200}
    labelling.undo(tiny, WHO, "c1", 4, ("c1", 2))
    assert [d["told"] for d in labelling.desks(tiny, [40, 41, 42], WHO)] == [True, True, False]
    assert not labelling.desks(tiny, [40], "Cecilia")[0]["told"]


def test_proposal_is_calibrated_by_the_runs_own_calibration_galaxies(tiny):
    labelling.proposals._predictions.cache_clear()
    runs.finish(tiny, 1, "done", {"conformal": {"widths": {"z": {"all": {"68": 1.5, "95": 4.0}}}}})
    said = labelling.desks(tiny, [40], WHO, 1)[0]["proposal"]
    assert said["z"]["sigma"] == pytest.approx(2 * np.hypot(said["z"]["noise"], said["z"]["ignorance"]), abs=2e-6)
    assert said["sfr"]["sigma"] == pytest.approx(np.hypot(said["sfr"]["noise"], said["sfr"]["ignorance"]), abs=2e-6)


def test_comment_goes_with_the_decision(tiny):
    labelling.apply_events(tiny, WHO, [event(1, 40, words="broad lines"), event(2, 41, "cannot", words="low signal"), event(3, 42, "star", words="M dwarf")])
    rows = pd.concat([labels.history(tiny, i) for i in (40, 41, 42)])
    assert rows[["action", "flags", "comment"]].to_numpy().tolist() == [["label", "", "broad lines"], ["cannot", "", "low signal"], ["cannot", "star", "M dwarf"]]
    assert labelling.desks(tiny, [41], WHO)[0]["own"]["words"] == "low signal"


def test_history_lists_acts_newest_first_and_what_was_taken_back(tiny):
    labelling.apply_events(tiny, WHO, [event(1, 40, z=0.2), event(2, 40, "catalogue"), event(3, 40, "undo", undoes={"client": "c1", "sequence": 1})])
    table = labelling.history(tiny, 40)
    assert table["values"].tolist() == [9, 1] and table["standing"].tolist() == [True, False] and table["z"].tolist()[1] == 0.2


def test_history_marks_what_a_newer_decision_of_the_same_person_replaced(tiny):
    labelling.apply_events(tiny, WHO, [event(1, 40, z=0.2), event(2, 40, "flag", words="blend"), event(3, 40, z=0.3)])
    labelling.apply_events(tiny, "Cecilia", [event(1, 40, z=0.25)])
    table = labelling.history(tiny, 40)
    assert table["z"].tolist()[:2] == [0.25, 0.3] and table["replaced"].tolist() == [False, False, False, True]
    assert table["standing"].all() and labelling.desk(tiny, 40, WHO)["own"]["z"] == 0.3


def test_take_back_retracts_anybodys_rows_under_ones_own_name(tiny):
    row = int(labels.history(tiny, 3)["id"].iloc[0])
    labelling.take_back(tiny, [row], WHO, "f", 1)
    last = labels.history(tiny, 3).iloc[-1]
    assert (last["action"], last["annotator"], last["supersedes"]) == ("retract", WHO, row)
    with pytest.raises(NotFound, match="no label 99999"):
        acts.retract(tiny, [row, 99999], WHO, "f", 2)


def test_progress_counts_queue_and_day(tiny, batch):
    labelling.apply_events(tiny, WHO, [event(1, 50, batch=batch), event(2, 40, "cannot"), event(3, 45, "skip")])
    queue = labelling.queue(tiny, str(batch))
    figures = labelling.progress(tiny, WHO, queue.ids, labelling.states(tiny, queue, WHO))
    assert {k: figures[k] for k in ("total", "done", "skipped", "left", "today")} == {"total": 5, "done": 2, "skipped": 1, "left": 3, "today": 2}
    tomorrow = datetime(2999, 1, 1, 12, tzinfo=UTC)
    assert labelling.progress(tiny, WHO, queue.ids, {}, tomorrow)["today"] == 0


def test_pace_leaves_out_pauses():
    from core.services.labelling.progress import pace

    assert pace(pd.Series([f"2024-01-01T0{h}:00:{s:02d}Z" for h in (1, 5) for s in (0, 12, 24)])) == 300.0
    assert pace(pd.Series(["2024-01-01T00:00:00Z", "2024-01-01T00:00:10Z"])) is None


def test_recent_acts_come_newest_first_without_those_undone(tiny):
    labelling.apply_events(tiny, WHO, [event(1, 40), event(2, 41, "catalogue"), event(3, 42), event(4, 42, "undo", undoes={"client": "c1", "sequence": 3})])
    assert labelling.recent_acts(tiny, WHO) == [{"client": "c1", "sequence": 2, "object": 41}, {"client": "c1", "sequence": 1, "object": 40}]
    assert labels.record(tiny, [Decision(43, "z", "skip", WHO, "c1", 9)]) and labelling.recent_acts(tiny, WHO)[0]["object"] == 43
