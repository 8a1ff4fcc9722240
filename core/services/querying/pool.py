"""Who may be asked about."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from core.errors import NotFound
from core.models import registry
from core.services.exploring import waiting
from core.services.querying.experience import experienced, facts_of
from core.services.querying.request import Pool, Request
from core.store import Workspace, acts, labels, objects, runs

NOT_GALAXIES = ("STAR", "QSO", "SKY")


def pool(ws: Workspace, request: Request) -> Pool:
    """The train-split galaxies of the region that nobody has decided on and somebody could; the rest is counted by reason."""
    everybody = objects.frame(ws)
    table = everybody if request.region is None else everybody[everybody["id"].isin(request.region)]
    decided, valued = decisions(ws, request.targets)
    experience = experienced(ws, everybody, request.targets)
    facts = facts_of(ws, table)
    chance = experience.chance(facts)
    allowed, counts = np.ones(len(table), bool), {}
    gates = _refusals(ws, request, table, decided) | {
        f"with under {100 * request.least_good:g} % of the spectrum's pixels": facts.good_n < request.least_good,
        f"hardly to be told (a chance under {100 * request.least_chance:g} % by {experience.decisions} decisions)": chance < request.least_chance,
    }
    for reason, is_refused in gates.items():
        counts[reason] = int((allowed & is_refused).sum())
        allowed &= ~is_refused
    kept = table[allowed]
    region_labelled = int((table["id"].isin(valued) & table["split"].eq("train")).sum())
    return Pool(kept["id"].to_numpy(np.int64), kept["sn"].to_numpy(float), chance[allowed], valued, np.setdiff1d(decided, valued), region_labelled, counts)


def named(ws: Workspace, text: str) -> tuple[int, ...]:
    """Ids of the objects whose keys or numbers stand in a text, between commas or white space; raises `NotFound` for one that is not there."""
    words = text.replace(",", " ").split()
    if not words:
        return ()
    table = objects.frame(ws)
    known = dict(zip(table["id"].astype(str), table["id"], strict=True)) | dict(zip(table["key"], table["id"], strict=True))
    lacking = [word for word in words if word not in known]
    if lacking:
        raise NotFound(f"There is no object {lacking[0]} in this workspace. Copy its key from a table, or take it off the list.")
    return tuple(int(known[word]) for word in words)


def decisions(ws: Workspace, targets: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Ids with a standing decision on any of the targets, and ids with a standing value; int64."""
    current = labels.current(ws)
    current = current[current["target"].isin(list(targets))]
    valued = current[current["action"] == "label"]
    return np.unique(current["object_id"].to_numpy(np.int64)), np.unique(valued["object_id"].to_numpy(np.int64))


def barred(ws: Workspace, request: Request, table: pd.DataFrame, decided: np.ndarray) -> dict[str, np.ndarray]:
    """Reason -> who of the objects may not be asked about even by hand, bool (n,)."""
    ids = table["id"].to_numpy(np.int64)
    return {
        "kept for calibration and test": table["split"].ne("train").to_numpy(bool),
        "already decided on": np.isin(ids, decided),
        "named as not to be asked about": np.isin(ids, request.excluded),
        f"flagged {' or '.join(request.not_flagged)}": np.isin(ids, acts.flagged(ws, request.not_flagged)),
        "waiting in an open batch": np.isin(ids, waiting(ws)) & request.skip_waiting,
    }


def _refusals(ws: Workspace, request: Request, table: pd.DataFrame, decided: np.ndarray) -> dict[str, np.ndarray]:
    sn, seen = table["sn"].to_numpy(float), _reads(ws, request.run_id)
    return barred(ws, request, table, decided) | {
        "called a star, a quasar or sky": table["class"].isin(NOT_GALAXIES).to_numpy(bool) & request.only_galaxies,
        f"below S/N {request.least_sn:g}": sn < request.least_sn,
        "without a spectrum": ~table["spectrum"].to_numpy(bool) & request.needs_spectrum,
        f"without {' or '.join(seen)}, which run {request.run_id} reads": ~table[list(seen)].any(axis=1).to_numpy(bool) & bool(seen),
    }


def reads(model: str, config: Mapping[str, object]) -> tuple[str, ...]:
    """The modalities that a run of this model with these settings looks at."""
    chosen = config.get("modalities", "all")
    known = registry.MODELS[model].modalities if model in registry.MODELS else ()
    return tuple(m for m in known if chosen in ("all", m))


def _reads(ws: Workspace, run_id: int | None) -> tuple[str, ...]:
    """What the model of a run looks at: a galaxy that has none of it looks alike to the model whatever it is, and very uncertain."""
    if run_id is None:
        return ()
    run = runs.one(ws, run_id)
    return reads(run["model"], run["config"])
