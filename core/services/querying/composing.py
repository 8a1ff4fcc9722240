"""From a request to a previewed batch, and from there into the store."""

import hashlib
from dataclasses import asdict, replace

import numpy as np
import pandas as pd

from core.acquisition import registry
from core.acquisition.batch import Batch, compose
from core.acquisition.candidates import Candidates
from core.acquisition.variance import balanced_uncertainty
from core.acquisition.worth import covered
from core.errors import BadInput
from core.services.labelling.progress import pace
from core.services.querying.experience import seconds_per_label
from core.services.querying.pool import decisions
from core.services.querying.pool import pool as pool_of
from core.services.querying.request import Pool, Preview, Request
from core.services.querying.scored import chosen_targets, scored
from core.store import Workspace, acts, batches, census, truth

WORTH_SAMPLE = 20_000
"""Galaxies of the pool on which a batch's worth is measured, drawn at random from a larger one."""
PACE_DECISIONS = 200
"""How many of a person's latest decisions say how fast they go."""


def preview(ws: Workspace, request: Request) -> Preview:
    """Compose a batch without saving it. The same workspace and request give the same batch.

    Raises `BadInput` for a strategy, size, share or targets that cannot be served, `NotFound` for a run that is not there.
    """
    strategy, targets = registry.strategy(request.strategy), chosen_targets(truth.targets(ws), request.targets)
    seen = scored(ws, request, pool_of(ws, request), strategy, targets)
    candidates = replace(seen.candidates, cost_p=seconds_per_label(ws, seen.pool)) if request.per_minute else seen.candidates
    rng = np.random.default_rng(request.seed)
    batch = compose(strategy, candidates, request.size, rng, request.control_share, request.strange_share)
    return Preview(request, seen.pool, _table(seen.pool, batch), _worth(seen.candidates, batch, seen.pool, rng), seen.features)


def submit(ws: Workspace, previewed: Preview, name: str, annotator: str | None = None) -> int:
    """Save a previewed batch under a name and return its id; its parameters say what is needed to draw it again.

    Raises `BadInput` for an empty name, or when somebody has decided on one of its galaxies since.
    """
    if not name.strip():
        raise BadInput("The name of a batch", "not be empty", "nothing", "this batch", "Give it a name that the team will recognise")
    gone = np.intersect1d(previewed.table["object_id"], decisions(ws, previewed.request.targets)[0])
    if len(gone):
        raise BadInput("A batch", "hold only galaxies nobody has decided on", f"{len(gone)} decided on since the preview", f"object {gone[0]} first", "Preview it again")
    items = previewed.table.astype(object).where(previewed.table.notna(), None).to_dict("records")
    return batches.save(ws, name.strip(), previewed.request.strategy, _parameters(previewed), previewed.request.seed, items, previewed.request.run_id, annotator)


def batch_list(ws: Workspace) -> pd.DataFrame:
    """Batches, newest first, as `core.store.batches.frame` gives them, ``share`` of the items done added."""
    table = batches.frame(ws)
    table = table.assign(done=table["done"].fillna(0).astype(int))
    return table.assign(share=(table["done"] / table["size"].clip(lower=1)).astype(float))


def has_spectra(ws: Workspace) -> bool:
    """Whether any object has a spectrum to read a redshift from."""
    return census.modalities(ws)["spectrum"] > 0


def minutes(ws: Workspace, annotator: str, size: int) -> float | None:
    """How long a batch takes at this person's own latest pace; None while that is not known."""
    per_hour = pace(acts.decisions_since(ws, annotator, "")["created"].tail(PACE_DECISIONS))
    return 60 * size / per_hour if per_hour else None


def _table(pool: Pool, batch: Batch) -> pd.DataFrame:
    return pd.DataFrame({
        "object_id": pool.object_ids[batch.indices], "rank": np.arange(len(batch.indices)), "score": batch.scores,
        "reason": batch.reasons, "distance": batch.distances, "control": batch.control, "chance": pool.chance[batch.indices],
    })


def _worth(candidates: Candidates, batch: Batch, pool: Pool, rng: np.random.Generator) -> dict[str, float]:
    labelled_share = pool.region_labelled / max(pool.region_labelled + len(pool), 1)
    if candidates.features_pd is None or candidates.labelled_ld is None:
        return {"covered": np.nan, "random_covered": np.nan, "redundancy": np.nan, "labelled_share": labelled_share}
    sample = np.union1d(batch.indices, rng.permutation(len(pool))[:WORTH_SAMPLE])
    features, weights, labelled = candidates.features_pd[sample], _mass(candidates)[sample], candidates.labelled_ld
    share, redundancy = covered(features, weights, labelled, np.searchsorted(sample, batch.indices))
    at_random, _ = covered(features, weights, labelled, rng.permutation(len(sample))[: len(batch.indices)])
    return {"covered": share, "random_covered": at_random, "redundancy": redundancy, "labelled_share": labelled_share}


def _mass(candidates: Candidates) -> np.ndarray:
    """The uncertainty of each galaxy of the pool; 1 for each where no model says or it is never unsure."""
    if candidates.epistemic_pt is None or not candidates.epistemic_pt.any():
        return np.ones(len(candidates))
    return balanced_uncertainty(candidates.epistemic_pt, candidates.groups)[0]


def _parameters(previewed: Preview) -> dict:
    """The request (sets of objects as their size and checksum), the pool it met and what the batch was worth."""
    request = previewed.request
    asked = asdict(request) | {"region": _condensed(request.region), "population": _condensed(request.population), "excluded": _condensed(request.excluded)}
    worth = {name: None if np.isnan(value) else round(float(value), 6) for name, value in previewed.worth.items()}
    left_out = previewed.pool.counts
    return asked | {"pool": len(previewed.pool), "left out": left_out, "worth": worth, "features": previewed.features}


def _condensed(object_ids: tuple[int, ...] | None) -> dict | None:
    if object_ids is None:
        return None
    ids = np.sort(np.array(object_ids, np.int64))
    return {"objects": len(ids), "sha256": hashlib.sha256(ids.tobytes()).hexdigest()}
