"""What a heap of files is: which belong together, which reader takes them, which nobody can read.

`PRODUCTS` is the one list of what can be ingested; the Data page and the README show it.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.columns import BANDS
from core.data import hisscube, mpa_jhu, plain_arrays, sdss_frame, sdss_spectrum, sdss_spectrum_dr7, stamp, table, table_files
from core.data.crossmatch import MATCH_ARCSEC, Sky
from core.data.fits_files import FITS_NAME, column_names, nth, opened
from core.data.records import Chunk
from core.errors import BadInput, LookbackError, Unrecognised

ARRAYS = (".npy", ".npz")
WORKSPACE_FILE = "lookback.db"
"""What makes a folder a workspace: the arrays in it came in once already."""
HDF5 = (".h5", ".hdf5", ".hdf")


@dataclass(frozen=True)
class Options:
    """What a reader may need beside its files.

    Attributes
    ----------
    mapping : {field: column} for tables, see `core.data.table_columns.FIELDS`; None = by name.
    positions : objects to cut from frames (key, ra, dec), None = none are known.
    fibres : (plate, mjd, fiberid) of the objects that a catalogue may add to, None = any.
    """

    mapping: dict[str, str] | None = None
    positions: pd.DataFrame | None = None
    fibres: set[tuple[int, int, int]] | None = None


@dataclass(frozen=True)
class Item:
    """Files that are read together as one product; ``path`` is what the report calls them."""

    product: str
    paths: tuple[Path, ...]

    @property
    def path(self) -> str:
        """One file by its path, several by their folder and what they share."""
        if len(self.paths) == 1:
            return str(self.paths[0])
        names = [p.name for p in self.paths[: len(BANDS)]]
        if len(names) == 2:
            return str(self.paths[0].parent / " + ".join(names))
        head, tail = os.path.commonprefix(names), os.path.commonprefix([n[::-1] for n in names])[::-1]
        shared = f"{head}*{tail}" if head or tail else ", ".join(names)
        return str(self.paths[0].parent / shared)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(p.stat().st_size for p in self.paths if p.exists())


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


@dataclass(frozen=True)
class Product:
    """One kind of input: what people call it, its files, its reader; ``group`` items are read together in
    one process of a pool, 0 = an item is long and read as a stream."""

    name: str
    files: str
    read: Callable[[Item, Options], Iterator[Chunk]]
    group: int = 0


PRODUCTS = {
    "sdss spectrum": Product("SDSS spectrum (DR8 and later)", "spec-PLATE-MJD-FIBER.fits", lambda i, o: iter([sdss_spectrum.read(i.paths[0])]), 32),
    "sdss dr7 spectrum": Product("SDSS spectrum (DR7)", "spSpec-MJD-PLATE-FIBER.fit", lambda i, o: iter([sdss_spectrum_dr7.read(i.paths[0])]), 32),
    "table": Product("Catalogue", ".csv .tsv .fits .vot .parquet", lambda i, o: table.read(i.paths[0], o.mapping)),
    "hiss-cube": Product("HiSS-Cube", ".h5 with dense_cube", lambda i, o: hisscube.read(i.paths[0], o.mapping)),
    "arrays": Product("Plain arrays", ".npy .npz .h5", lambda i, o: plain_arrays.read(i.paths[0], o.mapping)),
    "stamps": Product("Five-band stamps", "*_u.fits to *_z.fits, or one file of five", lambda i, o: iter([stamp.read(list(i.paths))]), 16),
    "sdss frames": Product("SDSS field", "frame-{ugriz}-RUN-CAMCOL-FIELD.fits.bz2, with or without a table of positions",
                           lambda i, o: sdss_frame.read(list(i.paths[:5]), _positions(i.paths[5:], o)), 1),
    "mpa-jhu": Product("MPA-JHU star-formation rates", "gal_totsfr_dr7_v5_2.fits + gal_info_dr7_v5_2.fit", lambda i, o: mpa_jhu.read(list(i.paths), o.fibres)),
}
"""In the order of reading: objects first, then what attaches to them by position, then what only adds to them."""


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
    items = [Item(kind, (p,)) for kind in ("sdss spectrum", "sdss dr7 spectrum", "table", "hiss-cube", "arrays", "stamps") for p in kinds.get(kind, [])]
    for make, wanted in ((_stamp_sets, "band"), (_fields, "frame"), (_pairs, "sfr")):
        items += make(kinds, refusals) if kinds.get(wanted) or (wanted == "sfr" and kinds.get("info")) else []
    refusals += [Refusal(str(p), _alone(p)) for p in kinds.get("positions", []) if not kinds.get("frame")]
    order = list(PRODUCTS)
    return Plan(tuple(sorted(items, key=lambda i: order.index(i.product))), tuple(refusals))


def read(item: Item, options: Options | None = None) -> Iterator[Chunk]:
    """The chunks of an item; raises `BadInput` when its files break a rule."""
    return PRODUCTS[item.product].read(item, options or Options())


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
    sets: dict[tuple[Path, str, str], dict[str, Path]] = {}
    for path in kinds["band"]:
        shared, band = stamp.band_of(path)
        sets.setdefault((path.parent, shared, ""), {})[band] = path
    items = []
    for (folder, shared, _), by_band in sets.items():
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
    for path in kinds["frame"]:
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


def _positions(tables: tuple[Path, ...], options: Options) -> pd.DataFrame | None:
    """Places to cut: objects that are here already, then those of the tables given with the frames that are none of these."""
    found = options.positions
    for path in tables:
        places = table.positions(path, options.mapping)
        if found is not None:
            places = places[[not hits for hits in _near(found, places)]]
        found = places if found is None else pd.concat([found, places], ignore_index=True)
    return found


def _near(here: pd.DataFrame, places: pd.DataFrame) -> list[list]:
    sky = Sky()
    sky.add(here.index.to_numpy(), here["ra"].to_numpy(float), here["dec"].to_numpy(float))
    return sky.near(places["ra"].to_numpy(float), places["dec"].to_numpy(float), MATCH_ARCSEC)


def _alone(path: Path) -> str:
    return str(BadInput("a table of positions", "come with the frames to cut from, or hold magnitudes, redshifts or star-formation rates", "neither", path.name,
                        "Give the five frame files with it"))
