"""Sharing a batch out among people: each object to several of them, known answers mixed in, all by a seed."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from core.errors import BadInput
from core.metrics import AGREE_KMS, kms_apart
from core.store import Workspace, assignments, batches, labels, objects, truth
from core.store.assignments import Assignment

GALAXY = ("GALAXY", "")


def deal(n_objects: int, n_people: int, overlap: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Each object to ``overlap`` different people, no person more than one object ahead of another.

    In random order every object goes to those who have least so far, ties drawn: who meets whom is left to chance.

    Returns
    -------
    One int64 array a person: places of their objects, ascending.
    """
    load, hands = np.zeros(n_people), [[] for _ in range(n_people)]
    for item in rng.permutation(n_objects):
        chosen = np.lexsort((rng.random(n_people), load))[:overlap]
        load[chosen] += 1
        for person in chosen:
            hands[person].append(item)
    return [np.sort(np.array(hand, np.int64)) for hand in hands]


def assign(ws: Workspace, batch_id: int, people: Sequence[str], overlap: int, assigned_by: str, seed: int = 0, gold_share: float = 0.0, tells_gold: bool = False) -> Assignment:
    """Share a batch out; an earlier assignment of it gives way, labels stay.

    Parameters
    ----------
    people : names as they label under. overlap : people an object, 1 to all of them.
    gold_share : objects with a known answer that are mixed in, over the objects of a share; 0 = none.
    tells_gold : whether people hear after the grade how far they were from a known answer.

    Raises
    ------
    BadInput : names that repeat or are empty, an overlap that cannot be, no object with a known answer to mix in.
    NotFound : no such batch.
    """
    names = _names(people)
    if not 1 <= overlap <= len(names):
        raise BadInput("overlap", f"be from 1 to {len(names)}, the number of people", overlap, f"batch {batch_id}", "Add people, or ask for fewer labels an object")
    if not 0 <= gold_share <= 1:
        raise BadInput("share of known answers", "be from 0 to 1", gold_share, f"batch {batch_id}", "Choose a smaller share")
    rng, ids = np.random.default_rng(seed), batches.items(ws, batch_id)["object_id"].to_numpy(np.int64)
    shares = [ids[places] for places in deal(len(ids), len(names), overlap, rng)]
    known = _drawn(gold_available(ws, batch_id, names), int(np.ceil(gold_share * max(map(len, shares)))), rng) if gold_share else pd.Series(dtype=float)
    made = Assignment(int(batch_id), int(overlap), int(seed), float(gold_share), bool(tells_gold), assigned_by)
    rows = [(name, *row) for name, share in zip(names, shares, strict=True) for row in _mixed(share, known, rng)]
    assignments.save(ws, made, rows)
    return made


def withdraw(ws: Workspace, batch_id: int) -> None:
    """Give a batch back to everybody; its labels stay."""
    assignments.remove(ws, batch_id)


def gold_available(ws: Workspace, batch_id: int, people: Sequence[str]) -> pd.Series:
    """Redshifts that may be mixed in as known answers, by object id: adjudicated or of the catalogue, galaxies of the train split
    with a spectrum, outside the batch, and not decided by any of the people."""
    table = objects.frame(ws)
    suits = table["split"].eq("train") & table["spectrum"] & table["class"].fillna("").isin(GALAXY)
    decided = labels.current(ws).query("target == 'z'")
    barred = {*batches.items(ws, batch_id)["object_id"], *decided.loc[decided["annotator"].isin(list(people)), "object_id"]}
    known = _known(ws, decided)
    return known[known.index.isin(table.loc[suits, "id"]) & ~known.index.isin(barred)].sort_index()


def people(ws: Workspace) -> list[str]:
    """Everybody who has labelled by hand or been assigned something, by name."""
    labelled = labels.current(ws).query("source != 'catalogue'")["annotator"]
    return sorted({*labelled, *assignments.progress(ws)["annotator"]})


def shares(ws: Workspace) -> pd.DataFrame:
    """One row a batch and person: batch_id, batch, annotator, share, done, left; newest batch first."""
    table = assignments.progress(ws).merge(batches.frame(ws)[["id", "name", "status"]], left_on="batch_id", right_on="id")
    table = table.assign(left=table["share"] - table["done"]).rename(columns={"name": "batch"})
    return table.sort_values(["batch_id", "annotator"], ascending=[False, True], ignore_index=True)[["batch_id", "batch", "status", "annotator", "share", "done", "left"]]


def told(ws: Workspace, annotator: str, events: Iterable[Mapping]) -> list[str]:
    """What a person hears of the known answers among objects they have just graded, one sentence each; only where the assignment tells.

    ``events`` are those of the labelling desk (see `core.services.labelling.apply_events`), recorded already.
    """
    said = []
    for event in events:
        made = assignments.of(ws, event["batch"]) if event.get("batch") is not None and event.get("kind") == "grade" else None
        if made is not None and made.tells_gold:
            known = assignments.items(ws, made.batch_id, annotator).set_index("object_id")["gold"].get(event["object"], np.nan)
            said += [_compared(float(event["z"]), float(known))] if np.isfinite(known) else []
    return said


def _compared(z: float, known: float) -> str:
    apart = float(kms_apart(z, known))
    verdict = "you agree with it" if apart <= AGREE_KMS else "you differ"
    return f"The answer to the last one was known: z {known:.5f}, {verdict} ({apart:,.0f} km/s apart)."


def _names(people: Sequence[str]) -> list[str]:
    names = [name.strip() for name in people if name.strip()]
    twice = sorted({n for n in names if names.count(n) > 1})
    if not names or twice:
        raise BadInput("people", "be named, each once", f"{twice[0]} twice" if twice else "nobody", "this assignment", "Write one name a person, as they write it in the sidebar")
    return names


def _known(ws: Workspace, decided: pd.DataFrame) -> pd.Series:
    judged = decided[(decided["source"] == labels.ADJUDICATION) & (decided["action"] == "label")].drop_duplicates("object_id", keep="last")
    listed = truth.frame(ws).query("target == 'z'")
    known = pd.concat([judged.set_index("object_id")["value"], listed.set_index("object_id")["value"]])
    return known[~known.index.duplicated()].astype(float)


def _drawn(available: pd.Series, count: int, rng: np.random.Generator) -> pd.Series:
    if len(available) < count:
        raise BadInput("known answers", f"number at least {count}", len(available), "this assignment", "Mix in a smaller share, or bring in a catalogue with redshifts")
    return available.iloc[rng.choice(len(available), count, replace=False)]


def _mixed(share: np.ndarray, known: pd.Series, rng: np.random.Generator) -> list[tuple[int, int, float | None]]:
    """(object_id, place, gold) of one person: their objects in the batch's order, the known ones at random places between."""
    spots = np.sort(rng.choice(len(share) + len(known), len(known), replace=False))
    order, gold_order, own = [], iter(known.index.to_numpy(np.int64)[rng.permutation(len(known))]), iter(share)
    for place in range(len(share) + len(known)):
        is_gold = place in spots
        object_id = int(next(gold_order if is_gold else own))
        order.append((object_id, place, float(known[object_id]) if is_gold else None))
    return order
