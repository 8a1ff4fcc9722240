import numpy as np
import pandas as pd
import pytest
from astropy.wcs import WCS

from core.data import sdss_frame
from core.errors import BadInput
from tests import survey_files as made

PLACES = [(60.0, 60.0), (150.4, 130.2), (15.0, 100.0)]
R = WCS(made.sky_header(150.0, 20.0, 110, 100))


def _sky(places):
    ra, dec = R.all_pix2world(np.array(places), 0).T
    return pd.DataFrame({"key": [f"object {i}" for i in range(len(places))], "ra": ra, "dec": dec})


def _read(paths, positions=None):
    chunks = list(sdss_frame.read(paths, positions))
    assert len(chunks) == 1
    return chunks[0]


def test_stamps_put_every_band_on_one_grid_and_keep_its_flux(tmp_path):
    chunk = _read(made.frames(tmp_path, PLACES), _sky(PLACES))
    rows, images = chunk.arrays["image"]
    assert chunk.objects["key"].tolist() == ["object 0", "object 1"] and rows.tolist() == [0, 1]
    core = images[:, :, 16:48, 16:48]
    assert core.sum((2, 3)) == pytest.approx(np.tile([100.0, 200, 300, 400, 500], (2, 1)), abs=4)
    yy, xx = np.indices((32, 32))
    x, y = (core * xx).sum((2, 3)) / core.sum((2, 3)), (core * yy).sum((2, 3)) / core.sum((2, 3))
    assert np.abs(x - x[:, 2:3]).max() < 0.1 and np.abs(y - y[:, 2:3]).max() < 0.1
    assert np.abs(x - 15.5).max() < 0.6 and np.abs(y - 15.5).max() < 0.6


def test_stamps_over_an_edge_of_any_band_are_counted_not_taken(tmp_path):
    chunk = _read(made.frames(tmp_path, PLACES, shift=8.0), _sky([*PLACES, (33.0, 60.0)]))
    assert chunk.objects["key"].tolist() == ["object 0", "object 1"]
    assert chunk.left_out == {"stamp reaches over an edge of the field": 2}


def test_positions_outside_the_field_are_passed_over(tmp_path):
    elsewhere = pd.DataFrame({"key": ["far", "antipode", "nowhere"], "ra": [151.0, 330.0, np.nan], "dec": [20.0, -20.0, np.nan]})
    chunk = _read(made.frames(tmp_path, PLACES), pd.concat([_sky(PLACES[:1]), elsewhere]))
    assert chunk.objects["key"].tolist() == ["object 0"]
    assert chunk.notes == ("1 of 4 given positions lie in field 001234-5-0678.",)


def test_sources_are_found_in_r_when_no_position_is_given(tmp_path):
    chunk = _read(made.frames(tmp_path, PLACES))
    x, y = R.all_world2pix(chunk.objects[["ra", "dec"]].to_numpy(), 0).T
    assert sorted(zip(x.round(1), y.round(1), strict=True)) == [pytest.approx((60, 60), abs=0.1), pytest.approx((150.4, 130.2), abs=0.1)]
    assert chunk.objects["metadata"][0]["r_mag"] == pytest.approx(22.5 - 2.5 * np.log10(300), abs=0.02)
    assert chunk.notes[0].startswith("No positions were given for field 001234-5-0678: 3 sources brighter than r = 22")


def test_sources_that_the_field_gave_before_are_found_again_the_same(tmp_path):
    paths = made.frames(tmp_path, PLACES)
    first = _read(paths)
    again = _read(paths, first.objects[["key", "ra", "dec", "source"]])
    assert again.objects["key"].tolist() == first.objects["key"].tolist()
    assert np.array_equal(again.arrays["image"][1], first.arrays["image"][1])


def test_field_that_lacks_a_band_is_refused_by_name(tmp_path):
    paths = made.frames(tmp_path, PLACES)
    with pytest.raises(BadInput, match=r"^a field must have all five bands; got no u, i, for frame-\*-001234-5-0678."):
        sdss_frame.in_order([paths[1], paths[4], paths[2]])


def test_real_field_gives_registered_stamps(real):
    paths = sdss_frame.in_order(sorted((real / "frames").glob("frame-*.bz2")))
    chunks = list(sdss_frame.read(paths))
    images = np.concatenate([c.arrays["image"][1] for c in chunks])
    assert len(images) == 275 and chunks[0].left_out == {"stamp reaches over an edge of the field": 26}
    yy, xx = np.indices((64, 64))
    light = np.clip(images[:100], 0, None) * (np.hypot(xx - 31.5, yy - 31.5) < 6)
    x = (light * xx).sum((2, 3)) / light.sum((2, 3))
    y = (light * yy).sum((2, 3)) / light.sum((2, 3))
    assert np.abs(np.median(x - x[:, 2:3], axis=0)).max() < 0.1 and np.abs(np.median(y - y[:, 2:3], axis=0)).max() < 0.15
