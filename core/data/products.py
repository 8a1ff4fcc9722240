"""What can be ingested: one entry a product, with its reader. `PRODUCTS` is the one list; the Data page and the README show it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.columns import BANDS
from core.data import hisscube, mpa_jhu, plain_arrays, sdss_frame, sdss_spectrum, sdss_spectrum_dr7, stamp, table
from core.data.crossmatch import MATCH_ARCSEC, Sky
from core.data.records import Chunk


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
class Product:
    """One kind of input: what people call it, its files, its reader; ``group`` items are read together in
    one process of a pool, 0 = an item is long and read as a stream."""

    name: str
    files: str
    read: Callable[[Item, Options], Iterator[Chunk]]
    group: int = 0


PRODUCTS = {
    "sdss spectrum": Product("SDSS spectrum (DR8 and later)", "spec-PLATE-MJD-FIBER.fits", lambda i, o: iter([sdss_spectrum.read(i.paths[0])]), 128),
    "sdss dr7 spectrum": Product("SDSS spectrum (DR7)", "spSpec-MJD-PLATE-FIBER.fit", lambda i, o: iter([sdss_spectrum_dr7.read(i.paths[0])]), 128),
    "table": Product("Catalogue", ".csv .tsv .fits .vot .parquet", lambda i, o: table.read(i.paths[0], o.mapping)),
    "hiss-cube": Product("HiSS-Cube", ".h5 with dense_cube", lambda i, o: hisscube.read(i.paths[0], o.mapping)),
    "arrays": Product("Plain arrays", ".npy .npz .h5", lambda i, o: plain_arrays.read(i.paths[0], o.mapping)),
    "stamps": Product("Five-band stamps", "*_u.fits to *_z.fits, or one file of five", lambda i, o: iter([stamp.read(list(i.paths))]), 16),
    "sdss frames": Product("SDSS field", "frame-{ugriz}-RUN-CAMCOL-FIELD.fits.bz2, with or without a table of positions",
                           lambda i, o: sdss_frame.read(list(i.paths[:5]), _positions(i.paths[5:], o)), 1),
    "mpa-jhu": Product("MPA-JHU star-formation rates", "gal_totsfr_dr7_v5_2.fits + gal_info_dr7_v5_2.fit", lambda i, o: mpa_jhu.read(list(i.paths), o.fibres)),
}
"""In the order of reading: objects first, then what attaches to them by position, then what only adds to them."""


def read(item: Item, options: Options | None = None) -> Iterator[Chunk]:
    """The chunks of an item; raises `BadInput` when its files break a rule."""
    return PRODUCTS[item.product].read(item, options or Options())


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
