"""Catalogues from disk, whatever their format, as one table with 64-bit ids intact."""

import gzip
import io
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet
from astropy.io import fits, votable
from astropy.table import Table

from core.columns import BANDS
from core.data.fits_files import FITS_NAME, native, opened
from core.errors import BadInput

TEXT = (".csv", ".tsv", ".txt", ".dat", ".ecsv")
VOTABLE = (".vot", ".votable", ".xml")
PARQUET = (".parquet", ".pq", ".parq")
_IDS = re.compile(r"(^|obj|spec|photo|source)_?id$", re.IGNORECASE)
_SNIFFED = 65_536


def is_table_name(path: Path) -> bool:
    """Whether the ending is one of a text table, VOTable or Parquet file."""
    return _ending(path) in (*TEXT, *VOTABLE, *PARQUET)


def load(path: Path, rows: int | None = None) -> pd.DataFrame:
    """A whole table, or its first rows.

    Ids stay text or exact integers; vector columns of five become columns ``name_u`` to ``name_z``,
    other vectors are dropped. Raises `BadInput` for a file that cannot be read as what it is named.
    """
    ending = _ending(path)
    reader = _fits if FITS_NAME.search(path.name) else _votable if ending in VOTABLE else _parquet if ending in PARQUET else _ecsv if ending == ".ecsv" else _text
    try:
        table = reader(path, rows)
    except BadInput:
        raise
    except (OSError, ValueError, KeyError, IndexError, TypeError, EOFError, pyarrow.ArrowException) as error:
        said = " ".join(str(error).split())[:120]
        raise BadInput("the table", f"be readable as {ending.strip('.') or 'text'}", f"'{said}'", path.name, "Export it again as CSV, FITS, VOTable or Parquet") from error
    if not len(table.columns) or (rows is None and table.empty):
        raise BadInput("the table", "hold rows and columns", f"{len(table)} rows", path.name, "Export it again")
    return table


def _ending(path: Path) -> str:
    suffixes = [s.lower() for s in path.suffixes]
    return suffixes[-2] if len(suffixes) > 1 and suffixes[-1] in (".gz", ".bz2") else suffixes[-1] if suffixes else ""


def _text(path: Path, rows: int | None) -> pd.DataFrame:
    """Comma, tab, semicolon, bar or blanks between columns; lines of ``#`` before the header are passed over."""
    with (gzip.open(path, "rb") if path.suffix.lower() == ".gz" else open(path, "rb")) as file:
        head = file.read(_SNIFFED).decode("utf-8-sig")
    skip, separator, names = _layout(head, path)
    ids = {n: str for n in names if _IDS.search(n.strip())}
    table = pd.read_csv(path, sep=separator, skiprows=skip, header=None, names=names, nrows=rows, dtype=ids, skipinitialspace=True, low_memory=False,
                        encoding="utf-8-sig", comment=None)
    return table.rename(columns=lambda n: str(n).strip())


def _layout(head: str, path: Path) -> tuple[int, str, list[str]]:
    """How many lines come before the rows, what stands between columns, and their names."""
    lines = head.splitlines()
    first = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), None)
    if first is None or first + 1 >= len(lines):
        raise BadInput("the table", "have a line of names and a row", f"{len(lines)} lines", path.name, "Export it again with its header")
    separator = max((",", "\t", ";", "|"), key=lambda s: lines[first].count(s))
    separator = separator if separator in lines[first] else r"\s+"
    names = _split(lines[first], separator)
    if all(_is_number(n) for n in names) and first > 0 and len(_split(lines[first - 1].lstrip("# "), separator)) == len(names):
        return first, separator, _split(lines[first - 1].lstrip("# "), separator)
    if any(_is_number(n) for n in names):
        raise BadInput("the table", "begin with a line of column names", lines[first][:60], path.name, "Add a line of names above the rows")
    return first + 1, separator, names


def _split(line: str, separator: str) -> list[str]:
    names = [n.strip().strip('"') for n in re.split(separator if separator == r"\s+" else re.escape(separator), line.strip())]
    return [n or f"column_{i}" for i, n in enumerate(names)]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _fits(path: Path, rows: int | None) -> pd.DataFrame:
    with opened(path) as hdus:
        hdu = next((h for h in hdus if isinstance(h, (fits.BinTableHDU, fits.TableHDU))), None)
        if hdu is None:
            raise BadInput("the file", "hold a table", "none", path.name, "Leave it out")
        return _expanded({n: native(hdu.data[n][:rows]) for n in hdu.columns.names})


def _votable(path: Path, rows: int | None) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            table = votable.parse(io.BytesIO(path.read_bytes()), verify="ignore").get_first_table().to_table(use_names_over_ids=True)
        except Exception as error:  # expat and the VOTable parser raise their own, unrelated classes
            raise ValueError(str(error)) from error
    return _unmasked(table[:rows])


def _ecsv(path: Path, rows: int | None) -> pd.DataFrame:
    return _unmasked(Table.read(path, format="ascii.ecsv")[:rows])


def _unmasked(table: Table) -> pd.DataFrame:
    """Masked numbers become NaN, masked integers and texts None: a fill value would look like a measurement."""
    out = {}
    for name in table.colnames:
        column = np.ma.MaskedArray(table[name])
        values = native(column.filled() if column.dtype.kind not in "O" else column.data)
        if np.ma.getmaskarray(column).any():
            values = values.astype(object) if values.dtype.kind not in "f" else values
            values[np.ma.getmaskarray(column)] = np.nan if values.dtype.kind == "f" else None
        out[name] = values
    return _expanded(out)


def _parquet(path: Path, rows: int | None) -> pd.DataFrame:
    if rows is None:
        table = pyarrow.parquet.read_table(path)
    else:
        batches = pyarrow.parquet.ParquetFile(path).iter_batches(batch_size=rows)
        table = pyarrow.Table.from_batches([next(batches)])
    return table.to_pandas(integer_object_nulls=True)


def _expanded(columns: dict[str, np.ndarray]) -> pd.DataFrame:
    flat: dict[str, np.ndarray] = {}
    for name, values in columns.items():
        if values.ndim == 1:
            flat[name] = values
        elif values.ndim == 2 and values.shape[1] == 5 and values.dtype.kind in "fiu":
            flat |= {f"{name}_{b}": values[:, i] for i, b in enumerate(BANDS)}
    return pd.DataFrame(flat)
