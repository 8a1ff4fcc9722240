"""What the catalogue says of a galaxy reaches no model: not through a header, a column, a table, or a twin in another split."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from core.jobs.context import TaskContext
from core.jobs.inputs import load_inputs, load_labels
from core.jobs.tasks import ingest
from core.services import ingesting
from core.settings import ROOT
from core.store import Workspace, jobs, objects, open_workspace, truth

SAMPLE = ROOT / "data" / "sample"
SHIFT = 0.25


def ingested(folder: Path) -> Workspace:
    """A workspace with what a folder holds."""
    ws = open_workspace(folder.with_name(f"ws-{folder.name}"))
    ingest.run(TaskContext(ws, jobs.claim(ws, "test", 600, only=ingesting.start(ws, [folder]))))
    return ws


def copied(tmp_path: Path, name: str, pattern: str) -> list[Path]:
    """Sample files in a folder of their own."""
    folder = tmp_path / name
    folder.mkdir()
    return [Path(shutil.copy(path, folder)) for path in sorted(SAMPLE.glob(pattern))]


def conclude_otherwise(path: Path) -> None:
    """Change everything in a spectrum's file that the pipeline concluded: redshift, model, lines; not what was observed."""
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["Z"] = SHIFT + float(hdus[0].header.get("Z", 0.0))
        if hdus[0].data is not None:
            hdus[0].data[1] = 1234.5
            return
        names = {n.lower(): n for n in hdus[1].columns.names}
        hdus[1].data[names["model"]] = np.linspace(-50, 50, len(hdus[1].data))
        hdus[2].data["Z"] += SHIFT
        hdus[3].data["LINEZ"] += SHIFT


@pytest.mark.parametrize("pattern", ["spec-*.fits", "spSpec-*.fit"])
def test_header_redshift_and_model_column_leave_model_inputs_as_they_are_to_the_bit(tmp_path, pattern):
    copied(tmp_path, "as-published", pattern)
    for path in copied(tmp_path, "concluded-otherwise", pattern):
        conclude_otherwise(path)
    one, other = (ingested(tmp_path / name) for name in ("as-published", "concluded-otherwise"))
    ids = objects.frame(one)["id"]
    assert objects.frame(one)["key"].tolist() == objects.frame(other)["key"].tolist() and len(ids) >= 2
    first, second = load_inputs(one, ids), load_inputs(other, ids)
    assert first.present["spectrum"].all() and np.abs(first.arrays["spectrum"]).max() > 1
    for modality, array in first.arrays.items():
        assert array.tobytes() == second.arrays[modality].tobytes()
    moved = truth.frame(other)["value"].to_numpy() - truth.frame(one)["value"].to_numpy()
    assert len(moved) >= 2 and moved == pytest.approx(SHIFT, abs=1e-5)


def test_catalogue_values_change_neither_inputs_nor_labels(tiny):
    ids = objects.frame(tiny)["id"]
    before, known = load_inputs(tiny, ids), load_labels(tiny, ids)
    with tiny.write() as db:
        db.conn.execute("UPDATE truth SET value = value + 1")
        db.conn.execute("UPDATE objects SET metadata = json_object('z', 0.5, 'true_log_sfr', 3.0), zwarning = 4")
    after = load_inputs(tiny, ids)
    assert all(array.tobytes() == after.arrays[modality].tobytes() for modality, array in before.arrays.items())
    assert load_labels(tiny, ids).values_nt.tobytes() == known.values_nt.tobytes()


def test_spectra_of_one_galaxy_from_two_plates_stay_in_one_split(tmp_path):
    folder = copied(tmp_path, "twice", "spec-*.fits")[0].parent
    for path in sorted(folder.glob("*.fits")):
        plate, mjd, fibre = (int(part) for part in path.stem.split("-")[1:])
        twin = folder / f"spec-{plate + 1}-{mjd + 9}-{fibre:04d}.fits"
        shutil.copy(path, twin)
        with fits.open(twin, mode="update") as hdus:
            for column, value in (("PLATE", plate + 1), ("MJD", mjd + 9)):
                hdus[2].data[column] = value
            hdus[2].data["PLUG_DEC"] += 0.8 / 3600
            hdus[0].header["PLATEID"], hdus[0].header["MJD"] = plate + 1, mjd + 9
    table = objects.frame(ingested(folder)).sort_values(["fiberid", "plate"])
    assert len(table) == 12 and table["plate"].nunique() == 2
    assert table["split"].iloc[::2].tolist() == table["split"].iloc[1::2].tolist()
    assert table["sky_group"].iloc[::2].tolist() == table["sky_group"].iloc[1::2].tolist() and table["sky_group"].nunique() <= 6
