"""From a request to a previewed batch, and from there into the store."""

import hashlib
from dataclasses import asdict, replace

import numpy as np
import pandas as pd

from core.acquisition import registry
from core.acquisition.batch import Batch, compose
from core.acquisition.candidates import Strategy
from core.columns import Target
from core.errors import BadInput
from core.services.labelling.progress import pace
from core.services.querying.experience import seconds_per_label
from core.services.querying.pool import decisions
from core.services.querying.pool import pool as pool_of
from core.services.querying.previewed import Preview, worth
from core.services.querying.request import Pool, Request
from core.services.querying.scored import Scored, chosen_targets, scored
from core.store import Workspace, acts, assignments, batches, census, truth

PACE_DECISIONS = 200
"""How many of a person's latest decisions say how fast they go."""
_MEASURING = "k_centre"
"""A strategy that needs features and nothing else."""


def preview(ws: Workspace, request: Request, pool: Pool | None = None) -> Preview:
    """Compose a batch without saving it. The same workspace and request give the same batch.

    ``pool`` is `querying.pool` of the request where it is known already: another strategy may ask the same galaxies. Raises `BadInput` for a strategy, size, share or targets that cannot be served, `NotFound` for a run that is not there.
    """
    strategy, targets = registry.strategy(request.strategy), chosen_targets(truth.targets(ws), request.targets)
    pool = pool_of(ws, request) if pool is None else pool
    seen = _seen(ws, request, pool, strategy, targets)
    measured = seen if seen.candidates.features_pd is not None else _seen(ws, replace(request, per_minute=False, population=None), pool, registry.strategy(_MEASURING), targets)
    batch = compose(strategy, seen.candidates, request.size, np.random.default_rng(request.seed), request.control_share, request.strange_share)
    table = rows_of_batch(seen.pool, batch)
    return Preview(request, seen, measured, table, worth(request, seen, measured, table))


def heeded(request: Request) -> Request:
    """The request less what its strategy cannot heed: minutes, diversity, whom predictions should serve."""
    strategy, plain = registry.strategy(request.strategy), Request()
    return replace(
        request, per_minute=request.per_minute and strategy.heeds_cost, diversity=request.diversity if strategy.heeds_diversity else plain.diversity,
        population=request.population if strategy.heeds_population else None, whom=request.whom if strategy.heeds_population else plain.whom,
    )


def submit(ws: Workspace, previewed: Preview, name: str, annotator: str | None = None) -> int:
    """Save a previewed batch under a name and return its id; its parameters say what is needed to draw it again, and what was changed by hand.

    Raises `BadInput` for an empty name, a batch that holds nothing, or when somebody has decided on one of its galaxies since.
    """
    if not name.strip():
        raise BadInput("The name of a batch", "not be empty", "nothing", "this batch", "Give it a name that the team will recognise")
    if previewed.table.empty:
        raise BadInput("A batch", "hold at least one galaxy", "none", "this batch", "Put some in, or preview it again")
    gone = np.intersect1d(previewed.table["object_id"], decisions(ws, previewed.request.targets)[0])
    if len(gone):
        raise BadInput("A batch", "hold only galaxies nobody has decided on", f"{len(gone)} decided on since the preview", f"object {gone[0]} first", "Preview it again")
    items = previewed.table.astype(object).where(previewed.table.notna(), None).to_dict("records")
    return batches.save(ws, name.strip(), previewed.request.strategy, _parameters(previewed), previewed.request.seed, items, previewed.request.run_id, annotator)


def batch_list(ws: Workspace) -> pd.DataFrame:
    """Batches, newest first, as `core.store.batches.frame` gives them; added are ``share`` of the items done and ``people`` it is shared out among ("everybody")."""
    table, shared = batches.frame(ws), assignments.progress(ws).groupby("batch_id")["annotator"].agg(", ".join).to_dict()
    table = table.assign(done=table["done"].fillna(0).astype(int), people=[shared.get(batch_id, "everybody") for batch_id in table["id"]])
    return table.assign(share=(table["done"] / table["size"].clip(lower=1)).astype(float))


def has_spectra(ws: Workspace) -> bool:
    """Whether any object has a spectrum to read a redshift from."""
    return census.modalities(ws)["spectrum"] > 0


def minutes(ws: Workspace, annotator: str, size: int) -> float | None:
    """How long a batch takes at this person's own latest pace; None while that is not known."""
    per_hour = pace(acts.decisions_since(ws, annotator, "")["created"].tail(PACE_DECISIONS))
    return 60 * size / per_hour if per_hour else None


def rows_of_batch(pool: Pool, batch: Batch) -> pd.DataFrame:
    """A composed batch as the rows of `Preview.table`."""
    return pd.DataFrame({
        "object_id": pool.object_ids[batch.indices], "rank": np.arange(len(batch.indices)), "score": batch.scores,
        "reason": batch.reasons, "distance": batch.distances, "control": batch.control, "chance": pool.chance[batch.indices],
    })


def _seen(ws: Workspace, request: Request, pool: Pool, strategy: Strategy, targets: tuple[Target, ...]) -> Scored:
    """What a strategy may know, weighed as the request says."""
    seen = scored(ws, request, pool, strategy, targets)
    cost_p = seconds_per_label(ws, seen.pool) if request.per_minute else None
    return replace(seen, candidates=replace(seen.candidates, cost_p=cost_p, weights=request.weights(seen.candidates.groups), diversity=request.diversity))


def _parameters(previewed: Preview) -> dict:
    """The request (sets of objects as their size and checksum), the pool it met, what the batch was worth and what was changed by hand."""
    request, edits = previewed.request, previewed.edits
    asked = asdict(request) | {"region": _condensed(request.region), "population": _condensed(request.population), "excluded": _condensed(request.excluded)}
    known = {name: None if np.isnan(value) else round(float(value), 6) for name, value in previewed.worth.items()}
    by_hand = asdict(edits) | {"removed": list(edits.removed), "added": list(edits.added)}
    return asked | {"pool": len(previewed.pool), "left out": previewed.pool.counts, "worth": known, "features": previewed.features, "by hand": by_hand}


def _condensed(object_ids: tuple[int, ...] | None) -> dict | None:
    if object_ids is None:
        return None
    ids = np.sort(np.array(object_ids, np.int64))
    return {"objects": len(ids), "sha256": hashlib.sha256(ids.tobytes()).hexdigest()}
