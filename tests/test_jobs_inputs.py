"""Model inputs and labels as the store holds them."""

import numpy as np
import pytest

from core.jobs.inputs import iter_inputs, load_inputs, load_labels
from core.models.prediction import Inputs
from core.preprocess import image, photometry
from core.store import arrays, labels, objects


def ids_of(ws) -> np.ndarray:
    return objects.frame(ws)["id"].to_numpy(np.int64)


def test_inputs_come_in_the_order_asked_for(tiny):
    ids = ids_of(tiny)[[5, 0, 17]]
    stored, _ = arrays.read(tiny, "photometry", ids)
    assert load_inputs(tiny, ids, ("photometry",)).arrays["photometry"] == pytest.approx(photometry.model_input(stored))


def test_inputs_are_dereddened_with_the_objects_own_ebv(tiny):
    ids = ids_of(tiny)[:3]
    with tiny.write() as db:
        db.conn.execute("UPDATE objects SET ebv = 0.5 WHERE id = ?", [int(ids[1])])
    stored, _ = arrays.read(tiny, "image", ids)
    expected = image.model_input(stored, np.array([0.03, 0.5, 0.03]))
    assert load_inputs(tiny, ids).arrays["image"] == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_inputs_without_a_modality_are_zeros_and_absent(tiny):
    ids = ids_of(tiny)[:4]
    with tiny.write() as db:
        db.conn.execute("DELETE FROM arrays WHERE modality = 'spectrum' AND object_id = ?", [int(ids[2])])
    inputs = load_inputs(tiny, ids)
    assert inputs.present["spectrum"].tolist() == [True, True, False, True]
    assert not inputs.arrays["spectrum"][2].any()
    assert inputs.arrays["spectrum"][1].any()
    assert np.isfinite(inputs.arrays["image"]).all()


def test_inputs_in_chunks_are_the_inputs_at_once(tiny):
    ids = ids_of(tiny)
    chunks = list(iter_inputs(tiny, ids, ("image",), size=25))
    assert [len(c) for c, _ in chunks] == [25, 25, 10]
    assert np.array_equal(np.concatenate([i.arrays["image"] for _, i in chunks]), load_inputs(tiny, ids, ("image",)).arrays["image"])


def test_inputs_of_no_object_are_empty(tiny):
    inputs = load_inputs(tiny, [])
    assert isinstance(inputs, Inputs) and len(inputs) == 0


def test_labels_are_the_log_and_not_the_truth(tiny):
    ids = ids_of(tiny)
    found = load_labels(tiny, ids)
    assert np.isfinite(found.values_nt).all(axis=1).tolist() == [True] * 30 + [False] * 30
    table = labels.training(tiny)
    row = table[(table.object_id == ids[7]) & (table.target == "z")].iloc[0]
    assert found.values_nt[7, 0] == row.value
    assert found.sigma_nt[7, 0] == pytest.approx(0.1)
    assert found.group_n.tolist() == objects.frame(tiny)["sky_group"].tolist()


def test_labels_up_to_a_mark_leave_later_ones_out(tiny):
    ids = ids_of(tiny)
    mark = labels.high_water(tiny)
    labels.record(tiny, [labels.Decision(int(ids[40]), "z", "label", "me", "test", 999, value=0.2, grade=4)])
    assert np.isnan(load_labels(tiny, ids, mark).values_nt[40, 0])
    assert load_labels(tiny, ids).values_nt[40, 0] == 0.2
