"""Saved ways of looking at a map."""

import json

import pandas as pd

from core.errors import NotFound
from core.store.workspace import Workspace


def save(ws: Workspace, name: str, settings: dict, annotator: str) -> None:
    """Keep settings under a name; a view of the same name is replaced."""
    with ws.write() as db:
        db.conn.execute("INSERT OR REPLACE INTO views (name, settings, annotator) VALUES (?, ?, ?)", (name, json.dumps(settings), annotator))


def frame(ws: Workspace) -> pd.DataFrame:
    """All views, newest first: name, settings (JSON), annotator, created."""
    return ws.frame("SELECT * FROM views ORDER BY created DESC, name")


def load(ws: Workspace, name: str) -> dict:
    """The settings of a view; raises `NotFound`."""
    table = ws.frame("SELECT settings FROM views WHERE name = ?", (name,))
    if table.empty:
        raise NotFound(f"There is no saved view named {name}. It was removed, or the link is of another workspace.")
    return json.loads(table["settings"].iloc[0])


def remove(ws: Workspace, name: str) -> None:
    """Forget a view; what it showed stays."""
    with ws.write() as db:
        db.conn.execute("DELETE FROM views WHERE name = ?", (name,))
