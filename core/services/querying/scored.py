"""The pool as a strategy sees it: what a run predicts of it, and in which features it is measured."""

from dataclasses import dataclass, replace

import numpy as np

from core.acquisition.alike import LEAST, chance_alike
from core.acquisition.candidates import Candidates, Strategy
from core.columns import Target, task_groups
from core.errors import BadInput
from core.services.exploring import latent, rows_of
from core.services.querying.request import Pool, Request
from core.services.querying.views import Saved, answers, contradiction, foretold, view_runs
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
    and galaxies that are not on it are left out if the strategy needs features. So are those most like what nobody could tell. A strategy that compares
    images with spectra gets what two further runs say, and only galaxies that both can see.
    """
    views = view_runs(ws, request.run_id) if "disagreement_pt" in strategy.needs else ()
    saved = {i: runs.load_arrays(ws, i, "predictions") for i in (request.run_id, *views) if i is not None}
    asked = foretold(saved, targets)
    candidates = Candidates(np.ones(len(pool), bool), spread_p=pool.sn, spread_name="S/N", groups=task_groups(asked))
    if request.run_id is not None:
        pool, candidates = _predicted(saved[request.run_id], request, pool, asked)
    if views:
        pool, candidates = _compared(ws, views, saved, pool, candidates, asked)
    source = _latent_source(ws, request.run_id) or _map_source(ws)
    if source is None:
        return Scored(pool, candidates, "")
    words, ids, features = source
    is_known = np.isin(pool.object_ids, ids)
    if not is_known.all() and "features_pd" not in strategy.needs:
        return Scored(pool, candidates, "")
    pool, candidates = _kept(pool, is_known, f"without {words}"), candidates[is_known]
    candidates, scale = _with_features(candidates, pool, ids, features)
    if request.least_chance:
        pool, candidates = _unlike_refused(pool, candidates, ids, features / scale)
    if request.population is not None:
        candidates = _with_population(candidates, request, saved, asked, ids, features / scale)
        words = f"{words}, known for {len(candidates.population_md)} of the {len(set(request.population))} to be served"
    return Scored(pool, candidates, words)


def _predicted(saved: Saved, request: Request, pool: Pool, asked: tuple[Target, ...]) -> tuple[Pool, Candidates]:
    ids, mean, aleatoric, epistemic = answers(saved, asked)
    pool = replace(_kept(pool, np.isin(pool.object_ids, ids), f"not predicted by run {request.run_id}"),
                   labelled_ids=pool.labelled_ids[np.isin(pool.labelled_ids, ids)])
    here, there = rows_of(ids, pool.object_ids), rows_of(ids, pool.labelled_ids)
    novelty_n = saved.get("novelty", np.full(len(saved["object_ids"]), np.nan))
    return pool, Candidates(
        np.ones(len(pool), bool), novelty_p=novelty_n[rows_of(saved["object_ids"], pool.object_ids)], epistemic_pt=epistemic[here], aleatoric_pt=aleatoric[here], labelled_aleatoric_lt=aleatoric[there],
        spread_p=mean[here, 0], spread_name=f"predicted {asked[0].name}", groups=task_groups(asked),
    )


def _compared(ws: Workspace, views: tuple[int, ...], saved: dict[int, Saved], pool: Pool, candidates: Candidates, asked: tuple[Target, ...]) -> tuple[Pool, Candidates]:
    ids, disagreement_nt = contradiction(ws, saved[views[0]], saved[views[1]], asked)
    is_known = np.isin(pool.object_ids, ids)
    pool = _kept(pool, is_known, f"without an answer of runs {views[0]} (image) and {views[1]} (spectrum)")
    return pool, replace(candidates[is_known], disagreement_pt=disagreement_nt[rows_of(ids, pool.object_ids)])


def _latent_source(ws: Workspace, run_id: int | None) -> tuple[str, np.ndarray, np.ndarray] | None:
    ids, features = latent(ws, run_id)
    return (f"latent features of run {run_id}", ids, features) if len(ids) else None


def _map_source(ws: Workspace) -> tuple[str, np.ndarray, np.ndarray] | None:
    names = embeddings.frame(ws)["name"]
    return None if names.empty else (f"a place on the map {names.iloc[0]}", *embeddings.load(ws, names.iloc[0]))


def _kept(pool: Pool, keep: np.ndarray, reason: str) -> Pool:
    return replace(pool, object_ids=pool.object_ids[keep], sn=pool.sn[keep], chance=pool.chance[keep], counts=pool.counts | {reason: int((~keep).sum())})


def _with_features(candidates: Candidates, pool: Pool, ids: np.ndarray, features: np.ndarray) -> tuple[Candidates, float]:
    """Features over their root mean square distance from the pool's middle, and that distance: one scale for all, the origin stays."""
    is_known = np.isin(pool.labelled_ids, ids)
    here, there = features[rows_of(ids, pool.object_ids)], features[rows_of(ids, pool.labelled_ids[is_known])]
    scale = float(np.sqrt(here.var(axis=0, dtype=float).sum())) or 1.0 if len(here) else 1.0
    noise = candidates.labelled_aleatoric_lt
    return replace(candidates, features_pd=(here / scale).astype(np.float32), labelled_ld=(there / scale).astype(np.float32),
                   labelled_aleatoric_lt=None if noise is None else noise[is_known]), scale


def _unlike_refused(pool: Pool, candidates: Candidates, ids: np.ndarray, features: np.ndarray) -> tuple[Pool, Candidates]:
    """The pool without the galaxies most like those of which nobody could tell a value, stars among them."""
    refused_rd = features[rows_of(ids, pool.refused_ids[np.isin(pool.refused_ids, ids)])]
    tried_nd = np.concatenate([candidates.labelled_ld, refused_rd])
    likely = chance_alike(candidates.features_pd, tried_nd, np.arange(len(tried_nd)) < len(candidates.labelled_ld)) >= LEAST
    return _kept(pool, likely, "most like those of which nobody could tell"), candidates[likely]


def _with_population(candidates: Candidates, request: Request, saved: dict[int, Saved], asked: tuple[Target, ...],
                     ids: np.ndarray, features: np.ndarray) -> Candidates:
    """Who is to be served, where their features (and with a run their noise) are known."""
    wanted = np.intersect1d(np.array(request.population, np.int64), ids)
    noise = None
    if request.run_id is not None:
        predicted, _, aleatoric, _ = answers(saved[request.run_id], asked)
        wanted = wanted[np.isin(wanted, predicted)]
        noise = aleatoric[rows_of(predicted, wanted)]
    if not len(wanted):
        raise BadInput("The population to be served", "hold at least one object with features", "none", "this batch", "Name other objects, or none to serve the pool")
    return replace(candidates, population_md=features[rows_of(ids, wanted)].astype(np.float32), population_aleatoric_mt=noise)


def chosen_targets(known: tuple[Target, ...], names: tuple[str, ...]) -> tuple[Target, ...]:
    """The targets of these names, in the order of the table; raises `BadInput` for none or an unknown one."""
    by_name = {t.name: t for t in known}
    wrong = [n for n in names if n not in by_name]
    if wrong or not names:
        raise BadInput("The targets", f"be one or more of {', '.join(by_name)}", ", ".join(wrong) or "none", "this batch", "Choose at least one of them")
    return tuple(t for t in known if t.name in names)
