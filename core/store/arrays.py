"""Image, spectrum and photometry arrays in memory-mapped shards of fixed size.

Row ``r`` of a modality lies in shard ``r // SHARD_ROWS`` at offset ``r % SHARD_ROWS``.
A shard file never changes: filling the last one writes a new file (temporary name, fsync,
rename) and the manifest row moves to it in the same transaction as the objects. A crash
leaves at most a file that no manifest row names; the next append removes it.
"""

import fcntl
import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
import sqlite_utils

from core.store.objects import as_json
from core.store.workspace import Workspace

SHARD_ROWS = 256
SHAPES = {"image": (5, 64, 64), "spectrum": (2, 4620), "photometry": (2, 5)}
"""image: ugriz in nanomaggies per pixel. spectrum: flux in 1e-17 erg/s/cm2/A and its inverse
variance on the grid of `core.preprocess.spectrum.LOGLAM`, 0 ivar = no information.
photometry: ugriz dereddened magnitudes and their errors, NaN = missing. All float32."""


class Appender:
    """Stages new rows in files; `publish` inside a transaction makes them visible."""

    def __init__(self, ws: Workspace):
        self._ws = ws
        self._manifest: list[tuple[str, int, str, int]] = []
        self._length = _lengths(ws)

    def stage(self, modality: str, array: np.ndarray) -> np.ndarray:
        """Write rows to shard files and return their row numbers, shape (k,)."""
        array = np.ascontiguousarray(array, dtype=np.float32)
        if array.shape[1:] != SHAPES[modality]:
            raise ValueError(f"{modality} rows must have shape {SHAPES[modality]}; got {array.shape[1:]}")
        first = self._length.get(modality, 0)
        rows = np.arange(first, first + len(array))
        for number in np.unique(rows // SHARD_ROWS):
            self._write_shard(modality, int(number), array[rows // SHARD_ROWS == number])
        self._length[modality] = first + len(array)
        return rows

    def publish(self, db: sqlite_utils.Database) -> None:
        """Record the staged shards in the manifest; call inside the transaction of their objects."""
        for row in self._manifest:
            db.conn.execute("INSERT OR REPLACE INTO shards (modality, number, file, rows) VALUES (?, ?, ?, ?)", row)
        self._manifest.clear()

    def _write_shard(self, modality: str, number: int, fresh: np.ndarray) -> None:
        staged = {(m, n): f for m, n, f, _ in self._manifest}
        old = staged.get((modality, number)) or _manifest(self._ws, modality).get(number)
        if old:
            fresh = np.concatenate([np.load(self._ws.arrays / old, mmap_mode="r"), fresh])
        name = f"{modality}-{number:06d}-{uuid.uuid4().hex[:12]}.npy"
        write_file(self._ws.arrays / name, fresh)
        self._manifest.append((modality, number, name, len(fresh)))


@contextmanager
def appending(ws: Workspace) -> Iterator[Appender]:
    """The only way to add rows: one appender at a time, leftovers of a crash swept first."""
    with open(ws.arrays / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _sweep(ws)
        yield Appender(ws)


def link(db: sqlite_utils.Database, modality: str, object_ids: Iterable[int], rows: Iterable[int]) -> None:
    """Say which row belongs to which object; an object that has the modality keeps what it has."""
    db.conn.executemany(
        "INSERT OR IGNORE INTO arrays (object_id, modality, row) VALUES (?, ?, ?)",
        [(int(i), modality, int(r)) for i, r in zip(object_ids, rows, strict=True)],
    )


def rows_of(ws: Workspace, modality: str, object_ids: Iterable[int]) -> np.ndarray:
    """Row number of each object, -1 where it lacks the modality; shape (n,)."""
    ids = [int(i) for i in object_ids]
    table = ws.frame(
        "SELECT a.object_id, a.row FROM json_each(?) j CROSS JOIN arrays a ON a.object_id = j.value AND a.modality = ?",
        (as_json(ids), modality),
    )
    found = dict(zip(table["object_id"], table["row"], strict=True))
    return np.array([found.get(i, -1) for i in ids], dtype=np.int64)


def having(ws: Workspace, modalities: Iterable[str]) -> np.ndarray:
    """Ids of the objects that have all of the modalities, ascending, int64."""
    wanted = list(modalities)
    table = ws.frame("""SELECT object_id FROM arrays WHERE modality IN (SELECT value FROM json_each(?)) GROUP BY object_id HAVING COUNT(*) = ? ORDER BY object_id""",
                     (json.dumps(wanted), len(wanted)))
    return table["object_id"].to_numpy(np.int64)


def read(ws: Workspace, modality: str, object_ids: Iterable[int]) -> tuple[np.ndarray, np.ndarray]:
    """Arrays of objects, and which of them have the modality.

    Returns
    -------
    values : float32 (n, *SHAPES[modality]); NaN where the object lacks the modality.
    present : bool (n,).
    """
    rows = rows_of(ws, modality, object_ids)
    values = np.full((len(rows), *SHAPES[modality]), np.nan, dtype=np.float32)
    files = _manifest(ws, modality)
    for number in np.unique(rows[rows >= 0] // SHARD_ROWS):
        here = rows // SHARD_ROWS == number
        here &= rows >= 0
        values[here] = _shard(ws.arrays / files[int(number)])[rows[here] % SHARD_ROWS]
    return values, rows >= 0


def reduced(ws: Workspace, modality: str, object_ids: Iterable[int], reduction: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """One number of each object's array, float (n,), NaN where it lacks the modality.

    ``reduction`` takes rows (k, *SHAPES[modality]) and gives (k,). It is a function of a module, for its answer is
    kept: it is asked once in this process about a shard, which never changes.
    """
    rows, files = rows_of(ws, modality, object_ids), _manifest(ws, modality)
    values = np.full(len(rows), np.nan)
    for number in np.unique(rows[rows >= 0] // SHARD_ROWS):
        here = (rows // SHARD_ROWS == number) & (rows >= 0)
        values[here] = _reduced(ws.arrays / files[int(number)], reduction)[rows[here] % SHARD_ROWS]
    return values


def write_file(path: Path, array: np.ndarray) -> None:
    """Write an .npy file that is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    with open(temporary, "wb") as file:
        np.save(file, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


@lru_cache(maxsize=256)
def _shard(path: Path) -> np.ndarray:
    """A memory map, kept: the file behind a name never changes. Each holds a file descriptor."""
    return np.load(path, mmap_mode="r", allow_pickle=False)


@lru_cache(maxsize=16384)
def _reduced(path: Path, reduction: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return np.asarray(reduction(np.load(path, mmap_mode="r", allow_pickle=False)), np.float32)


def _manifest(ws: Workspace, modality: str) -> dict[int, str]:
    with ws.read() as db:
        return dict(db.conn.execute("SELECT number, file FROM shards WHERE modality = ?", [modality]).fetchall())


def _lengths(ws: Workspace) -> dict[str, int]:
    with ws.read() as db:
        return dict(db.conn.execute("SELECT modality, SUM(rows) FROM shards GROUP BY modality").fetchall())


def _sweep(ws: Workspace) -> None:
    """Remove files that no manifest row names: leftovers of a crash, and shards since replaced."""
    with ws.read() as db:
        known = {name for (name,) in db.conn.execute("SELECT file FROM shards").fetchall()}
    for path in ws.arrays.glob("*.npy"):
        if path.name not in known:
            path.unlink()
    for path in ws.arrays.glob(".*.npy.*"):
        path.unlink()
