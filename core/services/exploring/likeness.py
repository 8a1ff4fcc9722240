"""What is like a galaxy, and how it looks."""

import numpy as np

from core.errors import NotFound
from core.services.exploring.places import rows_of
from core.services.exploring.table import MapTable
from core.spectroscopy.stacking import stack
from core.store import Workspace, arrays, runs

MOST_STACKED = 200
"""Spectra beyond change a median little and take long to read."""


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


def stacked(ws: Workspace, table: MapTable, rows: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray, int]:
    """Rest-frame stack of some galaxies of a map (see `stacking.stack`) and how many went into it: `MOST_STACKED` at random of more.

    The redshift is the label, else the run's prediction; who has neither, or no spectrum, is left out.
    """
    c = table.column("z")
    z = np.where(np.isfinite(table.label[:, c]), table.label[:, c], table.mean[:, c])[rows]
    rows, z = rows[np.isfinite(z)], z[np.isfinite(z)]
    drawn = np.random.default_rng(seed).permutation(len(rows))[:MOST_STACKED]
    spectra, has = arrays.read(ws, "spectrum", table.object_ids[rows[drawn]])
    return *stack(spectra[has], z[drawn][has]), int(has.sum())


def spread_out(ws: Workspace, object_ids: np.ndarray, size: int, run_id: int | None, seed: int = 0) -> np.ndarray:
    """A part of some galaxies that stands for all of them: the strategy ``k_means`` asked within them, int64 (<= size,).

    Galaxies that may not be asked about take no part; raises as `querying.preview` does when none may.
    """
    from core.services import querying

    asked = querying.Request("k_means", size, run_id=run_id, control_share=0.0, seed=seed, least_sn=0.0, region=tuple(object_ids.tolist()), skip_waiting=False, only_galaxies=False)
    return querying.preview(ws, asked).table["object_id"].to_numpy(np.int64)
