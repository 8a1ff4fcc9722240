"""Changing a previewed batch by hand. Every change gives a new preview, so that the one before is there to go back to."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.acquisition import registry
from core.acquisition.batch import fill_up
from core.acquisition.distances import nearest
from core.acquisition.ordering import neighbours_together
from core.errors import BadInput
from core.services.exploring import facts, rows_of
from core.services.querying.composing import rows_of_batch
from core.services.querying.pool import barred, decisions
from core.services.querying.previewed import Preview
from core.store import Workspace, objects

MOVES = ("top", "up", "down", "bottom")
ORDERS = {"score": "expected value", "sn": "S/N", "prediction": "prediction", "sky": "place on the sky"}
"""What a batch can be ordered by: name -> words."""


def without(previewed: Preview, object_ids: Sequence[int]) -> Preview:
    """The batch less some of its picks."""
    goes = previewed.table["object_id"].isin(object_ids)
    gone, was_control = previewed.table.loc[goes], int(previewed.table.loc[goes, "control"].sum())
    added = tuple(i for i in previewed.edits.added if i not in set(gone["object_id"]))
    removed = (*previewed.edits.removed, *(int(i) for i in gone["object_id"] if i not in previewed.edits.added))
    return previewed.changed(previewed.table[~goes], removed=removed, added=added, removed_control=previewed.edits.removed_control + was_control)


def with_added(ws: Workspace, previewed: Preview, object_ids: Sequence[int], annotator: str) -> tuple[Preview, dict[str, int]]:
    """The batch with objects that a person names at its end, and how many were left out for what reason.

    A person may ask about what the strategy would not: below the S/N gate, outside the region. Not about what is decided,
    kept for calibration and test, flagged, excluded or waiting in another batch.
    """
    wanted = np.array(list(dict.fromkeys(int(i) for i in object_ids)), np.int64)
    table, is_allowed, counts = objects.frame(ws, wanted), np.ones(len(wanted), bool), {}
    gates = {"in the batch already": table["id"].isin(previewed.ids).to_numpy(bool)} | barred(ws, previewed.request, table, decisions(ws, previewed.request.targets)[0])
    for reason, is_refused in gates.items():
        counts[reason] = int((is_allowed & is_refused).sum())
        is_allowed &= ~is_refused
    taken = wanted[is_allowed]
    left_out = {reason: n for reason, n in counts.items() if n}
    if not len(taken):
        return previewed, left_out
    rows = _by_hand(previewed, taken, annotator)
    removed = tuple(i for i in previewed.edits.removed if i not in taken)
    return previewed.changed(pd.concat([previewed.table, rows]), added=(*previewed.edits.added, *taken.tolist()), removed=removed), left_out


def moved(previewed: Preview, object_ids: Sequence[int], where: str) -> Preview:
    """Some picks one place up or down, or to an end; their own order stays. ``where`` is one of `MOVES`."""
    is_moved = previewed.table["object_id"].isin(object_ids).to_numpy(bool)
    place = np.arange(len(is_moved))
    if where in ("top", "bottom"):
        order = np.argsort(is_moved if where == "bottom" else ~is_moved, kind="stable")
    else:
        order = _stepped(is_moved) if where == "up" else place[::-1][_stepped(is_moved[::-1])][::-1]
    return previewed.changed(previewed.table.iloc[order], order="by hand")


def ordered(ws: Workspace, previewed: Preview, by: str) -> Preview:
    """The batch in another order, one of `ORDERS`: the largest first, or neighbours on the sky together.

    By expected value the random control, which has none, keeps its places: a batch that is left half done still holds its share.
    """
    if by not in ORDERS:
        raise BadInput("The order of a batch", f"be one of {', '.join(ORDERS)}", by, "this batch", "Choose one of them")
    if by == "score":
        order = _by_score(previewed.table)
    elif by == "sky":
        place = objects.frame(ws, previewed.ids)
        order = neighbours_together(place["ra"].to_numpy(float), place["dec"].to_numpy(float))
    else:
        values = facts(ws, previewed.ids, previewed.request.targets[0], previewed.request.run_id)[by].to_numpy(float)
        order = np.argsort(np.nan_to_num(-values, nan=np.inf), kind="stable")
    return previewed.changed(previewed.table.iloc[order], order=f"by {ORDERS[by]}")


def filled(previewed: Preview) -> Preview:
    """The batch with as many further picks as it lacks, what was taken out left out: the next best, and control for control.

    Raises `BadInput` when nothing is lacking, or too few galaxies are left.
    """
    request, table = previewed.request, previewed.table
    lacking = request.size - len(table)
    if lacking < 1:
        raise BadInput("A batch that is filled up", f"hold fewer than the {request.size} that were asked for", len(table), "this batch", "Take some out first")
    control = min(max(round(request.size * request.control_share), int(request.control_share > 0)) - int(table["control"].sum()), lacking)
    kept, barred_rows = (_rows(previewed, ids) for ids in (previewed.ids, previewed.edits.removed))
    rng = np.random.default_rng([request.seed, 2, len(previewed.edits.removed)])
    batch = fill_up(registry.strategy(request.strategy), previewed.seen.candidates, kept, barred_rows, lacking, rng, max(control, 0), request.strange_share)
    return previewed.changed(pd.concat([table, rows_of_batch(previewed.pool, batch)]))


def _rows(previewed: Preview, object_ids: Sequence[int]) -> np.ndarray:
    found = rows_of(previewed.pool.object_ids, np.array(list(object_ids), np.int64))
    return found[found >= 0]


def _by_hand(previewed: Preview, ids: np.ndarray, annotator: str) -> pd.DataFrame:
    here, there = rows_of(previewed.pool.object_ids, ids), rows_of(previewed.measured.pool.object_ids, ids)
    known, distance = previewed.measured.candidates, np.full(len(ids), np.nan)
    if known.features_pd is not None and known.labelled_ld is not None and len(known.labelled_ld):
        distance[there >= 0] = np.sqrt(nearest(known.features_pd[there[there >= 0]], known.labelled_ld)[0])
    return pd.DataFrame({
        "object_id": ids, "rank": 0, "score": np.nan, "reason": f"Added by hand ({annotator})", "distance": distance,
        "control": False, "chance": np.where(here >= 0, previewed.pool.chance[here], np.nan),
    })


def _stepped(is_moved: np.ndarray) -> np.ndarray:
    """Places in the order after each marked one has gone one up; those at the top stay."""
    order = list(range(len(is_moved)))
    for place in range(1, len(order)):
        if is_moved[order[place]] and not is_moved[order[place - 1]]:
            order[place - 1], order[place] = order[place], order[place - 1]
    return np.array(order, int)


def _by_score(table: pd.DataFrame) -> np.ndarray:
    """Places of the picks that have a score, largest first; the rest stays where it is."""
    scores, order = table["score"].to_numpy(float), np.arange(len(table))
    has_score = np.isfinite(scores)
    order[has_score] = np.flatnonzero(has_score)[np.argsort(-scores[has_score], kind="stable")]
    return order
