"""The map: how galaxies are drawn, and what a lasso, a box, a click and a button catch."""

import base64
from dataclasses import replace

import numpy as np
import pytest

from core.services import exploring
from core.services.exploring import COLOURINGS
from core.store import embeddings
from core.ui import map as galaxy_map
from core.ui import palette
from core.ui.map import cloud, looks, pointed, selection

EVERYBODY = np.ones(60, bool)


@pytest.fixture
def shown(tiny):
    return exploring.map_table(tiny, "pca image", 1)


@pytest.fixture
def here(monkeypatch) -> dict:
    """The session of a person."""
    session: dict = {}
    monkeypatch.setattr(selection.st, "session_state", session)
    return session


def look(shown, colouring="state", visible=EVERYBODY, is_dark=False):
    return looks.look(shown, COLOURINGS[colouring], "z", visible, is_dark)


@pytest.mark.parametrize("colouring", COLOURINGS)
@pytest.mark.parametrize("is_dark", [False, True])
def test_map_draws_visible_galaxies_only_and_counts_them_in_its_legend(shown, colouring, is_dark):
    visible = np.arange(60) % 3 > 0
    drawn = look(shown, colouring, visible, is_dark)
    assert drawn.codes.shape == (60, 2) and drawn.codes.dtype == np.uint8 and drawn.colours.shape == (256, 3)
    assert ((drawn.codes[:, 1] != looks.HIDDEN) == visible).all()
    valued = int((visible & (drawn.codes[:, 0] != looks.NO_VALUE)).sum())
    assert sum(item["count"] for item in drawn.legend) == (40 if drawn.bar is None else 40 - valued)


def test_map_shows_galaxies_without_a_value_apart(shown):
    drawn = look(shown, "residual")
    known = np.isfinite(shown.label[:, 0])
    assert (drawn.codes[~known] == [looks.NO_VALUE, looks.SHAPES.index("circle-open")]).all() and (drawn.codes[known, 0] > 0).all()
    assert drawn.legend == [{"name": "no value", "count": 30, "colour": palette.NOTHING, "shape": looks.SHAPES.index("circle-open")}]
    assert drawn.bar["title"] == "Prediction minus label of z" and 0.5 in [pytest.approx(at) for at, text in drawn.bar["ticks"] if text == "0"]


def test_map_colours_uncertainty_by_its_logarithm(shown):
    drawn, value = look(shown, "epistemic"), np.log10(shown.epistemic[:, 0].astype(float))
    low, high = np.percentile(value, (2, 98))
    assert drawn.codes[:, 0] == pytest.approx(1 + 249 * np.clip((value - low) / (high - low), 0, 1), abs=1)
    assert dict((text, at) for at, text in drawn.bar["ticks"])["0.02"] == pytest.approx((np.log10(0.02) - low) / (high - low), abs=1e-3)


@pytest.mark.parametrize("low, high, scale, texts", [
    (0.0, 1.0, "sequential", ["0", "0.2", "0.4", "0.6", "0.8", "1"]), (-0.03, 0.03, "diverging", ["-0.02", "0", "0.02"]),
    (-2.0, 0.0, "logarithmic", ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]), (-4.0, 2.0, "logarithmic", ["0.0001", "0.001", "0.01", "0.1", "1", "10", "100"]),
])
def test_colour_bar_has_round_ticks(low, high, scale, texts):
    ticks = looks._ticks(low, high, scale)
    assert [text for _, text in ticks] == texts and all(0 <= at <= 1 for at, _ in ticks)


def test_map_tells_label_states_apart_by_shape_and_colour(shown):
    for is_dark in (False, True):
        expected, drawn = palette.categories(list(exploring.STATES), is_dark), look(shown, is_dark=is_dark)
        assert [(item["name"], item["colour"], looks.SHAPES[item["shape"]]) for item in drawn.legend] == [(n, *expected[n]) for n in ("unlabelled", "labelled")]
        code = drawn.codes[shown.state == "labelled"][0]
        assert tuple(drawn.colours[code[0]]) == palette.rgb(expected["labelled"][0]) and looks.SHAPES[code[1]] == "square"


def test_map_gathers_rare_categories_in_one_look():
    names = np.array([f"batch {k:02d}" for k in range(40) for _ in range(1 + (k < looks.MOST_NAMES))], object)
    drawn = looks._categories(names, np.ones(len(names), bool), False)
    assert len(drawn.legend) == looks.MOST_NAMES + 1 and drawn.legend[-1]["name"] == looks.OTHERS and drawn.legend[-1]["count"] == 10
    assert (drawn.codes[names == "batch 39", 0] == looks.NO_VALUE).all()


def test_map_of_one_galaxy_or_none_still_has_a_frame(shown):
    assert cloud.frame(np.zeros((1, 2))) == [-0.5, 0.5, -0.5, 0.5] and cloud.frame(np.zeros((0, 2))) == pytest.approx([-0.04, 1.04] * 2)
    nobody = look(shown, "epistemic", np.zeros(60, bool))
    assert (nobody.codes[:, 1] == looks.HIDDEN).all() and nobody.bar


def test_map_sends_what_is_caught_as_one_bit_a_galaxy():
    packed = np.frombuffer(base64.b64decode(cloud._bits(11, np.array([0, 9]))), np.uint8)
    assert np.unpackbits(packed)[:11].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]


def outline(shown, x, y, how="replace", visible=EVERYBODY):
    selection.act({"kind": "outline", "outline": [[a, b] for a, b in zip(x, y, strict=True)], "how": how}, shown, visible, "m")


def lasso_right(shown, **more):
    outline(shown, [0, 9, 9, 0], [-9, -9, 9, 9], **more)


def test_lasso_catches_visible_galaxies_and_follows_them_to_another_map(tiny, shown, here):
    assert galaxy_map.caught(shown, EVERYBODY, "m") is None
    lasso_right(shown)
    right = np.flatnonzero(shown.xy[:, 0] > 0)
    assert galaxy_map.caught(shown, EVERYBODY, "m").tolist() == right.tolist()
    assert galaxy_map.caught(shown, np.arange(60) < 30, "m").tolist() == right[right < 30].tolist()
    embeddings.save(tiny, "turned", "pca", "image", shown.object_ids[::-1], -shown.xy[::-1], {})
    other = exploring.map_table(tiny, "turned", 1)
    assert sorted(other.object_ids[galaxy_map.caught(other, EVERYBODY, "m")]) == shown.object_ids[right].tolist()


def test_lassos_add_subtract_and_narrow(shown, here):
    x, y = shown.xy.T
    lasso_right(shown)
    outline(shown, [-9, 9, 9, -9], [0, 0, 9, 9], "add")
    assert sorted(galaxy_map.caught(shown, EVERYBODY, "m")) == np.flatnonzero((x > 0) | (y > 0)).tolist()
    outline(shown, [0, 9, 9, 0], [0, 0, 9, 9], "subtract")
    assert sorted(galaxy_map.caught(shown, EVERYBODY, "m")) == np.flatnonzero((x > 0) ^ (y > 0)).tolist()
    lasso_right(shown, how="within")
    assert sorted(galaxy_map.caught(shown, EVERYBODY, "m")) == np.flatnonzero((x > 0) & (y < 0)).tolist()


def test_invert_catches_the_visible_rest_and_clear_lets_go(shown, here):
    visible = np.arange(60) < 40
    lasso_right(shown, visible=visible)
    selection.act({"kind": "invert"}, shown, visible, "m")
    assert galaxy_map.caught(shown, EVERYBODY, "m").tolist() == np.flatnonzero((shown.xy[:, 0] < 0) & visible).tolist()
    selection.act({"kind": "clear"}, shown, visible, "m")
    assert galaxy_map.caught(shown, EVERYBODY, "m") is None


def test_click_picks_a_galaxy_and_leaves_what_is_caught(shown, here):
    lasso_right(shown)
    before = galaxy_map.caught(shown, EVERYBODY, "m").tolist()
    selection.act({"kind": "pick", "row": 7}, shown, EVERYBODY, "m")
    assert galaxy_map.picked("m") == shown.object_ids[7] and galaxy_map.caught(shown, EVERYBODY, "m").tolist() == before


def test_pointed_galaxy_is_told_by_picture_key_state_and_values(shown, tiny, monkeypatch):
    monkeypatch.setattr(pointed.state, "workspace", lambda: tiny)
    told = pointed.described(shown, COLOURINGS["sn"], "z", 3)
    assert told["picture"].startswith("data:image/png;base64,") and told["lines"][:2] == ["mock-00003", "labelled"]
    assert told["lines"][3] == f"z = {shown.label[3, 0]:.4g} by label" and told["lines"][4] == f"signal-to-noise {shown.sn[3]:.3g}"
    with tiny.write() as db:
        db.conn.execute("DELETE FROM arrays WHERE modality = 'image' AND object_id = 4")
    assert pointed.described(shown, COLOURINGS["sn"], "z", 3)["picture"] is None


def test_density_is_the_mean_colour_of_a_cell_times_how_much_it_covers():
    colours = np.zeros((256, 3), np.uint8)
    colours[1], colours[2] = (200, 0, 0), (0, 100, 0)
    codes = np.array([[1, 0], [2, 0], [1, 0], [1, looks.HIDDEN]], np.uint8)
    xy = np.array([[0.001, 0.001], [0.001, 0.001], [0.999, 0.999], [0.5, 0.5]])
    found = looks.density(xy, looks.Look(codes, colours, [], None, 1.0), [0.0, 1.0, 0.0, 1.0])
    assert found.shape == (512, 512, 4) and np.count_nonzero(found[..., 3]) == 2
    assert found[0, 0].tolist() == [100, 50, 0, 255]
    assert found[-1, -1].tolist() == [44, 0, 0, 56]


def test_crowd_is_sent_as_density_and_fewer_as_points(shown, monkeypatch):
    monkeypatch.setattr(cloud, "_address", lambda data, place: f"{place}:{len(data)}")
    everyone, frame = np.ones(60, bool), cloud.frame(shown.xy)
    found = looks.look(shown, COLOURINGS["sn"], "z", everyone, False)
    few = cloud.payload(shown, found, "S/N", everyone, "k", {}, 500, None)
    crowd = cloud.payload(shown, replace(found, density=looks.density(shown.xy, found, frame)), "S/N", everyone, "k", {}, 500, None)
    assert few["density"] is None and crowd["density"] == f"k-density:{512 * 512 * 4}"


def test_map_rings_marks_in_shapes_and_colours_of_their_own(shown, monkeypatch):
    monkeypatch.setattr(cloud, "_address", lambda data, place: place)
    monkeypatch.setattr(cloud.state, "is_dark", lambda: True)
    marked = {"only a": np.array([1, 2]), "only b": np.array([3]), "both": np.array([4])}
    made = cloud.payload(shown, look(shown, is_dark=True), "State", EVERYBODY, "m", marked, 400, None)
    assert [(m["rows"], looks.SHAPES[m["shape"]]) for m in made["marks"]] == [([1, 2], "circle-open"), ([3], "square-open"), ([4], "diamond-open")]
    colours = bytes.fromhex(made["colours"])
    assert [tuple(colours[3 * m["colour"] : 3 * m["colour"] + 3]) for m in made["marks"]] == [palette.rgb(c) for c in palette.MARKS[True]]
    assert [(item["name"], item["count"], item["colour"]) for item in made["legend"][-3:]] == list(zip(marked, (2, 1, 1), palette.MARKS[True], strict=True))
