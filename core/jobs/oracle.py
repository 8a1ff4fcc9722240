"""An oracle reveals catalogue values as labels: for the demo's first labels, and for experiments that need many."""

from collections.abc import Callable, Sequence

import pandas as pd

from core.store import Workspace, labels, truth

ORACLE = "catalogue"
SPECTROSCOPIC_GRADE = 4
AT_ONCE = 100


def reveal(ws: Workspace, object_ids: Sequence[int], client: str, tell: Callable[[int], None] = lambda done: None) -> int:
    """Record all catalogue values of objects as labels with the source ``catalogue``; how many galaxies.

    What was revealed before under the same ``client`` for the same beginning of the list is not recorded
    again, so a reveal that was stopped can be repeated, and a longer list adds to a shorter one.

    Parameters
    ----------
    object_ids : in the order in which they are asked for. client : names this oracle in the log. tell : hears how many are done.
    """
    known = truth.frame(ws, object_ids)
    place = {int(number): k for k, number in enumerate(object_ids)}
    for start in range(0, len(object_ids), AT_ONCE):
        here = known[known["object_id"].isin(object_ids[start : start + AT_ONCE])]
        labels.record(ws, [_decision(row, place[row.object_id], client) for row in here.itertuples()])
        tell(min(start + AT_ONCE, len(object_ids)))
    return len(object_ids)


def _decision(row: object, place: int, client: str) -> labels.Decision:
    sigma = None if pd.isna(row.sigma) else float(row.sigma)
    grade = SPECTROSCOPIC_GRADE if row.target == "z" else None
    return labels.Decision(int(row.object_id), row.target, "label", ORACLE, client, place, value=float(row.value), sigma=sigma, grade=grade,
                           source=ORACLE, shown={"revealed": True})
