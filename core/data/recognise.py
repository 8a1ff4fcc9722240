"""What a heap of files is: which belong together, which reader takes them, which nobody can read."""

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.columns import BANDS
from core.data import hisscube, mpa_jhu, plain_arrays, sdss_frame, sdss_spectrum, stamp, table, table_files
from core.data.fits_files import FITS_NAME, column_names, nth, opened
from core.data.products import PRODUCTS, Item
from core.errors import BadInput, LookbackError, Unrecognised

ARRAYS = (".npy", ".npz")
WORKSPACE_FILE = "lookback.db"
"""What makes a folder a workspace: the arrays in it came in once already."""
HDF5 = (".h5", ".hdf5", ".hdf")


@dataclass(frozen=True)
class Refusal:
    """A file that is not taken, and the sentence that says why."""

    path: str
    sentence: str


@dataclass(frozen=True)
class Plan:
    """What would be read, in the order of reading, and what would not."""

    items: tuple[Item, ...]
    refusals: tuple[Refusal, ...]


def plan(paths: Iterable[Path | str], mapping: dict[str, str] | None = None) -> Plan:
    """Sort files and folders (searched to the bottom, hidden files passed over) into items and refusals."""
    kinds: dict[str, list[Path]] = {}
    refusals: list[Refusal] = []
    for path in _files(paths, refusals):
        try:
            kinds.setdefault(kind_of(path, mapping), []).append(path)
        except (LookbackError, OSError) as error:
            refusals.append(Refusal(str(path), str(error)))
        except Exception as error:
            refusals.append(Refusal(str(path), unexpected(path, error)))
    items = [Item(product, (p,)) for product in PRODUCTS for p in kinds.get(product, [])]
    items += _stamp_sets(kinds, refusals) + _fields(kinds, refusals) + _pairs(kinds, refusals)
    refusals += [Refusal(str(p), _alone(p)) for p in kinds.get("positions", []) if not kinds.get("frame")]
    order = list(PRODUCTS)
    return Plan(tuple(sorted(items, key=lambda i: order.index(i.product))), tuple(refusals))


def unexpected(path: Path | str, error: Exception) -> str:
    """The sentence of a fault that no reader foresaw; the whole of it goes to the log, and the other files are read on."""
    logging.getLogger(__name__).error("reading %s", path, exc_info=error)
    return f"Reading {Path(path).name} failed unexpectedly ({type(error).__name__}: {error}). The job's log holds the details; leave the file out meanwhile."


def kind_of(path: Path, mapping: dict[str, str] | None = None) -> str:
    """What one file is: a key of `PRODUCTS`, or ``band``, ``frame``, ``sfr``, ``info`` or ``positions``, parts of one.

    Raises `Unrecognised` or `BadInput` with the reason.
    """
    ending = path.suffix.lower()
    if sdss_frame.NAME.search(path.name):
        return "frame"
    if FITS_NAME.search(path.name):
        return _fits_kind(path, mapping)
    if table_files.is_table_name(path):
        return _table_kind(path, mapping)
    if ending in HDF5:
        with hisscube.opened(path) as file:
            if hisscube.is_hisscube(file):
                return "hiss-cube"
    if ending in (*HDF5, *ARRAYS) and plain_arrays.is_readable(path):
        return "arrays"
    raise Unrecognised("a file", "end in .fits, .fit, .csv, .tsv, .vot, .parquet, .npy, .npz or .h5", ending or "no ending", path.name, "Leave it out, or convert it")


def _files(paths: Iterable[Path | str], refusals: list[Refusal]) -> Iterator[Path]:
    """Every file once, in order of folder and name."""
    seen: set[Path] = set()
    for path in map(Path, paths):
        if not path.exists():
            refusals.append(Refusal(str(path), str(BadInput("a path", "exist", "nothing", str(path), "Check its spelling"))))
        for file in _inside(path) if path.is_dir() else [path] if path.exists() else []:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _inside(folder: Path) -> Iterator[Path]:
    """Files of a folder to the bottom; hidden ones, and workspaces of Lookback's own, are passed over."""
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and not (Path(here) / f / WORKSPACE_FILE).exists())
        yield from (Path(here) / n for n in sorted(names) if not n.startswith("."))


def _fits_kind(path: Path, mapping: dict[str, str] | None) -> str:
    """By name where a name says it all (a survey has millions of spec files), else by what lies inside."""
    if sdss_spectrum.NAME.match(path.name):
        return "sdss spectrum"
    with opened(path) as hdus:
        first = hdus[0].header.copy()
        has_image = bool(first.get("NAXIS"))
        names = set() if has_image else column_names(nth(hdus, 1))
        shapes = [] if names else [h.shape for h in hdus[:6] if h.is_image and len(h.shape)]
    if {"flux", "loglam", "ivar"} <= names:
        return "sdss spectrum"
    if mpa_jhu.is_sfr(names) or mpa_jhu.is_info(names):
        return "sfr" if mpa_jhu.is_sfr(names) else "info"
    return _table_kind(path, mapping) if names else _image_kind(path, first, shapes)


def _image_kind(path: Path, header: object, shapes: list[tuple[int, ...]]) -> str:
    axes = len(shapes[0]) if shapes else 0
    if axes == 1:
        said = f"one row of {shapes[0][0]} values without errors"
        raise Unrecognised("a spectrum", "be an SDSS file with flux, loglam and ivar", said, path.name, "Convert it to an SDSS spec file, or to an .npz with flux, ivar and wave")
    if axes == 2 and "COEFF0" in header:
        if "FIBERID" in header or path.name.lower().startswith("spspec"):
            return "sdss dr7 spectrum"
        said = f"{shapes[0][0]} template spectra ({header.get('OBJECT', 'no OBJECT')})"
        raise Unrecognised("a spectrum", "belong to one object on the sky", said, path.name, "Templates are part of the software; leave the file out")
    if axes == 3 and shapes[0][0] == 5 or (axes == 2 and len(shapes) >= 5 and not stamp.band_of(path)):
        return "stamps"
    if axes == 2 and stamp.band_of(path):
        return "band"
    rule = "be a spectrum, a stamp of five bands named *_u to *_z, a frame, or a table"
    raise Unrecognised("a FITS file", rule, f"images of {', '.join(map(str, shapes)) or 'nothing'}", path.name, "Leave it out")


def _table_kind(path: Path, mapping: dict[str, str] | None) -> str:
    head = table_files.load(path, 1000)
    names = {str(n).lower() for n in head.columns}
    if names >= {"wavelength"} and names & {"response", "throughput", "transmission"}:
        raise Unrecognised("a table", "list objects on the sky", "a filter curve", path.name, "Filters are part of the software; leave the file out")
    columns = table.columns_in(path, mapping)
    if columns.has_identity and columns.has_values:
        return "table"
    if columns.has_position:
        return "positions"
    shown = ", ".join(map(str, head.columns[:10]))
    if "file" in names and columns.has_values:
        raise Unrecognised("a table", "say where its objects are or what their ids are", f"an index of files ({shown})", path.name,
                           "Give the files themselves: they hold all of it")
    raise Unrecognised("a table", "have an id or ra and dec, and magnitudes, redshifts or star-formation rates", shown, path.name,
                       "Rename its columns, or name them in a mapping")


def _stamp_sets(kinds: dict[str, list[Path]], refusals: list[Refusal]) -> list[Item]:
    """Files of one folder that differ in their band only; a set that lacks one is refused whole."""
    sets: dict[tuple[Path, str], dict[str, Path]] = {}
    for path in kinds.get("band", []):
        shared, band = stamp.band_of(path)
        sets.setdefault((path.parent, shared), {})[band] = path
    items = []
    for (folder, shared), by_band in sets.items():
        lacking = [b for b in BANDS if b not in by_band]
        if lacking:
            error = BadInput("a stamp", "have all five bands", f"no {', '.join(lacking)}", f"{folder.name}/{shared}", "Put the missing files beside it")
            refusals += [Refusal(str(p), str(error)) for p in by_band.values()]
        else:
            items.append(Item("stamps", tuple(by_band[b] for b in BANDS)))
    return items


def _fields(kinds: dict[str, list[Path]], refusals: list[Refusal]) -> list[Item]:
    """The five frames of each field, with the tables of positions that came along."""
    fields: dict[str, list[Path]] = {}
    for path in kinds.get("frame", []):
        fields.setdefault(sdss_frame.NAME.search(path.name)[2], []).append(path)
    items = []
    for files in fields.values():
        try:
            items.append(Item("sdss frames", (*sdss_frame.in_order(files), *kinds.get("positions", []))))
        except BadInput as error:
            refusals += [Refusal(str(p), str(error)) for p in files]
    return items


def _pairs(kinds: dict[str, list[Path]], refusals: list[Refusal]) -> list[Item]:
    """Each SFR file with the info file of its folder, or the only one there is."""
    items, infos = [], kinds.get("info", [])
    for rates in kinds.get("sfr", []):
        beside = [p for p in infos if p.parent == rates.parent] or infos
        if len(beside) == 1:
            items.append(Item("mpa-jhu", (rates, beside[0])))
        else:
            error = BadInput("an MPA-JHU SFR file", "come with one gal_info_dr7_v5_2.fit, which says whose rates they are", f"{len(beside)} of them", rates.name, "Give both")
            refusals.append(Refusal(str(rates), str(error)))
    if not kinds.get("sfr"):
        refusals += [Refusal(str(p), str(BadInput("an MPA-JHU info file", "come with gal_totsfr_dr7_v5_2.fits", "none", p.name, "Give both"))) for p in infos]
    return items


def _alone(path: Path) -> str:
    return str(BadInput("a table of positions", "come with the frames to cut from, or hold magnitudes, redshifts or star-formation rates", "neither", path.name,
                        "Give the five frame files with it"))
