"""Named maps: two coordinates a galaxy, and how they were made."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import NotFound
from core.store.arrays import write_file
from core.store.workspace import Workspace


def save(
    ws: Workspace, name: str, method: str, features: str, object_ids: np.ndarray, xy: np.ndarray, parameters: dict, run_id: int | None = None,
    before: np.ndarray | None = None, space: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Keep a map under a name; a new map of the same name replaces the old one.

    object_ids (n,) int, xy (n, 2); parameters are stored with it. before : (n, 2) where each galaxy stood on the map
    that this one was aligned with, NaN = nowhere. space : arrays that newcomers are placed by.
    """
    table = np.column_stack([np.asarray(object_ids, float), np.asarray(xy, float), *([] if before is None else [np.asarray(before, float)])])
    with ws.write() as db:
        number = db.conn.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM embeddings").fetchone()[0]
        file = f"{number:06d}.npy"
        write_file(ws.embeddings / file, table)
        if space is not None:
            np.savez(_space_file(ws, file), **space)
        db.conn.execute("DELETE FROM embeddings WHERE name = ?", (name,))
        db.conn.execute(
            "INSERT INTO embeddings (id, name, method, features, run_id, parameters, file) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, name, method, features, run_id, json.dumps(parameters), file),
        )


def frame(ws: Workspace) -> pd.DataFrame:
    """All maps, newest first."""
    return ws.frame("SELECT * FROM embeddings ORDER BY id DESC")


def one(ws: Workspace, name: str) -> dict:
    """A map's row, ``parameters`` as a mapping; raises `NotFound`."""
    table = ws.frame("SELECT * FROM embeddings WHERE name = ?", (name,))
    if table.empty:
        raise NotFound(f"There is no map named {name}. Make one on the Explore page.")
    row = table.astype(object).iloc[0].to_dict()
    return row | {"parameters": json.loads(row["parameters"]), "run_id": None if pd.isna(row["run_id"]) else int(row["run_id"])}


def load(ws: Workspace, name: str) -> tuple[np.ndarray, np.ndarray]:
    """object_ids (n,) int64 and xy (n, 2) float32 of a map; raises `NotFound`."""
    values = np.load(ws.embeddings / one(ws, name)["file"], allow_pickle=False)
    return values[:, 0].astype(np.int64), values[:, 1:3].astype(np.float32)


def load_before(ws: Workspace, name: str) -> np.ndarray | None:
    """Where each galaxy of a map stood on the one it was aligned with, float32 (n, 2), NaN = nowhere; None without such a map."""
    values = np.load(ws.embeddings / one(ws, name)["file"], allow_pickle=False)
    return values[:, 3:].astype(np.float32) if values.shape[1] == 5 else None


def load_space(ws: Workspace, name: str) -> dict[str, np.ndarray]:
    """What newcomers are placed by; raises `NotFound` for a map that keeps none."""
    path = _space_file(ws, one(ws, name)["file"])
    if not path.exists():
        raise NotFound(f"The map {name} cannot take newcomers: it was made before maps kept what that needs. Make it again.")
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def takes_newcomers(ws: Workspace, name: str) -> bool:
    """Whether a map keeps what newcomers are placed by."""
    return _space_file(ws, one(ws, name)["file"]).exists()


def _space_file(ws: Workspace, file: str) -> Path:
    return ws.embeddings / f"{Path(file).stem}-space.npz"
