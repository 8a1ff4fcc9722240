"""The baseline of the learning curve is trained by one click, and says what choosing has bought."""

import numpy as np
import pandas as pd
import pytest

from core.acquisition.equal_worth import EqualWorth
from core.errors import BadInput
from core.jobs import baseline
from core.jobs.oracle import reveal
from core.services import baselining, overviewing
from core.store import jobs, labels, objects, runs


def curve(chosen: dict[int, float], random: dict[int, float], exponent: float = 0.5) -> pd.DataFrame:
    """As `overviewing.learning_curve` gives it: galaxies -> how many random labels would have been as good; of the baseline galaxies -> a factor on its error."""
    rows = [("linear", n, equal**-exponent, False) for n, equal in chosen.items()] + [("linear", n, f * n**-exponent, True) for n, f in random.items()]
    table = pd.DataFrame(rows, columns=["model", "galaxies", "value", "is_control"])
    return table.assign(run_id=range(1, len(rows) + 1), is_random=table["is_control"], seed=0)


THREE = {100: 1.0, 200: 1.0, 400: 1.0}


@pytest.mark.parametrize(("chosen", "words"), [
    ({300: 460}, "linear: with 300 labels it is as good as with about 460 random ones ("),
    ({300: 302}, "linear: choosing has made no difference that can be told: 300 labels are as good as about 300 random ones ("),
    ({300: 150}, "linear: choosing has cost labels so far: with 300 it is only as good as with about 150 random ones ("),
    ({300: 50}, "linear: choosing has cost labels so far: with 300 it is no better than with 100 random ones."),
    ({300: 9000}, "linear: 300 labels, of which some were chosen, are as good as 1,200 random ones or more."),
    ({1500: 1600}, "linear: what choosing bought cannot be said: only 400 labels were drawn at random, too few to tell what 1,500 of them would reach."),
    ({}, "linear: all of its labels were drawn at random so far"),
])  # fmt: skip
def test_bought_says_how_many_random_labels_would_have_served(chosen, words):
    assert baselining.bought(curve(chosen, THREE))["linear"].startswith(words)


def test_bought_cannot_say_with_two_numbers_of_labels_and_says_nothing_without_a_baseline():
    assert baselining.bought(curve({300: 400}, {100: 1.0, 200: 1.0}))["linear"].startswith("linear: what choosing bought cannot be said yet, for the baseline has 2 numbers of labels")
    assert baselining.bought(curve({300: 400}, {})) == {}


def test_bought_believes_no_curve_that_errors_do_not_follow():
    assert "follow no curve: they scatter by " in baselining.bought(curve({300: 200}, {100: 0.2, 200: 3.0, 400: 0.3}))["linear"]


def test_bought_takes_the_distance_from_one_of_what_is_no_error():
    table = curve({300: 460}, THREE).assign(value=lambda t: 1 - t["value"])
    assert baselining.bought(table, is_error=False)["linear"].startswith("linear: with 300 labels it is as good as with about 460 random ones")


@pytest.fixture
def many(tmp_path):
    """A tiny workspace of 200 whose catalogue has revealed 50 train galaxies at random."""
    from tests.conftest import tiny_workspace

    ws = tiny_workspace(tmp_path / "many", n=200)
    free = objects.frame(ws).query("split == 'train' and id > 100")["id"].tolist()
    reveal(ws, free[:50], "first labels")
    return ws


def test_start_queues_a_quarter_half_and_all_of_the_random_labels_once(many):
    assert baselining.random_labels(many) == 50 and baselining.models(many) == ["linear"]
    queued = [jobs.one(many, i) for i in baselining.start(many, "linear")]
    assert [(q["parameters"]["galaxies"], q["parameters"]["seed"]) for q in queued] == [(12, 0), (12, 1), (25, 0), (25, 1), (50, 0), (50, 1)]
    assert queued[0]["title"] == "Train linear on 12 random labels"
    assert queued[0]["parameters"] == {"model": "linear", "config": {}, "seed": 0, "labels": "random", "galaxies": 12, "up_to": labels.high_water(many), "name": "linear, 12 random labels", "weights": "none"}
    assert baselining.start(many, "linear") == []


def test_start_says_what_is_missing(tiny, many):
    with pytest.raises(BadInput, match="labels drawn at random must cover 40 galaxies; got 0"):
        baselining.start(tiny, "linear")
    with pytest.raises(BadInput, match="model must have a finished run; got mean"):
        baselining.start(many, "mean")


def test_learning_curve_begins_the_baseline_with_runs_whose_labels_were_all_random(tiny, ws):
    def done(where, model, config, summary, nmad):
        run = runs.create(where, model, model, config, 0, {"high_water": labels.high_water(where), "count": 1, "hash": ""})
        runs.put_metrics(where, run, pd.DataFrame([("test", "z", "all", "nmad", nmad)], columns=["split", "target", "subset", "name", "value"]))
        runs.finish(where, run, "done", summary)
        return run

    tested = done(tiny, "mean", {"labels": "random", "galaxies": 12}, {"galaxies": {"z": 12}}, 0.4)
    chosen = done(tiny, "mean", {}, {}, 0.3)
    table = overviewing.learning_curve(tiny, "z", "nmad").set_index("run_id")
    assert table.loc[tested, ["galaxies", "is_control", "is_random"]].tolist() == [12, True, True]
    assert table.loc[chosen, ["galaxies", "is_control", "is_random"]].tolist() == [overviewing.labelled_galaxies(tiny)["z"], False, False]
    assert np.isfinite(table["value"]).all()


def test_baseline_is_stale_only_when_a_label_it_drew_was_undone(many):
    mark = labels.high_water(many)
    run = runs.create(many, "mean", "mean", {"labels": "random", "galaxies": 12}, 0, {"high_water": mark, "count": 12, "hash": ""})
    runs.put_metrics(many, run, pd.DataFrame([("test", "z", "all", "nmad", 0.4)], columns=["split", "target", "subset", "name", "value"]))
    runs.finish(many, run, "done", {"galaxies": {"z": 12}})
    known = labels.training(many).query("target == 'z'").set_index("object_id")["label_id"]
    drawn = baseline.drawn(many, mark, 12, 0)
    other = next(i for i in baseline.random_galaxies(many) if i not in drawn)
    for sequence, (object_id, stale) in enumerate(((other, 0), (drawn[0], 1))):
        labels.retract(many, int(known[object_id]), "Ada", "laptop", sequence)
        assert overviewing.learning_curve(many, "z", "nmad")["stale"].tolist() == [stale]


@pytest.mark.parametrize(("low", "words"), [
    (900.0, "700 labels, of which some were chosen, are as good as 900 random ones or more."),
    (500.0, "choosing has made no difference that can be told: 700 labels are as good as about 1,300 random ones (500 to 1,300 or more)."),
])  # fmt: skip
def test_beyond_the_baseline_only_what_its_scatter_allows_is_claimed(low, words):
    worth = EqualWorth(low, middle=float("inf"), high=float("inf"), least=100.0, limit=1290.0, scatter=0.05)
    assert baselining._compared(700, worth, 430) == words
