"""Models of finished runs, taken up again."""

import json

import numpy as np
import pytest

from core.errors import NotFound
from core.jobs.fitted import adopt_branches, fitted, stretches_in
from core.jobs.foreground import follow
from core.jobs.inputs import load_inputs
from core.models import registry
from core.store import jobs, labels, objects, open_workspace, runs
from core.uncertainty.conformal import ALL, Stretches
from tests.conftest import tiny_workspace


def train(ws, model: str, **parameters) -> int:
    job = follow(ws, jobs.enqueue(ws, "train", f"Train {model}", {"model": model, "seed": 0} | parameters), say=lambda line: None)
    assert job["status"] == "done", job["error"]
    return job["result"]["run"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A workspace with a quick photometry_mlp and a fusion that was trained after it."""
    ws = tiny_workspace(tmp_path_factory.mktemp("fitted") / "ws")
    branch = train(ws, "photometry_mlp", epochs=2)
    return ws, branch, train(ws, "fusion_late", epochs=2)


def test_fitted_model_predicts_what_its_run_predicted(trained):
    ws, branch, _ = trained
    kept = runs.load_arrays(ws, branch, "predictions")
    again = fitted(ws, branch).predict(load_inputs(ws, kept["object_ids"]))
    assert again.mean == pytest.approx(kept["mean"], rel=1e-5, abs=1e-5)


def test_fusion_takes_over_the_branch_that_saw_the_same_labels(trained):
    ws, branch, fusion = trained
    assert runs.one(ws, fusion)["summary"]["reused_runs"] == [branch]
    weights = fitted(ws, fusion).branches["photometry_mlp"].state()
    assert all(np.array_equal(v, weights[k]) for k, v in fitted(ws, branch).state().items())


def test_fusion_fits_anew_what_saw_other_labels_or_settings(trained):
    ws, branch, fusion = trained
    other = registry.build("fusion_late", {"epochs": 3})
    assert adopt_branches(ws, other, fusion) == []
    assert adopt_branches(ws, registry.build("fusion_late", {"epochs": 2, "reuse": False}), fusion) == []
    labels.record(ws, [labels.Decision(int(objects.frame(ws)["id"].iloc[-1]), "z", "label", "me", "fitted", 1, value=0.2, grade=4)])
    seen = labels.training(ws)
    snapshot = {"high_water": labels.high_water(ws), "count": len(seen), "hash": labels.snapshot_hash(seen)}
    newer = runs.create(ws, "fusion_late", "fusion_late", {"epochs": 2}, 0, snapshot)
    assert adopt_branches(ws, registry.build("fusion_late", {"epochs": 2}), newer) == []


def test_run_without_weights_is_named(tiny):
    with pytest.raises(NotFound, match="Run 1 has no weights. Wait until it is done, or train linear again."):
        fitted(tiny, 1)


def test_stretches_of_a_run_are_those_of_its_summary():
    assert stretches_in({"seconds": 2.0}) == Stretches()
    found = stretches_in({"conformal": {"widths": {"z": {ALL: {"68": 1.5}}}}})
    assert found.half_width("z", "68", np.array([3.0, np.nan])).tolist() == [1.5, 1.5]


def test_runs_of_an_older_workspace_keep_their_stretch_as_that_of_all_galaxies(tiny):
    with tiny.write() as db:
        db.conn.execute("UPDATE runs SET summary = ?", (json.dumps({"seconds": 1.5, "conformal": {"z": {"68": 1.1, "95": 2.2}}}),))
        db.conn.execute("DELETE FROM _sqlite_migrations WHERE name = 'stretches_by_bin'")
    summary = runs.one(open_workspace(tiny.path), 1)["summary"]
    assert stretches_in(summary).half_width("z", "95", np.array([3.0])).tolist() == [2.2] and summary["seconds"] == 1.5
