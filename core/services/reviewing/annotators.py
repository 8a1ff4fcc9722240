"""How good people's redshifts are by their own grades, how fast they are, and how far they agree with each other."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd

from core.metrics import AGREE_KMS, kms_apart
from core.services.labelling.progress import pace
from core.store import Workspace, acts, assignments, labels
from core.store.consensus import agreed

GRADES = {4: "certain", 3: "probable", 2: "possible", 1: "a guess"}
REFERENCES = ("adjudicated", "known answer", "catalogue", "other people")
"""What a person's redshift is measured against, the first that there is: an adjudication, the answer of an object that was
mixed in, a value of the catalogue that somebody revealed, what the other people agree on."""
_ALWAYS = "1970-01-01"


def agreement(ws: Workspace) -> pd.DataFrame:
    """One row a redshift that can be measured: annotator, object_id, z, grade (NaN = none), reference (its z), against
    (one of `REFERENCES`), is_right (within `AGREE_KMS`).

    Nobody is measured against themselves: neither by an adjudication of their own nor by a consensus that they are part of.
    """
    return _agreement(ws, labels.high_water(ws), frozenset(assignments.gold(ws).itertuples(index=False, name=None)))


@lru_cache(maxsize=2)
def _agreement(ws: Workspace, mark: int, known: frozenset[tuple[str, int, float]]) -> pd.DataFrame:
    """Kept until a label or a known answer is new."""
    everything = labels.current(ws, mark).query("target == 'z' and action == 'label'")
    own = everything[~everything["source"].isin([labels.ADJUDICATION, "catalogue"])]
    judged = everything[everything["source"] == labels.ADJUDICATION]
    revealed = everything[everything["source"] == "catalogue"].drop_duplicates("object_id", keep="last").set_index("object_id")["value"]
    gold = {(annotator, object_id): z for annotator, object_id, z in known}
    others, judgements = _by_object(own), _by_object(judged)
    rows = []
    for row in own.itertuples():
        candidates = (_adjudicated(judgements.get(row.object_id), row.annotator), gold.get((row.annotator, row.object_id)),
                      revealed.get(row.object_id), _of_others(others[row.object_id], row.annotator))
        found = next(((z, name) for z, name in zip(candidates, REFERENCES, strict=True) if z is not None), None)
        if found:
            rows.append((row.annotator, row.object_id, row.value, row.grade, *found, bool(kms_apart(row.value, found[0]) <= AGREE_KMS)))
    return pd.DataFrame(rows, columns=["annotator", "object_id", "z", "grade", "reference", "against", "is_right"]).astype({"grade": float, "is_right": bool})


def by_grade(table: pd.DataFrame) -> pd.DataFrame:
    """`agreement` by annotator and grade: n, share that is right, low and high (68 %, Wilson 1927); best grade first."""
    grouped = table.dropna(subset="grade").groupby(["annotator", "grade"])["is_right"]
    counts = grouped.agg(n="size", right="sum").reset_index().astype({"grade": int})
    low, high = wilson(counts["right"].to_numpy(float), counts["n"].to_numpy(float))
    return counts.assign(share=counts["right"] / counts["n"], low=low, high=high).sort_values(["annotator", "grade"], ascending=[True, False], ignore_index=True)


def people(ws: Workspace) -> pd.DataFrame:
    """One row an annotator who has decided by hand: decisions, grade4 to grade1, cannot, adjudications,
    per_hour (NaN under four decisions in a row), gold and gold_right (known answers met and matched)."""
    table = labels.current(ws).query("target == 'z' and source != 'catalogue'")
    is_judgement = table["source"] == labels.ADJUDICATION
    own, measured = table[~is_judgement], agreement(ws)
    gold = measured[measured["against"] == "known answer"].groupby("annotator")["is_right"].agg(["size", "sum"])
    rows = []
    for name in sorted(table["annotator"].unique()):
        mine = own[own["annotator"] == name]
        graded = {f"grade{g}": int((mine["grade"].astype(float) == g).sum()) for g in GRADES}
        known, matched = gold.loc[name] if name in gold.index else (0, 0)
        rows.append({"annotator": name, "decisions": len(mine), **graded, "cannot": int((mine["action"] == "cannot").sum()),
                     "adjudications": int((is_judgement & (table["annotator"] == name)).sum()), "per_hour": pace(acts.decisions_since(ws, name, _ALWAYS)["created"]),
                     "gold": int(known), "gold_right": int(matched)})
    columns = ["annotator", "decisions", *(f"grade{g}" for g in GRADES), "cannot", "adjudications", "per_hour", "gold", "gold_right"]
    return pd.DataFrame(rows, columns=columns).astype({"per_hour": float})


def pairs(ws: Workspace) -> pd.DataFrame:
    """One row a pair of annotators who share objects: first, second, n, share that agrees within `AGREE_KMS`, low and high (68 %)."""
    return _pairs(ws, labels.high_water(ws))


@lru_cache(maxsize=2)
def _pairs(ws: Workspace, mark: int) -> pd.DataFrame:
    """Kept: the log is append-only, so its state at a row never changes."""
    own = labels.current(ws, mark).query("target == 'z' and action == 'label'")
    own = own[~own["source"].isin([labels.ADJUDICATION, "catalogue"])]
    wide = own.pivot(index="object_id", columns="annotator", values="value").astype(float)
    table = pd.DataFrame(list(_paired(wide)), columns=["first", "second", "n", "right"])
    low, high = wilson(table["right"].to_numpy(float), table["n"].to_numpy(float))
    return table.assign(share=table["right"] / table["n"], low=low, high=high)


def wilson(right: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The central 68 % of a share of which ``right`` of ``n`` were seen (Wilson 1927, JASA 22, 209); honest near 0 and 1, where sqrt(p q / n) is 0.

    >>> [round(float(v), 3) for v in wilson(np.array(9.0), np.array(10.0))]
    [0.766, 0.961]
    """
    right, n = np.asarray(right, float), np.asarray(n, float)
    middle, half = (right + 0.5) / (n + 1), np.sqrt(right * (n - right) / n + 0.25) / (n + 1)
    return middle - half, middle + half


def _paired(wide: pd.DataFrame) -> Iterator[tuple[str, str, int, int]]:
    for first, second in combinations(wide.columns, 2):
        both = wide[[first, second]].dropna()
        if len(both):
            yield first, second, len(both), int((kms_apart(both[first], both[second]) <= AGREE_KMS).sum())


Readings = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Names, redshifts and grades (NaN = none) of one object, oldest first."""


def _by_object(rows: pd.DataFrame) -> dict[int, Readings]:
    rows = rows.sort_values(["object_id", "id"])
    columns = rows["annotator"].to_numpy(object), rows["value"].to_numpy(float), rows["grade"].to_numpy(float)
    ids, first = np.unique(rows["object_id"].to_numpy(np.int64), return_index=True)
    return dict(zip(ids.tolist(), zip(*(np.split(c, first[1:]) for c in columns), strict=True), strict=True)) if len(ids) else {}


def _adjudicated(readings: Readings | None, annotator: str) -> float | None:
    """The newest adjudication by somebody else."""
    z = np.empty(0) if readings is None else readings[1][readings[0] != annotator]
    return float(z[-1]) if len(z) else None


def _of_others(readings: Readings, annotator: str) -> float | None:
    """What the others agree on; the word of a single other person counts when it is one to train on."""
    is_other = readings[0] != annotator
    z, grade = readings[1][is_other], readings[2][is_other]
    place = agreed(z, grade) if len(z) > 1 else 0 if len(z) and not grade[0] < labels.TRAINING_GRADE else None
    return None if place is None else float(z[place])
