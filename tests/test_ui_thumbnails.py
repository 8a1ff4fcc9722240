"""Pictures: pixels, names and captions as they come out."""

import re
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.preprocess.image import composite
from core.ui import palette, thumbnails
from core.ui.explore_panels import gallery


def galaxy() -> np.ndarray:
    y, x = np.indices((64, 64)) - 31.5
    return np.stack([band * np.exp(-np.hypot(x, y) / 6) for band in (0.2, 1.0, 2.0, 3.0, 3.5)]).astype(np.float32)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)))


def test_composite_png_repeats_each_pixel():
    once, thrice = pixels(thumbnails.composite_png(galaxy())), pixels(thumbnails.composite_png(galaxy(), 3))
    assert np.array_equal(once, composite(galaxy()))
    assert thrice.shape == (192, 192, 3) and np.array_equal(thrice[::3, ::3], once) and np.array_equal(thrice[2::3, 2::3], once)


def test_strip_png_holds_five_grey_bands_and_the_composite():
    strip = pixels(thumbnails.strip_png(galaxy()))
    assert strip.shape == (256, 6 * 256, 3)
    centre = [strip[128, 128 + 256 * k] for k in range(6)]
    assert all((c == c[0]).all() for c in centre[:5]) and centre[4][0] > 180
    assert np.array_equal(strip[200, 5 * 256 + 100], composite(galaxy())[50, 25])
    corner = [strip[250, 256 * k + 250].astype(int).max() for k in range(6)]
    assert max(corner) < 70


def test_strip_png_draws_missing_pixels_dark():
    image = galaxy()
    image[2] = np.nan
    strip = pixels(thumbnails.strip_png(image, 1))
    assert strip[40:, 2 * 64 : 3 * 64].max() <= 51 and strip[32, 3 * 64 + 32, 0] > 200


def test_grid_escapes_text_and_hatches_what_has_no_image():
    html = thumbnails.grid(np.stack([galaxy(), galaxy() * np.nan]), np.array([True, False]), ["z 0.1\nlabelled", "<b>"], ['a "quoted" key', "none"], ["label?object=1", "label?object=2"])
    assert html.count("<figure>") == 2 and html.count("data:image/png;base64,") == 1 and html.count("lb-none\">no image") == 1
    assert "z 0.1<br>labelled" in html and "&lt;b&gt;" in html and 'alt="a &quot;quoted&quot; key"' in html
    assert 'href="label?object=2"' in html


def points(drawing: str) -> np.ndarray:
    return np.array([[float(v) for v in pair.split(",")] for pair in re.search('points="([^"]*)"', drawing).group(1).split()])


def test_curve_peaks_where_the_mean_is_and_is_as_wide_as_sigma():
    xy = points(thumbnails.curve(0.2, 0.05, 0.0, 0.4))
    assert xy[xy[:, 1].argmin(), 0] == pytest.approx(46, abs=0.1) and xy[:, 1].min() == 2 and xy[0].tolist() == [0, 21]
    at_one_sigma = xy[np.abs(xy[:, 0] - (46 + 0.05 / 0.4 * 92)).argmin(), 1]
    assert at_one_sigma == pytest.approx(21 - 19 * np.exp(-0.5), abs=1.2)


def test_curve_keeps_a_narrow_one_visible_an_outlier_at_the_edge_and_the_label_hidden_unless_given():
    narrow, outside = (points(thumbnails.curve(mean, 1e-6, 0.0, 0.4)) for mean in (0.2, 9.0))
    assert narrow[:, 1].min() == 2 and outside[outside[:, 1].argmin(), 0] == 92
    assert "<line" not in thumbnails.curve(0.2, 0.1, 0.0, 0.4) and 'x1="23.0"' in thumbnails.curve(0.2, 0.1, 0.0, 0.4, 0.1)
    assert thumbnails.curve(np.nan, 0.1, 0.0, 0.4) == "" == thumbnails.curve(0.1, 0.1, 0.0, 0.0)


def test_gallery_shows_predictions_and_hides_labels_until_asked():
    row = SimpleNamespace(label=0.1234, prediction=0.13, half=0.02, epistemic=0.1, aleatoric=0.1, state="labelled")
    assert gallery._caption(row, "z", has_labels=False) == "z ≈ 0.13 ± 0.02\nlabelled"
    assert gallery._caption(row, "z", has_labels=True) == "z = 0.1234\nz ≈ 0.13 ± 0.02\nlabelled"
    table = pd.DataFrame([vars(row)] * 2).assign(half=[0.02, np.nan])
    assert gallery._spread(table) == pytest.approx([0.02, np.hypot(0.1, 0.1)])
    assert ["<line" in c for has in (False, True) for c in gallery._curves(table, has)] == [False, False, True, True]


def test_palette_gives_every_category_its_own_colour_and_shape():
    for is_dark in (False, True):
        looks = palette.categories(["unlabelled", "labelled", "cannot be told", "in an open batch", "GALAXY", "QSO", "STAR"], is_dark)
        assert len({shape for _, shape in list(looks.values())[:4]}) == 4 and len({colour for colour, _ in list(looks.values())[:4]}) == 4
        assert len(set(list(looks.values())[4:])) == 3


def test_palette_scales_run_from_0_to_1_and_differ_at_their_ends():
    for scale in (palette.sequential, palette.diverging):
        for is_dark in (False, True):
            stops = scale(is_dark)
            assert stops[0][0] == 0 and stops[-1][0] == 1 and stops[0][1] != stops[-1][1]
