"""Redshifts of files in bulk, on the project's own sample and on made files; proposals for star formation."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from core import __main__ as command_line
from core.columns import PERCENTILES, SFR_TARGETS
from core.data import mock_sky
from core.errors import NotFound
from core.jobs.storing import Storing
from core.preprocess.spectrum import STEP
from core.services import redshifts
from core.services.labelling.desk import fibre_arcsec
from core.spectroscopy.basis import galaxy_basis
from core.store import arrays, objects

SAMPLE = Path(__file__).resolve().parent.parent / "data" / "sample"
SPECTRA = sorted(SAMPLE.glob("spec-*.fits"))


def truth_of(path: Path) -> tuple[str, float]:
    with fits.open(path) as file:
        row = {name.lower(): file[2].data[name][0] for name in file[2].columns.names}
    return row["class"].strip(), float(row["z"])


def table(path: Path) -> list[dict]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_rows_hold_redshift_and_four_runners_up_in_order_of_chi2():
    rows = list(redshifts.fit_files(SPECTRA))
    assert [r["file"] for r in rows] == [str(p) for p in SPECTRA] and all(set(r) == set(redshifts.COLUMNS) for r in rows)
    galaxies = [(r, truth_of(p)[1]) for r, p in zip(rows, SPECTRA, strict=True) if truth_of(p)[0] == "GALAXY"]
    assert len(galaxies) >= 3
    for row, z in galaxies:
        assert row["z"] == pytest.approx(z, abs=1e-3) and row["confidence"] > 0.9 and row["class"] == "GALAXY" and 0 < row["z_err"] < 1e-3
        rises = [row[f"delta_chi2_{rank}"] for rank in range(2, 6)]
        assert rises == sorted(rises) and rises[0] > 0
    assert rows[0]["specobjid"].isdigit() and len(rows[0]["specobjid"]) > 15


def test_older_spectra_are_fitted_too():
    [row] = redshifts.fit_files([sorted(SAMPLE.glob("spSpec-*.fit"))[0]])
    assert row["z"] != "" and row["specobjid"] == ""


def test_spectra_of_one_file_are_told_apart_by_their_number():
    rows = list(redshifts.fit_files([SAMPLE / "hisscube.h5"]))
    assert len(rows) > 1 and rows[1]["file"].endswith("hisscube.h5[1]")


def test_command_reports_bad_files_and_goes_on(tmp_path, capsys):
    (tmp_path / "spec-1-55000-1.fits").write_bytes(b"no FITS")
    shutil.copy(SAMPLE / "photometry.csv", tmp_path)
    out = tmp_path / "out" / "z.csv"
    out.parent.mkdir()
    bad = ["spec-1-55000-1.fits", "photometry.csv", "gone.fits"]
    status = command_line.main(["redshift", *(str(tmp_path / name) for name in bad), *map(str, SPECTRA[:2]), "--out", str(out)])
    said, rows = capsys.readouterr(), table(out)
    assert status == 0 and len(rows) == 5 and "2 spectra in " in said.out and "3 without any" in said.out
    for name in bad:
        [row] = [r for r in rows if r["file"].endswith(name)]
        assert row["z"] == "" and row["warning"] and f"{name}: {row['warning']}" in said.err
    assert "100%  4 of 4 files" in said.err
    assert list(rows[0]) == list(redshifts.COLUMNS)


def test_command_fails_when_nothing_was_fitted(tmp_path, capsys):
    assert command_line.main(["redshift", str(tmp_path / "gone.fits"), "--out", str(tmp_path / "z.csv")]) == 1
    assert "gone.fits: a path must exist" in capsys.readouterr().err


def test_command_takes_eigentemplates_and_refuses_what_is_none(tmp_path, capsys):
    image = fits.PrimaryHDU(galaxy_basis().templates.astype(np.float32))
    image.header["COEFF0"], image.header["COEFF1"] = galaxy_basis().loglam0, STEP
    image.writeto(tmp_path / "spEigenGal-1.fits")
    words = ["redshift", str(SPECTRA[0]), "--out", str(tmp_path / "z.csv"), "--templates"]
    assert command_line.main([*words, str(tmp_path / "spEigenGal-1.fits")]) == 0
    [row] = table(tmp_path / "z.csv")
    assert float(row["z"]) == pytest.approx(float(next(redshifts.fit_files(SPECTRA[:1]))["z"]), abs=1e-4)
    assert command_line.main([*words, str(SPECTRA[0])]) == 1 and table(tmp_path / "z.csv") == [row]
    assert "eigentemplates must be an image of rows on a grid of 1e-4 dex; got shape ()" in capsys.readouterr().err


def test_command_says_when_the_table_cannot_be_written(tmp_path, capsys):
    assert command_line.main(["redshift", str(SPECTRA[0]), "--out", str(tmp_path / "none" / "z.csv")]) == 1
    assert "--out must be a file that can be written; got No such file or directory" in capsys.readouterr().err


@pytest.fixture
def sky(ws):
    """A workspace with one part of the mock sky, and its galaxies: id, metadata, modalities."""
    chunk = mock_sky.part(1, seed=5)
    ids = Storing(ws).store(chunk).ids
    galaxies = [(int(i), row["metadata"], row["sn"]) for i, row in zip(ids, chunk.objects.to_dict("records"), strict=True) if "true_log_sfr" in row["metadata"]]
    return ws, galaxies


def has(ws, modality: str, object_id: int) -> bool:
    return bool(arrays.read(ws, modality, [object_id])[1][0])


def test_proposals_are_values_of_the_eight_targets_near_the_truth(sky):
    ws, galaxies = sky
    bright = [(i, m) for i, m, sn in galaxies if sn > 15 and not m["true_passive"] and has(ws, "spectrum", i) and has(ws, "image", i)][:12]
    said = [redshifts.measured(ws, i, m["true_z"]) for i, m in bright]
    for found in said:
        assert set(found["values"]) == set(SFR_TARGETS) and found["aperture"]["is_measured"]
        assert all(np.diff([found["values"][name] for name in PERCENTILES]) > 0)
        assert found["lines"]["Halpha 6565"]["flux"] > 3 * found["lines"]["Halpha 6565"]["error"] > 0
    off = [found["values"]["sfr_tot_median"] - m["true_log_sfr"] for found, (_, m) in zip(said, bright, strict=True)]
    assert len(off) == 12 and abs(np.median(off)) < 0.12 and np.std(off) < 0.3


def test_object_without_spectrum_or_image_is_answered_with_the_reason(sky):
    ws, galaxies = sky
    blind = next(i for i, *_ in galaxies if not has(ws, "spectrum", i))
    assert redshifts.measured(ws, blind, 0.1)["reason"] == "There is no spectrum of this object."
    plain, known = next((i, m) for i, m, sn in galaxies if not has(ws, "image", i) and has(ws, "spectrum", i) and sn > 3)
    found = redshifts.measured(ws, plain, known["true_z"])
    assert found["aperture"]["is_measured"] is False and set(found["values"]) == set(SFR_TARGETS)


def test_unknown_object_is_refused(ws):
    with pytest.raises(NotFound, match="There is no object 7"):
        redshifts.measured(ws, 7, 0.1)


def test_fibre_is_that_of_the_survey_which_took_the_spectrum(sky):
    known = objects.one(sky[0], sky[1][0][0])
    asked = [known, known | {"simulated": 0, "plate": 390}, known | {"simulated": 0, "plate": 4391}, known | {"simulated": 0, "plate": None}]
    assert [fibre_arcsec(row) for row in asked] == [3.0, 3.0, 2.0, 3.0]
