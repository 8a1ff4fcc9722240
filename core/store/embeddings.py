"""Named maps: two coordinates a galaxy, and how they were made."""

import json

import numpy as np
import pandas as pd

from core.errors import NotFound
from core.store.arrays import write_file
from core.store.workspace import Workspace


def save(ws: Workspace, name: str, method: str, features: str, object_ids: np.ndarray, xy: np.ndarray, parameters: dict, run_id: int | None = None) -> None:
    """Keep a map under a name; a new map of the same name replaces the old one.

    object_ids (n,) int, xy (n, 2); parameters are stored with it.
    """
    table = np.column_stack([np.asarray(object_ids, float), np.asarray(xy, float)])
    with ws.write() as db:
        number = db.conn.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM embeddings").fetchone()[0]
        file = f"{number:06d}.npy"
        write_file(ws.embeddings / file, table)
        db.conn.execute("DELETE FROM embeddings WHERE name = ?", (name,))
        db.conn.execute(
            "INSERT INTO embeddings (id, name, method, features, run_id, parameters, file) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, name, method, features, run_id, json.dumps(parameters), file),
        )


def frame(ws: Workspace) -> pd.DataFrame:
    """All maps, newest first."""
    return ws.frame("SELECT * FROM embeddings ORDER BY id DESC")


def load(ws: Workspace, name: str) -> tuple[np.ndarray, np.ndarray]:
    """object_ids (n,) int64 and xy (n, 2) float32 of a map; raises `NotFound`."""
    table = ws.frame("SELECT file FROM embeddings WHERE name = ?", (name,))
    if table.empty:
        raise NotFound(f"There is no map named {name}. Make one on the Explore page.")
    values = np.load(ws.embeddings / table["file"].iloc[0], allow_pickle=False)
    return values[:, 0].astype(np.int64), values[:, 1:].astype(np.float32)
