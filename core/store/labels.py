"""The append-only log of what people decided.

A decision is never changed. A person's newest ``label`` or ``cannot`` row for an object and
target is the current one; a ``retract`` row takes the row it supersedes out, which brings
the one before it back. A person's adjudication stands beside what they read themselves. The
state of the log at row id N is what training saw when its run's ``label_high_water`` is N:
what `training` gives follows from the rows up to N and from nothing else.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.columns import PERCENTILES, Target
from core.errors import BadInput, NotFound
from core.store import truth
from core.store.consensus import TRAINING_GRADE, agreed
from core.store.objects import as_json
from core.store.workspace import Workspace

ADJUDICATION = "adjudication"
"""The ``source`` of a row that decides between people who disagree."""

_VALID = """SELECT * FROM labels WHERE id <= :up_to AND action IN ('label', 'cannot')
    AND (:only IS NULL OR object_id IN (SELECT value FROM json_each(:only)))
    AND id NOT IN (SELECT supersedes FROM labels WHERE action = 'retract' AND id <= :up_to)"""
_CURRENT = f"SELECT * FROM ({_VALID}) GROUP BY object_id, target, annotator, source = '{ADJUDICATION}' HAVING id = MAX(id)"
_CANDIDATES = f"""SELECT id, object_id, target, value, sigma, grade, action, CASE source WHEN '{ADJUDICATION}' THEN 0 WHEN 'catalogue' THEN 2 ELSE 1 END AS court
    FROM ({_CURRENT}) WHERE source = '{ADJUDICATION}' OR (action = 'label' AND (grade IS NULL OR grade >= :min_grade)) ORDER BY object_id, target, court, id DESC"""
"""What may be trained on, what comes first before what stands behind it: an adjudication (0), people (1), the catalogue (2), each newest first."""


@dataclass(frozen=True)
class Decision:
    """One row of the log.

    Attributes
    ----------
    action : ``label`` (value given), ``cannot`` (nobody could tell), ``skip``, ``flag`` or ``retract``.
    value, sigma : in the target's unit; None unless labelled. sigma None = not stated.
    grade : redshift quality 1-4, or None. flags : comma-separated issue words, apart from the grade.
    source : ``human``, ``catalogue`` (an oracle revealed truth), ``model-assisted`` or ``adjudication``.
    shown : what was on screen: {"revealed": bool, "proposal": float, "run": int ...}.
    client, sequence : idempotency key of the annotator's device; the same key twice is one row.
    """

    object_id: int
    target: str
    action: str
    annotator: str
    client: str
    sequence: int
    value: float | None = None
    sigma: float | None = None
    grade: int | None = None
    flags: str = ""
    comment: str = ""
    source: str = "human"
    batch_id: int | None = None
    shown: dict = field(default_factory=dict)
    milliseconds: int | None = None
    supersedes: int | None = None


_COLUMNS = tuple(Decision.__dataclass_fields__)


def record(ws: Workspace, decisions: Iterable[Decision]) -> list[int]:
    """Append decisions in one transaction and return their ids.

    A decision whose (annotator, client, sequence, target) is in the log already is not
    written again: its id is returned. Raises `BadInput` for a value outside its target's
    range or percentiles that cross; then nothing is written.
    """
    decisions = list(decisions)
    _check(decisions, {t.name: t for t in truth.targets(ws)})
    sql = f"INSERT OR IGNORE INTO labels ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
    find = "SELECT id FROM labels WHERE annotator = ? AND client = ? AND sequence = ? AND target = ?"
    ids = []
    with ws.write() as db:
        for d in decisions:
            db.conn.execute(sql, [json.dumps(d.shown) if c == "shown" else getattr(d, c) for c in _COLUMNS])
            ids.append(db.conn.execute(find, (d.annotator, d.client, d.sequence, d.target)).fetchone()[0])
    return ids


def retract(ws: Workspace, label_id: int, annotator: str, client: str, sequence: int) -> int:
    """Undo one row: append a ``retract`` row that supersedes it."""
    rows = ws.frame("SELECT object_id, target FROM labels WHERE id = ?", (int(label_id),))
    if rows.empty:
        raise NotFound(f"There is no label {label_id} to undo. Reload the page to see the present log.")
    object_id, target = int(rows["object_id"].iloc[0]), rows["target"].iloc[0]
    return record(ws, [Decision(object_id, target, "retract", annotator, client, sequence, supersedes=int(label_id))])[0]


def last_undoable(ws: Workspace, annotator: str) -> list[int]:
    """Ids of the annotator's newest act that still stands (all targets of one key press); [] if none."""
    table = ws.frame(
        """SELECT id FROM labels WHERE annotator = :who AND (client, sequence) = (
            SELECT client, sequence FROM labels l WHERE annotator = :who AND action <> 'retract'
            AND NOT EXISTS (SELECT 1 FROM labels r WHERE r.action = 'retract' AND r.supersedes = l.id)
            ORDER BY id DESC LIMIT 1) AND action <> 'retract' ORDER BY id""", {"who": annotator})
    return [int(i) for i in table["id"]]


def current(ws: Workspace, up_to: int | None = None, object_ids: Iterable[int] | None = None) -> pd.DataFrame:
    """Each annotator's standing decision for each object (of ``object_ids``; None = all) and target, ``label`` and ``cannot`` alike, and their adjudication beside it."""
    return ws.frame(f"{_CURRENT} ORDER BY id", {"up_to": _mark(ws, up_to), "only": _only(object_ids)})


def training(ws: Workspace, up_to: int | None = None, min_grade: int = TRAINING_GRADE, object_ids: Iterable[int] | None = None) -> pd.DataFrame:
    """One value per object and target to train on: label_id, object_id, target, value, sigma.

    ``object_ids`` None = of all objects. Redshifts graded below ``min_grade`` are left out. Of what is left the newest adjudication stands; without
    one, a person's value beats the catalogue's. Of several people's redshifts the one stands that they agree on
    (`core.store.consensus.agreed`); where they do not agree none does (see `held_back`). Of the catalogue's, and
    of other targets, for which no tolerance is agreed, the newest stands. "cannot" is not a value, and an adjudication
    that nobody can tell takes the object out.
    """
    return _settled(ws, up_to, min_grade, object_ids)[0]


def held_back(ws: Workspace, up_to: int | None = None) -> list[int]:
    """Objects whose redshift is not trained on because people disagree and nobody has adjudicated, ascending."""
    return _settled(ws, up_to, TRAINING_GRADE)[1]


def history(ws: Workspace, object_id: int) -> pd.DataFrame:
    """Every row about one object, oldest first."""
    return ws.frame("SELECT * FROM labels WHERE object_id = ? ORDER BY id", (int(object_id),))


def since(ws: Workspace, mark: int, up_to: int) -> pd.DataFrame:
    """The rows of the log after ``mark`` and up to ``up_to``, oldest first."""
    return ws.frame("SELECT * FROM labels WHERE id > ? AND id <= ? ORDER BY id", (int(mark), int(up_to)))


def histories(ws: Workspace, object_ids: Iterable[int]) -> pd.DataFrame:
    """Every row about some objects, oldest first."""
    return ws.frame("SELECT * FROM labels WHERE object_id IN (SELECT value FROM json_each(?)) ORDER BY id", (as_json(object_ids),))


def high_water(ws: Workspace) -> int:
    """The id of the newest row of the log; 0 when it is empty."""
    return int(ws.frame("SELECT COALESCE(MAX(id), 0) AS n FROM labels")["n"].iloc[0])


def snapshot_hash(table: pd.DataFrame) -> str:
    """SHA-256 over object, target, value and sigma of `training`'s rows: same labels, same hash."""
    lines = (f"{o} {t} {v!r} {s!r}\n" for o, t, v, s in zip(table["object_id"], table["target"], table["value"], table["sigma"], strict=True))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def undone_since(ws: Workspace, mark: int) -> int:
    """How many rows up to ``mark`` were retracted after it: above 0, a run that saw them is stale."""
    sql = "SELECT COUNT(*) AS n FROM labels WHERE action = 'retract' AND supersedes <= ? AND id > ?"
    return int(ws.frame(sql, (int(mark), int(mark)))["n"].iloc[0])


def _settled(ws: Workspace, up_to: int | None, min_grade: int, object_ids: Iterable[int] | None = None) -> tuple[pd.DataFrame, list[int]]:
    """The values to train on, and the objects whose redshift is held back."""
    table = ws.frame(_CANDIDATES, {"up_to": _mark(ws, up_to), "min_grade": min_grade, "only": _only(object_ids)}).astype({"value": float, "sigma": float, "grade": float})
    is_first = ~table.duplicated(["object_id", "target"])
    is_voice = (table["court"].where(is_first).ffill() == 1) & (table["court"] == 1) & (table["target"] == "z")
    readings = table[is_voice][::-1]
    carried, held, of_several = _heard(readings[readings["object_id"].duplicated(keep=False)])
    is_value = (table["action"] == "label") & ~(table["grade"] < min_grade)
    kept = table[(is_first & is_value & ~table["id"].isin(of_several)) | table["id"].isin(carried)].rename(columns={"id": "label_id"})
    columns = ["label_id", "object_id", "target", "value", "sigma"]
    return kept[columns].reset_index(drop=True), sorted(held)


def _heard(readings: pd.DataFrame) -> tuple[list[int], list[int], np.ndarray]:
    """Of objects that several people read, rows side by side and oldest first: the rows that are agreed on, the objects without such a row, all rows."""
    ids, object_ids, z, grade = (readings[c].to_numpy() for c in ("id", "object_id", "value", "grade"))
    carried, held = [], []
    for part in np.split(np.arange(len(ids)), np.flatnonzero(np.diff(object_ids)) + 1) if len(ids) else ():
        place = agreed(z[part], grade[part])
        if place is None:
            held.append(int(object_ids[part[0]]))
        else:
            carried.append(int(ids[part[place]]))
    return carried, held, ids


def _mark(ws: Workspace, up_to: int | None) -> int:
    return high_water(ws) if up_to is None else int(up_to)


def _only(object_ids: Iterable[int] | None) -> str | None:
    return None if object_ids is None else as_json(object_ids)


def _check(decisions: list[Decision], targets: dict[str, Target]) -> None:
    for d in decisions:
        if d.target not in targets:
            raise BadInput("target", f"be one of {', '.join(targets)}", d.target, f"object {d.object_id}", "Choose one of them")
        if d.action == "label":
            _check_value(d, targets[d.target])
    _check_percentiles(decisions)


def _check_value(d: Decision, target: Target) -> None:
    if d.value is None or not math.isfinite(d.value) or not target.low <= d.value <= target.high:
        rule = f"be a number from {target.low} to {target.high}"
        raise BadInput(target.name, rule, d.value, f"object {d.object_id}", "Correct the value, or say that it cannot be told")
    if d.sigma is not None and not (math.isfinite(d.sigma) and d.sigma >= 0):
        raise BadInput(f"sigma of {target.name}", "be 0 or more", d.sigma, f"object {d.object_id}", "Leave it empty when it is not known")


def _check_percentiles(decisions: list[Decision]) -> None:
    by_object: dict[tuple, dict[str, float]] = {}
    for d in decisions:
        if d.action == "label" and d.target in PERCENTILES:
            by_object.setdefault((d.object_id, d.client, d.sequence), {})[d.target] = d.value
    for (object_id, *_), values in by_object.items():
        check_order(object_id, values)


def check_order(object_id: int, values: Mapping[str, float]) -> None:
    """Refuse SFR percentiles that cross with `BadInput`; ``values`` may hold any of the targets."""
    ordered = [values[p] for p in PERCENTILES if p in values]
    if ordered != sorted(ordered):
        shown = ", ".join(f"{p} {values[p]:g}" for p in PERCENTILES if p in values)
        raise BadInput("SFR percentiles", "not cross (p2p5 <= p16 <= median <= p84 <= p97p5)", shown, f"object {object_id}", "Correct the values")
