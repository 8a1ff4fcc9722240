import h5py
import numpy as np
import pytest

from core.data import plain_arrays
from core.errors import BadInput
from core.preprocess.spectrum import LOGLAM

IMAGES = np.arange(3 * 5 * 64 * 64, dtype="f4").reshape(3, 5, 64, 64)


def _one(path):
    found = list(plain_arrays.read(path))
    assert len(found) == 1
    return found[0]


def test_images_of_an_npy_file_are_known_by_content(tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    chunk, again = _one(tmp_path / "images.npy"), _one(tmp_path / "images.npy")
    assert np.array_equal(chunk.arrays["image"][1], IMAGES)
    assert chunk.objects["key"].tolist() == again.objects["key"].tolist() and chunk.objects["key"].nunique() == 3
    assert chunk.notes == ("images.npy does not say which object a row is: rows are known by their content and have no position.",)


def test_images_of_other_sizes_keep_their_middle(tmp_path):
    np.save(tmp_path / "small.npy", IMAGES[:, :, :40, :40])
    np.save(tmp_path / "large.npy", np.pad(IMAGES, [(0, 0), (0, 0), (10, 10), (7, 7)]))
    small = _one(tmp_path / "small.npy").arrays["image"][1]
    assert np.array_equal(small[:, :, 12:52, 12:52], IMAGES[:, :, :40, :40]) and small.sum() == pytest.approx(IMAGES[:, :, :40, :40].sum(), rel=1e-5)
    assert np.array_equal(_one(tmp_path / "large.npy").arrays["image"][1], IMAGES)


@pytest.mark.parametrize("ending", ["npz", "h5"])
def test_spectra_come_with_a_grid_and_names_of_their_rows(tmp_path, ending):
    arrays = {"flux": np.full((2, 50), 3.0), "error": np.full((2, 50), 0.5), "wave": 10 ** LOGLAM[1000:1050], "ra": np.array([10.0, 11.0]), "dec": np.array([0.5, 1.0]),
              "z": np.array([0.1, -9999.0]), "name": np.array([b"a", b"b"])}
    arrays["error"][0, 3] = 0
    path = tmp_path / f"spectra.{ending}"
    if ending == "npz":
        np.savez(path, **arrays)
    else:
        with h5py.File(path, "w") as file:
            for name, values in arrays.items():
                file[f"group/{name}"] = values
    chunk = _one(path)
    flux, ivar = chunk.arrays["spectrum"][1][0][:, 999:1051]
    assert flux == pytest.approx([0, 3, 3, 3, 0, *[3] * 46, 0]) and ivar == pytest.approx([0, 4, 4, 4, 0, *[4] * 46, 0])
    assert chunk.objects["key"].tolist() == ["J004000.00+003000.0", "J004400.00+010000.0"]
    assert chunk.truth[["row", "value"]].to_numpy().tolist() == [[0, 0.1]] and chunk.missing == {"z": 1}


def test_spectra_on_the_own_grid_are_taken_as_they_are(tmp_path):
    spectra = np.zeros((2, 2, 4620), dtype="f4")
    spectra[0, :, 5] = 7, 2
    np.save(tmp_path / "s.npy", spectra)
    rows, values = _one(tmp_path / "s.npy").arrays["spectrum"]
    assert rows.tolist() == [0] and np.array_equal(values[0], spectra[0])


def test_the_same_row_twice_is_one_object(tmp_path):
    np.savez(tmp_path / "a.npz", images=IMAGES, objid=np.array([1237648720693755918, 1237648720693755919, 1237648720693755918]))
    chunk = _one(tmp_path / "a.npz")
    assert chunk.objects["key"].tolist() == ["1237648720693755918", "1237648720693755919"]
    assert chunk.left_out == {"an earlier row is the same object": 1}


@pytest.mark.parametrize(("arrays", "sentence"), [
    ({"flux": np.ones((2, 50)), "wave": np.arange(50.0)}, "flux must come with a grid .* got no ivar or error"),
    ({"flux": np.ones((2, 50)), "ivar": np.ones((2, 50))}, "flux must come with a grid .* got no wavelengths"),
    ({"x": np.ones((2, 3))}, r"the arrays must hold images \(n, 5, h, w\), .*; got x \(2, 3\), for a.npz"),
    ({"images": IMAGES, "flux": np.ones((2, 9)), "ivar": np.ones((2, 9)), "wave": np.arange(4000.0, 4009)}, r"images and spectra must have the same number of rows; got \[3, 2\]"),
])
def test_arrays_that_say_too_little_are_refused(tmp_path, arrays, sentence):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(BadInput, match=sentence):
        _one(tmp_path / "a.npz")


def test_pickles_and_damaged_files_are_refused(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object))
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 nothing")
    for name in ("objects.npy", "broken.npz"):
        with pytest.raises(BadInput, match=f"the file must be a whole NumPy file without pickled objects; got .* for {name}"):
            _one(tmp_path / name)
