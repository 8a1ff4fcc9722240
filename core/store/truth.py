"""Catalogue values that an oracle may reveal.

No model reads this table: values reach training only through a label, and evaluation only
on held-out objects.
"""

from collections.abc import Iterable

import pandas as pd
import sqlite_utils

from core.columns import TARGET_NAMES, TARGETS, Target
from core.store.objects import as_json
from core.store.workspace import Workspace


def put(db: sqlite_utils.Database, rows: Iterable[tuple[int, str, float, float | None, str]]) -> None:
    """Add (object_id, target, value, sigma, source) rows; a value that is there is kept."""
    db.conn.executemany("INSERT OR IGNORE INTO truth (object_id, target, value, sigma, source) VALUES (?, ?, ?, ?, ?)", list(rows))


def frame(ws: Workspace, ids: Iterable[int] | None = None) -> pd.DataFrame:
    """Truth in long form: object_id, target, value, sigma (NaN = unknown), source."""
    where, parameters = ("", ()) if ids is None else ("WHERE object_id IN (SELECT value FROM json_each(?))", (as_json(ids),))
    return ws.frame(f"SELECT object_id, target, value, sigma, source FROM truth {where} ORDER BY object_id, target", parameters)


def declare_target(db: sqlite_utils.Database, target: Target) -> None:
    """Add a numeric target of this workspace's own (stellar mass, say); the nine built-in ones stay."""
    if target.name in TARGET_NAMES:
        raise ValueError(f"{target.name} is built in; a declared target needs another name")
    row = (target.name, target.unit, target.task_group, target.low, target.high, target.sentence)
    db.conn.execute("INSERT OR REPLACE INTO targets VALUES (?, ?, ?, ?, ?, ?)", row)


def targets(ws: Workspace) -> tuple[Target, ...]:
    """The nine targets, then the workspace's own in the order of declaration."""
    with ws.read() as db:
        rows = db.conn.execute("SELECT name, unit, task_group, low, high, sentence FROM targets ORDER BY rowid").fetchall()
    return TARGETS + tuple(Target(*row) for row in rows)
