"""The train task: what it learns from, what it leaves behind, how it goes on."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from core.jobs.evaluation import specific_sfr
from core.jobs.foreground import follow
from core.models import registry
from core.store import arrays, jobs, labels, objects, runs, truth


def train(ws, model, **parameters):
    """Run one train job here and return its run."""
    job = jobs.enqueue(ws, "train", f"Train {model}", {"model": model, "config": {}, "seed": 0} | parameters)
    ended = follow(ws, job, say=lambda line: None)
    assert ended["status"] == "done", ended["error"]
    return runs.one(ws, runs.of_job(ws, job)["id"])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A tiny workspace with a run of `mean` made by a job."""
    from tests.conftest import tiny_workspace

    ws = tiny_workspace(tmp_path_factory.mktemp("trained") / "ws")
    return ws, train(ws, "mean")


def labelled_train_split(ws):
    table = objects.frame(ws)
    seen = labels.training(ws).query("target == 'z'")
    ids = table["id"][(table["split"] == "train") & table["id"].isin(seen["object_id"])]
    return seen.set_index("object_id").loc[ids, "value"].to_numpy()


def test_train_learns_from_the_train_split_alone(trained):
    ws, run = trained
    kept = runs.load_arrays(ws, run["id"], "predictions")
    assert kept["mean"][:, 0] == pytest.approx(np.full(60, labelled_train_split(ws).mean()), rel=1e-6)


def test_train_says_what_it_makes_of_every_object(trained):
    ws, run = trained
    kept = runs.load_arrays(ws, run["id"], "predictions")
    assert kept["object_ids"].tolist() == objects.frame(ws)["id"].tolist()
    assert kept["mean"].shape == kept["aleatoric"].shape == kept["epistemic"].shape == (60, 9)
    assert kept["novelty"].shape == (60,) and np.isnan(kept["novelty"]).all()


def test_train_says_how_unlike_the_labelled_each_object_is(tiny):
    kept = runs.load_arrays(tiny, train(tiny, "photometry_mlp", epochs=1)["id"], "predictions")
    assert kept["novelty"].dtype == np.float32 and np.isfinite(kept["novelty"]).all() and 0.5 < np.median(kept["novelty"]) < 2


def test_train_measures_the_test_split_against_the_catalogue(trained):
    ws, run = trained
    table = objects.frame(ws)
    tested = truth.frame(ws, table["id"][table["split"] == "test"]).query("target == 'z'")["value"].to_numpy()
    found = runs.metrics(ws, run["id"]).query("target == 'z' and subset == 'all'").set_index("name")["value"]
    assert found["n"] == len(tested)
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean((tested - labelled_train_split(ws).mean()) ** 2)), rel=1e-6)


def test_train_keeps_label_snapshot_weights_and_costs(trained):
    ws, run = trained
    assert run["label_high_water"] == labels.high_water(ws) and run["label_hash"] == labels.snapshot_hash(labels.training(ws))
    fresh = registry.build("mean")
    fresh.load_state(load_file(runs.folder(ws, run["id"]) / "weights.safetensors"))
    assert run["summary"]["conformal"]["counts"]["z"]["all"] == (objects.frame(ws)["split"] == "calibration").sum()
    assert {"seconds", "milliseconds_per_galaxy", "parameters", "epochs", "device", "precision", "peak_mb"} <= set(run["summary"])


def test_train_sees_the_log_as_it_stood_when_asked_to(tiny):
    first = labels.training(tiny)
    mark = labels.high_water(tiny)
    labels.record(tiny, [labels.Decision(31, "z", "label", "ana", "c", 1, value=0.5)])
    assert train(tiny, "mean", up_to=mark)["label_hash"] == labels.snapshot_hash(first)


def test_train_fails_with_a_sentence_when_nothing_is_labelled(ws):
    job = jobs.enqueue(ws, "train", "Train mean", {"model": "mean"})
    ended = follow(ws, job, say=lambda line: None)
    assert ended["status"] == "failed"
    assert ended["error"].startswith("labels must cover at least one galaxy of the train split; got 0")


def test_run_of_a_killed_job_ends_as_its_job_did(tiny):
    job = jobs.enqueue(tiny, "train", "Train mean", {"model": "mean"})
    runs.create(tiny, "mean", "mean", {}, 0, {"high_water": 1, "count": 1, "hash": "x"}, job)
    jobs.cancel(tiny, job)
    assert runs.frame(tiny).iloc[0]["status"] == "cancelled"


def test_specific_rate_is_sfr_over_a_mass_from_r_light(tiny):
    ids = np.array([1])
    values = np.full((1, 9), np.nan)
    values[0, 0], values[0, 3] = 0.1, 0.5
    targets = tuple(t.name for t in truth.targets(tiny))
    r = float(arrays.read(tiny, "photometry", ids)[0][0, 0, 2])
    distance_modulus = 38.315
    assert specific_sfr(tiny, ids, values, targets)[0] == pytest.approx(0.5 - (0.4 * (4.65 - (r - distance_modulus)) + 0.35), abs=0.01)
