from collections import Counter

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from core.columns import BANDS
from core.data import recognise
from core.data.products import PRODUCTS, Options, read
from tests import survey_files as made

INFO = dict(PLATEID=[390], MJD=[51900], FIBERID=[2])


def _refusals(plan):
    return {r.path.rsplit("/", 1)[-1]: r.sentence for r in plan.refusals}


def test_folder_of_everything_is_sorted_into_products(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    made.spec(tmp_path / "deep"), made.spec(tmp_path / ".hidden"), made.sp_spec(tmp_path / "deep" / "er")
    made.frames(tmp_path, [(100.0, 100.0)]), made.mpa_jhu(tmp_path, {}, INFO)
    made.hisscube(tmp_path / "c.h5", np.zeros((1, 5, 64, 64)), np.ones((1, 4620)), np.ones((1, 4620)), np.arange(4620.0))
    np.save(tmp_path / "a.npy", np.zeros((1, 5, 64, 64)))
    (tmp_path / "t.csv").write_text("objID,redshift\n1237648720693755918,0.1\n")
    for band in BANDS:
        fits.PrimaryHDU(np.zeros((64, 64))).writeto(tmp_path / f"galaxy_{band}.fits")
    plan = recognise.plan([tmp_path])
    assert Counter(i.product for i in plan.items) == dict.fromkeys(PRODUCTS, 1) and plan.refusals == ()
    assert [i.product for i in plan.items] == list(PRODUCTS)
    assert [p.name for p in plan.items[-2].paths] == [f"frame-{b}-001234-5-0678.fits" for b in BANDS]
    assert plan.items[-2].path == str(tmp_path / "frame-*-001234-5-0678.fits")


def test_file_given_twice_is_planned_once(tmp_path):
    path = made.spec(tmp_path)
    assert len(recognise.plan([path, tmp_path, path]).items) == 1


def test_missing_path_is_refused_and_the_rest_is_planned(tmp_path):
    plan = recognise.plan([tmp_path / "nothing.fits", made.spec(tmp_path)])
    assert len(plan.items) == 1
    assert _refusals(plan)["nothing.fits"].startswith("a path must exist; got nothing, for ")


def test_one_dimensional_spectra_templates_and_filters_are_refused_with_the_reason(tmp_path):
    fits.PrimaryHDU(np.ones(50)).writeto(tmp_path / "3C433.fits")
    fits.PrimaryHDU(np.ones((4, 50)), fits.Header({"COEFF0": 3.0, "COEFF1": 1e-4, "OBJECT": "GALAXY"})).writeto(tmp_path / "spEigenGal.fits")
    (tmp_path / "r.csv").write_text("wavelength,response\n5000,0.1\n")
    (tmp_path / "index.csv").write_text("file,class,z\nspec-0390-51900-0002.fits,GALAXY,0.1\n")
    (tmp_path / "places.csv").write_text("ra,dec\n10,0.5\n")
    (tmp_path / "notes.md").write_text("words")
    found = _refusals(recognise.plan([tmp_path]))
    assert found["3C433.fits"].startswith("a spectrum must be an SDSS file with flux, loglam and ivar; got one row of 50 values without errors, for 3C433.fits. Convert")
    assert found["spEigenGal.fits"].startswith("a spectrum must belong to one object on the sky; got 4 template spectra (GALAXY), for spEigenGal.fits.")
    assert found["r.csv"].startswith("a table must list objects on the sky; got a filter curve, for r.csv.")
    assert found["index.csv"].startswith("a table must say where its objects are or what their ids are; got an index of files (file, class, z), for index.csv.")
    assert found["places.csv"].startswith("a table of positions must come with the frames to cut from, or hold magnitudes")
    assert found["notes.md"].startswith("a file must end in .fits, .fit, .csv")


def test_sets_that_lack_a_part_are_refused_whole_with_what_lacks(tmp_path):
    for path in made.frames(tmp_path, [(100.0, 100.0)])[1:]:
        path.rename(path)
    (tmp_path / "frame-u-001234-5-0678.fits").unlink()
    for band in "ugr":
        fits.PrimaryHDU(np.zeros((64, 64))).writeto(tmp_path / f"galaxy_{band}.fits")
    made.mpa_jhu(tmp_path, {}, INFO)[0].unlink()
    plan = recognise.plan([tmp_path])
    found = _refusals(plan)
    assert plan.items == () and len(found) == 8
    assert "got no i, z, for" in found["galaxy_u.fits"] and "got no u, for frame-*-001234-5-0678" in found["frame-g-001234-5-0678.fits"]
    assert found["gal_info_dr7_v5_2.fit"].startswith("an MPA-JHU info file must come with gal_totsfr_dr7_v5_2.fits; got none")


def test_positions_go_with_the_frames_but_not_twice(tmp_path):
    made.frames(tmp_path, [(60.0, 60.0), (150.0, 130.0)])
    (tmp_path / "places.csv").write_text("name,ra,dec\nx,150.0,20.0\n")
    (item,) = recognise.plan([tmp_path]).items

    here = pd.DataFrame({"key": ["known"], "ra": [150.0], "dec": [20.0 + 1 / 3600], "source": ["a spectrum"]})
    (alone,), (both,) = (list(read(item, o)) for o in (Options(), Options(positions=here)))
    assert alone.objects["key"].tolist() == ["J100000.00+200000.0"]
    assert both.objects["key"].tolist() == ["known"]


@pytest.mark.parametrize("name", ["t.fits", "gal.fit", "a.h5", "a.npz", "t.parquet", "t.vot"])
def test_garbage_is_refused_with_a_sentence(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x00garbage" * 700)
    plan = recognise.plan([tmp_path])
    assert plan.items == () and f"for {name}." in _refusals(plan)[name]


def test_every_product_has_a_name_its_files_and_a_reader():
    for product in PRODUCTS.values():
        assert product.name and product.files and callable(product.read)
    assert len({p.name for p in PRODUCTS.values()}) == len(PRODUCTS)


def test_real_folder_is_recognised(real):
    plan = recognise.plan([real])
    assert Counter(i.product for i in plan.items) == {"sdss spectrum": 265, "table": 2, "stamps": 1, "sdss frames": 1}
    assert set(_refusals(plan)) == {"README.md", "3C433.fits", "cg922.fits", "index.csv", "spEigenGal-56436.fits", "spEigenQSO-58596.fits",
                                    *(f"sdss2010-{b}.ecsv" for b in BANDS)}


def test_workspace_inside_a_folder_is_not_read_again(tmp_path, ws):
    np.save(ws.arrays / "image-000000-abc.npy", np.zeros((1, 5, 64, 64)))
    made.spec(tmp_path)
    assert ws.path.parent == tmp_path and [i.product for i in recognise.plan([tmp_path]).items] == ["sdss spectrum"]
