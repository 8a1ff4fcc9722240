"""What the log holds of one object, for reading and mending."""

import json

import numpy as np
import pandas as pd

from core.columns import SFR_TARGETS
from core.store import Workspace, assignments, labels


def history(ws: Workspace, object_id: int, reader: str | None = None) -> pd.DataFrame:
    """The acts about an object, newest first, one row each.

    ``reader`` is who is to decide blind: others' acts are left out. None = all acts.

    Columns: ``ids`` (rows of the act), ``created``, ``annotator``, ``action``, ``z``, ``sfr`` (the median, or
    NaN), ``values`` (how many), ``grade``, ``words`` (flags and comment), ``source`` (all of its rows, the redshift's first), ``revealed``, ``standing``,
    ``replaced`` (a newer decision of the same person stands in its place). Retract rows are not listed: what they took out has ``standing`` False.
    """
    rows = labels.history(ws, object_id)
    gone = set(rows.loc[rows["action"] == "retract", "supersedes"].astype(int))
    stands = rows[rows["action"].isin(["label", "cannot"]) & ~rows["id"].isin(gone)]
    newest = set(stands.groupby(["annotator", "target", stands["source"] == labels.ADJUDICATION])["id"].max())
    acts = [_act(part, gone, newest) for _, part in rows[rows["action"] != "retract"].groupby(["annotator", "client", "sequence"], sort=False)]
    columns = ("ids", "created", "annotator", "action", "z", "sfr", "values", "grade", "words", "source", "revealed", "standing", "replaced")
    table = pd.DataFrame(sorted(acts, key=lambda a: -a["ids"][0]), columns=columns)
    return table if reader is None else table[table["annotator"] == reader]


def is_blind(ws: Workspace, object_id: int, annotator: str) -> bool:
    """Whether the object was assigned to a person who has not decided about it yet: what others said is kept from them."""
    return assignments.is_blind(ws, object_id, annotator)


def remembered(rows: pd.DataFrame, annotator: str) -> dict:
    """What one annotator has said of one object, from its ``rows``: ``own``, ``told`` and ``rate`` of `desk.desks`."""
    gone = set(rows.loc[rows["action"] == "retract", "supersedes"].astype(int))
    mine = rows[rows["annotator"] == annotator]
    stands = mine[~mine["id"].isin(gone)]
    rate = _standing_sfr(stands)
    return {"own": _own(stands), "told": _was_told(mine), "rate": dict(zip(rate["target"], rate["value"].astype(float), strict=True))}


def _own(stands: pd.DataFrame) -> dict | None:
    decisions = stands[(stands["target"] == "z") & stands["action"].isin(["label", "cannot"])]
    if decisions.empty:
        return None
    last = decisions.iloc[-1]
    value, grade = (None if pd.isna(last[c]) else last[c] for c in ("value", "grade"))
    return {"action": last["action"], "z": value, "grade": grade and int(grade), "source": last["source"], "words": last["comment"]}


def _was_told(mine: pd.DataFrame) -> bool:
    """Whether they know a model's word on it: it was revealed, or came after a grade, be it undone since."""
    mine = mine[mine["target"] == "z"]
    seen = [(action, json.loads(shown)) for action, shown in zip(mine["action"], mine["shown"], strict=True)]
    return any(shown.get("revealed") or (action == "label" and "proposal" in shown) for action, shown in seen)


def standing_rows(ws: Workspace, object_id: int, annotator: str) -> pd.DataFrame:
    """The annotator's standing rows of an object's SFR statistics, one a target that has one."""
    rows = labels.history(ws, object_id)
    gone = set(rows.loc[rows["action"] == "retract", "supersedes"].astype(int))
    return _standing_sfr(rows[(rows["annotator"] == annotator) & ~rows["id"].isin(gone)])


def _standing_sfr(stands: pd.DataFrame) -> pd.DataFrame:
    return stands[(stands["action"] == "label") & stands["target"].isin(SFR_TARGETS)].drop_duplicates("target", keep="last")


def _act(rows: pd.DataFrame, gone: set[int], newest: set[int]) -> dict:
    first, value = rows.iloc[0], rows.set_index("target")["value"].astype(float)
    standing = set(rows["id"].astype(int)) - gone
    return {
        "ids": rows["id"].astype(int).tolist(), "created": first["created"], "annotator": first["annotator"], "action": first["action"],
        "z": value.get("z", np.nan), "sfr": value.get("sfr_tot_median", np.nan), "values": int(value.notna().sum()),
        "grade": float(first["grade"]) if pd.notna(first["grade"]) else np.nan, "words": ", ".join(filter(None, (first["flags"], first["comment"]))),
        "source": ", ".join(dict.fromkeys(rows["source"])), "revealed": bool(json.loads(first["shown"]).get("revealed")), "standing": bool(standing),
        "replaced": bool(standing) and first["action"] in ("label", "cannot") and not standing & newest,
    }
