"""Who an object is: keys that every product spells alike, and ids that can or cannot be trusted."""

import hashlib
import math
import re
from collections.abc import Iterable

import numpy as np

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?$")
_ROUNDED_ZEROS = 3
_SAME_ARCSEC = 3.0


def spec_key(plate: int, mjd: int, fiberid: int) -> str:
    """The key of a fibre, the same for full, lite and DR7 files.

    >>> spec_key(390, 51900, 2)
    'spec-0390-51900-0002'
    """
    return f"spec-{int(plate):04d}-{int(mjd):05d}-{int(fiberid):04d}"


def is_fibre(plate: object, mjd: object, fiberid: object) -> bool:
    """Whether three numbers can name an SDSS fibre: plate 1-99999, MJD 50000-70000, fibre 1-1000."""
    bounds = ((plate, 1, 99_999), (mjd, 50_000, 70_000), (fiberid, 1, 1000))
    return all(v is not None and not isinstance(v, str) and low <= v <= high for v, low, high in bounds)


def decode_specobjid(text: str | None) -> tuple[int, int, int] | None:
    """Plate, MJD and fibre that a DR8+ ``specObjID`` encodes; None when it encodes none.

    64 bits: plate 14, fibre 12, MJD - 50000 14, run2d 14, then 10 that are 0 for SDSS (skyserver.sdss.org,
    "specObjID"). Ids of DR7 use other bits and seldom decode to a possible fibre.

    >>> decode_specobjid("439101545301174272")
    (390, 51900, 2)
    """
    if not text or not text.isdigit() or int(text) >= 2**64:
        return None
    bits = int(text)
    fibre = (bits >> 50, (bits >> 24 & 0x3FFF) + 50_000, bits >> 38 & 0xFFF)
    return fibre if bits % 1024 == 0 and is_fibre(*fibre) else None


def position_key(ra: float, dec: float) -> str:
    """The IAU-style name of a place on the sky, to 0.01 s and 0.1 arcsec; truncated, as the IAU asks.

    >>> position_key(162.1789845, 25.9540411)
    'J104842.95+255714.5'
    """
    hours, degrees = (ra % 360) / 15, abs(dec)
    cents, tenths = math.floor(round(hours * 360_000, 6)), math.floor(round(degrees * 36_000, 6))
    right = f"{cents // 360_000 % 24:02d}{cents // 6000 % 60:02d}{cents // 100 % 60:02d}.{cents % 100:02d}"
    return f"J{right}{'-' if dec < 0 else '+'}{tenths // 36_000:02d}{tenths // 600 % 60:02d}{tenths // 10 % 60:02d}.{tenths % 10}"


def content_key(stem: str, row: int, array: np.ndarray) -> str:
    """The key of an array that came with neither id nor position: its file, its row and a digest of its values."""
    digest = hashlib.blake2b(np.ascontiguousarray(array, dtype="<f4").tobytes(), digest_size=6).hexdigest()
    return f"{stem}-{row:06d}-{digest}"


def as_ids(values: Iterable) -> list[str | None]:
    """Ids as text; None for an empty one, 0 or a negative one (surveys write these for "none").

    >>> as_ids(["  439101545301174272", b"17", 0, "-9999", float("nan"), "1237.0", "NGC 1"])
    ['439101545301174272', '17', None, None, None, '1237', 'NGC 1']
    """
    return [_as_id(v) for v in values]


def rounding_of(ids: list[str | None], ra_n: np.ndarray, dec_n: np.ndarray) -> str | None:
    """How a column of ids shows that its digits were rounded away; None when it does not.

    64-bit ids that went through a float or a spreadsheet end in zeros, are written with an
    exponent, or stand for several places on the sky. Such a column tells no two galaxies apart.
    """
    long = [i for i in ids if i and len(i) >= 15]
    if len(long) < 0.5 * sum(i is not None for i in ids) or not long:
        return None
    zeros = sum("e" in i.lower() or i.endswith("0" * _ROUNDED_ZEROS) for i in long) / len(long)
    if zeros > 0.5 and len(long) > 1:
        return f"{zeros:.0%} of them end in {_ROUNDED_ZEROS} zeros or more"
    shared = _shared(ids, np.asarray(ra_n, float), np.asarray(dec_n, float))
    return f"{shared} of them stand for galaxies in different places" if shared > 0.001 * len(long) else None


def _as_id(value: object) -> str | None:
    if isinstance(value, (float, np.floating)):
        return None if not np.isfinite(value) or value <= 0 else f"{value:.0f}" if value < 2**53 else f"{value:.16e}"
    text = (value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)).strip().strip("'\"")
    if text.lower() in ("", "nan", "none", "null", "<na>", "nat", "-", "--", "masked"):
        return None
    if not _NUMBER.match(text):
        return text
    text = text.removeprefix("+")
    text = text.split(".")[0] if re.match(r"-?\d+\.0*$", text) else text
    return None if text.startswith("-") or not text.strip("0") else text


def _shared(ids: list[str | None], ra: np.ndarray, dec: np.ndarray) -> int:
    """How many rows carry the id of an earlier row that lies elsewhere on the sky."""
    first: dict[str, int] = {}
    count = 0
    for i, name in enumerate(ids):
        if name is None or not np.isfinite(ra[i] + dec[i]):
            continue
        j = first.setdefault(name, i)
        turn = (ra[i] - ra[j] + 180) % 360 - 180
        count += math.hypot(turn * math.cos(math.radians(dec[i])), dec[i] - dec[j]) * 3600 > _SAME_ARCSEC
    return count
