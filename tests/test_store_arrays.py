"""Shards: fixed size, memory-mapped, whole or not at all."""

import numpy as np
import pytest

from core.store import arrays, objects


def add(ws, n, value, modality="photometry", fail=False):
    """n objects whose photometry is value, value + 1, ...; returns their ids."""
    array = np.broadcast_to((value + np.arange(n, dtype=np.float32))[:, None, None], (n, 2, 5))
    with arrays.appending(ws) as appender:
        rows = appender.stage(modality, array)
        with ws.write() as db:
            ids = objects.upsert(db, [dict(key=f"{value + i}", sky_group=1, split="train") for i in range(n)])
            appender.publish(db)
            arrays.link(db, modality, ids, rows)
            if fail:
                raise RuntimeError("killed here")
    return ids


def read(ws, ids):
    values, present = arrays.read(ws, "photometry", ids)
    return values[:, 0, 0].tolist(), present.tolist()


def test_read_gives_rows_in_the_order_asked_across_shards(ws):
    ids = add(ws, 600, 0)
    assert read(ws, [ids[599], ids[0], ids[256]]) == ([599.0, 0.0, 256.0], [True] * 3)
    assert ws.frame("SELECT rows FROM shards ORDER BY number")["rows"].tolist() == [256, 256, 88]


def test_append_fills_the_last_shard_and_keeps_what_was_there(ws):
    ids = add(ws, 250, 0) + add(ws, 20, 1000)
    assert read(ws, ids[248:252])[0] == [248.0, 249.0, 1000.0, 1001.0]
    assert ws.frame("SELECT rows FROM shards ORDER BY number")["rows"].tolist() == [256, 14]


def test_read_gives_nan_where_an_object_lacks_the_modality(ws):
    add(ws, 1, 0)
    values, present = arrays.read(ws, "image", [1])
    assert np.isnan(values).all() and present.tolist() == [False]


def test_crash_before_the_transaction_ends_leaves_no_row_and_its_files_are_swept(ws):
    ids = add(ws, 10, 0)
    with pytest.raises(RuntimeError, match="killed here"):
        add(ws, 10, 500, fail=True)
    assert objects.count(ws) == 10 and len(list(ws.arrays.glob("*.npy"))) == 2
    more = add(ws, 5, 100)
    assert read(ws, [ids[9], more[0]])[0] == [9.0, 100.0]
    assert len(ws.frame("SELECT * FROM shards")) == 1


def test_stage_twice_in_one_append_continues_the_shard(ws):
    with arrays.appending(ws) as appender:
        first = appender.stage("photometry", np.zeros((3, 2, 5)))
        second = appender.stage("photometry", np.ones((2, 2, 5)))
        with ws.write() as db:
            ids = objects.upsert(db, [dict(key=str(i), sky_group=1, split="train") for i in range(5)])
            appender.publish(db)
            arrays.link(db, "photometry", ids, [*first, *second])
    assert read(ws, ids)[0] == [0, 0, 0, 1, 1]


def test_stage_refuses_a_wrong_shape(ws):
    with arrays.appending(ws) as appender, pytest.raises(ValueError, match=r"image rows must have shape \(5, 64, 64\)"):
        appender.stage("image", np.zeros((1, 5, 32, 32)))


def test_reduced_gives_one_number_an_object_and_reads_a_shard_once(ws):
    asked = []

    def middle(rows):
        asked.append(len(rows))
        return rows.mean(axis=(1, 2))

    ids = add(ws, 300, 0)
    [lacking] = add(ws, 1, 7, modality="photometry")
    with ws.write() as db:
        db.conn.execute("DELETE FROM arrays WHERE object_id = ?", (lacking,))
    for _ in range(2):
        assert arrays.reduced(ws, "photometry", [ids[299], lacking, ids[0]], middle) == pytest.approx([299.0, np.nan, 0.0], nan_ok=True)
    assert sorted(asked) == [45, 256]
