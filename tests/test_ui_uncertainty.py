"""Figures of the Uncertainty page carry the values they are given, east on the left, and at most one WebGL canvas."""

import numpy as np
import pandas as pd
import pytest

from core.services import doubting
from core.services.doubting import CORNERS, Posterior
from core.ui import palette, state
from core.ui.uncertainty import figures


@pytest.fixture(autouse=True, params=[False, True], ids=["light", "dark"])
def theme(monkeypatch, request):
    monkeypatch.setattr(state, "is_dark", lambda: request.param)


def _said(**more) -> Posterior:
    given = dict(run_id=1, object_id=7, target="z", key="g", mean=0.2, noise=0.03, ignorance=0.04, half={"68": 0.06, "95": 0.15}, below=0.5, sn=9.0, magnitude=17.0, novelty=1.0)
    return Posterior(**given | more)


NOTHING = pd.DataFrame(columns=["what", "who", "value", "sigma"])


def test_sky_has_east_on_the_left_medians_in_colour_and_no_second_canvas():
    ra, dec = np.tile(np.linspace(10, 14, 20), 20), np.repeat(np.linspace(-2, 2, 20), 20)
    seen = doubting.sky(ra, dec, np.where(ra > 12, 0.1, 0.01))
    figure = figures.sky(seen, "Epistemic uncertainty", True, np.array([0, 5]))
    heat, ringed = figure.data[0], figure.data[-1]
    left, right = figure.layout.xaxis.range
    assert left > right and figure.layout.yaxis.range[0] < figure.layout.yaxis.range[1] and figure.layout.yaxis.scaleanchor == "x"
    assert sorted(set(np.round(heat.z[np.isfinite(heat.z)], 6))) == [-2, -1] and heat.z[:, heat.x > 0.4][np.isfinite(heat.z[:, heat.x > 0.4])].min() == -1
    assert not {t.type for t in figure.data} & {"scattergl"} and len(ringed.x) == 2
    assert any(a.text.endswith("°") for a in figure.layout.annotations)


def test_a_colour_scale_covers_half_as_much_again_at_least():
    assert figures._limits(np.array([1.0, 1.0, np.nan]), (2, 98)) == pytest.approx((1 - 0.09, 1 + 0.09))
    assert figures._limits(np.array([0.0, 1.0]), (0, 100)) == (0, 1) and figures._limits(np.array([np.nan]), (2, 98)) == (0, 1)


def test_words_in_cells_stand_out_from_their_colour():
    found = doubting.cells(np.repeat([1.0, 9.0], 50), np.full(100, 5.0), np.ones(100), np.repeat([0.1, 0.2], 50))
    written = {a.text: a.font.color for a in figures.cells(found, "z").layout.annotations if a.text}
    ends = dict(zip(("1", "9"), ["#" + bytes(c).hex() for c in palette.ramp(palette.sequential(state.is_dark()), 2)], strict=True))
    assert set(written) == {"1", "9"} and all(palette.contrast(written[text], ground) >= 4.5 for text, ground in ends.items())


def test_corners_draw_each_galaxy_with_its_id_and_the_medians_as_a_cross():
    noise, ignorance = np.array([0.01, 0.02, 0.03, 0.04]), np.array([0.1, 0.4, 0.2, 0.3])
    at = doubting.limits(noise, ignorance)
    figure = figures.corners(noise, ignorance, doubting.corner_of(noise, ignorance, at), at, np.array([5, 6, 7, 8]), np.array(list("abcd"), object), "")
    drawn = {t.name: t.customdata.tolist() for t in figure.data}
    assert drawn == {"Ask": [[6, "b"]], "Both": [[8, "d"]], "Known": [[5, "a"]], "Noise-limited": [[7, "c"]]}
    assert {t.type for t in figure.data} == {"scattergl"} and figure.data[0].x.dtype == np.float32
    assert sorted((s.x0, s.y0) for s in figure.layout.shapes) == [(0, 0.25), (0.025, 0)] and figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert [a.text.split("</span> ")[1] for a in figure.layout.annotations] == [f"<b>{c.title}</b>" for c in CORNERS]


def test_corners_draw_a_sample_of_many():
    rng = np.random.default_rng(0)
    noise, ignorance = rng.gamma(2, 1, 9000), rng.gamma(2, 1, 9000)
    at = doubting.limits(noise, ignorance)
    figure = figures.corners(noise, ignorance, doubting.corner_of(noise, ignorance, at), at, np.arange(9000), np.full(9000, "g", object), " [dex]")
    assert sum(len(t.x) for t in figure.data) == figures.MOST_POINTS and figure.layout.xaxis.title.text.endswith("[dex]")


def test_posterior_fills_the_first_run_and_lists_intervals_and_what_is_known():
    known = pd.DataFrame([("label", "Ann", 0.25, np.nan), ("catalogue", "mpa", 0.6, 0.01)], columns=NOTHING.columns)
    figure = figures.posterior([_said(), _said(mean=0.3)], ["one", "two"], known, "")
    by_name = {t.name: t for t in figure.data if t.name}
    assert by_name["one"].fill == "tozeroy" and by_name["two"].fill is None and by_name["one"].x[np.argmax(by_name["one"].y)] == pytest.approx(0.2, abs=0.01)
    assert by_name["if its ignorance were gone"].y.max() == pytest.approx(1 / (0.03 * np.sqrt(2 * np.pi)), rel=1e-3)
    strip = {t.y[0]: (t.x[0], t.error_x.array[0]) for t in figure.data if t.error_x.array is not None}
    assert strip == {"68 % calibrated": (0.2, 0.06), "95 % calibrated": (0.2, 0.15), "noise 1 σ": (0.2, 0.03), "ignorance 1 σ": (0.2, 0.04), "label: Ann": (0.25, 0), "catalogue: mpa": (0.6, 0.01)}
    assert figure.layout.xaxis2.range[1] > 0.6


def test_posterior_of_a_run_that_was_not_calibrated_and_knows_no_ignorance_shows_noise_alone():
    figure = figures.posterior([_said(ignorance=0.0, half={"68": np.nan, "95": np.nan})], ["one"], NOTHING, "")
    assert [t.y[0] for t in figure.data if t.error_x.array is not None] == ["noise 1 σ"] and "if its ignorance were gone" not in {t.name for t in figure.data}


def test_split_shares_add_up_to_one():
    assert [(t.name, t.x[0]) for t in figures.split(0.75).data] == [("noise", 0.75), ("ignorance", 0.25)]


def test_coverage_has_error_bars_of_counting_and_leaves_out_what_was_not_stretched():
    table = pd.DataFrame({"third": ["all", "sn low"], "galaxies": [100, 50], "held_68": [0.6, 0.5], "stretched_68": [0.7, np.nan], "error_68": [0.05, 0.07],
                          "held_95": [0.9, 0.8], "stretched_95": [0.95, np.nan], "error_95": [0.02, 0.03]})  # fmt: skip
    held, stretched = figures.coverage(table).data[:2]
    assert held.x.tolist() == ["all", "S/N low"] and held.y.tolist() == [0.6, 0.5] and held.error_y.array == pytest.approx([0.098, 0.1372])
    assert stretched.x.tolist() == ["all"] and figures.coverage(table).layout.yaxis.range[0] == pytest.approx(0.45)


def test_moved_and_groups_say_how_many_and_how_much():
    counts = np.diag([3, 2, 1, 0])
    figure = figures.moved(counts)
    assert figure.data[0].z[0].tolist() == [1, 0, 0, 0] and figure.data[0].z[3].tolist() == [0, 0, 0, 0] and [a.text for a in figure.layout.annotations][:4] == ["3", "0", "0", "0"]
    table = pd.DataFrame({"group": ["asked about", "the rest"], "galaxies": [3, 0], "change": [-0.5, np.nan], "low": [-0.6, np.nan], "high": [-0.3, np.nan]})
    drawn = figures.groups(table).data
    assert len(drawn) == 1 and (drawn[0].x[0], drawn[0].error_x.array[0], drawn[0].error_x.arrayminus[0]) == pytest.approx((-0.5, 0.2, 0.1))
