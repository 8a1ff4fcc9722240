import numpy as np
import pytest
from astropy.io import fits

from core.columns import BANDS
from core.data import stamp
from core.errors import BadInput
from tests import survey_files as made

FLUX = [100.0, 200.0, 300.0, 400.0, 500.0]


def _set(folder, shape=(64, 64), header=None, places=None):
    h, w = shape
    x, y = (w - 1) / 2, (h - 1) / 2
    for b, band in enumerate(BANDS):
        image = made.blob(shape, *(places[b] if places else (x, y)), FLUX[b])
        fits.PrimaryHDU(image.astype("f4"), header(b) if header else made.sky_header(150.0, 20.0, x, y)).writeto(folder / f"galaxy-{band}.fits", overwrite=True)
    return [folder / f"galaxy-{band}.fits" for band in BANDS]


def _centre(image):
    yy, xx = np.indices(image.shape[1:])
    return (image * xx).sum((1, 2)) / image.sum((1, 2)), (image * yy).sum((1, 2)) / image.sum((1, 2))


def test_stamp_of_the_right_size_is_taken_as_it_is(tmp_path):
    chunk = stamp.read(_set(tmp_path))
    rows, images = chunk.arrays["image"]
    assert rows.tolist() == [0] and images.shape == (1, 5, 64, 64)
    assert images[0, 2] == pytest.approx(made.blob((64, 64), 31.5, 31.5, 300.0), abs=1e-5)
    assert (chunk.objects["ra"][0], chunk.objects["dec"][0]) == pytest.approx((150.0, 20.0))
    assert chunk.objects["key"][0] == "J100000.00+200000.0" and chunk.notes == ()


@pytest.mark.parametrize("shape", [(226, 226), (101, 100), (65, 65)])
def test_larger_stamp_is_cropped_around_its_middle(tmp_path, shape):
    image = stamp.read(_set(tmp_path, shape)).arrays["image"][1][0]
    assert image.sum((1, 2)) == pytest.approx(FLUX, rel=1e-4)
    assert np.abs(np.array(_centre(image)) - 31.5).max() <= 0.51


@pytest.mark.parametrize(("arcsec", "shape"), [(0.262, (110, 110)), (0.792, (32, 32)), (0.1, (256, 256))])
def test_other_pixel_sizes_are_resampled_with_their_flux(tmp_path, arcsec, shape):
    middle = ((shape[1] - 1) / 2, (shape[0] - 1) / 2)
    image = stamp.read(_set(tmp_path, shape, lambda b: made.sky_header(150.0, 20.0, *middle, arcsec=arcsec))).arrays["image"][1][0]
    assert image.sum((1, 2)) == pytest.approx(FLUX, rel=5e-3)
    assert np.array(_centre(image)) == pytest.approx(np.full((2, 5), 31.5), abs=0.02)


def test_bands_that_are_shifted_and_turned_come_onto_the_grid_of_r(tmp_path):
    places = [(40 + 4.3 * (b - 2), 40 - 2.6 * (b - 2)) for b in range(5)]
    paths = _set(tmp_path, (81, 81), lambda b: made.sky_header(150.0, 20.0, *places[b], turn=0.02 * (b - 2)), places)
    image = stamp.read(paths).arrays["image"][1][0]
    x, y = _centre(image)
    assert np.abs(x - x[2]).max() < 0.01 and np.abs(y - y[2]).max() < 0.01
    assert image.sum((1, 2)) == pytest.approx(FLUX, rel=1e-3)


def test_smaller_stamp_gets_a_border_of_zero_and_a_note(tmp_path):
    chunk = stamp.read(_set(tmp_path, (40, 40)))
    image = chunk.arrays["image"][1][0]
    assert image[:, :12].sum() == 0 and image.sum((1, 2)) == pytest.approx(FLUX, rel=1e-4)
    assert chunk.notes == ("galaxy-u.fits covers 15.8 by 15.8 arcsec; the rest of the 25 arcsec is filled with 0.",)


def test_stamp_with_the_wcs_of_its_frame_takes_position_from_ra_and_dec(tmp_path):
    chunk = stamp.read(_set(tmp_path, (100, 100), lambda b: fits.Header({**made.sky_header(186.4, 48.4, 1024, 744), "RA": 186.5663, "DEC": 48.4935})))
    assert chunk.objects[["ra", "dec"]].to_numpy().tolist() == [[186.5663, 48.4935]]
    assert "kept the WCS of the frame it was cut from" in chunk.notes[0]


def test_one_file_of_five_layers_or_five_extensions_is_a_stamp(tmp_path):
    cube = np.stack([made.blob((64, 64), 31.5, 31.5, f) for f in FLUX]).astype("f4")
    header = made.sky_header(150.0, 20.0, 31.5, 31.5)
    fits.PrimaryHDU(cube, header).writeto(tmp_path / "cube.fits")
    fits.HDUList([fits.PrimaryHDU(), *(fits.ImageHDU(layer, header) for layer in cube)]).writeto(tmp_path / "extensions.fits")
    for name in ("cube.fits", "extensions.fits"):
        chunk = stamp.read([tmp_path / name])
        assert chunk.arrays["image"][1][0] == pytest.approx(cube) and chunk.objects["key"][0] == "J100000.00+200000.0"


def test_stamp_without_position_is_known_by_its_content(tmp_path):
    chunk = stamp.read(_set(tmp_path, header=lambda b: fits.Header({"BUNIT": "nanomaggies"})))
    again = stamp.read(_set(tmp_path, header=lambda b: fits.Header({"BUNIT": "nanomaggies"})))
    assert chunk.objects["key"][0] == again.objects["key"][0] and chunk.objects["key"][0].startswith("galaxy-000000-")
    assert np.isnan(chunk.objects["ra"][0]) and "has no WCS" in chunk.notes[0]


def test_stamp_in_other_units_is_refused(tmp_path):
    paths = _set(tmp_path, header=lambda b: fits.Header({"BUNIT": "ADU"}))
    with pytest.raises(BadInput, match="^a stamp must be in nanomaggies; got BUNIT = ADU, for galaxy-u.fits."):
        stamp.read(paths)


def test_real_stamp_of_haro_29_lies_where_the_galaxy_is(real):
    chunk = stamp.read([real / "stamps" / "Haro29" / f"galaxy_stamp_{b}.fits" for b in BANDS])
    obj, image = chunk.objects.iloc[0], chunk.arrays["image"][1][0]
    assert (obj["ra"], obj["dec"], obj["metadata"]) == (186.5663417, 48.4935083, {"name": "Haro29"})
    with fits.open(real / "stamps" / "Haro29" / "galaxy_stamp_g.fits") as hdus:
        assert image[1].tolist() == hdus[0].data[81:145, 81:145].tolist()
