"""Counts over the workspace are those of its rows."""

import numpy as np

from core.store import arrays, census, labels, objects


def _object(ws, key, **values) -> int:
    with ws.write() as db:
        return objects.upsert(db, [{"key": key, "sky_group": hash(key) % 100, "split": "train"} | values])[0]


def test_combinations_count_objects_by_what_they_have_together(ws):
    ids = [_object(ws, k) for k in "abc"]
    with arrays.appending(ws) as appender:
        rows = appender.stage("photometry", np.zeros((2, 2, 5)))
        with ws.write() as db:
            appender.publish(db)
            arrays.link(db, "photometry", ids[:2], rows)
    table = census.combinations(ws)
    assert dict(zip(table["modalities"], table["n"], strict=True)) == {"photometry": 2, "none": 1}
    assert census.modalities(ws) == {"image": 0, "spectrum": 0, "photometry": 2}


def test_labelled_objects_are_those_with_a_label_that_stands(ws):
    first, second = _object(ws, "a"), _object(ws, "b", split="test")
    ids = labels.record(ws, [labels.Decision(o, "z", "label", "Ada", "laptop", o, value=0.1) for o in (first, second)])
    labels.retract(ws, ids[0], "Ada", "laptop", 9)
    assert census.objects_and_labels(ws) == {"objects": 2, "simulated": 0, "labelled": 1}
    assert census.by_split(ws).set_index("split")["labelled"].to_dict() == {"train": 0, "calibration": 0, "test": 1}


def test_missing_counts_empty_columns(ws):
    _object(ws, "a", sn=3.0)
    _object(ws, "b")
    table = census.missing(ws).set_index("column")
    assert table.loc["sn", "missing"] == 1 and table.loc["sn", "share"] == 0.5 and table.loc["key", "missing"] == 0
    assert census.signal_to_noise(ws).tolist() == [3.0]


def test_classes_come_most_frequent_first(ws):
    for key, kind in (("a", "QSO"), ("b", "GALAXY"), ("c", "GALAXY"), ("d", "")):
        _object(ws, key, **{"class": kind})
    assert census.classes(ws) == ["GALAXY", "QSO"]
