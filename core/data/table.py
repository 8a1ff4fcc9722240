"""Catalogues: photometry, redshifts and star-formation rates of many galaxies, in CSV, FITS, VOTable or Parquet.

Columns are found by their well-known names (`core.data.table_columns`) or by an explicit
mapping. Magnitudes are stored dereddened; redshifts and SFR columns are truth.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.columns import BANDS
from core.data import table_files
from core.data.identity import as_ids, decode_specobjid, is_fibre, position_key, rounding_of, spec_key
from core.data.records import Chunk
from core.data.sdss_spectrum_dr7 import CLASSES
from core.data.table_columns import FAINTEST, Cleaner, Columns, is_ambiguous, recognised
from core.data.table_truth import truth_of
from core.errors import BadInput
from core.preprocess.extinction import SFD_UGRIZ

CHUNK = 4096
SURVEY_DIGITS = 15
"""Ids with fewer digits number the rows of one file; they say nothing across files."""
METADATA_COLUMNS = 40


def read(path: Path, mapping: dict[str, str] | None = None) -> Iterator[Chunk]:
    """The rows of a catalogue in chunks of 4096; notes and counts come with the first."""
    yield from chunks(table_files.load(path), path, mapping, f"table {path.name}")


def columns_in(path: Path, mapping: dict[str, str] | None = None) -> Columns:
    """What a catalogue's columns mean, from its first thousand rows; raises `BadInput`."""
    head = table_files.load(path, 1000)
    return _columns(head, mapping, path.name)


def positions(path: Path, mapping: dict[str, str] | None = None) -> pd.DataFrame:
    """The places of a table of positions: ra, dec (deg), and objid where it has one; rows without are dropped."""
    table = table_files.load(path)
    columns = _columns(table, mapping, path.name)
    objects = _objects(Cleaner(table), columns, path, [])
    return objects[["key", "ra", "dec", *({"objid", "specobjid"} & set(objects))]].dropna(subset=["ra", "dec"]).drop_duplicates("key", ignore_index=True)


def chunks(table: pd.DataFrame, path: Path, mapping: dict[str, str] | None, source: str) -> Iterator[Chunk]:
    """Rows of a table that is in memory, as `read` gives them."""
    rows = catalogue(table, path, mapping)
    if not rows.columns.has_identity:
        rule = "say which object a row is: ra and dec, objid, specobjid, or plate, mjd and fiberid"
        raise BadInput("a table", rule, f"columns {', '.join(map(str, table.columns[:12]))}", path.name, "Add such columns, or name them in a mapping")
    kept = rows.distinct()
    for start in range(0, max(len(kept), 1), CHUNK):
        yield rows.chunk(kept[start : start + CHUNK], source, len(kept), is_first=start == 0)


@dataclass(frozen=True)
class Catalogue:
    """What the rows of a table say, cleaned.

    Attributes
    ----------
    columns : what each column means.
    objects : one row a row of the table; ``key`` is None where nothing tells the object apart.
    photometry : float32 (n, 2, 5), dereddened magnitudes and errors, NaN = missing.
    truth, missing, left_out, notes : as in `core.data.records.Chunk`, over the whole table.
    """

    columns: Columns
    objects: pd.DataFrame
    photometry: np.ndarray
    truth: pd.DataFrame
    missing: dict[str, int]
    left_out: dict[str, int]
    notes: list[str]

    def distinct(self) -> np.ndarray:
        """Rows to store: those with a key, each key once; counts the others."""
        key = self.objects["key"]
        kept = np.flatnonzero(key.notna() & ~key.duplicated())
        self._count("neither a position nor an id", int(key.isna().sum()))
        self._count("an earlier row is the same object", int(key.notna().sum()) - len(kept))
        return kept

    def chunk(self, rows: np.ndarray, source: str, total: int, is_first: bool, arrays: dict[str, np.ndarray] | None = None) -> Chunk:
        """Some rows as a chunk; ``arrays`` holds (len(rows), ...) arrays, rows of NaN for objects without one."""
        place = pd.Series(np.arange(len(rows)), index=rows)
        lines = self.truth[self.truth["row"].isin(place.index)]
        values = {"photometry": self.photometry[rows]} | (arrays or {})
        seen = {m: np.flatnonzero(np.isfinite(v).reshape(len(v), -1).any(axis=1)) for m, v in values.items()}
        first = {"missing": self.missing, "left_out": self.left_out, "notes": tuple(self.notes)} if is_first else {}
        return Chunk(
            self.objects.iloc[rows].reset_index(drop=True).assign(source=source), {m: (i, values[m][i]) for m, i in seen.items() if len(i)},
            lines.assign(row=lines["row"].map(place).astype(int)).reset_index(drop=True), total=total, **first,
        )

    def _count(self, reason: str, number: int) -> None:
        if number:
            self.left_out[reason] = number


def catalogue(table: pd.DataFrame, path: Path, mapping: dict[str, str] | None) -> Catalogue:
    """Clean a table that is in memory; raises `BadInput` for a mapping that does not fit."""
    columns = _columns(table, mapping, path.name)
    cleaner, left_out, notes = Cleaner(table), {}, []
    objects = _objects(cleaner, columns, path, notes)
    photometry = _photometry(cleaner, columns, notes)
    truth = truth_of(cleaner, columns, objects, left_out, notes)
    objects["metadata"] = _metadata(cleaner, columns, notes)
    return Catalogue(columns, objects, photometry, truth, cleaner.missing, left_out, notes)


def _columns(table: pd.DataFrame, mapping: dict[str, str] | None, where: str) -> Columns:
    names = [str(c) for c in table.columns]
    z_is_magnitude = False
    if is_ambiguous(names):
        bare = next(n for n in names if n.strip().lower() == "z")
        z_is_magnitude = bool(np.nanmedian(pd.to_numeric(table[bare], errors="coerce").astype(float)) > 8)
    return recognised(names, mapping, where, z_is_magnitude)


def _objects(cleaner: Cleaner, columns: Columns, path: Path, notes: list[str]) -> pd.DataFrame:
    """One row an object with its key, None where nothing tells it apart."""
    f, n = columns.fields, len(cleaner.table)
    out = pd.DataFrame({"ra": cleaner.numbers(f.get("ra"), 0, 360), "dec": cleaner.numbers(f.get("dec"), -90, 90)})
    for name in ("objid", "specobjid"):
        if name in f:
            out[name] = pd.Series(_trusted(cleaner, f[name], out, notes), dtype=object)
    fibres = _fibres(cleaner, f, out)
    for i, name in enumerate(("plate", "mjd", "fiberid")):
        out[name] = [fibre[i] if fibre else None for fibre in fibres]
    out["sn"], out["ebv"] = cleaner.numbers(f.get("sn")), _ebv(cleaner, columns)
    out["simulated"] = np.nan_to_num(cleaner.numbers(f.get("simulated"))) > 0
    out["zwarning"] = cleaner.numbers(f.get("zwarning"), 0)
    out["class"] = pd.Series(_classes(cleaner.table[f["class"]]) if "class" in f else [None] * n, dtype=object)
    ids = zip(out.get("objid", [None] * n), out.get("specobjid", [None] * n), out["ra"], out["dec"], strict=True)
    out["key"] = pd.Series([_key(fibre, *names, path) for fibre, names in zip(fibres, ids, strict=True)], dtype=object)
    return out


def _trusted(cleaner: Cleaner, column: str, places: pd.DataFrame, notes: list[str]) -> list[str | None]:
    ids = as_ids(cleaner.table[column])
    fault = rounding_of(ids, places["ra"], places["dec"])
    if fault:
        notes.append(f"Column {column} is not used to tell objects apart: its digits were rounded ({fault}). Rows are known by their position.")
        return [None] * len(ids)
    return ids


def _fibres(cleaner: Cleaner, fields: dict[str, str], out: pd.DataFrame) -> list[tuple[int, int, int] | None]:
    if {"plate", "mjd", "fiberid"} <= set(fields):
        rows = zip(*(cleaner.numbers(fields[c]) for c in ("plate", "mjd", "fiberid")), strict=True)
        return [tuple(int(v) for v in row) if is_fibre(*row) else None for row in rows]
    return [decode_specobjid(s) for s in out["specobjid"]] if "specobjid" in out else [None] * len(out)


def _key(fibre: tuple | None, objid: str | None, specobjid: str | None, ra: float, dec: float, path: Path) -> str | None:
    if fibre:
        return spec_key(*fibre)
    for name in (objid, specobjid):
        if name and (len(name) >= SURVEY_DIGITS or not name.isdigit()):
            return name
    if np.isfinite(ra + dec):
        return position_key(ra, dec)
    return f"{path.stem} {objid or specobjid}" if objid or specobjid else None


def _classes(values: pd.Series) -> list[str | None]:
    """Spectroscopic classes; numbers are those of DR7's specClass, elsewhere they say what an image looks like."""
    texts = [None if v is None or v != v else str(v).strip().upper() for v in values.astype(object)]
    codes = CLASSES if str(values.name).lower() == "specclass" else {}
    return [codes.get(int(t)) if t and t.isdigit() else t or None for t in texts]


def _ebv(cleaner: Cleaner, columns: Columns) -> np.ndarray:
    if "ebv" in columns.fields:
        return cleaner.numbers(columns.fields["ebv"], 0, 100)
    return cleaner.numbers(columns.extinctions.get("r"), 0, 100) / SFD_UGRIZ[2]


def _photometry(cleaner: Cleaner, columns: Columns, notes: list[str]) -> np.ndarray:
    """Dereddened magnitudes and errors, float32 (n, 2, 5), NaN where missing; an error without its magnitude is dropped."""
    magnitudes = np.column_stack([cleaner.numbers(columns.magnitudes.get(b), 0, FAINTEST, is_open=True) for b in BANDS])
    errors = np.column_stack([cleaner.numbers(columns.errors.get(b), 0, np.inf, is_open=True) for b in BANDS])
    if columns.magnitudes and columns.family != "dered":
        magnitudes = magnitudes - _extinction(cleaner, columns, notes)
    errors[np.isnan(magnitudes)] = np.nan
    return np.stack([magnitudes, errors], axis=1).astype(np.float32)


def _extinction(cleaner: Cleaner, columns: Columns, notes: list[str]) -> np.ndarray:
    named = ", ".join(columns.magnitudes.values())
    if set(columns.extinctions) >= set(columns.magnitudes):
        notes.append(f"{named} were corrected for Galactic extinction by the table's own columns.")
        return np.column_stack([np.nan_to_num(cleaner.numbers(columns.extinctions.get(b), 0, 100)) for b in BANDS])
    ebv = _ebv(cleaner, columns)
    if np.isfinite(ebv).any():
        notes.append(f"{named} were corrected for Galactic extinction by E(B-V).")
        return np.nan_to_num(ebv)[:, None] * SFD_UGRIZ
    notes.append(f"{named} are taken as they are: the table has neither extinction nor E(B-V), so they may not be dereddened.")
    return np.zeros((len(cleaner.table), len(BANDS)))


def _metadata(cleaner: Cleaner, columns: Columns, notes: list[str]) -> list[dict]:
    """The other columns of each row, cleaned; text is kept when short."""
    others = [c for c in cleaner.table.columns if c not in columns.used()]
    if len(others) > METADATA_COLUMNS:
        notes.append(f"{len(others) - METADATA_COLUMNS} of {len(others)} further columns were not kept: {', '.join(map(str, others[METADATA_COLUMNS:][:10]))} ...")
    kept = {}
    for name in others[:METADATA_COLUMNS]:
        column = cleaner.table[name]
        is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        kept[str(name)] = cleaner.numbers(name).tolist() if is_number else [str(v)[:80] if isinstance(v, str) and v else None for v in column]
    return [dict(zip(kept, row, strict=True)) for row in zip(*kept.values(), strict=True)] if kept else [{}] * len(cleaner.table)
