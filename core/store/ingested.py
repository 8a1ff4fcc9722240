"""What ingest needs of the store: who is here already, and the report of what came in and what did not."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd
import sqlite_utils

from core.store.objects import as_json
from core.store.workspace import Workspace

_COLUMNS = ("job_id", "path", "product", "status", "new", "updated", "counts", "message")


@dataclass
class Entry:
    """One row of the report: a file, or the files that are read as one.

    Attributes
    ----------
    status : ``read`` (something of it is new here), ``known`` (all of it was here) or ``refused``.
    new, updated : objects added, and objects that were here and gained something.
    counts : image, spectrum, photometry and truth added; ``missing`` and ``left_out``, each reason or column -> number;
        ``complete`` once the file was read to its end.
    message : why it was refused, or what a person should know.
    """

    path: str
    product: str
    status: str = "known"
    new: int = 0
    updated: int = 0
    counts: dict = field(default_factory=dict)
    message: str = ""


def put(db: sqlite_utils.Database, job_id: int, entries: Iterable[Entry]) -> None:
    """Write rows of a job's report; call inside the transaction of their objects. An older row of the same path is replaced."""
    db.conn.executemany(
        f"INSERT OR REPLACE INTO ingest_report ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",
        [(int(job_id), e.path, e.product, e.status, e.new, e.updated, json.dumps(e.counts), e.message) for e in entries],
    )


def entries(ws: Workspace, job_id: int) -> list[Entry]:
    """The report of a job, in order of path."""
    table = ws.frame("SELECT * FROM ingest_report WHERE job_id = ? ORDER BY path", (int(job_id),))
    return [Entry(r.path, r.product, r.status, r.new, r.updated, json.loads(r.counts), r.message) for r in table.itertuples()]


def latest_job(ws: Workspace) -> int | None:
    """The newest job that has a report."""
    value = ws.frame("SELECT MAX(job_id) AS id FROM ingest_report")["id"].iloc[0]
    return None if value is None or pd.isna(value) else int(value)


def mark(ws: Workspace) -> tuple[int, int]:
    """Changes whenever objects or arrays are added, by whomever."""
    with ws.read() as db:
        return db.conn.execute("SELECT (SELECT COALESCE(MAX(id), 0) FROM objects), (SELECT COALESCE(SUM(rows), 0) FROM shards)").fetchone()


def identities(ws: Workspace) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """All objects (id, key, objid, specobjid, plate, mjd, fiberid, ra, dec, sky_group, source, simulated), which arrays they
    have (object_id, modality), and further keys they are known by (object_id, alias)."""
    objects = ws.frame("SELECT id, key, objid, specobjid, plate, mjd, fiberid, ra, dec, sky_group, source, simulated FROM objects ORDER BY id")
    objects = objects.astype({c: float for c in ("plate", "mjd", "fiberid", "ra", "dec")})
    aliases = ws.frame(
        """SELECT o.id AS object_id, a.key AS alias FROM objects o, json_each(o.metadata, '$.aliases') a WHERE o.metadata LIKE '%"aliases"%'"""
    )
    return objects, ws.frame("SELECT object_id, modality FROM arrays"), aliases


def truth_there(db: sqlite_utils.Database, object_ids: Iterable[int]) -> set[tuple[int, str]]:
    """(object_id, target) of the truth that objects have already."""
    sql = "SELECT object_id, target FROM truth WHERE object_id IN (SELECT value FROM json_each(?))"
    return set(db.conn.execute(sql, [as_json(object_ids)]).fetchall())
