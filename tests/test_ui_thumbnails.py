"""Pictures: pixels, names and captions as they come out."""

from io import BytesIO

import numpy as np
from PIL import Image

from core.preprocess.image import composite
from core.ui import palette, thumbnails


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
