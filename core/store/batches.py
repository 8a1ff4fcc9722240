"""Query batches: which galaxies were asked for, by what strategy, why, and how far they are."""

import json
from collections.abc import Iterable

import pandas as pd
import sqlite_utils

from core.errors import NotFound
from core.store.workspace import Workspace


def save(ws: Workspace, name: str, strategy: str, parameters: dict, seed: int, items: Iterable[dict], run_id: int | None = None, annotator: str | None = None) -> int:
    """Store a batch; ``items`` in rank order hold object_id, score, reason, distance, control. Returns its id."""
    with ws.write() as db:
        batch_id = db.conn.execute(
            "INSERT INTO batches (name, strategy, parameters, seed, run_id, annotator) VALUES (?, ?, ?, ?, ?, ?)",
            (name, strategy, json.dumps(parameters), int(seed), run_id, annotator),
        ).lastrowid
        _put(db, batch_id, items, 0)
    return batch_id


def extend(ws: Workspace, name: str, strategy: str, items: Iterable[dict]) -> int:
    """Put items (as in `save`) at the end of the closed batch of that name and strategy, which is made when it is not there; returns its id.

    For what is asked for one at a time and waits for nobody. An object that is in the batch already stays as it is.
    """
    with ws.write() as db:
        found = db.conn.execute("SELECT id FROM batches WHERE name = ? AND strategy = ? AND status = 'closed'", (name, strategy)).fetchone()
        batch_id = found[0] if found else db.conn.execute("INSERT INTO batches (name, strategy, seed, status) VALUES (?, ?, 0, 'closed')", (name, strategy)).lastrowid
        _put(db, batch_id, items, db.conn.execute("SELECT COALESCE(MAX(rank) + 1, 0) FROM batch_items WHERE batch_id = ?", (batch_id,)).fetchone()[0])
    return batch_id


def _put(db: sqlite_utils.Database, batch_id: int, items: Iterable[dict], first: int) -> None:
    db.conn.executemany(
        "INSERT OR IGNORE INTO batch_items (batch_id, object_id, rank, score, reason, distance, control) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(batch_id, int(i["object_id"]), rank, i.get("score"), i.get("reason", ""), i.get("distance"), int(i.get("control", 0)))
         for rank, i in enumerate(items, first)],
    )


def frame(ws: Workspace) -> pd.DataFrame:
    """Batches, newest first, with how many items they hold and how many have the standing decisions they ask for: one, or one from
    each of as many people as the batch is shared out among."""
    return ws.frame("""
        SELECT b.*, COUNT(i.object_id) AS size, SUM((
            SELECT COUNT(DISTINCT l.annotator) FROM labels l WHERE l.object_id = i.object_id AND l.action IN ('label', 'cannot') AND l.batch_id = b.id
            AND NOT EXISTS (SELECT 1 FROM labels r WHERE r.action = 'retract' AND r.supersedes = l.id)) >= COALESCE(a.overlap, 1)) AS done
        FROM batches b LEFT JOIN batch_items i ON i.batch_id = b.id LEFT JOIN assignments a ON a.batch_id = b.id GROUP BY b.id ORDER BY b.id DESC""")


def items(ws: Workspace, batch_id: int) -> pd.DataFrame:
    """The items of a batch by rank; raises `NotFound`."""
    table = ws.frame("SELECT * FROM batch_items WHERE batch_id = ? ORDER BY rank", (int(batch_id),))
    if table.empty:
        raise NotFound(f"There is no batch {batch_id} in this workspace. Compose one on the Query page.")
    return table


def newest_of_objects(ws: Workspace) -> pd.Series:
    """The name of the newest batch that each object is in, indexed by object id."""
    table = ws.frame("SELECT i.object_id, b.name, MAX(b.id) AS newest FROM batch_items i JOIN batches b ON b.id = i.batch_id GROUP BY i.object_id")
    return table.set_index("object_id")["name"]


def close(ws: Workspace, batch_id: int) -> None:
    """Take a batch off the labelling queue; its labels stay."""
    with ws.write() as db:
        db.conn.execute("UPDATE batches SET status = 'closed' WHERE id = ?", (int(batch_id),))


def reopen(ws: Workspace, batch_id: int) -> None:
    """Put a closed batch back on the labelling queue."""
    with ws.write() as db:
        db.conn.execute("UPDATE batches SET status = 'open' WHERE id = ?", (int(batch_id),))
