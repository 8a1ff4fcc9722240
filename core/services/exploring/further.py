"""Colourings that are looked up when somebody asks for them: who labelled, which batch, where models contradict each other, any column."""

from functools import partial

import numpy as np
import pandas as pd

from core.columns import OBJECT_COLUMN_NAMES
from core.services.exploring.colouring import COLOURINGS, Colouring
from core.services.exploring.places import rows_of
from core.services.exploring.table import MapTable
from core.store import Workspace, batches, labels, objects, runs

NOBODY, SEVERAL, NO_BATCH, NO_VALUE = "nobody", "several people", "no batch", "no value"
_NUMBERS = ("ra", "dec", "ebv")
_WORDS = ("source", "plate", "zwarning")


def colourings(ws: Workspace) -> dict[str, Colouring]:
    """Everything that a map of this workspace can be coloured by: `COLOURINGS`, then what is looked up."""
    looked_up = {
        "disagreement": Colouring("Image against spectrum", "logarithmic", partial(disagreement, ws),
                                  "How far a model of images and one of spectra contradict each other, in units of the noise both admit: from 2 on one of them is wrong", True, True),
        "annotator": Colouring("Annotator", "category", lambda t, c: annotators(ws, t.object_ids), "Whose label stands"),
        "batch": Colouring("Batch", "category", lambda t, c: batch_names(ws, t.object_ids), "The newest query batch that asked about it"),
    }
    own = {name: is_number for name, is_number in objects.columns(ws).items() if name not in OBJECT_COLUMN_NAMES}
    known = dict.fromkeys(_NUMBERS, True) | dict.fromkeys(_WORDS, False) | own
    return COLOURINGS | looked_up | {f"column:{name}": _of_column(ws, name, is_number) for name, is_number in known.items()}


def annotators(ws: Workspace, ids: np.ndarray) -> np.ndarray:
    """Whose label stands for each object, `SEVERAL` for more than one person, `NOBODY` for none; object (n,)."""
    table = labels.current(ws).query("action == 'label'").groupby("object_id")["annotator"].agg(["first", "nunique"])
    names = table["first"].where(table["nunique"] == 1, SEVERAL)
    return names.reindex(ids).fillna(NOBODY).to_numpy(object)


def batch_names(ws: Workspace, ids: np.ndarray) -> np.ndarray:
    """The newest batch that each object is in; object (n,)."""
    return batches.newest_of_objects(ws).reindex(ids).fillna(NO_BATCH).to_numpy(object)


def annotator_names(ws: Workspace) -> list[str]:
    """Everybody who has given a label that stands, and `SEVERAL`, `NOBODY`."""
    return sorted(set(labels.current(ws).query("action == 'label'")["annotator"])) + [SEVERAL, NOBODY]


def batch_titles(ws: Workspace) -> list[str]:
    """The names of all batches, newest first, and `NO_BATCH`."""
    return list(dict.fromkeys(batches.frame(ws)["name"])) + [NO_BATCH]


def disagreement(ws: Workspace, table: MapTable, column: int) -> np.ndarray:
    """How many times their joint noise the answers of a model of images and one of spectra are apart, float32 (n,).

    NaN where one of them has no answer, and everywhere as long as there are not two such models.
    """
    from core.services.querying import views

    out = np.full(len(table), np.nan, np.float32)
    pair = views.view_runs(ws, table.run_id)
    if not pair:
        return out
    saved = [runs.load_arrays(ws, run_id, "predictions") for run_id in pair]
    if all(table.targets[column].name in arrays["targets"].tolist() for arrays in saved):
        ids, squared = views.contradiction(ws, *saved, (table.targets[column],))
        rows = rows_of(table.object_ids, ids)
        out[rows[rows >= 0]] = np.sqrt(squared[rows >= 0, 0])
    return out


def _of_column(ws: Workspace, name: str, is_number: bool) -> Colouring:
    def values(table: MapTable, column: int) -> np.ndarray:
        found = objects.values(ws, table.object_ids, name)
        return pd.to_numeric(found, errors="coerce").to_numpy(np.float32) if is_number else found.fillna(NO_VALUE).astype(str).to_numpy(object)

    return Colouring(f"Column {name}", "sequential" if is_number else "category", values, "As it came with the data")
