"""What a workspace has been told to do, by name: for everybody who works in it, kept with who said so."""

import json

from core.store.workspace import Workspace


def load(ws: Workspace, name: str) -> dict | None:
    """The value kept under a name, or None."""
    table = ws.frame("SELECT value FROM preferences WHERE name = ?", (name,))
    return None if table.empty else json.loads(table["value"].iloc[0])


def save(ws: Workspace, name: str, value: dict, annotator: str) -> None:
    """Keep a value under a name; what was kept under it before gives way."""
    with ws.write() as db:
        db.conn.execute("INSERT OR REPLACE INTO preferences (name, value, annotator) VALUES (?, ?, ?)", (name, json.dumps(value), annotator))
