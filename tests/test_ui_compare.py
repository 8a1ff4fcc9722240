"""Figures of the Compare page carry the values they are given, in one WebGL canvas at most, and labels never cover each other."""

import numpy as np
import pandas as pd
import pytest

from core.services import comparing
from core.services.comparing import COSTS, METRICS
from core.ui import state
from core.ui.compare import figures
from core.ui.compare.label_places import LETTER, places
from core.uncertainty.conformal import Stretches


@pytest.fixture(autouse=True, params=[False, True], ids=["light", "dark"])
def theme(monkeypatch, request):
    monkeypatch.setattr(state, "is_dark", lambda: request.param)


def _galaxies(n=50, sigma=0.02):
    rng = np.random.default_rng(0)
    truth = rng.uniform(0, 0.3, n)
    return pd.DataFrame({"object_id": np.arange(n) + 7, "key": "g", "truth": truth, "mean": truth + 0.01, "sigma": sigma, "half": np.where(np.arange(n) % 2, np.nan, 2 * sigma), "residual": 0.01, "sn": rng.uniform(1, 30, n),
                         "z": truth, "magnitude": rng.uniform(15, 20, n)})  # fmt: skip


BINS = pd.DataFrame({"centre": [5.0], "low": [0.0], "median": [0.01], "high": [0.02], "n": [50]})


@pytest.mark.parametrize("against", list(comparing.AGAINST))
def test_predictions_show_every_galaxy_as_float32_on_common_axes(against):
    table = _galaxies()
    figure = figures.predictions({"a #1": table, "b #2": table}, {"a #1": BINS, "b #2": BINS}, "z", against)
    clouds = [t for t in figure.data if t.mode == "markers"]
    assert {t.type for t in figure.data} == {"scattergl"} and len(clouds) == 4
    assert all(t.x.dtype == np.float32 and len(t.x) == 50 for t in clouds)
    assert figure.layout.xaxis.range == figure.layout.yaxis.range == figure.layout.xaxis2.range
    assert figure.layout.yaxis3.range[0] == -figure.layout.yaxis3.range[1]
    assert np.array_equal(clouds[1].x, table[against].to_numpy(np.float32)) and (figure.layout.xaxis3.type == "log") == (against == "sn")


def test_points_carry_their_object_id_first_so_that_a_click_can_open_it():
    figure = figures.predictions({"a": _galaxies()}, {"a": BINS}, "z", "magnitude")
    clouds = [t for t in figure.data if t.mode == "markers"]
    assert all([row[0] for row in t.customdata] == list(range(7, 57)) for t in clouds)
    assert all(t.hoverinfo == "skip" for t in figure.data if t.mode == "lines")


def test_hover_tells_the_calibrated_interval_else_the_sigma_as_stated():
    cloud = figures.predictions({"a": _galaxies()}, {"a": BINS}, "z", "sn").data[0]
    assert [row[2] for row in cloud.customdata[:2]] == ["0.04000 (68 %, calibrated)", "0.02000 (1 σ as stated)"]


def test_predictions_draw_no_more_than_a_browser_bears(monkeypatch):
    monkeypatch.setattr(figures, "MOST_POINTS", 20)
    figure = figures.predictions({"a": _galaxies()}, {"a": BINS}, "z", "sn")
    assert [len(t.x) for t in figure.data if t.mode == "markers"] == [20, 20]


def test_predictions_survive_a_single_galaxy_and_none():
    one = _galaxies(1).assign(sn=np.nan, sigma=0.0)
    empty = BINS.head(0)
    figure = figures.predictions({"a": one, "b": one.head(0)}, {"a": empty, "b": empty}, "z", "sn")
    assert [len(t.x) for t in figure.data if t.mode == "markers"] == [1, 0, 0, 0]


def test_error_bars_show_histogram_and_curve_of_each_run():
    one = comparing.calibration(_galaxies(200), Stretches(widths={"z": {"all": {"68": 1.2, "95": 2.4}}}), "z")
    figure = figures.error_bars({"a": one, "b": one})
    bars, others = [t for t in figure.data if t.type == "bar"], [t for t in figure.data if t.type == "scatter"]
    curves = [t for t in others if t.mode == "lines+markers"]
    assert len(bars) == 2 and np.array_equal(bars[0].y, one.density)
    stairs = [t for t in others if t.line.shape == "hv"]
    assert len(stairs) == 2 and np.array_equal(stairs[0].y[:-1], one.density_after)
    assert [c.name for c in curves] == ["a", "a, stretched", "b", "b, stretched"] and np.array_equal(curves[1].y, list(one.stretched.values())) and np.array_equal(curves[0].y, one.covered) and curves[1].line.color == curves[0].line.color != curves[2].line.color


def test_cost_has_logarithmic_axes_a_label_a_point_and_the_front():
    table = pd.DataFrame({"title": ["a", "b", "c"], "reads": ["image", "fused", "fused"], "cost": [1.0, 10.0, 100.0], "value": [0.3, 0.5, 0.01], "error": np.nan, "is_front": [True, False, True]})
    figure = figures.cost(table, COSTS[0], METRICS[0], "RMSE of z")
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log" and {a.text: a.x for a in figure.layout.annotations} == {"a": 0, "b": 1, "c": 2}
    assert list(next(t for t in figure.data if t.name == "Pareto front").x) == [1.0, 100.0]
    assert {t.name: list(t.x) for t in figure.data if t.mode == "markers"} == {"reads image": [1.0], "reads fused": [10.0, 100.0]}


@pytest.mark.parametrize(("values", "named"), [([0.030, 0.035], None), ([0.01, 0.9], ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"])])
def test_cost_axis_has_ticks_however_little_the_values_span(values, named):
    table = pd.DataFrame({"title": ["a", "b"], "reads": "image", "cost": [1.0, 2.0], "value": values, "error": np.nan, "is_front": True})
    shown = figures.cost(table, COSTS[0], METRICS[0], "RMSE").layout.yaxis.ticktext
    assert shown is None if named is None else list(shown) == named


def test_cost_of_a_metric_that_should_be_high_keeps_a_linear_axis():
    table = pd.DataFrame({"title": ["a"], "reads": "image", "cost": [1.0], "value": [-0.3], "error": np.nan, "is_front": True})
    assert figures.cost(table, COSTS[0], METRICS[1], "R²").layout.yaxis.type is None


def test_by_subset_draws_a_marker_of_its_own_for_each_row():
    table = pd.DataFrame({"row": np.repeat(["a", "b"], 2), "subset": ["all", "passive"] * 2, "value": [0.1, 0.2, 0.3, 0.4], "error": [0.01, np.nan, 0, 0]})
    figure = figures.by_subset(table, ["all", "passive"], "RMSE")
    assert {t.name: list(t.y) for t in figure.data} == {"a": [0.1, 0.2], "b": [0.3, 0.4]} and list(figure.data[0].error_y.array) == [0.01, 0]
    assert len({(t.marker.color, t.marker.symbol) for t in figure.data}) == 2


def test_modality_figures_give_each_modality_one_colour():
    rates = pd.DataFrame({"row": ["f #1", "f #1"], "modality": ["image", "spectrum"], "rate": [0.1, 0.9]})
    bars = {t.name: (list(t.x), t.marker.color) for t in figures.modality_rates(rates, ["image", "spectrum"]).data}
    curves = figures.modality_curves(rates.assign(epoch=1), ["image", "spectrum"]).data
    assert bars["image"][0] == [0.1] and {t.name: t.line.color for t in curves} == {"image, f #1": bars["image"][1], "spectrum, f #1": bars["spectrum"][1]}


def test_looks_tell_as_many_rows_apart_as_are_drawn():
    assert len(set(figures.looks([str(k) for k in range(60)]).values())) == 60


def test_label_places_neither_cover_each_other_nor_points_nor_leave_the_plane():
    rng = np.random.default_rng(1)
    x, y, texts = rng.uniform(0.05, 0.95, 30), rng.uniform(0.05, 0.95, 30), [f"random_forest spectrum {k}" for k in range(30)]
    found = places(x, y, texts, (800, 1400), 400)
    assert sum(place is not None for place in found) > 15
    for width in (800, 1400):
        points = [(a * width - 5, b * 400 - 5, a * width + 5, b * 400 + 5) for a, b in zip(x, y, strict=True)]
        labels = [(a * width + p[0] - len(t) * LETTER / 2, b * 400 + p[1] - 8, a * width + p[0] + len(t) * LETTER / 2, b * 400 + p[1] + 8) for a, b, p, t in zip(x, y, found, texts, strict=True) if p]
        boxes = np.array(labels + points)
        meets = [(i, j) for i in range(len(labels)) for j in range(len(boxes)) if i != j and np.all(boxes[i, :2] < boxes[j, 2:]) and np.all(boxes[j, :2] < boxes[i, 2:])]
        assert meets == [] and np.min(labels) >= 0 and boxes[: len(labels), 2].max() <= width and boxes[: len(labels), 3].max() <= 400


def test_label_of_a_point_alone_stands_close_beside_it():
    assert places([0.1], [0.5], ["abc"], (900,), 400) == [(pytest.approx(10 + 1.5 * LETTER), 0.0)]


def test_label_that_finds_no_place_is_left_to_the_hover():
    assert places([0.5], [0.5], ["far too long"], (10,), 10) == [None]
