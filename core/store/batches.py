"""Query batches: which galaxies were asked for, by what strategy, why, and how far they are."""

import json
from collections.abc import Iterable

import pandas as pd

from core.errors import NotFound
from core.store.workspace import Workspace


def save(ws: Workspace, name: str, strategy: str, parameters: dict, seed: int, items: Iterable[dict], run_id: int | None = None, annotator: str | None = None) -> int:
    """Store a batch; ``items`` in rank order hold object_id, score, reason, distance, control. Returns its id."""
    with ws.write() as db:
        batch_id = db.conn.execute(
            "INSERT INTO batches (name, strategy, parameters, seed, run_id, annotator) VALUES (?, ?, ?, ?, ?, ?)",
            (name, strategy, json.dumps(parameters), int(seed), run_id, annotator),
        ).lastrowid
        db.conn.executemany(
            "INSERT INTO batch_items (batch_id, object_id, rank, score, reason, distance, control) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(batch_id, int(i["object_id"]), rank, i.get("score"), i.get("reason", ""), i.get("distance"), int(i.get("control", 0)))
             for rank, i in enumerate(items)],
        )
    return batch_id


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


def close(ws: Workspace, batch_id: int) -> None:
    """Take a batch off the labelling queue; its labels stay."""
    with ws.write() as db:
        db.conn.execute("UPDATE batches SET status = 'closed' WHERE id = ?", (int(batch_id),))
