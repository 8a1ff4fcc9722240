"""Objects of which people read different redshifts, why, and how that is settled."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from core.errors import NotFound
from core.metrics import AGREE_KMS, SPEED_OF_LIGHT_KMS, kms_apart
from core.spectroscopy.confusion import confusions, sentence
from core.store import Workspace, labels, objects
from core.store.labels import Decision


@dataclass(frozen=True)
class Reading:
    """What one person says of a redshift: ``z`` is None where they say that it cannot be told, ``grade`` where they gave none."""

    label_id: int
    annotator: str
    z: float | None
    grade: int | None
    flags: str = ""
    sigma: float | None = None

    @property
    def told(self) -> str:
        """In words.

        >>> Reading(1, "Annie", 0.1, 4).told
        'z 0.10000, grade 4'
        """
        if self.z is None:
            return f"cannot be told{f', {self.flags}' if self.flags else ''}"
        return f"z {self.z:.5f}{'' if self.grade is None else f', grade {self.grade}'}"


@dataclass(frozen=True)
class Disagreement:
    """An object on which people disagree and nobody has adjudicated.

    Attributes
    ----------
    readings : one a person, best graded first. rivals : the best graded one, and the best graded that contradicts it.
    apart_kms : between the rivals, km/s; NaN where one of them says that it cannot be told.
    explanation : a sentence. wave : where the rivals name one feature differently, A, or None.
    is_held_back : whether no redshift of this object is trained on until somebody adjudicates.
    """

    object_id: int
    key: str
    readings: tuple[Reading, ...]
    rivals: tuple[Reading, Reading]
    apart_kms: float
    explanation: str
    wave: float | None
    is_held_back: bool


def disagreements(ws: Workspace) -> tuple[Disagreement, ...]:
    """What waits for an adjudicator: first what is held back from training, then the surest readings and the largest differences.

    Redshifts that lie more than `AGREE_KMS` apart disagree, and a redshift disagrees with "cannot be told". What the
    catalogue revealed is nobody's reading.
    """
    return _disagreements(ws, labels.high_water(ws))


@lru_cache(maxsize=4)
def _disagreements(ws: Workspace, mark: int) -> tuple[Disagreement, ...]:
    """Kept: the log is append-only, so its state at a row never changes."""
    table = labels.current(ws, mark).query("target == 'z' and source != 'catalogue'")
    settled = table.loc[table["source"] == labels.ADJUDICATION, "object_id"]
    table = table[~table["object_id"].isin(settled)]
    table = table[table["object_id"].isin(_contradictory(table))]
    held = set(labels.held_back(ws, mark))
    keys = objects.frame(ws, table["object_id"].unique()).set_index("id")["key"]
    found = [_disagreement(int(o), keys[o], rows, o in held) for o, rows in table.groupby("object_id")]
    return tuple(sorted((d for d in found if d is not None), key=_urgency))


def adjudicate(ws: Workspace, over: Disagreement, label_id: int, adjudicator: str, client: str, sequence: int) -> int:
    """Take one of the readings; returns the id of the row. It counts as probable (grade 3) at least: the adjudicator stands behind it.

    Raises `NotFound` when the reading is not among those of the disagreement.
    """
    taken = next((r for r in over.readings if r.label_id == label_id and r.z is not None), None)
    if taken is None:
        raise NotFound(f"There is no reading {label_id} of {over.key} to take. Reload the page to see the present log.")
    grade = max(taken.grade or labels.TRAINING_GRADE, labels.TRAINING_GRADE)
    return _judge(ws, over, adjudicator, client, sequence, action="label", value=taken.z, sigma=taken.sigma, grade=grade, took=label_id)


def nobody_can_tell(ws: Workspace, over: Disagreement, adjudicator: str, client: str, sequence: int) -> int:
    """Decide that no redshift can be told: the object leaves the training set. Returns the id of the row."""
    return _judge(ws, over, adjudicator, client, sequence, action="cannot")


def _judge(ws: Workspace, over: Disagreement, adjudicator: str, client: str, sequence: int, took: int | None = None, **said) -> int:
    shown = {"revealed": False, "between": [r.label_id for r in over.readings]} | ({} if took is None else {"took": took})
    return labels.record(ws, [Decision(over.object_id, "z", annotator=adjudicator, client=client, sequence=sequence, source=labels.ADJUDICATION, shown=shown, **said)])[0]


def _contradictory(table: pd.DataFrame) -> pd.Index:
    """Objects whose redshifts spread too far, or of which only some people say that they cannot be told."""
    log_shift = np.log1p(table["value"].where(table["action"] == "label").astype(float))
    seen = pd.DataFrame({"object_id": table["object_id"], "log_shift": log_shift}).groupby("object_id")["log_shift"].agg(["min", "max", "count", "size"])
    is_far = SPEED_OF_LIGHT_KMS * (seen["max"] - seen["min"]) > AGREE_KMS
    return seen.index[is_far | ((seen["count"] > 0) & (seen["count"] < seen["size"]))]


def _disagreement(object_id: int, key: str, rows: pd.DataFrame, is_held_back: bool) -> Disagreement | None:
    readings = sorted((_reading(row) for row in rows.to_dict("records")), key=lambda r: (r.z is None, -(r.grade or labels.TRAINING_GRADE), -r.label_id))
    first, second = readings[0], next((r for r in readings[1:] if _contradict(readings[0], r)), None)
    if second is None:
        return None
    explanation, wave = _explained(first, second)
    apart = float(kms_apart(first.z, second.z)) if second.z is not None else np.nan
    return Disagreement(object_id, key, tuple(readings), (first, second), apart, explanation, wave, is_held_back)


def _reading(row: dict) -> Reading:
    z = float(row["value"]) if row["action"] == "label" else None
    grade, sigma = (kind(row[c]) if pd.notna(row[c]) else None for c, kind in (("grade", int), ("sigma", float)))
    return Reading(int(row["id"]), row["annotator"], z, grade, row["flags"], sigma)


def _contradict(a: Reading, b: Reading) -> bool:
    if a.z is None or b.z is None:
        return (a.z is None) != (b.z is None)
    return bool(kms_apart(a.z, b.z) > AGREE_KMS)


def _explained(first: Reading, second: Reading) -> tuple[str, float | None]:
    """Why the two differ, in a sentence, and where to look."""
    if second.z is None:
        return f"{first.annotator} reads a redshift, {second.annotator} says that it cannot be told.", None
    found = confusions(first.z, second.z)
    if not found:
        return "No two lines of the list fall together: one of the readings rests on noise, sky, or a line that is not there.", None
    said = sentence(found[0], first.annotator, second.annotator)
    return (said if found[0].is_likely else f"Perhaps {said}"), found[0].wave


def _urgency(found: Disagreement) -> tuple:
    sureness = sum(r.grade or labels.TRAINING_GRADE for r in found.rivals if r.z is not None)
    return not found.is_held_back, -sureness, -np.nan_to_num(found.apart_kms), found.object_id
