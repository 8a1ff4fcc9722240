"""The map as Plotly gets it: what is drawn, on which axes, in which type."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.services import exploring
from core.services.exploring import COLOURINGS
from core.store import embeddings
from core.ui import map as galaxy_map
from core.ui import palette


@pytest.fixture
def shown(tiny):
    return exploring.map_table(tiny, "pca image", 1)


def figure(shown, colouring="state", visible=None, marked=None, is_dark=False):
    visible = np.ones(len(shown), bool) if visible is None else visible
    return galaxy_map.figure(shown, colouring, "z", visible, marked or {}, is_dark)


@pytest.mark.parametrize("colouring", COLOURINGS)
def test_map_draws_every_visible_galaxy_once_by_webgl_in_float32(shown, colouring):
    visible = np.arange(60) % 3 > 0
    cloud = [t for t in figure(shown, colouring, visible).data if t.type == "scattergl"]
    assert sum(len(t.x) for t in cloud) == 40
    assert all(np.asarray(t.x).dtype == np.float32 for t in cloud)
    assert sorted(np.concatenate([t.x for t in cloud]).tolist()) == sorted(shown.xy[visible, 0].tolist())


def test_map_catches_a_lasso_on_axes_that_hold_four_corners_only(shown):
    drawn = figure(shown)
    catcher = drawn.data[-1]
    assert (catcher.type, catcher.xaxis, catcher.yaxis, len(catcher.x)) == ("scatter", "x2", "y2", 4)
    layout = drawn.layout
    assert layout.xaxis.range == layout.xaxis2.range and layout.yaxis.range == layout.yaxis2.range
    assert (layout.xaxis2.matches, layout.yaxis2.matches, layout.xaxis2.overlaying, layout.dragmode) == ("x", "y", None, "lasso")
    assert layout.xaxis.range[0] < shown.xy[:, 0].min() and layout.xaxis.range[1] > shown.xy[:, 0].max()


def test_map_marks_picks_with_rings_and_a_name_on_hover(shown):
    drawn = figure(shown, marked={"asked for": np.array([3, 5]), "random control": np.array([7])})
    rings = [t for t in drawn.data if t.type == "scattergl" and t.marker.symbol in ("circle-open", "square-open")]
    hover = [t for t in drawn.data if t.xaxis == "x2" and t.hovertemplate]
    assert [t.name for t in rings] == ["asked for (2)", "random control (1)"] and len({t.marker.symbol for t in rings}) == 2
    assert hover[0].text.tolist() == shown.key[[3, 5]].tolist() and hover[0].customdata.tolist() == [4, 6]


def test_map_shows_galaxies_without_a_value_apart(shown):
    rest, valued = figure(shown, "residual").data[:2]
    assert rest.name == "no value (30)" and rest.marker.symbol == "circle-open"
    assert len(valued.x) == 30 and valued.marker.cmin == -valued.marker.cmax
    assert valued.marker.colorbar.title.text == "Prediction minus label of z"


def test_map_colours_uncertainty_by_its_logarithm(shown):
    trace = figure(shown, "epistemic").data[0]
    assert trace.marker.color == pytest.approx(np.log10(shown.epistemic[:, 0]))
    ticks = dict(zip(trace.marker.colorbar.ticktext, trace.marker.colorbar.tickvals, strict=True))
    assert ticks["0.02"] == pytest.approx(np.log10(0.02))


def test_map_of_one_galaxy_or_none_still_has_a_frame(shown):
    nobody = figure(shown, "epistemic", np.zeros(60, bool))
    assert nobody.layout.xaxis.range == figure(shown).layout.xaxis.range
    assert galaxy_map._ranges(np.zeros((1, 2))) == ([-0.5, 0.5], [-0.5, 0.5])


def test_map_tells_label_states_apart_by_shape_and_colour(shown):
    for is_dark in (False, True):
        looks = palette.categories(list(exploring.STATES), is_dark)
        assert [(t.marker.color, t.marker.symbol) for t in figure(shown, is_dark=is_dark).data[:2]] == [looks["unlabelled"], looks["labelled"]]


def session(monkeypatch) -> dict:
    here: dict = {}
    monkeypatch.setattr(galaxy_map.st, "session_state", here)
    return here


def lasso(here: dict, shown, x: list[float], y: list[float]) -> None:
    here["m_map_id"] = shown.version[1]
    here["m"] = SimpleNamespace(selection={"lasso": [{"x": x, "y": y}], "box": []})
    galaxy_map._remember("m")


def test_lasso_catches_visible_galaxies_and_follows_them_to_another_map(tiny, shown, monkeypatch):
    here, everybody = session(monkeypatch), np.ones(60, bool)
    assert galaxy_map.caught(shown, everybody, "m") is None
    lasso(here, shown, [0, 9, 9, 0], [-9, -9, 9, 9])
    right = np.flatnonzero(shown.xy[:, 0] > 0)
    assert galaxy_map.caught(shown, everybody, "m").tolist() == right.tolist()
    assert galaxy_map.caught(shown, np.arange(60) < 30, "m").tolist() == right[right < 30].tolist()
    embeddings.save(tiny, "turned", "pca", "image", shown.object_ids[::-1], -shown.xy[::-1], {})
    other = exploring.map_table(tiny, "turned", 1)
    assert sorted(other.object_ids[galaxy_map.caught(other, everybody, "m")]) == shown.object_ids[right].tolist()


def test_box_is_a_lasso_of_four_corners_and_an_empty_selection_drops_it(shown, monkeypatch):
    here, everybody = session(monkeypatch), np.ones(60, bool)
    here["m_map_id"] = shown.version[1]
    here["m"] = SimpleNamespace(selection={"lasso": [], "box": [{"x": [-9, 9], "y": [9, 0]}]})
    galaxy_map._remember("m")
    assert galaxy_map.caught(shown, everybody, "m").tolist() == np.flatnonzero(shown.xy[:, 1] > 0).tolist()
    here["m"] = SimpleNamespace(selection={"lasso": [], "box": []})
    galaxy_map._remember("m")
    assert galaxy_map.caught(shown, everybody, "m") is None


def test_highlights_change_with_the_look_of_the_map_and_never_with_the_lasso(shown, monkeypatch):
    here, everybody = session(monkeypatch), np.ones(60, bool)
    marks = lambda look: {k: v.tolist() for k, v in galaxy_map.carried(shown, everybody, "m", look).items()}  # noqa: E731
    assert marks(("state",)) == {}
    lasso(here, shown, [0, 9, 9, 0], [-9, -9, 9, 9])
    assert marks(("state",)) == {}
    right = np.flatnonzero(shown.xy[:, 0] > 0).tolist()
    assert marks(("sn",)) == {"caught": right}
    lasso(here, shown, [0, -9, -9, 0], [-9, -9, 9, 9])
    assert marks(("sn",)) == {"caught": right}
    galaxy_map.forget("m")
    assert marks(("sn",)) == {}
