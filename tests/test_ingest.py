import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.columns import BANDS
from core.data import hisscube, sdss_spectrum
from core.data.products import PRODUCTS
from core.data.records import Chunk
from core.errors import BadInput, Cancelled
from core.jobs.context import TaskContext
from core.jobs.storing import Storing
from core.jobs.tasks import ingest
from core.services import ingesting
from core.store import arrays, ingested, jobs, objects, open_workspace, truth
from tests import survey_files as made

FIBRES = [(390, 51900, f) for f in range(1, 7)]
ROOT = Path(__file__).resolve().parent.parent


def _run(ws, *paths, mapping=None, job_id=None):
    """Ingest in this process; the job's id and what the task returned."""
    job_id = job_id or ingesting.start(ws, paths, mapping)
    result = ingest.run(TaskContext(ws, jobs.claim(ws, "test", 600, only=job_id)))
    return job_id, result


def _entry(ws, job_id, name):
    return next(e for e in ingested.entries(ws, job_id) if name in e.path)


def _spectra(folder, fibres=FIBRES):
    folder.mkdir(exist_ok=True)
    return [made.spec(folder, f, PLUG_RA=10.0 + 0.01 * f[2], SPECOBJID="", BESTOBJID=f"12376637825893664{f[2]:02d}") for f in fibres]


def test_spectra_come_in_with_objects_arrays_and_truth(ws, tmp_path):
    _spectra(tmp_path / "in")
    job_id, result = _run(ws, tmp_path / "in")
    table = objects.frame(ws)
    assert {k: result[k] for k in ("new", "updated", "spectrum", "truth")} == {"new": 6, "updated": 0, "spectrum": 6, "truth": 6}
    assert table["key"].tolist() == [f"spec-0390-51900-{f:04d}" for f in range(1, 7)] and table["spectrum"].all()
    values, present = arrays.read(ws, "spectrum", table["id"])
    assert present.all() and values[3].tolist() == sdss_spectrum.read(tmp_path / "in" / "spec-0390-51900-0004.fits").arrays["spectrum"][1][0].tolist()
    assert truth.frame(ws)["source"][0] == "SDSS spectrum spec-0390-51900-0001.fits"
    assert [e.status for e in ingested.entries(ws, job_id)] == ["read"] * 6


def test_the_same_file_twice_is_one_object_and_known(ws, tmp_path):
    _spectra(tmp_path / "in"), _spectra(tmp_path / "copy", FIBRES[:2])
    first, result = _run(ws, tmp_path)
    assert result["new"] == 6 and result["files"] == {"read": 6, "known": 2, "refused": 0}
    again, result = _run(ws, tmp_path)
    assert (result["new"], result["updated"], result["spectrum"], result["truth"]) == (0, 0, 0, 0)
    assert result["files"] == {"read": 0, "known": 8, "refused": 0} and objects.count(ws) == 6
    assert _entry(ws, again, "copy/spec-0390-51900-0002").counts == {"known": 1, "complete": 1}


def test_full_lite_and_dr7_files_of_a_fibre_are_one_object(ws, tmp_path):
    made.spec(tmp_path), made.sp_spec(tmp_path)
    _, result = _run(ws, tmp_path)
    assert result["new"] == 1 and objects.count(ws) == 1 and result["files"] == {"read": 1, "known": 1, "refused": 0}


@pytest.mark.parametrize("pool_from", [1, 99])
def test_corrupt_file_among_good_ones_is_refused_alone(ws, tmp_path, monkeypatch, pool_from):
    monkeypatch.setattr(ingest, "POOL_FROM", pool_from)
    paths = _spectra(tmp_path / "in")
    made.damaged(paths[2])
    (tmp_path / "in" / "t.csv").write_bytes(b"\xff\xfe\x00")
    job_id, result = _run(ws, tmp_path / "in")
    assert result["new"] == 5 and result["files"] == {"read": 5, "known": 0, "refused": 2}
    entry = _entry(ws, job_id, "0003.fits")
    assert entry.status == "refused" and entry.message.startswith("the file must be a whole FITS file; got ")
    assert entry.message.endswith("for spec-0390-51900-0003.fits. Download it again, or leave it out.")


def test_fault_that_no_reader_foresaw_loses_one_file(ws, tmp_path, monkeypatch):
    _spectra(tmp_path / "in")
    honest = sdss_spectrum.read
    monkeypatch.setattr(sdss_spectrum, "read", lambda path: 1 / 0 if "0002" in path.name else honest(path))
    job_id, result = _run(ws, tmp_path / "in")
    assert result["new"] == 5
    assert _entry(ws, job_id, "0002.fits").message.startswith("Reading spec-0390-51900-0002.fits failed unexpectedly (ZeroDivisionError: division by zero).")


def test_image_photometry_and_rates_attach_to_their_spectrum(ws, tmp_path):
    made.spec(tmp_path, PLUG_RA=150.0, PLUG_DEC=20.0)
    from astropy.io import fits
    for band in BANDS:
        fits.PrimaryHDU(np.ones((64, 64), dtype="f4"), made.sky_header(150.0, 20.0 + 1 / 3600, 31.5, 31.5)).writeto(tmp_path / f"galaxy_{band}.fits")
    (tmp_path / "t.csv").write_text("objID,dered_r\n1237663782589366427,17.5\n")
    made.mpa_jhu(tmp_path, {}, dict(PLATEID=[7, 390], MJD=[51900] * 2, FIBERID=[2, 2]))
    job_id, result = _run(ws, tmp_path)
    assert (result["new"], objects.count(ws)) == (1, 1)
    row = objects.frame(ws).iloc[0]
    assert row[["image", "spectrum", "photometry"]].all() and row["ebv"] == pytest.approx(0.03)
    assert len(truth.frame(ws)) == 9
    assert _entry(ws, job_id, "gal_totsfr").counts["left_out"] == {"no object here has this plate, MJD and fibre": 1}
    again, result = _run(ws, tmp_path)
    assert (result["new"], result["updated"]) == (0, 0) and objects.count(ws) == 1


def test_spectrum_attaches_to_an_image_that_was_here_first(ws, tmp_path):
    from astropy.io import fits
    cube = np.ones((5, 64, 64), dtype="f4")
    (tmp_path / "images").mkdir(), (tmp_path / "spectra").mkdir()
    fits.PrimaryHDU(cube, made.sky_header(150.0, 20.0, 31.5, 31.5)).writeto(tmp_path / "images" / "cube.fits")
    made.spec(tmp_path / "spectra", PLUG_RA=150.0, PLUG_DEC=20.0 + 1 / 3600)
    _run(ws, tmp_path / "images")
    _, result = _run(ws, tmp_path / "spectra")
    row = objects.frame(ws).iloc[0]
    assert (result["new"], result["updated"]) == (0, 1) and objects.count(ws) == 1
    assert row["key"] == "J100000.00+200000.0" and row["plate"] == 390 and row["image"] and row["spectrum"]
    assert objects.metadata(ws, 1)["aliases"] == {"spec-0390-51900-0002": "SDSS spectrum spec-0390-51900-0002.fits"}
    _, result = _run(ws, tmp_path)
    assert (result["new"], result["updated"]) == (0, 0)


def test_two_spectra_of_one_galaxy_stay_two_objects_of_one_group(ws, tmp_path):
    made.spec(tmp_path, (390, 51900, 2)), made.spec(tmp_path, (412, 51931, 77))
    _run(ws, tmp_path)
    table = objects.frame(ws)
    assert len(table) == 2 and table["sky_group"].nunique() == 1 and table["split"].nunique() == 1


def test_objects_that_come_later_inherit_the_group_of_their_neighbour(ws, tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    made.spec(tmp_path / "a", (390, 51900, 2), PLUG_RA=10.0, PLUG_DEC=0.09999), made.spec(tmp_path / "b", (390, 51900, 3), PLUG_RA=10.0, PLUG_DEC=0.10001)
    _run(ws, tmp_path / "a"), _run(ws, tmp_path / "b")
    assert objects.frame(ws)["sky_group"].nunique() == 1


def test_field_is_cut_at_the_objects_that_are_here(ws, tmp_path):
    made.frames(tmp_path, [(60.0, 60.0), (150.0, 130.0)])
    made.spec(tmp_path, PLUG_RA=150.0, PLUG_DEC=20.0)
    job_id, result = _run(ws, tmp_path)
    assert (result["new"], result["image"], objects.count(ws)) == (1, 1, 1)
    assert _entry(ws, job_id, "frame-").message == "1 of 1 given positions lie in field 001234-5-0678."
    assert _run(ws, tmp_path)[1]["updated"] == 0


def test_field_is_not_cut_at_simulated_objects(ws, tmp_path):
    made.frames(tmp_path, [(60.0, 60.0)])
    Storing(ws).store(Chunk(pd.DataFrame([{"key": "mock", "ra": 150.0, "dec": 20.0, "simulated": 1}])))
    assert _run(ws, tmp_path)[1]["new"] == 1


def test_field_without_positions_gives_its_sources_once(ws, tmp_path):
    made.frames(tmp_path, [(60.0, 60.0), (150.0, 130.0)])
    assert _run(ws, tmp_path)[1]["new"] == 2
    assert _run(ws, tmp_path)[1]["new"] == 0 and objects.count(ws) == 2


def test_cube_that_breaks_half_way_keeps_what_was_read(ws, tmp_path, monkeypatch):
    n = 300
    image = np.arange(n)[:, None, None, None] + np.ones((n, 5, 64, 64))
    made.hisscube(tmp_path / "c.h5", image * hisscube.IMAGE_FACTOR[:, None, None], np.full((n, 4620), 1e-17), np.full((n, 4620), 1e-17), hisscube.WAVE)
    honest = hisscube._arrays
    monkeypatch.setattr(hisscube, "_arrays", lambda file, rows, notes: honest(file, rows, notes) if rows.start == 0 else (_ for _ in ()).throw(OSError("bad sector")))
    job_id, result = _run(ws, tmp_path)
    entry = _entry(ws, job_id, "c.h5")
    assert (result["new"], entry.status, entry.new) == (256, "refused", 256)
    assert "'bad sector'" in entry.message and entry.message.endswith("256 objects read before are kept.")
    monkeypatch.undo()
    job_id, result = _run(ws, tmp_path)
    assert (result["new"], objects.count(ws)) == (44, 300) and _entry(ws, job_id, "c.h5").counts["known"] == 256


def test_job_that_was_stopped_goes_on_where_it_was(ws, tmp_path, monkeypatch):
    _spectra(tmp_path / "in")
    monkeypatch.setattr(ingest, "ROWS", 2)
    honest, calls = Storing.store, []

    def store(self, chunk, hook=None):
        if len(calls) == 2:
            raise Cancelled("stopped here")
        calls.append(len(chunk.objects))
        return honest(self, chunk, hook)

    monkeypatch.setattr(Storing, "store", store)
    with pytest.raises(Cancelled):
        _run(ws, tmp_path / "in")
    assert calls == [2, 2] and objects.count(ws) == 4
    monkeypatch.setattr(Storing, "store", honest)
    with ws.write() as db:
        db.conn.execute("UPDATE jobs SET status = 'queued'")
    read = []
    monkeypatch.setattr(ingest, "read_group", lambda items, options, inner=ingest.read_group: read.extend(items) or inner(items, options))
    job_id, result = _run(ws, job_id=1)
    assert (result["new"], objects.count(ws), result["files"]["read"]) == (6, 6, 6)
    assert len(read) <= 3


_KILLED = """
import sys
from core.jobs.context import TaskContext
from core.jobs.tasks import ingest
from core.store import jobs, open_workspace
if __name__ == "__main__":
    ingest.ROWS = 1
    ws = open_workspace(sys.argv[1])
    ingest.run(TaskContext(ws, jobs.claim(ws, "victim", 1, only=1)))
"""


def test_killed_in_the_middle_nothing_is_lost_or_doubled(ws, tmp_path):
    fibres = [(390, 51900, f) for f in range(1, 61)]
    _spectra(tmp_path / "in", fibres)
    ingesting.start(ws, [tmp_path / "in"])
    process = subprocess.Popen([sys.executable, "-c", _KILLED, str(ws.path)], cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 60
    while objects.count(ws) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    half = objects.count(ws)
    assert 5 <= half < 60 and objects.frame(ws)["spectrum"].all()
    time.sleep(1.1)
    job_id, result = _run(ws, job_id=1)
    table = objects.frame(ws)
    values, present = arrays.read(ws, "spectrum", table["id"])
    assert len(table) == 60 and present.all() and (values[:, 1].max(axis=1) == 4).all()
    assert result["new"] == 60 and result["files"] == {"read": 60, "known": 0, "refused": 0}
    assert arrays.rows_of(ws, "spectrum", table["id"]).tolist() == list(range(60))


def test_report_summary_and_gaps_say_what_came_and_what_did_not(ws, tmp_path):
    _spectra(tmp_path / "in", FIBRES[:2])
    (tmp_path / "in" / "t.csv").write_text("id,ra,dec,mag_r,redshift\n587725074995609000,20,1,17.5,0.1\n587725074995608000,21,1,0,-9999\n587725074995607000,22,,18,0.3\n")
    (tmp_path / "in" / "bad.fits").write_bytes(b"nothing")
    job_id, _ = _run(ws, tmp_path / "in")
    table = ingesting.summary(ws).set_index("product")
    assert table.index.tolist() == ["SDSS spectrum (DR8 and later)", "Catalogue", "not recognised", "in all"]
    assert table.loc["in all"].to_dict() == {"files read": 3, "files known": 0, "files refused": 1, "new": 4, "updated": 0, "image": 0, "spectrum": 2,
                                              "photometry": 1, "truth": 3, "missing": 3, "left_out": 1}
    assert ingesting.gaps(ws)[["kind", "what", "number"]].to_numpy().tolist() == [
        ["missing", "dec", 1], ["missing", "mag_r", 1], ["missing", "redshift", 1], ["left out", "neither a position nor an id", 1]]
    rows = ingesting.report(ws, job_id).set_index("path")
    assert rows.loc[str(tmp_path / "in" / "bad.fits"), "status"] == "refused"
    assert ingesting.report(ws, 99).empty and ingesting.summary(ws, 99)["new"].tolist() == [0]


def test_ingest_of_nothing_is_refused_before_it_is_queued(ws, tmp_path):
    for paths, got in (([], "got none"), ([tmp_path / "nowhere"], "a path must exist")):
        with pytest.raises(BadInput, match=got):
            ingesting.start(ws, paths)
    assert jobs.frame(ws).empty


def test_preview_and_columns_say_what_would_be_read(tmp_path):
    _spectra(tmp_path / "in", FIBRES[:1])
    (tmp_path / "in" / "t.csv").write_text("objID,zBest,dered_r,err_r,dered_g,err_g\n1237648720693755918,0.1,17.5,0.1,18,0.1\n")
    items, refusals = ingesting.preview([tmp_path / "in", tmp_path / "gone"])
    assert items["product"].tolist() == ["SDSS spectrum (DR8 and later)", "Catalogue"] and items["files"].tolist() == [1, 1]
    assert refusals["path"].tolist() == [str(tmp_path / "gone")]
    columns, fields = ingesting.columns_of(tmp_path / "in" / "t.csv", {"z": "zBest"})
    assert columns == ["objID", "zBest", "dered_r", "err_r", "dered_g", "err_g"]
    assert fields == {"objid": "objID", "z": "zBest", "dered_g": "dered_g", "dered_r": "dered_r", "err_g": "err_g", "err_r": "err_r"}
    assert len(ingesting.products()) == len(PRODUCTS) and "dered_r" in ingesting.fields()


def test_store_writes_nothing_when_a_part_of_the_transaction_fails(ws):
    chunk = Chunk(pd.DataFrame([{"key": "a", "ra": 1.0, "dec": 2.0}]), {"image": (np.array([0]), np.ones((1, 5, 64, 64)))})
    with pytest.raises(ZeroDivisionError):
        Storing(ws).store(chunk, lambda db, gain: 1 / 0)
    assert objects.count(ws) == 0 and ingested.mark(ws) == (0, 0)
    gain = Storing(ws).store(chunk)
    assert gain.ids.tolist() == [1] and gain.is_new.tolist() == [True] and arrays.read(ws, "image", [1])[1].tolist() == [True]


def test_two_storers_see_each_others_objects(ws):
    first, second = Storing(ws), Storing(ws)
    image = Chunk(pd.DataFrame([{"key": "a", "ra": 1.0, "dec": 2.0}]), {"image": (np.array([0]), np.ones((1, 5, 64, 64)))})
    phot = Chunk(pd.DataFrame([{"key": "b", "ra": 1.0, "dec": 2.0}]), {"photometry": (np.array([0]), np.ones((1, 2, 5)))})
    assert second.store(image).is_new.tolist() == [True]
    gain = first.store(phot)
    assert gain.ids.tolist() == [1] and gain.is_updated.tolist() == [True]
    assert second.store(phot).is_updated.tolist() == [False] and objects.count(ws) == 1


def test_command_line_prints_the_summary_and_the_refusals(ws, tmp_path, capsys):
    made.spec(tmp_path)
    (tmp_path / "odd.fits").write_bytes(b"nothing")
    assert ingesting.ingest_from_command_line(open_workspace(ws.path), [tmp_path]) == 0
    said = capsys.readouterr().out
    assert "SDSS spectrum (DR8 and later)" in said and "in all" in said
    assert "refused: odd.fits: the file must be a whole FITS file; got" in said


def test_real_files_come_in_whole_and_once(ws, real):
    parts = [real / p for p in ("legacy_spectra", "photometry", "awkward", "stamps")]
    job_id, result = _run(ws, *parts)
    assert {k: result[k] for k in ("new", "image", "spectrum", "photometry")} == {"new": 12 + 24_060 + 4999 + 1, "image": 1, "spectrum": 12, "photometry": 24_060 + 4982}
    assert result["files"] == {"read": 15, "known": 0, "refused": 2}
    assert _run(ws, *parts)[1]["new"] == 0
