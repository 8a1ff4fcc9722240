"""FITS files opened so that a damaged one ends in a sentence."""

import bz2
import io
import re
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from astropy.io import fits

from core.errors import BadInput, LookbackError

FITS_NAME = re.compile(r"\.(fits|fit|fts)(\.gz|\.bz2|\.fz|\.Z)?$", re.IGNORECASE)
_DAMAGED = (OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, MemoryError, zlib.error, UnicodeError, fits.VerifyError)
"""What astropy raises for truncated, overwritten or unreadable files, found by damaging real ones."""
_TYPES = {"A": "S", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}
_SIZES = {"L": 1, "A": 1, "B": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
"""Letters of TFORM (FITS standard 4.0, table 18): bytes of one element."""
_CARD = re.compile(r"(NAXIS1|NAXIS2|TFIELDS|TTYPE\d+|TFORM\d+|TZERO\d+) *= *'? *([^'/ ]*)")


@contextmanager
def opened(path: Path, memmap: bool = False) -> Iterator[fits.HDUList]:
    """The HDUs of a file; whatever astropy makes of a damaged one becomes a `BadInput`.

    Read everything that the file holds inside this context and make sense of it outside, so that
    only the file's own faults are reported as such. ``memmap`` is for tables that are read in part.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with fits.open(_source(path), memmap=memmap) as hdus:
                yield hdus
    except LookbackError:
        raise
    except _DAMAGED as error:
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise BadInput("the file", "be a whole FITS file", f"'{said}' on reading", path.name, "Download it again, or leave it out") from error


def _source(path: Path) -> Path | io.BytesIO:
    """A bz2 file unpacked in memory: astropy seeks backwards in it, which would unpack it twice."""
    return io.BytesIO(bz2.decompress(path.read_bytes())) if path.suffix.lower() == ".bz2" else path


def columns_of(hdu: fits.BinTableHDU) -> dict[str, np.ndarray]:
    """Columns of a table by lower-case name, in the machine's byte order; text stripped of blanks."""
    return {name.lower(): native(hdu.data[name]) for name in hdu.columns.names}


def native(array: np.ndarray) -> np.ndarray:
    """The array in the machine's byte order, strings as stripped text."""
    array = np.asarray(array)
    if array.dtype.kind in "SU":
        return np.char.strip(array.astype(str))
    return array.astype(array.dtype.newbyteorder("="), copy=True)


def nth(hdus: fits.HDUList, index: int) -> object:
    """An HDU, None when the file has fewer; unlike ``len`` it does not read the headers behind it.

    Raises EOFError when bytes follow the last HDU: astropy passes over a header that was cut off.
    """
    try:
        return hdus[index]
    except IndexError:
        last = hdus[-1].fileinfo()
        last["file"].seek(last["datLoc"] + last["datSpan"])
        if last["file"].read(1):
            raise EOFError("the file ends within a header") from None
        return None


def first_row(hdus: fits.HDUList, index: int, wanted: set[str]) -> dict[str, object]:
    """Some columns of the first row of a table, by lower-case name; {} when there is no such table or row.

    Read from the bytes: astropy builds all 250 columns of an SDSS catalogue row before it gives
    one, which takes nine tenths of the time of reading a spectrum.
    """
    hdu = nth(hdus, index)
    if hdu is None:
        return {}
    place = hdu.fileinfo()
    header = _bytes(place, place["hdrLoc"], place["datLoc"]).decode("ascii", "replace")
    cards = dict(_CARD.findall(header))
    if not cards.get("TFIELDS") or cards["NAXIS2"] == "0":
        return {}
    row = _bytes(place, place["datLoc"], place["datLoc"] + int(cards["NAXIS1"]))
    out, offset = {}, 0
    for number in range(1, int(cards["TFIELDS"]) + 1):
        count, kind = re.match(r"(\d*)([A-Z])", cards[f"TFORM{number}"]).groups()
        count, name = int(count or 1), cards[f"TTYPE{number}"].lower()
        size = -(-count // 8) if kind == "X" else count * _SIZES[kind]
        if name in wanted and kind in _TYPES:
            out[name] = _value(row[offset : offset + size], count, kind, int(float(cards.get(f"TZERO{number}", 0))))
        offset += size
    return out


def _bytes(place: dict, start: int, stop: int) -> bytes:
    place["file"].seek(start)
    data = place["file"].read(stop - start)
    if len(data) < stop - start:
        raise EOFError(f"{len(data)} bytes where {stop - start} should be")
    return data


def _value(data: bytes, count: int, kind: str, zero: int) -> object:
    """Text stripped, one number as a scalar, several as an array; ``zero`` makes unsigned integers of signed ones."""
    if kind == "A":
        return data.split(b"\0")[0].decode("ascii", "replace").strip()
    values = native(np.frombuffer(data, dtype=_TYPES[kind], count=count))
    return values[0].item() + zero if count == 1 else values


def column_names(hdu: object) -> set[str]:
    """Lower-case column names of an HDU from its header's text, empty when it is no table."""
    if not isinstance(hdu, (fits.BinTableHDU, fits.TableHDU)):
        return set()
    place = hdu.fileinfo()
    header = _bytes(place, place["hdrLoc"], place["datLoc"]).decode("ascii", "replace")
    return {value.lower() for name, value in _CARD.findall(header) if name.startswith("TTYPE")}


def is_simulated(header: Mapping[str, object]) -> bool:
    """Whether a file says that nothing in it was observed."""
    return str(header.get("TELESCOP", "")).strip().upper() == "SIMULATED"


def stem_of(path: Path) -> str:
    """The file's name without the endings of FITS and of compression.

    >>> stem_of(Path("frame-u-005112-4-0345.fits.bz2"))
    'frame-u-005112-4-0345'
    """
    return FITS_NAME.sub("", path.name)
