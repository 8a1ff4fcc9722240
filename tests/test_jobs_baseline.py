"""The baseline learns from galaxies that nobody chose, and leaves nothing that anybody could be asked by."""

import numpy as np
import pytest

from core.errors import BadInput
from core.jobs import baseline, retraining
from core.jobs.foreground import follow
from core.jobs.oracle import reveal
from core.services import comparing, exploring, labelling
from core.store import batches, jobs, labels, objects, runs


@pytest.fixture
def drawn(tiny):
    """Train galaxies without a label: the catalogue has revealed four (one of which a strategy asked for), a batch holds two chosen and one control, a random batch two."""
    free = objects.frame(tiny).query("split == 'train' and id > 30")["id"].tolist()
    reveal(tiny, free[:4], "first labels")
    batches.save(tiny, "Round 1", "epistemic", {}, 0, [{"object_id": free[3]}, {"object_id": free[4]}, {"object_id": free[5], "control": 1}])
    batches.save(tiny, "Round 2", "random", {}, 0, [{"object_id": i} for i in free[6:8]])
    labels.record(tiny, [labels.Decision(i, "z", "label", "Ada", "laptop", i, value=0.1) for i in free[4:7]])
    return free


def train(ws, **parameters) -> dict:
    job = jobs.enqueue(ws, "train", "Train mean", {"model": "mean", "config": {}, "seed": 0, "labels": "random"} | parameters)
    ended = follow(ws, job, say=lambda line: None)
    assert ended["status"] == "done", ended["error"]
    return runs.one(ws, ended["result"]["run"])


def test_random_galaxies_are_first_labels_control_slices_and_random_batches(tiny, drawn):
    assert baseline.random_galaxies(tiny).tolist() == [*drawn[:3], drawn[5], drawn[6]]
    assert baseline.random_galaxies(tiny, up_to=270).tolist() == []


def test_drawn_is_a_part_by_seed_and_says_what_is_missing(tiny, drawn):
    mark = labels.high_water(tiny)
    first, again, other = (baseline.drawn(tiny, mark, 3, seed) for seed in (0, 0, 1))
    assert first.tolist() == again.tolist() and len(first) == len(other) == 3
    assert set(first) | set(other) <= set(baseline.random_galaxies(tiny).tolist())
    with pytest.raises(BadInput, match="labels drawn at random must cover 6 galaxies; got 5"):
        baseline.drawn(tiny, mark, 6, 0)


def test_baseline_learns_from_the_drawn_galaxies_alone_and_is_hashed_by_them(tiny, drawn):
    run, known = train(tiny, galaxies=3), labels.training(tiny)
    ids = baseline.drawn(tiny, labels.high_water(tiny), 3, 0)
    seen = known[known["object_id"].isin(ids)]
    assert run["config"] == {"labels": "random", "galaxies": 3} and run["is_control"]
    assert (run["label_hash"], run["label_count"]) == (labels.snapshot_hash(seen), len(seen))
    assert run["summary"]["galaxies"]["z"] == 3
    truths = seen.query("target == 'z'")["value"].mean()
    tested = objects.frame(tiny).query("split == 'test'")["id"]
    table = runs.metrics(tiny, run["id"]).query("target == 'z' and subset == 'all'").set_index("name")["value"]
    values = tiny.frame("SELECT object_id, value FROM truth WHERE target = 'z'").set_index("object_id")["value"].loc[tested]
    assert table["rmse"] == pytest.approx(np.sqrt(np.mean((values - truths) ** 2)), rel=1e-5)


def test_baseline_asks_and_tells_nobody(tiny, drawn):
    run = train(tiny)
    assert not (runs.folder(tiny, run["id"]) / "predictions.npz").exists() and not (runs.folder(tiny, run["id"]) / "weights.safetensors").exists()
    assert list(exploring.run_names(tiny)) == [1] and labelling.proposal_run(tiny) == 1 and runs.latest(tiny) == 1
    assert comparing.comparison(tiny).runs["id"].tolist() == [1] and list(retraining.trained(tiny)) == ["linear"]


def test_any_other_run_says_of_how_many_galaxies_it_knew_each_target(tiny, drawn):
    job = jobs.enqueue(tiny, "train", "Train mean", {"model": "mean", "config": {}, "seed": 0})
    run = runs.one(tiny, follow(tiny, job, say=lambda line: None)["result"]["run"])
    seen = labels.training(tiny).merge(objects.frame(tiny)[["id", "split"]], left_on="object_id", right_on="id").query("split == 'train'")
    assert run["summary"]["galaxies"] == seen["target"].value_counts().to_dict() and not run["is_control"]
