"""What is like a galaxy, and how it looks."""

import numpy as np

from core.errors import NotFound
from core.services.exploring.places import rows_of
from core.services.exploring.table import MapTable
from core.store import Workspace, arrays, runs


def nearest(ws: Workspace, table: MapTable, object_id: int, count: int = 12) -> np.ndarray:
    """The objects most like one, nearest first, without itself, int64 (<= count,).

    Likeness is distance in the latent features of the map's run; without them, distance on the map.
    Raises `NotFound` for an object that is not there.
    """
    ids, features = latent(ws, table.run_id)
    row = rows_of(ids, np.array([object_id]))[0] if len(ids) else -1
    if row < 0:
        ids, features = table.object_ids, table.xy
        row = rows_of(ids, np.array([object_id]))[0]
    if row < 0:
        raise NotFound(f"Object {object_id} is not on the map {table.name}. Choose another map.")
    squared = ((features - features[row]) ** 2).sum(axis=1)
    squared[row] = np.inf
    return ids[np.argsort(squared, kind="stable")[: min(count, len(ids) - 1)]]


def latent(ws: Workspace, run_id: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Ids and latent features (n, d) of a run where they are finite; empty without a run or without features."""
    saved = {} if run_id is None else runs.load_arrays(ws, run_id, "predictions")
    if "features" not in saved or not saved["features"].size:
        return np.empty(0, np.int64), np.empty((0, 0), np.float32)
    finite = np.isfinite(saved["features"]).all(axis=1)
    return saved["object_ids"][finite].astype(np.int64), saved["features"][finite].astype(np.float32)


def stamps(ws: Workspace, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images float32 (n, 5, 64, 64) in nanomaggies per pixel, NaN where there is none, and who has one, bool (n,)."""
    return arrays.read(ws, "image", ids)
