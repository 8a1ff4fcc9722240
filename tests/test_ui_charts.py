"""Charts carry the values they are given, and a marker or dash beside every colour."""

import numpy as np
import pandas as pd
import pytest

from core.models.registry import MODELS
from core.ui import charts, state


@pytest.fixture(autouse=True, params=[False, True], ids=["light", "dark"])
def theme(monkeypatch, request):
    monkeypatch.setattr(state, "is_dark", lambda: request.param)


def test_each_of_the_first_models_has_a_colour_and_a_marker_of_its_own():
    first = list(MODELS)[:8]
    assert len({charts.colour(m) for m in first}) == len(first) == len({charts.marker(m)["symbol"] for m in first})


def test_no_two_models_share_both_colour_and_marker():
    looks = [(charts.marker(m)["color"], charts.marker(m)["symbol"]) for m in MODELS]
    assert len(set(looks)) == len(looks)


def curve(galaxies, values, **columns) -> pd.DataFrame:
    """As `overviewing.learning_curve` gives it."""
    table = pd.DataFrame({"run_id": range(1, len(values) + 1), "run": "r", "model": "linear", "galaxies": galaxies, "value": values, "seed": 0, "stale": 0, "is_control": False} | columns)
    return table if "is_random" in columns else table.assign(is_random=table["is_control"])


def test_learning_curve_draws_a_line_a_model_and_dashes_random_controls():
    figure = charts.learning_curve(curve([100, 200, 200], [0.4, 0.2, 0.3], is_control=[False, False, True]), "RMSE of z")
    drawn = {t.name: (list(t.x), list(t.y), t.line.dash) for t in figure.data}
    assert drawn == {"linear": ([100, 200], [0.4, 0.2], "solid"), "linear, random labels": ([200], [0.3], "dash")}
    assert figure.layout.yaxis.type != "log"


def test_learning_curve_is_logarithmic_when_values_span_much():
    assert charts.learning_curve(curve([100, 200], [0.5, 0.01]), "x").layout.yaxis.type == "log"


def test_learning_curve_joins_seeds_with_whiskers_and_takes_the_newest_run_of_each():
    figure = charts.learning_curve(curve([100, 100, 100], [0.9, 0.2, 0.4], seed=[0, 0, 1]), "x")
    [line] = figure.data
    assert list(line.y) == pytest.approx([0.3]) and list(line.error_y.array) == pytest.approx([0.1]) and list(line.error_y.arrayminus) == pytest.approx([0.1])
    assert line.error_y.visible and "mean of 2 seeds" in line.customdata[0][0]


def test_learning_curve_hollows_what_was_undone_and_begins_the_baseline_with_runs_on_random_labels():
    figure = charts.learning_curve(curve([100, 200, 200], [0.4, 0.2, 0.3], stale=[0, 2, 0], is_control=[False, False, True], is_random=[True, False, True]), "x")
    chosen, baseline = figure.data
    assert [s.endswith("-open") for s in chosen.marker.symbol] == [False, True] and "undone" in chosen.customdata[1][0]
    assert list(baseline.x) == [100, 200] and list(baseline.y) == [0.4, 0.3]


def test_loss_curves_name_each_run_once():
    points = [(7, "linear", e, n, 1.0 / (e + 1)) for e in range(3) for n in ("train_loss", "validation_loss")] + [(8, "mean", 0, "train_loss", 0.5)]
    figure = charts.loss_curves(pd.DataFrame(points, columns=["run_id", "model", "epoch", "name", "value"]))
    assert sorted(t.name for t in figure.data if t.showlegend) == ["linear #7", "mean #8"]
    assert {t.line.dash for t in figure.data if t.name == "linear #7"} == {"solid", "dot"}


def test_histogram_gathers_the_highest_percent_and_loses_nobody():
    figure = charts.histogram(np.r_[np.arange(100.0), 1e6], "S/N")
    assert sum(figure.data[0].y) == 101 and max(figure.data[0].x) < 101


def test_shares_add_up_to_the_whole():
    table = pd.DataFrame({"split": ["train", "test"], "labelled": [3, 0], "objects": [10, 4]})
    labelled, rest = charts.shares(table, "split", "labelled", "objects", ("labelled", "not labelled")).data
    assert list(labelled.x) == [3, 0] and list(rest.x) == [7, 4] and rest.marker.pattern.shape == "/"
