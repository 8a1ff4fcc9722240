"""Objects, truth, batches, runs and maps in the store."""

import numpy as np
import pytest

from core.columns import TARGET_NAMES, Target
from core.errors import NotFound, WorkspaceError
from core.store import batches, embeddings, labels, objects, open_workspace, runs, truth
from core.store.labels import Decision


def add(ws, *rows):
    with ws.write() as db:
        return objects.upsert(db, [dict(sky_group=1, split="train") | row for row in rows])


def test_upsert_gives_a_known_key_its_id_and_fills_only_what_is_empty(ws):
    first = add(ws, dict(key="a", ra=10.0, metadata={"mag": 1}))
    second = add(ws, dict(key="a", ra=11.0, dec=5.0, metadata={"mag": 2, "size": 3}))
    row = objects.one(ws, 1)
    assert (first, second, row["ra"], row["dec"]) == ([1], [1], 10.0, 5.0)
    assert objects.metadata(ws, 1) == {"mag": 1, "size": 3}


def test_upsert_keeps_missing_values_missing(ws):
    add(ws, dict(key="a", ra=np.nan, specobjid=None, sn=np.float32(3.5), metadata={"x": np.nan, "n": np.int64(4)}))
    row = objects.one(ws, 1)
    assert row["ra"] is None and row["specobjid"] is None and row["sn"] == 3.5
    assert objects.metadata(ws, 1) == {"n": 4}


def test_specobjid_survives_as_text(ws):
    add(ws, dict(key="a", specobjid="1237645943976493294"))
    assert objects.frame(ws)["specobjid"].tolist() == ["1237645943976493294"]


def test_frame_keeps_the_order_asked_for_and_says_which_modalities_there_are(tiny):
    table = objects.frame(tiny, [5, 2, 9])
    assert table["id"].tolist() == [5, 2, 9]
    assert table[["image", "spectrum", "photometry"]].to_numpy().all()


def test_find_knows_key_specobjid_and_parts_of_a_key(tiny):
    assert objects.find(tiny, "mock-00007") == [8]
    assert objects.find(tiny, str(10**18 + 3)) == [4]
    assert objects.find(tiny, "0001")[:1] == [2]


def test_one_refuses_an_object_that_is_not_there(ws):
    with pytest.raises(NotFound, match="no object 3"):
        objects.one(ws, 3)


def test_write_rolls_all_of_it_back_when_something_fails(ws):
    with pytest.raises(RuntimeError), ws.write() as db:
        objects.upsert(db, [dict(key="a", sky_group=1, split="train")])
        raise RuntimeError
    assert objects.count(ws) == 0


def test_open_workspace_names_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(WorkspaceError, match="There is no workspace in"):
        open_workspace(tmp_path / "nothing", create=False)


def test_truth_keeps_the_first_value_and_declared_targets_come_last(ws):
    add(ws, dict(key="a"))
    with ws.write() as db:
        truth.put(db, [(1, "z", 0.1, None, "one")])
        truth.put(db, [(1, "z", 0.2, None, "two"), (1, "lgm", 10.5, 0.1, "two")])
        truth.declare_target(db, Target("lgm", "log10(Msun)", "mass", 5, 13, "Stellar mass"))
    assert truth.frame(ws)[["target", "value"]].values.tolist() == [["lgm", 10.5], ["z", 0.1]]
    assert [t.name for t in truth.targets(ws)] == [*TARGET_NAMES, "lgm"]


def test_batch_counts_standing_decisions_of_its_own(tiny):
    batch = batches.save(tiny, "first", "random", {"size": 2}, 0, [dict(object_id=3, reason="r", score=0.5), dict(object_id=1, control=1)])
    labels.record(tiny, [Decision(3, "z", "label", "ana", "c", 1, value=0.1, batch_id=batch)])
    assert batches.items(tiny, batch)[["object_id", "rank", "control"]].values.tolist() == [[3, 0, 0], [1, 1, 1]]
    assert batches.frame(tiny)[["size", "done"]].values.tolist() == [[2, 1]]
    labels.retract(tiny, labels.high_water(tiny), "ana", "c", 2)
    assert batches.frame(tiny)["done"].tolist() == [0]


def test_run_becomes_stale_when_a_label_it_saw_is_undone(tiny):
    assert runs.frame(tiny)["stale"].tolist() == [0]
    labels.retract(tiny, 1, "oracle", "test", 999)
    assert runs.frame(tiny)["stale"].tolist() == [1]


def test_run_of_a_resumed_job_is_the_one_it_had(tiny):
    with tiny.write() as db:
        db["jobs"].insert(dict(kind="train", title="t", parameters="{}"))
    snapshot = {"high_water": 1, "count": 1, "hash": "x"}
    first = runs.create(tiny, "a", "linear", {}, 0, snapshot, job_id=1)
    assert runs.create(tiny, "a", "linear", {}, 0, snapshot, job_id=1) == first == 2
    assert runs.create(tiny, "a", "linear", {}, 0, snapshot) == 3


def test_run_keeps_history_metrics_and_arrays(tiny):
    runs.put_history(tiny, 1, 4, {"train_loss": 9.0})
    assert runs.history(tiny, 1).query("epoch == 4 and name == 'train_loss'")["value"].tolist() == [9.0]
    assert runs.load_arrays(tiny, 1, "predictions")["mean"].shape == (60, 9)
    assert runs.one(tiny, 1)["summary"]["seconds"] == 1.5
    with pytest.raises(NotFound, match="no nothing yet"):
        runs.load_arrays(tiny, 1, "nothing")


def test_map_of_the_same_name_replaces_the_old_one(tiny):
    xy = np.array([[1.5, 2.0], [3.0, 4.0]])
    embeddings.save(tiny, "pca image", "pca", "image", np.array([7, 8]), xy, {"seed": 1})
    ids, found = embeddings.load(tiny, "pca image")
    assert ids.tolist() == [7, 8] and found.tolist() == xy.tolist()
    assert len(embeddings.frame(tiny)) == 1


def test_brief_gives_what_a_map_needs_in_the_order_asked_for(tiny, monkeypatch):
    few = objects.brief(tiny, np.array([5, 2, 9]))
    monkeypatch.setattr(objects, "BRIEF_ALL", 0)
    assert few.equals(objects.brief(tiny, np.array([5, 2, 9])))
    full = objects.frame(tiny, [5, 2, 9])
    assert few["key"].tolist() == full["key"].tolist() and few["sn"].tolist() == full["sn"].tolist()
