"""Labels that a strategy has chosen count by the galaxies they stand for; others count the same."""

import numpy as np
import pytest

from core.acquisition.mass import pool_mass_weights
from core.jobs.inputs import training_ids
from core.jobs.mass import weights_of
from core.store import batches, labels, objects, runs
from tests.test_jobs_train import train

MARK = {"count": 1, "hash": ""}


@pytest.fixture
def before(tiny):
    """A finished run of `linear` whose features are known for all but two objects; returns (ids, features)."""
    run = runs.create(tiny, "linear", "linear", {}, 0, MARK | {"high_water": labels.high_water(tiny)})
    ids = objects.frame(tiny)["id"].to_numpy(np.int64)
    features = np.random.default_rng(0).standard_normal((len(ids), 3)).astype(np.float32)
    features[-2:] = np.nan
    runs.save_arrays(tiny, run, "predictions", object_ids=ids, features=features)
    runs.finish(tiny, run, "done", {})
    return ids, features, run


def ask_for(ws, ids, strategy="lcmd_sampled", control=0):
    batches.save(ws, "asked", strategy, {}, 0, [{"object_id": i, "control": control} for i in ids])


def weigh(ws, run_id=1_000):
    ids = training_ids(ws)
    return ids, *weights_of(ws, run_id, "linear", ids, labels.high_water(ws))


def test_weights_of_chosen_labels_are_their_pool_mass_in_the_features_of_the_run_before(tiny, before):
    known, features, run = before
    ask_for(tiny, training_ids(tiny)[:3])
    ids, weight, sentence = weigh(tiny)
    table = objects.frame(tiny).set_index("id")
    pool = [i for i in known[:-2] if table.loc[i, "split"] == "train" and i not in ids]
    row = {int(i): features[k] for k, i in enumerate(known)}
    here = [i for i in ids if np.isfinite(row[int(i)]).all()]
    expected = pool_mass_weights(np.array([row[int(i)] for i in pool]), np.array([row[int(i)] for i in here]))
    assert weight[np.isin(ids, here)] / weight[np.isin(ids, here)].mean() == pytest.approx(expected) and weight.mean() == pytest.approx(1)
    assert sentence == f"labels count by the galaxies they stand for, in the features of run {run}" and np.ptp(weight) > 0.1


@pytest.mark.parametrize(("strategy", "control"), [("random", 0), ("lcmd_sampled", 1)])
def test_labels_drawn_at_random_count_the_same(tiny, before, strategy, control):
    ask_for(tiny, training_ids(tiny)[:3], strategy, control)
    _, weight, sentence = weigh(tiny)
    assert (weight == 1).all() and sentence == "every label counts the same: none was chosen by a strategy"


def test_a_run_weighs_by_an_earlier_one_never_by_a_later_one(tiny, before):
    ask_for(tiny, training_ids(tiny)[:3])
    first = int(runs.frame(tiny)["id"].min())
    assert before[2] > first and weigh(tiny, run_id=before[2])[2].endswith(f"in the features of run {first}")
    _, weight, sentence = weigh(tiny, run_id=first)
    assert (weight == 1).all() and sentence == "every label counts the same: no earlier run of linear says which galaxies are alike"


def test_train_says_how_its_labels_were_weighed(tiny):
    ask_for(tiny, training_ids(tiny)[:5])
    first, again, plain = (train(tiny, "photometry_mlp", epochs=1, **words) for words in ({}, {}, {"weights": "none"}))
    assert first["summary"]["weights"].startswith("every label counts the same: no earlier run of photometry_mlp")
    assert again["summary"]["weights"] == f"labels count by the galaxies they stand for, in the features of run {first['id']}"
    assert plain["summary"]["weights"] == "every label counts the same"
    mean = {name: runs.load_arrays(tiny, run["id"], "predictions")["mean"] for name, run in (("even", first), ("weighed", again), ("plain", plain))}
    assert np.array_equal(mean["plain"], mean["even"]) and not np.allclose(mean["weighed"], mean["plain"])
