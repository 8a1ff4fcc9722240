"""Files that we write: real to astropy and h5py, and the same objects again to our readers."""

from itertools import chain

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from core.columns import BANDS, SFR_TARGETS
from core.data import hisscube, mock_sky, mpa_jhu, sdss_spectrum, sdss_spectrum_dr7, stamp, table, writers
from core.data.records import Chunk
from core.preprocess.spectrum import LOGLAM


@pytest.fixture(scope="module")
def chunk() -> Chunk:
    return mock_sky.part(0, writers.SAMPLE_SEED)


@pytest.fixture(scope="module")
def rows(chunk) -> list[int]:
    """Galaxies that have everything."""
    return writers._complete(chunk, "GALAXY")[:5]


def _stored(chunk: Chunk, modality: str, row: int) -> np.ndarray:
    where, values = chunk.arrays[modality]
    return values[where.tolist().index(row)]


def _truth(chunk: Chunk, row: int) -> dict[str, float]:
    lines = chunk.truth[chunk.truth["row"] == row]
    return dict(zip(lines["target"], lines["value"], strict=True))


@pytest.mark.parametrize("is_upper", [True, False])
def test_spectrum_file_has_the_columns_of_sdss(tmp_path, chunk, rows, is_upper):
    path = writers.write_spectrum(tmp_path, chunk, rows[0], is_upper, exposures=2)
    obj = chunk.objects.iloc[rows[0]]
    with fits.open(path) as hdus:
        assert path.name == f"{obj['key']}.fits" and len(hdus) == 6
        names = ["flux", "loglam", "ivar", "and_mask", "or_mask", "wdisp", "sky", "model"]
        assert hdus[1].columns.names == [n.upper() if is_upper else n for n in names]
        np.testing.assert_allclose(np.diff(hdus[1].data["loglam"].astype(float)), 1e-4, atol=1e-6)
        assert ((hdus[1].data["and_mask"] & (1 << 18) > 0) == (hdus[1].data["ivar"] == 0)).all()
        row = hdus[2].data[0]
        assert (row["PLATE"], row["MJD"], row["FIBERID"], row["CLASS"], row["ZWARNING"]) == (obj["plate"], obj["mjd"], obj["fiberid"], "GALAXY", obj["zwarning"])
        assert row["Z"] == pytest.approx(_truth(chunk, rows[0])["z"], rel=1e-6)
        assert row["SPECOBJID"].strip() == obj["specobjid"]
        assert "Halpha 6565" in hdus[3].data["LINENAME"].tolist()
        assert hdus[0].header["TELESCOP"] == "SIMULATED"


@pytest.mark.parametrize("is_upper", [True, False])
def test_spectrum_file_reads_back_as_the_same_object(tmp_path, chunk, rows, is_upper):
    found = sdss_spectrum.read(writers.write_spectrum(tmp_path, chunk, rows[1], is_upper))
    obj, back = chunk.objects.iloc[rows[1]], found.objects.iloc[0]
    for name in ("key", "plate", "mjd", "fiberid", "specobjid", "objid", "class", "zwarning"):
        assert back[name] == obj[name]
    for name in ("ra", "dec", "sn", "ebv"):
        assert back[name] == pytest.approx(obj[name], rel=1e-6)
    np.testing.assert_array_equal(found.arrays["spectrum"][1][0], _stored(chunk, "spectrum", rows[1]))
    assert found.truth["value"].tolist() == pytest.approx([_truth(chunk, rows[1])["z"]], rel=1e-6)


def test_spectrum_of_a_star_carries_no_truth(tmp_path, chunk):
    star = writers._complete(chunk, "STAR")[0]
    found = sdss_spectrum.read(writers.write_spectrum(tmp_path, chunk, star))
    assert found.objects["class"].tolist() == ["STAR"] and found.truth.empty


def test_dr7_file_holds_flux_sigma_and_mask_in_rows(tmp_path, chunk, rows):
    path = writers.write_spectrum_dr7(tmp_path, chunk, rows[2])
    with fits.open(path) as hdus:
        header, image = hdus[0].header, hdus[0].data
        first = round((header["COEFF0"] - LOGLAM[0]) * 1e4)
        assert (header["SPEC_CLN"], header["Z_WARNIN"], header["COEFF1"]) == (2, 0, 1e-4)
        flux, ivar = _stored(chunk, "spectrum", rows[2])[:, first : first + image.shape[1]]
        np.testing.assert_array_equal(image[0], flux)
        assert ((image[2] == 0) == (ivar == 0)).all()
    found = sdss_spectrum_dr7.read(path)
    assert found.objects["key"].tolist() == [chunk.objects["key"].iloc[rows[2]]]
    np.testing.assert_allclose(found.arrays["spectrum"][1][0], _stored(chunk, "spectrum", rows[2]), rtol=1e-6)


@pytest.mark.parametrize("is_cube", [True, False])
def test_stamp_is_in_nanomaggies_with_the_object_in_its_middle(tmp_path, chunk, rows, is_cube):
    paths = writers.write_stamp(tmp_path, chunk, rows[0], is_cube)
    obj = chunk.objects.iloc[rows[0]]
    with fits.open(paths[0]) as hdus:
        assert hdus[0].data.shape == ((5, 64, 64) if is_cube else (64, 64))
        assert hdus[0].header["BUNIT"] == "nanomaggy"
        np.testing.assert_allclose(WCS(hdus[0].header, naxis=2).all_pix2world([[31.5, 31.5]], 0)[0], obj[["ra", "dec"]].astype(float), atol=1e-9)
    found = stamp.read(paths)
    np.testing.assert_allclose(found.arrays["image"][1][0], _stored(chunk, "image", rows[0]), atol=1e-6)
    assert found.objects["ra"].iloc[0] == pytest.approx(obj["ra"], abs=1e-8)


def test_hisscube_has_the_layout_units_and_holes_of_the_product(tmp_path, chunk, rows):
    path = writers.write_hisscube(tmp_path / "cube.h5", chunk, rows[:3])
    with h5py.File(path) as file:
        image = file["dense_cube/0/ml_image/cutout_3d_cube_zoom_0"]
        flux, sigma = (file[f"dense_cube/0/ml_spectrum/{n}"][:] for n in ("spectral_1d_cube_zoom_0", "errors"))
        assert image.shape == file["dense_cube/0/ml_image/errors"].shape == (3, 5, 64, 64) and flux.shape == (3, 4620)
        assert image.dtype == np.float32 and file["dense_cube"].attrs["target_count"] == 3
        np.testing.assert_allclose(file["dense_cube/0/ml_spectrum/wl"][[0, -1]], [3839.7244, 8914.597])
        scale = 3.631e-6 * 2.99792458e-5 / 6166.0**2 * 78.54
        np.testing.assert_allclose(image[0, 2] / scale, _stored(chunk, "image", rows[0])[2], rtol=1e-5)
        assert np.nanmedian(np.abs(flux)) < 1e-14 and np.isinf(sigma).any()


def test_hisscube_reads_back_as_the_same_objects(tmp_path, chunk, rows):
    found = list(hisscube.read(writers.write_hisscube(tmp_path / "cube.h5", chunk, rows[:3])))[0]
    assert found.objects["key"].tolist() == chunk.objects["key"].iloc[rows[:3]].tolist()
    np.testing.assert_allclose(found.objects["ra"], chunk.objects["ra"].iloc[rows[:3]])
    for i, row in enumerate(rows[:3]):
        np.testing.assert_allclose(found.arrays["image"][1][i], _stored(chunk, "image", row), rtol=1e-5, atol=1e-6)
        here, back = _stored(chunk, "spectrum", row), found.arrays["spectrum"][1][i]
        good = (here[1] > 0) & (back[1] > 0)
        assert good.sum() > 3400
        assert abs(np.median((back[0] - here[0])[good] * np.sqrt(here[1][good]))) < 0.02
        assert np.median(np.abs(back[0] - here[0])[good] * np.sqrt(here[1][good])) < 0.5


def test_mpa_jhu_pair_gives_back_all_nine_targets(tmp_path, chunk, rows):
    star = writers._complete(chunk, "STAR")[0]
    paths = writers.write_mpa_jhu(tmp_path, chunk, [*rows, star])
    with fits.open(paths[0]) as rates, fits.open(paths[1]) as info:
        assert rates[1].columns.names == ["AVG", "ENTROPY", "FLAG", "MEDIAN", "MODE", "P16", "P2P5", "P84", "P97P5"]
        assert {"PLATEID", "MJD", "FIBERID", "RA", "DEC", "Z", "Z_ERR", "Z_WARNING", "SN_MEDIAN", "E_BV_SFD"} <= set(info[1].columns.names)
        assert rates[1].data["FLAG"].tolist() == [0] * len(rows) + [1] and rates[1].data["AVG"][-1] == -99
    found = list(mpa_jhu.read(list(paths)))[0]
    assert found.matches
    for i, row in enumerate(rows):
        back, truth = found.truth[found.truth["row"] == i], _truth(chunk, row)
        assert set(back["target"]) == {"z", *SFR_TARGETS}
        for target, value in zip(back["target"], back["value"], strict=True):
            assert value == pytest.approx(truth[target], abs=2e-6)
    assert found.truth[found.truth["row"] == len(rows)].empty


def test_photometry_csv_keeps_magnitudes_and_ids(tmp_path, chunk, rows):
    path = writers.write_photometry(tmp_path / "p.csv", chunk, rows)
    frame = pd.read_csv(path, dtype={"objID": str, "specObjID": str})
    assert frame["objID"].tolist() == chunk.objects["objid"].iloc[rows].tolist()
    assert [f"dered_{b}" in frame and f"err_{b}" in frame for b in BANDS] == [True] * 5
    found = list(table.read(path))[0]
    for i, row in enumerate(rows):
        np.testing.assert_allclose(found.arrays["photometry"][1][i], _stored(chunk, "photometry", row), atol=1e-5)
    assert found.objects["key"].tolist() == chunk.objects["key"].iloc[rows].tolist()


def test_photometry_csv_writes_minus_9999_for_missing(tmp_path, chunk, rows):
    where, values = chunk.arrays["photometry"]
    holed = values.copy()
    holed[where.tolist().index(rows[0]), :, 0] = np.nan
    chunk = Chunk(chunk.objects, chunk.arrays | {"photometry": (where, holed)}, chunk.truth)
    frame = pd.read_csv(writers.write_photometry(tmp_path / "p.csv", chunk, rows))
    assert frame["dered_u"].iloc[0] == frame["err_u"].iloc[0] == -9999


def test_writer_refuses_an_object_without_the_modality(tmp_path, chunk):
    lacking = sorted(set(range(len(chunk.objects))) - set(chunk.arrays["spectrum"][0].tolist()))[0]
    with pytest.raises(ValueError, match="has no spectrum"):
        writers.write_spectrum(tmp_path, chunk, lacking)


def test_committed_sample_is_what_the_writer_writes_now(tmp_path):
    fresh = {p.name: p for p in writers.write_sample(tmp_path)}
    kept = {p.name: p for p in writers.SAMPLE.iterdir() if p.suffix in (".fits", ".fit", ".h5", ".csv")}
    assert set(fresh) == set(kept)
    assert sum(p.stat().st_size for p in kept.values()) < 3e6
    for name in chain(p for p in kept if p.startswith("spec-")):
        np.testing.assert_allclose(*(sdss_spectrum.read(p[name]).arrays["spectrum"][1] for p in (fresh, kept)), rtol=1e-3, atol=1e-3)
