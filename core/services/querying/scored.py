"""The pool as a strategy sees it: what a run predicts of it, and in which features it is measured."""

from dataclasses import dataclass, replace

import numpy as np

from core.acquisition.candidates import Candidates, Strategy
from core.columns import Target, task_groups
from core.errors import BadInput, NotFound
from core.services.exploring import latent, rows_of
from core.services.querying.request import Pool, Request
from core.store import Workspace, embeddings, runs


@dataclass(frozen=True)
class Scored:
    """The part of the pool that is known well enough, its candidates row for row, and what its features are."""

    pool: Pool
    candidates: Candidates
    features: str


def scored(ws: Workspace, request: Request, pool: Pool, strategy: Strategy, targets: tuple[Target, ...]) -> Scored:
    """What a strategy may know of the pool.

    With a run: its predictions and, where it keeps them, its latent features. Galaxies it does not
    predict are left out and counted. Without latent features the places on the newest map stand in,
    and galaxies that are not on it are left out if the strategy needs features.
    """
    candidates = Candidates(np.ones(len(pool), bool), spread_p=pool.sn, spread_name="S/N")
    if request.run_id is not None:
        pool, candidates = _predicted(ws, request.run_id, pool, targets)
    source = _latent_source(ws, request.run_id) or _map_source(ws)
    if source is None:
        return Scored(pool, candidates, "")
    words, ids, features = source
    is_known = np.isin(pool.object_ids, ids)
    if not is_known.all() and "features_pd" not in strategy.needs:
        return Scored(pool, candidates, "")
    pool, candidates = _kept(pool, is_known, f"without {words}"), candidates[is_known]
    return Scored(pool, _with_features(candidates, pool, ids, features), words)


def _predicted(ws: Workspace, run_id: int, pool: Pool, targets: tuple[Target, ...]) -> tuple[Pool, Candidates]:
    saved = runs.load_arrays(ws, run_id, "predictions")
    names, ids = saved["targets"].tolist(), saved["object_ids"].astype(np.int64)
    foretold = tuple(t for t in targets if t.name in names)
    if not foretold:
        raise NotFound(f"Run {run_id} predicts none of {', '.join(t.name for t in targets)}. Choose another run or other targets.")
    columns = [names.index(t.name) for t in foretold]
    mean, aleatoric, epistemic = (saved[name][:, columns].astype(float) for name in ("mean", "aleatoric", "epistemic"))
    finite = np.isfinite(mean + aleatoric + epistemic).all(axis=1)
    pool = replace(_kept(pool, np.isin(pool.object_ids, ids[finite]), f"not predicted by run {run_id}"),
                   labelled_ids=pool.labelled_ids[np.isin(pool.labelled_ids, ids[finite])])
    here, there = rows_of(ids, pool.object_ids), rows_of(ids, pool.labelled_ids)
    return pool, Candidates(
        np.ones(len(pool), bool), epistemic_pt=epistemic[here], aleatoric_pt=aleatoric[here], labelled_aleatoric_lt=aleatoric[there],
        spread_p=mean[here, 0], spread_name=f"predicted {foretold[0].name}", groups=task_groups(foretold),
    )


def _latent_source(ws: Workspace, run_id: int | None) -> tuple[str, np.ndarray, np.ndarray] | None:
    ids, features = latent(ws, run_id)
    return (f"latent features of run {run_id}", ids, features) if len(ids) else None


def _map_source(ws: Workspace) -> tuple[str, np.ndarray, np.ndarray] | None:
    names = embeddings.frame(ws)["name"]
    return None if names.empty else (f"a place on the map {names.iloc[0]}", *embeddings.load(ws, names.iloc[0]))


def _kept(pool: Pool, keep: np.ndarray, reason: str) -> Pool:
    return replace(pool, object_ids=pool.object_ids[keep], sn=pool.sn[keep], counts=pool.counts | {reason: int((~keep).sum())})


def _with_features(candidates: Candidates, pool: Pool, ids: np.ndarray, features: np.ndarray) -> Candidates:
    """Features over their root mean square distance from the pool's middle: one scale for all, the origin stays."""
    is_known = np.isin(pool.labelled_ids, ids)
    here, there = features[rows_of(ids, pool.object_ids)], features[rows_of(ids, pool.labelled_ids[is_known])]
    scale = float(np.sqrt(here.var(axis=0, dtype=float).sum())) or 1.0 if len(here) else 1.0
    noise = candidates.labelled_aleatoric_lt
    return replace(candidates, features_pd=(here / scale).astype(np.float32), labelled_ld=(there / scale).astype(np.float32),
                   labelled_aleatoric_lt=None if noise is None else noise[is_known])


def chosen_targets(known: tuple[Target, ...], names: tuple[str, ...]) -> tuple[Target, ...]:
    """The targets of these names, in the order of the table; raises `BadInput` for none or an unknown one."""
    by_name = {t.name: t for t in known}
    wrong = [n for n in names if n not in by_name]
    if wrong or not names:
        raise BadInput("The targets", f"be one or more of {', '.join(by_name)}", ", ".join(wrong) or "none", "this batch", "Choose at least one of them")
    return tuple(t for t in known if t.name in names)
