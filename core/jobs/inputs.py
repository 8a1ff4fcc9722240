"""From the store to what models take: stored arrays to `Inputs`, the log of decisions to `Labels`.

Model inputs are made anew each time: preprocessing takes 0.3 ms a galaxy on one core, reading a
kept copy 0.2 ms, so a cache would cost disk and save little.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from core.columns import MODALITIES
from core.errors import BadInput
from core.models.prediction import Inputs, Labels
from core.preprocess import image, photometry, spectrum
from core.store import Workspace, arrays, labels, objects, truth

CHUNK = 512
SHAPES = {"image": (5, 64, 64), "spectrum": (2, 4620), "photometry": (len(photometry.COLUMNS),)}
"""Shape of one galaxy's model input."""
DTYPES = {"image": np.float16, "spectrum": np.float16, "photometry": np.float32}
"""Half precision rounds an image or a spectrum by 0.05 %, far below its noise, and halves the memory."""


def load_inputs(ws: Workspace, object_ids: Iterable[int], modalities: Sequence[str] = MODALITIES) -> Inputs:
    """Model inputs of objects, in the order given.

    Parameters
    ----------
    object_ids : n ids; thousands of labelled galaxies are fine (40 kB each), for all of a large
        workspace go through `iter_inputs`.
    modalities : any of `core.columns.MODALITIES`.

    Returns
    -------
    Inputs with `DTYPES`; rows of galaxies that lack a modality are zeros and not ``present``.
    """
    ids = np.asarray(list(object_ids), dtype=np.int64)
    values = {m: np.zeros((len(ids), *SHAPES[m]), dtype=DTYPES[m]) for m in modalities}
    present = {m: np.zeros(len(ids), dtype=bool) for m in modalities}
    for start in range(0, len(ids), CHUNK):
        here = slice(start, start + CHUNK)
        ebv = _ebv(ws, ids[here])
        for modality in modalities:
            stored, present[modality][here] = arrays.read(ws, modality, ids[here])
            values[modality][here] = _prepared(modality, stored, ebv, present[modality][here])
    return Inputs(values, present)


def iter_inputs(ws: Workspace, object_ids: Iterable[int], modalities: Sequence[str] = MODALITIES, size: int = 2048) -> Iterator[tuple[np.ndarray, Inputs]]:
    """(ids, inputs) of ``size`` objects at a time, so that memory does not grow with the workspace."""
    ids = np.asarray(list(object_ids), dtype=np.int64)
    for start in range(0, len(ids), size):
        yield ids[start : start + size], load_inputs(ws, ids[start : start + size], modalities)


def training_ids(ws: Workspace, up_to: int | None = None) -> np.ndarray:
    """Ids of the galaxies of the train split with at least one standing value; raises `BadInput` when there is none.

    Test and calibration galaxies are never fitted, whoever has labelled them.
    """
    seen = set(labels.training(ws, up_to)["object_id"])
    table = objects.frame(ws)
    ids = table["id"][(table["split"] == "train") & table["id"].isin(seen)].to_numpy(np.int64)
    if not len(ids):
        raise BadInput("labels", "cover at least one galaxy of the train split", 0, "this workspace", "Label a batch first")
    return ids


def load_labels(ws: Workspace, object_ids: Iterable[int], up_to: int | None = None) -> Labels:
    """What training may know of objects, in the order given: the standing labels, never the truth table.

    Parameters
    ----------
    object_ids : n ids. up_to : newest row of the log that counts (a run's ``label_high_water``); None = all.

    Returns
    -------
    Labels over the nine targets and the workspace's own; NaN where there is none; weights of 1.
    """
    ids = np.asarray(list(object_ids), dtype=np.int64)
    names = tuple(t.name for t in truth.targets(ws))
    table = labels.training(ws, up_to)
    values, sigma = (wide(table, ids, names, column) for column in ("value", "sigma"))
    return Labels(values, sigma, np.ones(len(ids)), _groups(ws, ids), names)


def wide(table: pd.DataFrame, object_ids: np.ndarray, targets: Sequence[str], column: str = "value") -> np.ndarray:
    """A long table (object_id, target, ``column``) as float (n, T) in the order given, NaN where it has no row."""
    out = np.full((len(object_ids), len(targets)), np.nan)
    row = pd.Index(object_ids).get_indexer(table["object_id"].to_numpy(np.int64))
    column_of = pd.Index(list(targets)).get_indexer(table["target"])
    known = (row >= 0) & (column_of >= 0)
    out[row[known], column_of[known]] = table[column].to_numpy(float)[known]
    return out


def _prepared(modality: str, stored: np.ndarray, ebv_n: np.ndarray, present_n: np.ndarray) -> np.ndarray:
    if modality == "photometry":
        return photometry.model_input(stored)
    prepared = (image if modality == "image" else spectrum).model_input(stored, ebv_n)
    prepared[~present_n] = 0
    return prepared


def _ebv(ws: Workspace, ids: np.ndarray) -> np.ndarray:
    table = ws.frame("SELECT id, ebv FROM objects WHERE id IN (SELECT value FROM json_each(?))", (objects.as_json(ids),))
    return pd.to_numeric(table.set_index("id")["ebv"]).reindex(ids).to_numpy(float)


def _groups(ws: Workspace, ids: np.ndarray) -> np.ndarray:
    table = ws.frame("SELECT id, sky_group FROM objects WHERE id IN (SELECT value FROM json_each(?))", (objects.as_json(ids),))
    return table.set_index("id")["sky_group"].loc[ids].to_numpy(np.int64)
