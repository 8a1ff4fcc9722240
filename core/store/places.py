"""Where each annotator sat last at the labelling desk."""

from core.store.workspace import Workspace


def put(ws: Workspace, annotator: str, source: str, object_id: int) -> None:
    """Note that an annotator is at an object of a queue; the place before it is forgotten."""
    with ws.write() as db:
        db.conn.execute("INSERT OR REPLACE INTO places (annotator, source, object_id) VALUES (?, ?, ?)", (annotator, source, int(object_id)))


def get(ws: Workspace, annotator: str) -> tuple[str, int] | None:
    """Queue source and object of an annotator's last place; None for somebody new."""
    rows = ws.frame("SELECT source, object_id FROM places WHERE annotator = ?", (annotator,))
    return None if rows.empty else (str(rows["source"].iloc[0]), int(rows["object_id"].iloc[0]))
