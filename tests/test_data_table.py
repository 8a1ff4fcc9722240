import numpy as np
import pandas as pd
import pytest
from astropy.table import Table

from core.columns import PERCENTILES
from core.data import table
from core.data.table_columns import ALIASES, FIELDS, recognised
from core.errors import BadInput

CAS = """#Table1
objID,ra,dec,modelMag_u,modelMag_g,modelMag_r,modelMag_i,modelMag_z,modelMagErr_u,modelMagErr_g,modelMagErr_r,modelMagErr_i,modelMagErr_z,\
extinction_u,extinction_g,extinction_r,extinction_i,extinction_z,z,zErr,zWarning,class
1237648720693755918,10.5,0.5,20,19,18,17.5,17.2,.1,.02,.02,.02,.05,.5,.4,.3,.2,.1,0.1,1e-5,0,GALAXY
1237648720693755919,10.6,0.5,20,19,-9999,17.5,0,.1,.02,.02,-9999,.05,.5,.4,.3,.2,.1,0.2,1e-5,4,GALAXY
1237648720693755920,10.7,0.5,20,19,18,99,nan,.1,0,.02,.02,.05,.5,.4,.3,.2,.1,0.3,-1,16,GALAXY
1237648720693755921,10.8,0.5,20,19,18,17.5,17.2,.1,.02,.02,.02,.05,.5,.4,.3,.2,.1,0.0001,1e-5,0,STAR
"""


def _one(path, mapping=None):
    found = list(table.read(path, mapping))
    assert len(found) == 1
    return found[0]


def _csv(folder, text, name="t.csv"):
    (folder / name).write_text(text)
    return folder / name


def test_casjobs_table_is_dereddened_and_sentinels_are_missing_and_counted(tmp_path):
    chunk = _one(_csv(tmp_path, CAS))
    rows, values = chunk.arrays["photometry"]
    nan = np.nan
    assert rows.tolist() == [0, 1, 2, 3]
    assert values[0] == pytest.approx(np.array([[19.5, 18.6, 17.7, 17.3, 17.1], [0.1, 0.02, 0.02, 0.02, 0.05]]))
    assert values[1] == pytest.approx(np.array([[19.5, 18.6, nan, 17.3, nan], [0.1, 0.02, nan, nan, nan]]), nan_ok=True)
    assert values[2] == pytest.approx(np.array([[19.5, 18.6, 17.7, nan, nan], [0.1, nan, 0.02, nan, nan]]), nan_ok=True)
    assert chunk.missing == {"modelMag_r": 1, "modelMag_i": 1, "modelMag_z": 2, "modelMagErr_g": 1, "modelMagErr_i": 1, "zErr": 1}
    assert chunk.objects["key"].tolist()[:2] == ["1237648720693755918", "1237648720693755919"]
    assert chunk.objects["ebv"].tolist() == pytest.approx([0.3 / 2.751] * 4)


def test_redshifts_of_galaxies_without_warning_are_truth(tmp_path):
    chunk = _one(_csv(tmp_path, CAS))
    assert chunk.truth["row"].tolist() == [0, 2] and chunk.truth["value"].tolist() == [0.1, 0.3]
    assert chunk.truth["sigma"].tolist() == pytest.approx([1e-5, np.nan], nan_ok=True)
    assert "The redshift of 2 rows is no truth: they are no galaxies, or their ZWARNING is neither 0 nor 16." in chunk.notes
    assert set(chunk.objects["metadata"][0]) == set()


def test_every_format_reads_the_same(tmp_path):
    columns = Table({"objID": np.array([1237648720693755918, 1237648720693755920]), "RA_ICRS": [10.5, 11.0], "DE_ICRS": [0.5, 1.0], "umag": [20.0, 21.0], "gmag": [19.0, 20.0],
                     "rmag": [18.0, 19.0], "imag": [17.5, 18.0], "zmag": [17.0, np.nan], "e_rmag": [0.1, 0.2], "e_gmag": [0.1, 0.2], "zsp": [0.1, 0.2], "spCl": ["GALAXY", "QSO"]})
    columns.write(tmp_path / "t.fits")
    columns.write(tmp_path / "t.vot", format="votable")
    columns.write(tmp_path / "t.txt", format="ascii.basic")
    columns.write(tmp_path / "t.tsv", format="ascii.tab")
    columns.write(tmp_path / "t.ecsv", format="ascii.ecsv")
    columns.to_pandas().to_csv(tmp_path / "t.csv", index=False)
    columns.to_pandas().to_csv(tmp_path / "t.csv.gz", index=False)
    columns.to_pandas().to_parquet(tmp_path / "t.parquet")
    for path in sorted(tmp_path.iterdir()):
        chunk = _one(path)
        assert chunk.objects["key"].tolist() == ["1237648720693755918", "1237648720693755920"], path.name
        assert chunk.objects[["ra", "dec"]].to_numpy().tolist() == [[10.5, 0.5], [11.0, 1.0]], path.name
        assert chunk.arrays["photometry"][1][:, 0] == pytest.approx(np.array([[20, 19, 18, 17.5, 17], [21, 20, 19, 18, np.nan]]), nan_ok=True), path.name
        assert chunk.truth["value"].tolist() == [0.1] and chunk.missing == {"zmag": 1}, path.name


def test_vector_columns_of_a_photometric_file_are_five_bands(tmp_path):
    Table({"SPECOBJID": ["439101545301174272"], "RA": [1.0], "DEC": [2.0], "MODELMAG": [[20.0, 19, 18, 17.5, 17]], "MODELMAGERR": [[0.1] * 5],
           "EXTINCTION": [[0.5, 0.4, 0.3, 0.2, 0.1]]}).write(tmp_path / "t.fits")
    chunk = _one(tmp_path / "t.fits")
    assert chunk.objects["key"].tolist() == ["spec-0390-51900-0002"] and chunk.objects["fiberid"].tolist() == [2]
    assert chunk.arrays["photometry"][1][0, 0] == pytest.approx([19.5, 18.6, 17.7, 17.3, 16.9])


def test_ids_with_gaps_keep_all_their_digits_in_parquet(tmp_path):
    pd.DataFrame({"objID": pd.array([1237648720693755918, None], dtype="Int64"), "ra": [10.5, 11.0], "dec": [0.5, 1.0], "redshift": [0.1, 0.2]}).to_parquet(tmp_path / "t.parquet")
    assert _one(tmp_path / "t.parquet").objects["key"].tolist() == ["1237648720693755918", "J004400.00+010000.0"]


def test_rounded_ids_are_not_used_and_position_is(tmp_path):
    text = "id,ra,dec,redshift\n587725074995609000,10.5,0.5,0.1\n587725074995609000,11.0,1.0,0.2\n588848899361210000,12.0,,0.3\n"
    chunk = _one(_csv(tmp_path, text))
    assert chunk.objects["key"].tolist() == ["J004200.00+003000.0", "J004400.00+010000.0"]
    assert chunk.objects["objid"].tolist() == [None, None]
    assert chunk.notes[0].startswith("Column id is not used to tell objects apart: its digits were rounded (100% of them end in 3 zeros or more).")
    assert chunk.left_out == {"neither a position nor an id": 1} and chunk.truth["value"].tolist() == [0.1, 0.2]


def test_short_ids_number_rows_of_one_file_only(tmp_path):
    text = "id,redshift\n1,0.1\n2,0.2\n2,0.3\n"
    chunk = _one(_csv(tmp_path, text, "mine.csv"))
    assert chunk.objects["key"].tolist() == ["mine 1", "mine 2"] and chunk.truth["value"].tolist() == [0.1, 0.2]
    assert chunk.left_out == {"an earlier row is the same object": 1}


@pytest.mark.parametrize(("header", "values", "z", "z_band"), [
    ("objID,u,g,r,i,z,redshift", "1237648720693755918,20,19,18,17,16,0.1", 0.1, 16),
    ("objID,u,g,r,i,z", "1237648720693755918,20,19,18,17,16", None, 16),
    ("objID,u,g,r,i,z", "1237648720693755918,20,19,18,17,0.3", 0.3, np.nan),
    ("objID,dered_u,dered_g,dered_r,dered_i,dered_z,z", "1237648720693755918,20,19,18,17,16,0.1", 0.1, 16),
])
def test_column_z_is_a_band_or_a_redshift_by_its_company_and_values(tmp_path, header, values, z, z_band):
    chunk = _one(_csv(tmp_path, f"{header}\n{values}\n"))
    assert chunk.truth["value"].tolist() == ([] if z is None else [z])
    assert chunk.arrays["photometry"][1][0, 0] == pytest.approx([20, 19, 18, 17, z_band], nan_ok=True)


def test_mapping_beats_names(tmp_path):
    path = _csv(tmp_path, "objID,z,zBest,brightness\n1237648720693755918,0.1,0.2,17.5\n")
    chunk = _one(path, {"z": "zBest", "dered_r": "brightness"})
    assert chunk.truth["value"].tolist() == [0.2]
    assert chunk.arrays["photometry"][1][0, 0] == pytest.approx([np.nan, np.nan, 17.5, np.nan, np.nan], nan_ok=True)


def test_mapping_to_nothing_is_refused_with_what_there_is(tmp_path):
    path = _csv(tmp_path, "objID,zBest\n1237648720693755918,0.2\n")
    with pytest.raises(BadInput, match=r"^the mapping of z must name a column of the table \(objID, zBest\); got zbest, for t.csv. Correct the mapping.$"):
        _one(path, {"z": "zbest"})
    with pytest.raises(BadInput, match="^a mapping must name one of objid, .*; got redshift, for t.csv."):
        _one(path, {"redshift": "zBest"})


def test_sfr_columns_are_truth_with_the_width_of_their_posterior(tmp_path):
    names = ["specObjID", "sfr_tot_avg", *PERCENTILES, "sfr_tot_flag"]
    rows = [["439101545301174272", 0.1, -0.8, -0.4, 0.0, 0.6, 1.0, 0], ["439101820178081280", 0.1, -0.8, 0.4, 0.0, 0.6, 1.0, 0], ["439102095055988224", *[-9999] * 6, 1]]
    chunk = _one(_csv(tmp_path, "\n".join(",".join(map(str, r)) for r in [names, *rows])))
    assert chunk.truth["row"].unique().tolist() == [0] and len(chunk.truth) == 6
    assert chunk.truth["sigma"].tolist() == pytest.approx([0.5] * 6)
    assert chunk.left_out == {"SFR values only: SFR percentiles cross": 1}


@pytest.mark.parametrize(("text", "sentence"), [
    ("", "the table must have a line of names and a row; got 0 lines"), ("a,b\n", "the table must have a line of names and a row"),
    ("1.5,2.5\n1,2\n", "the table must begin with a line of column names; got 1.5,2.5"), ("redshift\n0.1\n", "a table must say which object a row is: ra and dec"),
])
def test_table_that_is_none_is_refused(tmp_path, text, sentence):
    with pytest.raises(BadInput, match=sentence):
        _one(_csv(tmp_path, text))


@pytest.mark.parametrize("name", ["t.parquet", "t.vot", "t.fits", "t.csv.gz", "t.ecsv"])
def test_damaged_table_is_refused_with_a_sentence(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x00\xff not a table \x80" * 50)
    with pytest.raises(BadInput, match=f"for {name}. "):
        _one(tmp_path / name)


def test_fields_and_aliases_are_unambiguous():
    names = [a for aliases in ALIASES.values() for a in aliases]
    assert len(names) == len(set(names)) and len(FIELDS) == len(set(FIELDS)) and {"z", "dered_r", "err_u", "extinction_z"} <= set(FIELDS)
    assert recognised(["plate", "MJD", "fiber_ID"], None, "t").fields == {"plate": "plate", "mjd": "MJD", "fiberid": "fiber_ID"}


def test_long_table_comes_in_chunks_with_its_truth(tmp_path):
    n = 5000
    pd.DataFrame({"ra": np.linspace(10, 60, n), "dec": 0.5, "redshift": np.linspace(0.1, 0.2, n)}).to_csv(tmp_path / "t.csv", index=False)
    found = list(table.read(tmp_path / "t.csv"))
    assert [len(c.objects) for c in found] == [4096, 904] and {c.total for c in found} == {n}
    assert found[1].truth["row"].tolist() == list(range(904)) and found[1].truth["value"].iloc[-1] == pytest.approx(0.2)


def test_real_photometry_and_the_awkward_table(real):
    chunks = list(table.read(real / "photometry" / "sdss_galaxies.csv"))
    assert sum(len(c.arrays["photometry"][0]) for c in chunks) == 24_060 and sum(len(c.truth) for c in chunks) == 24_060
    assert chunks[0].objects["key"][0] == "1237645943976493294" and chunks[0].missing == {"photoZ": 9675, "photoErr": 9675}
    awkward = list(table.read(real / "awkward" / "galaxies_with_sentinels.csv"))
    assert sum(len(c.objects) for c in awkward) == 4999 and awkward[0].left_out == {"neither a position nor an id": 1}
    assert {k: awkward[0].missing[k] for k in ("mag_u", "mag_i", "redshift", "dec")} == {"mag_u": 19, "mag_i": 22, "redshift": 2, "dec": 1}
