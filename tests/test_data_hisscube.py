import json

import h5py
import numpy as np
import pytest

from core.data import hisscube
from core.errors import BadInput
from core.preprocess.spectrum import LOGLAM, WAVE
from tests import survey_files as made

IMAGE = np.arange(3 * 5 * 64 * 64, dtype=float).reshape(3, 5, 64, 64) / 1e4
NAMES = dict(plate=[390, 390, 391], mjd=[51900, 51900, 51901], fiberid=[2, 3, 4], ra=[10.0, 10.1, 10.2], dec=[0.5, 0.6, 0.7], z=[0.1, 0.2, -9999.0])


def _cube(path, **columns):
    flux = np.tile(3e-17 * (1 + 1e-4 * (hisscube.WAVE - 6000)), (3, 1))
    error = np.full_like(flux, 0.5e-17)
    flux[0, 100:110], error[1, 200:210] = np.nan, np.inf
    error[2], image = np.inf, IMAGE * hisscube.IMAGE_FACTOR[:, None, None]
    image[2] = 0
    image[1, 0, 5, 5] = np.nan
    return made.hisscube(path, image, flux, error, hisscube.WAVE, **columns)


def test_cube_gives_nanomaggies_and_flux_on_the_common_grid(tmp_path):
    chunk = next(iter(hisscube.read(_cube(tmp_path / "cube.h5", **NAMES))))
    rows, images = chunk.arrays["image"]
    assert rows.tolist() == [0, 1] and images[0] == pytest.approx(IMAGE[0], rel=1e-5, abs=1e-6)
    assert images[1, 0, 5, 5] == 0
    rows, spectra = chunk.arrays["spectrum"]
    assert rows.tolist() == [0, 1]
    inside = (WAVE > 3900) & (WAVE < 8800) & (spectra[1, 1] > 0)
    assert spectra[1, 0, inside] == pytest.approx(3 * (1 + 1e-4 * (WAVE[inside] - 6000)), rel=1e-4)
    assert spectra[0, 1, (WAVE < 3830) | (WAVE > 8925)].max() == 0


def test_cube_without_coverage_or_error_carries_no_information(tmp_path):
    spectra = next(iter(hisscube.read(_cube(tmp_path / "cube.h5", **NAMES)))).arrays["spectrum"][1]
    gap = np.searchsorted(LOGLAM, np.log10(hisscube.WAVE[[103, 106]]))
    assert spectra[0, 1, slice(*gap)].max() == 0 and spectra[0, 0, slice(*gap)].max() == 0
    gap = np.searchsorted(LOGLAM, np.log10(hisscube.WAVE[[203, 206]]))
    assert spectra[1, 1, slice(*gap)].max() == 0
    assert np.isfinite(spectra).all()


def test_cube_rows_are_named_and_dated_by_the_columns_beside_it(tmp_path):
    chunk = next(iter(hisscube.read(_cube(tmp_path / "cube.h5", **NAMES))))
    assert chunk.objects["key"].tolist() == ["spec-0390-51900-0002", "spec-0390-51900-0003", "spec-0391-51901-0004"]
    assert chunk.truth[["row", "target", "value"]].to_numpy().tolist() == [[0, "z", 0.1], [1, "z", 0.2]]
    assert chunk.missing == {"z": 1}


def test_cube_rows_are_named_by_the_headers_it_refers_to(tmp_path):
    path = _cube(tmp_path / "cube.h5")
    with h5py.File(path, "r+") as file:
        headers = [json.dumps({"PLATEID": 390, "MJD": 51900, "FIBERID": i + 2, "PLUG_RA": 10.0 + i, "PLUG_DEC": 0.5}) for i in range(5)]
        metadata = file.create_dataset("semi_sparse_cube/0/spectra/metadata", data=np.array([("p", h.encode()) for h in headers], dtype=[("path", "S9"), ("header", "S200")]))
        references = file.create_dataset(hisscube.HEADER_REFERENCES, (3, 2), dtype=h5py.regionref_dtype)
        for row, spectrum in enumerate((4, 0, 2)):
            references[row, 0] = metadata.regionref[spectrum]
    chunk = next(iter(hisscube.read(path)))
    assert chunk.objects["key"].tolist() == ["spec-0390-51900-0006", "spec-0390-51900-0002", "spec-0390-51900-0004"]
    assert chunk.objects["ra"].tolist() == [14.0, 10.0, 12.0]


def test_cube_without_names_is_known_by_content(tmp_path):
    first, again = (next(iter(hisscube.read(_cube(tmp_path / "cube.h5")))) for _ in range(2))
    assert first.objects["key"].tolist() == again.objects["key"].tolist() and first.objects["key"].nunique() == 3
    assert "does not say which object a row is" in first.notes[0]


def test_cube_that_was_not_scaled_is_read_as_1e_17_with_a_note(tmp_path):
    wave = hisscube.WAVE
    path = made.hisscube(tmp_path / "cube.h5", IMAGE * hisscube.IMAGE_FACTOR[:, None, None], np.full((3, 4620), 3.0), np.full((3, 4620), 0.5), wave, **NAMES)
    chunk = next(iter(hisscube.read(path)))
    assert chunk.arrays["spectrum"][1][0, 0, 2000] == pytest.approx(3.0)
    assert chunk.notes == ("Spectra are taken as 1e-17 erg/s/cm2/A: their values are too large for a file to which 1e-17 was applied.",)


def test_truncated_cube_is_refused_with_a_sentence(tmp_path):
    path = made.damaged(_cube(tmp_path / "cube.h5", **NAMES))
    with pytest.raises(BadInput, match="^the file must be a whole HDF5 file; got .* for cube.h5. Copy it again, or leave it out.$"):
        list(hisscube.read(path))
