"""Chunks of survey data into the workspace: matched to what is here, whole transactions, nothing twice."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import sqlite_utils

from core.columns import MODALITIES, OBJECT_COLUMN_NAMES
from core.data.crossmatch import Known, bits_of, brought, match, match_fibres
from core.data.records import Chunk
from core.data.splits import sky_groups, split_of
from core.store import Workspace, arrays, ingested, objects, truth

Hook = Callable[[sqlite_utils.Database, "Gain"], None]


@dataclass(frozen=True)
class Gain:
    """What each of the n rows of a chunk brought.

    Attributes
    ----------
    ids : int64 (n,), the object of each row; -1 where a row only adds to objects that are here and found none.
    is_new : bool (n,). stored : modality -> bool (n,). truth : int (n,), truth values that were not here.
    """

    ids: np.ndarray
    is_new: np.ndarray
    stored: dict[str, np.ndarray]
    truth: np.ndarray

    @property
    def is_updated(self) -> np.ndarray:
        """Rows whose object was here and gained an array or a truth value."""
        return ~self.is_new & (self.ids >= 0) & (np.any(list(self.stored.values()), axis=0) | (self.truth > 0))


def combined(chunks: Iterable[Chunk]) -> Chunk:
    """Several chunks of one product as one: rows, arrays and truth; not their notes and counts."""
    chunks = list(chunks)
    if len(chunks) == 1:
        return chunks[0]
    starts = np.cumsum([0, *(len(c.objects) for c in chunks)])[:-1]
    parts = {m: [(c.arrays[m][0] + s, c.arrays[m][1]) for c, s in zip(chunks, starts, strict=True) if m in c.arrays] for m in MODALITIES}
    arrays_ = {m: (np.concatenate([r for r, _ in p]), np.concatenate([v for _, v in p])) for m, p in parts.items() if p}
    lines = [c.truth.assign(row=c.truth["row"] + s) for c, s in zip(chunks, starts, strict=True) if len(c.truth)]
    table = pd.DataFrame([row for c in chunks for row in c.objects.to_dict("records")])
    return Chunk(table, arrays_, pd.concat(lines, ignore_index=True) if lines else chunks[0].truth, matches=chunks[0].matches)


class Storing:
    """Writes chunks one after another, each in one transaction, and remembers who is here in between."""

    def __init__(self, ws: Workspace):
        self._ws = ws
        self._known = Known()
        self._mark: tuple[int, int] | None = None

    @property
    def fibres(self) -> set[tuple[int, int, int]]:
        """(plate, mjd, fiberid) of all objects."""
        self._look()
        return set(self._known.fibres)

    def positions(self) -> pd.DataFrame:
        """key, ra, dec and source of all objects that were observed and have a position."""
        table, _, _ = ingested.identities(self._ws)
        return table.loc[table["simulated"] == 0, ["key", "ra", "dec", "source"]].dropna(subset=["ra", "dec"]).reset_index(drop=True)

    def store(self, chunk: Chunk, hook: Hook | None = None) -> Gain:
        """Store what is new of a chunk; ``hook(db, gain)`` may write more in the same transaction.

        All of it is stored or, if anything fails, nothing; what is here already is left as it is,
        but for empty columns that the chunk fills.
        """
        with arrays.appending(self._ws) as appender:
            self._look()
            ids = match_fibres(self._known, chunk.objects) if chunk.matches else match(self._known, chunk.objects, brought(len(chunk.objects), chunk.arrays))
            rows = self._rows(chunk, ids)
            same = _same_object(ids, rows)
            wanted = self._wanted(chunk, ids, same)
            staged = {m: appender.stage(m, chunk.arrays[m][1][mask]) for m, mask in wanted.items() if mask.any()}
            with self._ws.write() as db:
                kept = np.flatnonzero(ids >= 0) if chunk.matches else np.arange(len(ids))
                final = np.full(len(ids), -1, dtype=np.int64)
                final[kept] = objects.upsert(db, [rows[i] for i in kept])
                appender.publish(db)
                for modality, numbers in staged.items():
                    arrays.link(db, modality, final[chunk.arrays[modality][0][wanted[modality]]], numbers)
                gain = self._gain(db, chunk, ids, same, wanted, final)
                if hook is not None:
                    hook(db, gain)
            self._remember(rows, final, gain)
        return gain

    def _look(self) -> None:
        """Read who is here, unless nobody wrote since we did."""
        now = ingested.mark(self._ws)
        if now == self._mark:
            return
        table, held, aliases = ingested.identities(self._ws)
        self._known = Known()
        self._known.add(table)
        for number, modality in zip(held["object_id"].tolist(), held["modality"], strict=True):
            self._known.holds[number] |= bits_of([modality])
        self._known.keys.update({alias: number for number, alias in zip(aliases["object_id"].tolist(), aliases["alias"], strict=True) if alias not in self._known.keys})
        self._mark = now

    def _rows(self, chunk: Chunk, ids: np.ndarray) -> list[dict]:
        """Rows for the store: a known object under its own key (the row's is kept as an alias), a new one with group and split."""
        table = chunk.objects
        rows = table[[c for c in (*OBJECT_COLUMN_NAMES, "metadata") if c in table]].to_dict("records")
        fresh = np.flatnonzero(ids < 0)
        ra, dec = (table[c].to_numpy(float)[fresh] if c in table else np.full(len(fresh), np.nan) for c in ("ra", "dec"))
        groups = sky_groups([rows[i]["key"] for i in fresh], ra, dec, self._known.around(ra, dec))
        for i, group, split in zip(fresh, groups.tolist(), split_of(groups), strict=True):
            rows[i] |= {"sky_group": group, "split": split}
        for i in np.flatnonzero(ids >= 0):
            number, key = int(ids[i]), rows[i]["key"]
            own = self._known.key_of[number]
            rows[i] |= {"key": own, "sky_group": self._known.groups[number], "split": "train"}
            if key != own and not chunk.matches:
                rows[i]["metadata"] = {**(rows[i].get("metadata") or {}), "aliases": {key: rows[i].get("source", "")}}
        return rows

    def _wanted(self, chunk: Chunk, ids: np.ndarray, same: np.ndarray) -> dict[str, np.ndarray]:
        """Which rows of each array to store: those of objects that lack the modality, each object once."""
        out = {}
        for modality, (place, _) in chunk.arrays.items():
            bit = bits_of([modality])
            lacks = np.array([ids[p] < 0 or not self._known.holds[int(ids[p])] & bit for p in place], dtype=bool)
            first = np.zeros(len(place), dtype=bool)
            first[np.unique(same[place], return_index=True)[1]] = True
            out[modality] = lacks & first
        return out

    def _gain(self, db: sqlite_utils.Database, chunk: Chunk, ids: np.ndarray, same: np.ndarray, wanted: dict[str, np.ndarray], final: np.ndarray) -> Gain:
        n = len(ids)
        stored = {m: np.zeros(n, dtype=bool) for m in MODALITIES}
        for modality, mask in wanted.items():
            stored[modality][chunk.arrays[modality][0][mask]] = True
        is_new = ids < 0
        is_new &= (np.arange(n) == same) & ~np.full(n, chunk.matches)
        return Gain(final, is_new, stored, _put_truth(db, chunk, final))

    def _remember(self, rows: list[dict], final: np.ndarray, gain: Gain) -> None:
        kept = np.flatnonzero(final >= 0)
        table = pd.DataFrame([rows[i] | {"id": int(final[i])} for i in kept])
        if len(table):
            self._known.add(table)
        for modality, mask in gain.stored.items():
            for number in final[mask].tolist():
                self._known.holds[number] |= bits_of([modality])
        for i in kept:
            for alias in (rows[i].get("metadata") or {}).get("aliases", {}):
                self._known.keys.setdefault(alias, int(final[i]))
        self._mark = ingested.mark(self._ws)


def _same_object(ids: np.ndarray, rows: list[dict]) -> np.ndarray:
    """The first row of each row's object within the chunk, int (n,)."""
    first: dict[object, int] = {}
    return np.array([first.setdefault(int(n) if n >= 0 else row["key"], i) for i, (n, row) in enumerate(zip(ids, rows, strict=True))], dtype=np.int64)


def _put_truth(db: sqlite_utils.Database, chunk: Chunk, final: np.ndarray) -> np.ndarray:
    """Add truth that is not there yet; how many values each row added."""
    added = np.zeros(len(final), dtype=np.int64)
    if not len(chunk.truth):
        return added
    there = ingested.truth_there(db, np.unique(final[final >= 0]))
    sources = chunk.objects["source"].tolist() if "source" in chunk.objects else [""] * len(final)
    lines = []
    for row, target, value, sigma in zip(*(chunk.truth[c].tolist() for c in ("row", "target", "value", "sigma")), strict=True):
        pair = (int(final[int(row)]), target)
        if pair[0] >= 0 and pair not in there:
            there.add(pair)
            lines.append((*pair, value, None if sigma != sigma else sigma, sources[int(row)]))
            added[int(row)] += 1
    truth.put(db, lines)
    return added
