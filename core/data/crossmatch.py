"""Which objects that are here already the rows of a new file belong to."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from core.columns import MODALITIES
from core.data.splits import SAME_GALAXY_ARCSEC, chord, unit_vectors

MATCH_ARCSEC = 1.5
_FIBRE = ("plate", "mjd", "fiberid")
_IDENTITY = ("id", "key", "objid", "specobjid", *_FIBRE, "ra", "dec", "sky_group")


class Sky:
    """Positions that can be added to and searched; trees double in size, so that n additions cost n log n."""

    def __init__(self) -> None:
        self._parts: list[tuple[cKDTree, np.ndarray]] = []

    def add(self, ids: np.ndarray, ra: np.ndarray, dec: np.ndarray) -> None:
        """Add objects; those without a position are passed over."""
        known = np.isfinite(ra) & np.isfinite(dec)
        vectors, ids = unit_vectors(ra[known], dec[known]), np.asarray(ids)[known]
        while self._parts and len(self._parts[-1][1]) <= 2 * len(ids):
            tree, older = self._parts.pop()
            vectors, ids = np.concatenate([tree.data, vectors]), np.concatenate([older, ids])
        if len(ids):
            self._parts.append((cKDTree(vectors), ids))

    def near(self, ra: np.ndarray, dec: np.ndarray, arcsec: float) -> list[list[tuple[float, int]]]:
        """(distance as a chord, id) of the objects around each position, nearest first; [] for a NaN position."""
        out: list[list[tuple[float, int]]] = [[] for _ in ra]
        placed = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
        vectors = unit_vectors(ra[placed], dec[placed])
        for tree, ids in self._parts:
            for i, vector, hits in zip(placed, vectors, tree.query_ball_point(vectors, chord(arcsec)), strict=True):
                out[i] += [(float(np.linalg.norm(tree.data[h] - vector)), int(ids[h])) for h in hits]
        return [sorted(hits) for hits in out]


@dataclass
class Known:
    """The objects of a workspace, as far as recognising them again needs.

    Attributes
    ----------
    keys : key or alias -> id. key_of : id -> key. fibres : (plate, mjd, fiberid) -> id, and fibre_of the way back.
    objids, specobjids : id of a survey -> ids. holds : id -> modalities present, as bits (see `bits_of`).
    groups : id -> sky group. places : id -> (ra, dec), for objects that have a position. sky : these, to search.
    """

    keys: dict[str, int] = field(default_factory=dict)
    key_of: dict[int, str] = field(default_factory=dict)
    fibres: dict[tuple[int, int, int], int] = field(default_factory=dict)
    fibre_of: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    objids: dict[str, list[int]] = field(default_factory=dict)
    specobjids: dict[str, list[int]] = field(default_factory=dict)
    holds: dict[int, int] = field(default_factory=dict)
    groups: dict[int, int] = field(default_factory=dict)
    places: dict[int, tuple[float, float]] = field(default_factory=dict)
    sky: Sky = field(default_factory=Sky)

    def add(self, table: pd.DataFrame) -> None:
        """Take in objects: columns id, key, objid, specobjid, plate, mjd, fiberid, ra, dec, sky_group.

        Of one that is known, what was not known yet is added; a key that differs is one more alias.
        """
        placed: list[int] = []
        for number, key, objid, specobjid, *fibre, ra, dec, group in zip(*(_column(table, c) for c in _IDENTITY), strict=True):
            self.keys.setdefault(key, number)
            self.key_of.setdefault(number, key)
            self.groups.setdefault(number, group)
            self.holds.setdefault(number, 0)
            self._name(number, objid, specobjid, _fibre(*fibre))
            if number not in self.places and ra == ra and dec == dec:
                self.places[number] = (ra, dec)
                placed.append(number)
        places = np.array([self.places[n] for n in placed]).reshape(-1, 2)
        self.sky.add(np.array(placed, dtype=np.int64), places[:, 0], places[:, 1])

    def _name(self, number: int, objid: str | None, specobjid: str | None, fibre: tuple[int, int, int] | None) -> None:
        for index, value in ((self.objids, objid), (self.specobjids, specobjid)):
            if value is not None and number not in index.setdefault(value, []):
                index[value].append(number)
        if fibre:
            self.fibres.setdefault(fibre, number)
            self.fibre_of.setdefault(number, fibre)

    def around(self, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """ra, dec and group of the objects near positions: what `core.data.splits.sky_groups` inherits from."""
        near = sorted({number for hits in self.sky.near(ra, dec, SAME_GALAXY_ARCSEC) for _, number in hits})
        places = np.array([self.places[n] for n in near]).reshape(-1, 2)
        return places[:, 0], places[:, 1], np.array([self.groups[n] for n in near], dtype=np.int64)


def match(known: Known, objects: pd.DataFrame, brings: list[int]) -> np.ndarray:
    """The known object that each new row belongs to.

    The same key or the same fibre is the same object. Otherwise a row joins an object that lacks
    every modality the row brings, has no other fibre and carries the same survey id or lies within
    1.5 arcsec, the nearest first: so an image finds its spectrum, and photometry both. Two
    spectra of one galaxy stay two objects (of one sky group).

    Parameters
    ----------
    objects : n rows with key and any of objid, specobjid, plate, mjd, fiberid, ra, dec.
    brings : per row the modalities it brings, as bits (see `brought`).

    Returns
    -------
    int64 (n,) ids, -1 where a row is a new object. No object is given one modality twice.
    """
    out = np.full(len(objects), -1, dtype=np.int64)
    taken: dict[int, int] = {}
    columns = [_column(objects, c) for c in ("key", *_FIBRE)]
    for i, (key, *fibre) in enumerate(zip(*columns, strict=True)):
        out[i] = known.keys.get(key, known.fibres.get(_fibre(*fibre), -1))
        if out[i] >= 0:
            taken[int(out[i])] = taken.get(int(out[i]), 0) | brings[i]
    near = known.sky.near(*(np.array(_column(objects, c), dtype=float) for c in ("ra", "dec")), MATCH_ARCSEC)
    ids = zip(_column(objects, "objid"), _column(objects, "specobjid"), *columns[1:], strict=True)
    for i, (objid, specobjid, *fibre) in enumerate(ids):
        if out[i] >= 0:
            continue
        wanted = [*known.objids.get(objid, []), *known.specobjids.get(specobjid, []), *(number for _, number in near[i])]
        out[i] = next((n for n in wanted if _is_free(known, taken, n, brings[i], _fibre(*fibre))), -1)
        if out[i] >= 0:
            taken[int(out[i])] = taken.get(int(out[i]), 0) | brings[i]
    return out


def match_fibres(known: Known, objects: pd.DataFrame) -> np.ndarray:
    """Ids of the objects with the same plate, MJD and fibre, -1 where there is none; int64 (n,)."""
    fibres = zip(*(_column(objects, c) for c in _FIBRE), strict=True)
    return np.array([known.fibres.get(_fibre(*f), -1) for f in fibres], dtype=np.int64)


def bits_of(modalities: Iterable[str]) -> int:
    """Modalities as bits, in the order of `core.columns.MODALITIES`.

    >>> bits_of(["image", "photometry"])
    5
    """
    return sum(1 << MODALITIES.index(m) for m in modalities)


def brought(n: int, arrays: dict[str, tuple[np.ndarray, np.ndarray]]) -> list[int]:
    """The bits of the modalities that each of n rows brings, from the arrays of a `core.data.records.Chunk`."""
    out = np.zeros(n, dtype=int)
    for modality, (rows, _) in arrays.items():
        out[rows] |= bits_of([modality])
    return out.tolist()


def _is_free(known: Known, taken: dict[int, int], number: int, brings: int, fibre: tuple | None) -> bool:
    other = known.fibre_of.get(number)
    return not brings & (known.holds[number] | taken.get(number, 0)) and not (fibre and other and fibre != other)


def _fibre(plate: object, mjd: object, fiberid: object) -> tuple[int, int, int] | None:
    numbers = (plate, mjd, fiberid)
    return None if any(v is None or v != v for v in numbers) else tuple(int(v) for v in numbers)


def _column(objects: pd.DataFrame, name: str) -> list:
    """A column as a list; what is missing is NaN in ra and dec, None elsewhere."""
    missing = np.nan if name in ("ra", "dec") else None
    if name not in objects:
        return [missing] * len(objects)
    return [missing if v is None or v is pd.NA or v != v else v for v in objects[name].tolist()]
