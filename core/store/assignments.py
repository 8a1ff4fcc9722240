"""Batches shared out among people: who labels which object of a batch, in what order, and what is known beforehand."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from core.store.workspace import Workspace

_DECIDED = """EXISTS (SELECT 1 FROM labels l WHERE l.object_id = i.object_id AND l.target = 'z' AND l.annotator = i.annotator
    AND l.action IN ('label', 'cannot') AND l.source <> 'adjudication'
    AND NOT EXISTS (SELECT 1 FROM labels r WHERE r.action = 'retract' AND r.supersedes = l.id))"""
"""Whether the person of an ``assignment_items i`` has a standing decision of their own about its redshift, wherever it was made."""


@dataclass(frozen=True)
class Assignment:
    """How a batch was shared out.

    Attributes
    ----------
    overlap : how many people label each object. seed : of the draw. gold_share : objects with a known answer, over a person's own.
    tells_gold : whether a person hears after the grade how far they were from a known answer. assigned_by : a name.
    """

    batch_id: int
    overlap: int
    seed: int
    gold_share: float
    tells_gold: bool
    assigned_by: str


def save(ws: Workspace, made: Assignment, items: Iterable[tuple[str, int, int, float | None]]) -> None:
    """Store an assignment with its (annotator, object_id, place, gold) rows; an earlier one of the batch gives way, its labels stay."""
    row = (made.batch_id, made.overlap, made.seed, made.gold_share, int(made.tells_gold), made.assigned_by)
    with ws.write() as db:
        db.conn.execute("DELETE FROM assignments WHERE batch_id = ?", (made.batch_id,))
        db.conn.execute("INSERT INTO assignments (batch_id, overlap, seed, gold_share, tells_gold, assigned_by) VALUES (?, ?, ?, ?, ?, ?)", row)
        db.conn.executemany("INSERT INTO assignment_items (batch_id, annotator, object_id, place, gold) VALUES (?, ?, ?, ?, ?)",
                            [(made.batch_id, *item) for item in items])


def remove(ws: Workspace, batch_id: int) -> None:
    """Give a batch back to everybody; its labels stay."""
    with ws.write() as db:
        db.conn.execute("DELETE FROM assignments WHERE batch_id = ?", (int(batch_id),))


def of(ws: Workspace, batch_id: int) -> Assignment | None:
    """How a batch is shared out, or None."""
    table = ws.frame("SELECT batch_id, overlap, seed, gold_share, tells_gold, assigned_by FROM assignments WHERE batch_id = ?", (int(batch_id),))
    if table.empty:
        return None
    row = table.iloc[0]
    return Assignment(int(row["batch_id"]), int(row["overlap"]), int(row["seed"]), float(row["gold_share"]), bool(row["tells_gold"]), row["assigned_by"])


def items(ws: Workspace, batch_id: int, annotator: str | None = None) -> pd.DataFrame:
    """annotator, object_id, place and gold (NaN = not known) of a batch, of one person or of all, in the order of their shares."""
    return ws.frame(
        "SELECT annotator, object_id, place, gold FROM assignment_items WHERE batch_id = ? AND annotator = COALESCE(?, annotator) ORDER BY annotator, place",
        (int(batch_id), annotator),
    ).astype({"gold": float})


def gold(ws: Workspace) -> pd.DataFrame:
    """annotator, object_id and gold of every object that was mixed in with a known answer."""
    return ws.frame("SELECT annotator, object_id, MAX(gold) AS gold FROM assignment_items WHERE gold IS NOT NULL GROUP BY annotator, object_id").astype({"gold": float})


def progress(ws: Workspace) -> pd.DataFrame:
    """One row a batch and person, by batch: batch_id, annotator, share (objects), done (with their standing decision about z, wherever it was made)."""
    return ws.frame(f"SELECT batch_id, annotator, COUNT(*) AS share, SUM({_DECIDED}) AS done FROM assignment_items i GROUP BY batch_id, annotator ORDER BY batch_id, annotator")


def blind(ws: Workspace, annotator: str) -> list[int]:
    """The objects of which `is_blind` is true for a person, ascending."""
    sql = f"SELECT DISTINCT i.object_id FROM assignment_items i JOIN batches b ON b.id = i.batch_id WHERE i.annotator = ? AND b.status = 'open' AND NOT {_DECIDED} ORDER BY i.object_id"
    return ws.frame(sql, (annotator,))["object_id"].tolist()


def is_blind(ws: Workspace, object_id: int, annotator: str) -> bool:
    """Whether a person is yet to decide about an object that an open batch has for them, so that what others said of it is kept from them."""
    sql = f"""SELECT EXISTS (SELECT 1 FROM assignment_items i JOIN batches b ON b.id = i.batch_id
        WHERE i.object_id = ? AND i.annotator = ? AND b.status = 'open' AND NOT {_DECIDED}) AS n"""
    return bool(ws.frame(sql, (int(object_id), annotator))["n"].iloc[0])
