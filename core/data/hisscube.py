"""HiSS-Cube HDF5 files: the dense cube of images and spectra at full resolution (zoom 0).

``dense_cube/0/ml_image/cutout_3d_cube_zoom_0`` (N, 5, 64, 64) and ``dense_cube/0/ml_spectrum/
spectral_1d_cube_zoom_0`` (N, 4620) with ``errors`` beside each and ``wl`` beside the spectra.
Spectra lie on an even grid of wavelengths, with 1e-17 applied; where nothing was observed they
hold NaN or an infinite error. Images are in erg/s/cm2/A-like units that `IMAGE_FACTOR` undoes.
Nadvornik, Skoda & Tvrdik 2021, Astronomy and Computing 36, 100463; github.com/nadvornikjiri/HiSS-Cube.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from core.data import array_rows
from core.data.records import Chunk
from core.errors import BadInput, LookbackError
from core.preprocess import spectrum

CUBE = "dense_cube/0"
IMAGE = f"{CUBE}/ml_image/cutout_3d_cube_zoom_0"
SPECTRUM = f"{CUBE}/ml_spectrum/spectral_1d_cube_zoom_0"
HEADER_REFERENCES = f"{CUBE}/ml_spectrum/spec_metadata_refs"
WAVE = np.linspace(3839.7244, 8914.597, 4620)
"""A, vacuum: the grid where a file does not hold its own."""
LAMBDA = np.array([3551.0, 4686.0, 6166.0, 7480.0, 8932.0])
IMAGE_FACTOR = 3.631e-6 * 2.99792458e-5 / LAMBDA**2 * 78.54
"""What HiSS-Cube multiplies nanomaggies by, per band ugriz."""
FLUX_UNIT = 1e-17
_UNSCALED = 1e-10


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """An HDF5 file; a damaged one becomes a `BadInput`."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except LookbackError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        said = " ".join(str(error).split())[:120]
        raise BadInput("the file", "be a whole HDF5 file", f"'{said}'", path.name, "Copy it again, or leave it out") from error


def is_hisscube(file: h5py.File) -> bool:
    """Whether a file holds a dense cube."""
    return IMAGE in file or SPECTRUM in file


def read(path: Path, mapping: dict[str, str] | None = None) -> Iterator[Chunk]:
    """Images and spectra of every row with what the file says of it.

    Names, positions and truth come from datasets of N values with well-known names (plate, mjd, fiberid, ra, dec,
    z, sfr_tot_avg ...) anywhere in the file, else from the FITS headers that ``spec_metadata_refs`` points to.
    """
    with opened(path) as file:
        n = len(file[IMAGE] if IMAGE in file else file[SPECTRUM])
        table, notes = _catalogue(file, n), []
        if table.empty and not len(table.columns):
            notes.append("The cube does not say which object a row is: rows are known by their content and have no position.")
        table = table if len(table.columns) else pd.DataFrame(index=range(n))
        yield from array_rows.chunks(n, table, lambda rows: _arrays(file, rows, notes), path, mapping, f"HiSS-Cube {path.name}", notes)


def nanomaggies(images: np.ndarray) -> np.ndarray:
    """HiSS-Cube image values (n, 5, h, w) back in nanomaggies per pixel.

    >>> round(float(nanomaggies(np.full((1, 5, 1, 1), 2.25e-16))[0, 2, 0, 0]), 3)
    1.001
    """
    return images / IMAGE_FACTOR[:, None, None]


def _arrays(file: h5py.File, rows: slice, notes: list[str]) -> dict[str, np.ndarray]:
    out = {}
    if IMAGE in file:
        out["image"] = array_rows.without_empty(array_rows.middle(nanomaggies(file[IMAGE][rows].astype(float))))
    if SPECTRUM in file:
        out["spectrum"] = array_rows.without_information(_spectra(file, rows, notes))
    return out


def _spectra(file: h5py.File, rows: slice, notes: list[str]) -> np.ndarray:
    flux, error = file[SPECTRUM][rows].astype(float), file[SPECTRUM].parent["errors"][rows].astype(float)
    good = np.isfinite(flux) & np.isfinite(error) & (error > 0)
    unit = FLUX_UNIT
    if good.any() and np.median(np.abs(flux[good])) > _UNSCALED:
        unit = 1.0
        said = "Spectra are taken as 1e-17 erg/s/cm2/A: their values are too large for a file to which 1e-17 was applied."
        notes.extend([] if said in notes else [said])
    flux, error = flux / unit, np.where(good, error / unit, 1.0)
    return spectrum.resample(_wave(file), np.where(good, flux, 0.0), np.where(good, error**-2.0, 0.0))


def _wave(file: h5py.File) -> np.ndarray:
    group = file[SPECTRUM].parent
    wave = np.asarray(group["wl"], dtype=float) if "wl" in group else WAVE
    return wave if wave.ndim == 1 else wave.reshape(-1, wave.shape[-1])[0]


def _catalogue(file: h5py.File, n: int) -> pd.DataFrame:
    """Every dataset of n values, and the fields of every compound one, by its last name."""
    columns: dict[str, np.ndarray] = {}

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.shape == (n,):
            if item.dtype.names:
                columns.update({c: item[c] for c in item.dtype.names if item.dtype[c].ndim == 0})
            elif item.dtype.kind in "iufSUO" and h5py.check_ref_dtype(item.dtype) is None:
                columns.setdefault(name.split("/")[-1], item[()])

    file.visititems(visit)
    columns.pop("wl", None)
    if not columns and HEADER_REFERENCES in file:
        return _headers(file, n)
    return pd.DataFrame({c: plain(v) for c, v in columns.items()})


def _headers(file: h5py.File, n: int) -> pd.DataFrame:
    """Plate, MJD, fibre and position from the header of the first spectrum of each row."""
    references = file[HEADER_REFERENCES]
    rows = []
    for i in range(n):
        reference = np.ravel(references[i])[0]
        header = json.loads(np.ravel(file[reference][reference])[0]["header"]) if reference else {}
        rows.append({name: header.get(card) for name, card in (("plate", "PLATEID"), ("mjd", "MJD"), ("fiberid", "FIBERID"), ("ra", "PLUG_RA"), ("dec", "PLUG_DEC"))})
    return pd.DataFrame(rows)


def plain(values: np.ndarray) -> np.ndarray:
    """Texts that HDF5 gives as bytes as str; other values as they are."""
    is_bytes = values.dtype.kind == "S" or (values.dtype.kind == "O" and len(values) and isinstance(values[0], bytes))
    return np.array([v.decode("utf-8", "replace") for v in values], dtype=object) if is_bytes else values
