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
    keys : key or alias -> id. fibres : (plate, mjd, fiberid) -> id. objids, specobjids : id of a survey -> ids.
    holds : id -> modalities present, as bits (see `bits_of`). groups : id -> sky group. places : id -> (ra, dec). sky : positions to search.
    """

    keys: dict[str, int] = field(default_factory=dict)
    fibres: dict[tuple[int, int, int], int] = field(default_factory=dict)
    objids: dict[str, list[int]] = field(default_factory=dict)
    specobjids: dict[str, list[int]] = field(default_factory=dict)
    fibre_of: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    holds: dict[int, int] = field(default_factory=dict)
    groups: dict[int, int] = field(default_factory=dict)
    places: dict[int, tuple[float, float]] = field(default_factory=dict)
    sky: Sky = field(default_factory=Sky)

    def add(self, table: pd.DataFrame) -> None:
        """Take in objects: columns id, key, objid, specobjid, plate, mjd, fiberid, ra, dec, sky_group; an id that is known is left as it is."""
        fresh = table[~table["id"].isin(self.holds)].drop_duplicates("id")
        for row in fresh.itertuples():
            number = int(row.id)
            self.keys[row.key] = number
            self.groups[number], self.places[number] = int(row.sky_group), (float(row.ra), float(row.dec))
            self.holds[number] = 0
            for index, value in ((self.objids, row.objid), (self.specobjids, row.specobjid)):
                if isinstance(value, str):
                    index.setdefault(value, []).append(number)
            fibre = _fibre(row.plate, row.mjd, row.fiberid)
            if fibre:
                self.fibres[fibre], self.fibre_of[number] = number, fibre
        self.sky.add(fresh["id"].to_numpy(), fresh["ra"].to_numpy(float), fresh["dec"].to_numpy(float))

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
    """A column as a list, None where it is missing or has no value."""
    if name not in objects:
        return [np.nan if name in ("ra", "dec") else None] * len(objects)
    return [None if v is pd.NA or (isinstance(v, float) and v != v and name not in ("ra", "dec")) else v for v in objects[name].tolist()]
