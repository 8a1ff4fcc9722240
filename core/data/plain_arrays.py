"""Arrays without a survey's format: ``.npy``, ``.npz`` and ``.h5`` with images or spectra.

Images are (n, 5, h, w) in nanomaggies per pixel of 0.396 arcsec, bands ugriz. Spectra are flux (n, p) with
``ivar`` or ``error`` (n, p) and a grid ``wave``, ``wavelength``, ``wl`` or ``loglam`` (p,), or (n, 2, 4620) on
Lookback's own grid. Arrays of n values are catalogue columns, found by their names as in tables.
"""

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from core.columns import MODALITIES
from core.data import array_rows, hisscube
from core.data.records import Chunk
from core.errors import BadInput
from core.preprocess import spectrum

GRIDS = ("loglam", "wave", "wavelength", "wl", "lambda", "lam")
IVARS = ("ivar", "inverse_variance")
ERRORS = ("error", "errors", "sigma", "err", "flux_err", "flux_error")
FLUXES = ("flux", "spectra", "spectrum", "fluxes")
Array = np.ndarray | h5py.Dataset


def read(path: Path, mapping: dict[str, str] | None = None) -> Iterator[Chunk]:
    """Images and spectra row by row; raises `BadInput` when there are neither."""
    with _opened(path) as arrays:
        sources = _sources(arrays, path)
        n = len(next(iter(sources.values()))[0])
        table = pd.DataFrame({k: hisscube.plain(np.asarray(v)) for k, v in arrays.items() if v.shape == (n,) and v.dtype.kind in "iufSUO"}, index=range(n))
        notes = [] if len(table.columns) else [f"{path.name} does not say which object a row is: rows are known by their content and have no position."]
        yield from array_rows.chunks(n, table, lambda rows: {m: make(rows) for m, (_, make) in sources.items()}, path, mapping, f"arrays {path.name}", notes)


def is_readable(path: Path) -> bool:
    """Whether a file holds images or spectra; raises `BadInput` with the reason when it does not."""
    with _opened(path) as arrays:
        return bool(_sources(arrays, path))


@contextmanager
def _opened(path: Path) -> Iterator[Mapping[str, Array]]:
    """Arrays by lower-case name; one array of an .npy file has the name ``array``."""
    if path.suffix.lower() in (".h5", ".hdf5"):
        with hisscube.opened(path) as file:
            yield _datasets(file)
        return
    try:
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        arrays = {k.lower(): loaded[k] for k in loaded.files} if isinstance(loaded, np.lib.npyio.NpzFile) else {"array": loaded}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise BadInput("the file", "be a whole NumPy file without pickled objects", f"'{' '.join(str(error).split())[:100]}'", path.name, "Save it again") from error
    yield arrays


def _datasets(file: h5py.File) -> dict[str, Array]:
    """Every dataset by the last part of its name; of two with one name the first."""
    found: dict[str, Array] = {}

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            found.setdefault(name.split("/")[-1].lower(), item)

    file.visititems(visit)
    return found


def _sources(arrays: Mapping[str, Array], path: Path) -> dict[str, tuple[Array, Callable[[slice], np.ndarray]]]:
    """modality -> the array and how to read some of its rows."""
    out: dict[str, tuple[Array, Callable[[slice], np.ndarray]]] = {}
    image = next((a for a in arrays.values() if array_rows.is_image(a.shape)), None)
    if image is not None:
        out["image"] = (image, lambda rows: array_rows.without_empty(array_rows.middle(np.asarray(image[rows], dtype=float))))
    own = next((a for a in arrays.values() if len(a.shape) == 3 and a.shape[1:] == (2, len(spectrum.LOGLAM))), None)
    flux = next((arrays[f] for f in FLUXES if f in arrays and len(arrays[f].shape) == 2), None)
    if own is not None:
        out["spectrum"] = (own, lambda rows: array_rows.without_information(np.asarray(own[rows], dtype=np.float32)))
    elif flux is not None:
        out["spectrum"] = (flux, _spectra(arrays, flux, path))
    if not out:
        shapes = ", ".join(f"{k} {tuple(v.shape)}" for k, v in list(arrays.items())[:6])
        rule = f"hold images (n, 5, h, w), flux (n, p) with a grid, or spectra (n, 2, {len(spectrum.LOGLAM)})"
        raise BadInput("the arrays", rule, shapes or "none", path.name, "Save them in one of these shapes")
    if len({len(a) for a, _ in out.values()}) > 1:
        raise BadInput("images and spectra", "have the same number of rows", [len(a) for a, _ in out.values()], path.name, "Save them in two files")
    return {m: out[m] for m in MODALITIES if m in out}


def _spectra(arrays: Mapping[str, Array], flux: Array, path: Path) -> Callable[[slice], np.ndarray]:
    grid = next((np.asarray(arrays[g], dtype=float) for g in GRIDS if g in arrays and arrays[g].shape == (flux.shape[1],)), None)
    ivar = next((arrays[i] for i in IVARS if i in arrays and arrays[i].shape == flux.shape), None)
    error = next((arrays[e] for e in ERRORS if e in arrays and arrays[e].shape == flux.shape), None)
    if grid is None or (ivar is None and error is None):
        lacking = "wavelengths" if grid is None else "ivar or error"
        raise BadInput("flux", f"come with a grid ({', '.join(GRIDS)}) of {flux.shape[1]} values and ivar or error", f"no {lacking}", path.name, "Save them in the same file")

    def make(rows: slice) -> np.ndarray:
        if ivar is not None:
            weight = np.asarray(ivar[rows], dtype=float)
        else:
            sigma = np.asarray(error[rows], dtype=float)
            weight = np.divide(1.0, sigma**2, out=np.zeros_like(sigma), where=np.isfinite(sigma) & (sigma > 0))
        return array_rows.without_information(spectrum.resample(grid, np.asarray(flux[rows], dtype=float), weight))

    return make
