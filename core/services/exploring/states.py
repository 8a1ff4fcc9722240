"""What has been decided about galaxies: label states, standing values, who waits in a batch."""

import numpy as np

from core.columns import Target
from core.services.exploring.places import rows_of
from core.store import Workspace, batches, labels

UNLABELLED, WAITING, CANNOT, LABELLED = "unlabelled", "in an open batch", "cannot be told", "labelled"
STATES = (UNLABELLED, WAITING, CANNOT, LABELLED)


def label_states(ws: Workspace, ids: np.ndarray) -> np.ndarray:
    """One of `STATES` for each object: a value of any target beats "cannot", which beats waiting in a batch."""
    current = labels.current(ws)
    state = np.full(len(ids), UNLABELLED, dtype=object)
    by_action = {action: rows["object_id"].to_numpy(np.int64) for action, rows in current.groupby("action")}
    for name, members in ((WAITING, waiting(ws)), (CANNOT, by_action.get("cannot", [])), (LABELLED, by_action.get("label", []))):
        state[np.isin(ids, members)] = name
    return state


def waiting(ws: Workspace) -> np.ndarray:
    """Ids of objects in open batches, int64; those that have been decided on since are among them."""
    open_ids = batches.frame(ws).query("status == 'open' and size > 0")["id"]
    return np.unique(np.concatenate([np.empty(0, np.int64), *(batches.items(ws, i)["object_id"].to_numpy(np.int64) for i in open_ids)]))


def label_values(ws: Workspace, ids: np.ndarray, targets: tuple[Target, ...]) -> np.ndarray:
    """Standing training values, float32 (n, T), NaN where there is none."""
    values, column = np.full((len(ids), len(targets)), np.nan, np.float32), {t.name: k for k, t in enumerate(targets)}
    table = labels.training(ws)
    rows = rows_of(ids, table["object_id"].to_numpy(np.int64))
    here = (rows >= 0) & table["target"].isin(column).to_numpy(bool)
    values[rows[here], table["target"].map(column).to_numpy()[here].astype(int)] = table["value"].to_numpy(np.float32)[here]
    return values
