"""Stamps as model inputs: flux kept, dust undone, nothing interpolated."""

import numpy as np
import pytest

from core.preprocess import image
from core.preprocess.extinction import SFD_UGRIZ


def test_model_input_is_asinh_of_flux_over_the_bands_softening():
    stamp = np.zeros((1, 5, 2, 2))
    stamp[0, :, 0, 0] = image.SOFTENING * np.sinh([1, 2, 3, 4, 5])
    out = image.model_input(stamp, np.array([np.nan]))
    assert out.dtype == np.float32
    assert out[0, :, 0, 0] == pytest.approx([1, 2, 3, 4, 5], rel=1e-5)
    assert out[0, :, 1, 1].tolist() == [0] * 5


def test_nanomaggies_undoes_the_stretch_for_negative_faint_and_bright_pixels():
    flux = np.array([-3.0, -0.01, 0.0, 0.02, 500.0], dtype=np.float32).reshape(1, 1, 1, 5) * np.ones((1, 5, 1, 1), np.float32)
    assert image.nanomaggies(image.model_input(flux, np.zeros(1))) == pytest.approx(flux, rel=1e-5, abs=1e-7)


def test_model_input_adds_back_the_light_that_dust_took():
    flux = np.ones((2, 5, 1, 1))
    bare, dereddened = image.nanomaggies(image.model_input(flux, np.array([np.nan, 0.1])))[..., 0, 0]
    assert bare == pytest.approx(np.ones(5), rel=1e-5)
    assert dereddened == pytest.approx(10 ** (0.4 * 0.1 * SFD_UGRIZ), rel=1e-5)


def test_model_input_of_a_missing_image_is_zero():
    stamp = np.full((1, 5, 4, 4), np.nan)
    assert not image.model_input(stamp, np.array([0.05])).any()


def test_turn_gives_the_eight_symmetries_and_the_same_for_every_band():
    one = np.arange(9.0).reshape(1, 1, 3, 3).repeat(2, axis=1)
    out = [image.turn(one, code, np.flip)[0] for code in range(8)]
    square = one[0, 0]
    allowed = {np.rot90(s, k).tobytes() for s in (square, square.T) for k in range(4)}
    assert {stamp[0].tobytes() for stamp in out} == allowed and len(allowed) == 8
    assert all(np.array_equal(stamp[0], stamp[1]) for stamp in out)


def test_composite_is_red_where_only_i_shines_and_black_where_nothing_does():
    stamp = np.zeros((5, 2, 2))
    stamp[3, 0, 0] = 5.0
    stamp[:, 1, 1] = np.nan
    rgb = image.composite(stamp)
    assert rgb.shape == (2, 2, 3) and rgb.dtype == np.uint8
    assert rgb[0, 0].tolist() == [255, 0, 0]
    assert rgb[0, 1].tolist() == rgb[1, 1].tolist() == [0, 0, 0]


def test_composite_keeps_the_hue_when_a_pixel_is_brighter():
    faint, bright = np.zeros((2, 5, 1, 1))
    faint[[3, 2, 1], 0, 0] = [0.09, 0.06, 0.03]
    bright[:] = faint * 5
    a, b = (image.composite(stamp)[0, 0].astype(float) for stamp in (faint, bright))
    assert b.sum() > 1.5 * a.sum()
    assert a / a.sum() == pytest.approx(b / b.sum(), abs=0.02)
