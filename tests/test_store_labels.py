"""The append-only label log."""

import sqlite3
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from core.errors import BadInput, NotFound
from core.store import labels, objects, open_workspace
from core.store.labels import Decision


@pytest.fixture
def one(ws):
    """A workspace with two objects, ids 1 and 2."""
    with ws.write() as db:
        objects.upsert(db, [dict(key=k, sky_group=i, split="train") for i, k in enumerate("ab")])
    return ws


def decide(sequence, value=0.1, **more):
    return Decision(**(dict(object_id=1, target="z", action="label", annotator="ana", client="c", sequence=sequence, value=value) | more))


def values(ws, **more):
    return labels.training(ws, **more)["value"].tolist()


def test_record_writes_one_row_when_the_same_key_press_arrives_twice(one):
    first, second = labels.record(one, [decide(1)]), labels.record(one, [decide(1, value=0.9)])
    assert first == second == [1]
    assert values(one) == [0.1]


def test_training_takes_the_newest_label_of_an_annotator(one):
    labels.record(one, [decide(1, 0.1), decide(2, 0.2)])
    assert values(one) == [0.2]


def test_retract_brings_the_label_before_back(one):
    ids = labels.record(one, [decide(1, 0.1), decide(2, 0.2)])
    labels.retract(one, ids[1], "ana", "c", 3)
    assert values(one) == [0.1]
    assert labels.last_undoable(one, "ana") == [ids[0]]
    assert labels.history(one, 1)["action"].tolist() == ["label", "label", "retract"]


def test_last_undoable_gives_all_targets_of_one_act(one):
    labels.record(one, [decide(1), decide(2, 0.3, target="sfr_tot_avg"), decide(2, 0.4, target="sfr_tot_median")])
    assert labels.last_undoable(one, "ana") == [2, 3]
    assert labels.last_undoable(one, "bob") == []


def test_training_prefers_a_person_to_the_catalogue_whichever_came_last(one):
    labels.record(one, [decide(1, 0.2), decide(2, 0.1, annotator="oracle", source="catalogue")])
    assert values(one) == [0.2]


def read(sequence, who, z, grade=4, **more):
    return decide(sequence, z, annotator=who, grade=grade, **more)


def test_training_takes_the_best_graded_newest_of_people_who_agree(one):
    labels.record(one, [read(1, "ana", 0.1, 4), read(2, "bob", 0.1001, 3)])
    assert values(one) == [0.1] and labels.held_back(one) == []
    labels.record(one, [read(3, "bob", 0.1002, 4)])
    assert values(one) == [0.1002]


def test_training_holds_back_a_redshift_on_which_people_disagree(one):
    labels.record(one, [read(1, "ana", 0.1), read(2, "bob", 0.4), read(3, "ana", 0.2, object_id=2), decide(4, 0.5, target="sfr_tot_avg"), decide(5, 0.6, target="sfr_tot_avg", annotator="bob")])
    assert labels.training(one)[["object_id", "value"]].to_numpy().tolist() == [[1, 0.6], [2, 0.2]] and labels.held_back(one) == [1]
    assert labels.held_back(one, up_to=1) == [] and values(one, up_to=1) == [0.1]


def test_training_takes_what_most_weight_agrees_on(one):
    labels.record(one, [read(1, "ana", 0.1, 3), read(2, "bob", 0.4, 4), read(3, "cleo", 0.1001, 3)])
    assert values(one) == [0.1001]
    labels.record(one, [read(4, "dan", 0.4, 4)])
    assert values(one) == [0.4]


def test_training_does_not_let_a_guess_hold_back_a_certain_redshift(one):
    labels.record(one, [read(1, "ana", 0.1, 4), read(2, "bob", 0.4, 1)])
    assert values(one) == [0.1]


def test_training_prefers_an_adjudication_to_any_consensus(one):
    labels.record(one, [read(1, "ana", 0.1), read(2, "bob", 0.4), read(3, "ana", 0.4, source="adjudication")])
    assert values(one) == [0.4] and labels.held_back(one) == []
    assert labels.current(one)["value"].tolist() == [0.1, 0.4, 0.4]
    labels.retract(one, 3, "ana", "c", 9)
    assert values(one) == [] and labels.held_back(one) == [1]


def test_training_leaves_out_what_an_adjudicator_could_not_tell_or_only_guessed(one):
    labels.record(one, [read(1, "ana", 0.1), read(2, "cleo", None, None, action="cannot", source="adjudication")])
    labels.record(one, [read(3, "ana", 0.2, object_id=2), read(4, "cleo", 0.3, 2, object_id=2, source="adjudication")])
    assert values(one) == [] and labels.held_back(one) == []


def test_training_set_of_a_disagreement_can_be_rebuilt_at_every_row(one):
    labels.record(one, [read(1, "ana", 0.1), read(2, "bob", 0.4), read(3, "cleo", 0.4, source="adjudication")])
    hashes = [labels.snapshot_hash(labels.training(one, up_to=n)) for n in (1, 2, 3)]
    labels.record(one, [read(4, "dan", 0.1), read(5, "eve", 0.1)])
    assert [labels.snapshot_hash(labels.training(one, up_to=n)) for n in (1, 2, 3)] == hashes and len(set(hashes)) == 3


def test_training_leaves_out_low_grades_and_cannot(one):
    labels.record(one, [decide(1, 0.2, grade=2), decide(2, None, action="cannot", object_id=2)])
    assert values(one) == []
    assert values(one, min_grade=2) == [0.2]


def test_cannot_replaces_the_same_persons_label(one):
    labels.record(one, [decide(1, 0.2), decide(2, None, action="cannot")])
    assert values(one) == []


def test_training_sees_the_log_as_it_stood_at_the_high_water_mark(one):
    labels.record(one, [decide(1, 0.1)])
    mark = labels.high_water(one)
    before = labels.snapshot_hash(labels.training(one))
    labels.record(one, [decide(2, 0.2)])
    labels.retract(one, 1, "ana", "c", 3)
    assert values(one, up_to=mark) == [0.1]
    assert labels.snapshot_hash(labels.training(one, up_to=mark)) == before
    assert labels.snapshot_hash(labels.training(one)) != before
    assert labels.undone_since(one, mark) == 1


def test_record_refuses_a_value_outside_its_range_and_writes_nothing(one):
    with pytest.raises(BadInput, match=r"z must be a number from -0.01 to 8.0; got 99, for object 1"):
        labels.record(one, [decide(1), decide(2, 99)])
    assert labels.high_water(one) == 0


def test_record_refuses_percentiles_that_cross(one):
    crossed = [decide(1, -0.5, target="sfr_tot_p84"), decide(1, -0.2, target="sfr_tot_p16")]
    with pytest.raises(BadInput, match="p16 -0.2, sfr_tot_p84 -0.5"):
        labels.record(one, crossed)


def test_record_refuses_an_unknown_target(one):
    with pytest.raises(BadInput, match="target must be one of z, sfr_tot_avg"):
        labels.record(one, [decide(1, target="mass")])


def test_retract_refuses_a_label_that_is_not_there(one):
    with pytest.raises(NotFound, match="no label 7"):
        labels.retract(one, 7, "ana", "c", 1)


@pytest.mark.parametrize("sql", ["UPDATE labels SET value = 1", "DELETE FROM labels"])
def test_labels_can_neither_be_changed_nor_deleted(one, sql):
    labels.record(one, [decide(1)])
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), one.write() as db:
        db.conn.execute(sql)


def _write_200(path, writer):
    ws = open_workspace(path)
    for i in range(200):
        labels.record(ws, [decide(i, 0.001 * i, annotator=f"person {writer}")])


def test_eight_processes_writing_200_labels_each_at_once_give_1600_rows(one):
    with ProcessPoolExecutor(8, mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(_write_200, one.path, w) for w in range(8)]:
            done.result()
    assert int(one.frame("SELECT COUNT(*) AS n FROM labels")["n"].iloc[0]) == 1600
    assert len(labels.current(one)) == 8
