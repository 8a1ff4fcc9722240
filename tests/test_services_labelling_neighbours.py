"""What is shown beside an object of those like it: labelled ones only, and never the same galaxy again."""

import numpy as np

from core.services.labelling.neighbours import SHOWN, neighbours
from core.store import labels, objects, runs
from core.store.labels import Decision


def nearest_by_hand(ws, object_id, run_id):
    saved = runs.load_arrays(ws, run_id, "predictions")
    away = ((saved["features"] - saved["features"][saved["object_ids"].tolist().index(object_id)]) ** 2).sum(axis=1)
    order = saved["object_ids"][np.argsort(away)].tolist()
    return [i for i in order if i != object_id and i <= 30]


def test_neighbours_are_the_nearest_labelled_in_what_the_run_has_learnt(tiny):
    found = neighbours(tiny, [45, 3], 1)
    for object_id in (45, 3):
        assert [n["id"] for n in found[object_id]] == nearest_by_hand(tiny, object_id, 1)[:SHOWN]
    first = found[45][0]
    label = labels.current(tiny, object_ids=[first["id"]]).query("target == 'z'").iloc[0]
    assert first["z"] == label["value"] and first["grade"] is None and first["source"] == "catalogue"
    assert first["key"] == f"mock-{first['id'] - 1:05d}" and first["picture"].shape == (32, 32, 3) and first["picture"].any()


def test_neighbours_stand_on_the_newest_map_without_a_run(tiny):
    assert len(neighbours(tiny, [45])[45]) == SHOWN


def test_the_same_galaxy_observed_again_is_no_neighbour(tiny):
    first = neighbours(tiny, [45], 1)[45][0]["id"]
    with tiny.write() as db:
        db.conn.execute("UPDATE objects SET sky_group = (SELECT sky_group FROM objects WHERE id = 45) WHERE id = ?", (first,))
    assert [n["id"] for n in neighbours(tiny, [45], 1)[45]] == nearest_by_hand(tiny, 45, 1)[1 : SHOWN + 1]


def test_a_new_label_joins_and_an_undone_one_leaves(tiny):
    near = runs.load_arrays(tiny, 1, "predictions")
    away = ((near["features"] - near["features"][44]) ** 2).sum(axis=1)
    other = next(int(i) for i in near["object_ids"][np.argsort(away)] if i > 30 and i != 45)
    [row] = labels.record(tiny, [Decision(other, "z", "label", "Annie", "c", 1, value=0.2, grade=3)])
    told = next(n for n in neighbours(tiny, [45], 1)[45] if n["id"] == other)
    assert (told["z"], told["grade"]) == (0.2, 3)
    labels.retract(tiny, row, "Annie", "c", 2)
    assert other not in [n["id"] for n in neighbours(tiny, [45], 1)[45]]


def test_workspace_without_map_and_run_has_no_neighbours(ws):
    with ws.write() as db:
        objects.upsert(db, [{"key": "bare", "sky_group": 1, "split": "train"}])
    assert neighbours(ws, [1]) == {1: []}
