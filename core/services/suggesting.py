"""The next galaxies to label, one by one: every label is absorbed in closed form before the next one is chosen.

The newest finished run that keeps latent features lends them, with the noise it predicts. On them stands a last layer's posterior
(`core.uncertainty.last_layer`) that knows every standing label; a strategy of the registry chooses by what it leaves unknown.
Nothing is retrained. A galaxy that is on the desk counts as labelled already, so that the next is chosen while a person looks at it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

import numpy as np

from core.acquisition import registry
from core.acquisition.batch import Batch, compose
from core.acquisition.candidates import Candidates
from core.columns import Target, task_groups
from core.jobs.inputs import wide
from core.services.exploring import rows_of
from core.services.querying.pool import pool
from core.services.querying.request import Request
from core.store import Workspace, batches, census, labels, objects, runs, truth
from core.uncertainty import last_layer
from core.uncertainty.watched import Watched, watch

STRATEGY = "epistemic_sampled"
"""By what the posterior does not know, drawn: on real galaxies ahead of random and behind it in nothing (benchmarks/active_learning.md)."""
NAME = "Suggested one by one"
"""Of the batch that holds what was suggested."""
CONTROL_SHARE = 0.1
"""Drawn at random whatever the strategy: an honest baseline, and labels that calibration may use."""
AT_ONCE = 3
"""Suggestions that are at hand ahead of a person; more would be prepared in vain, for every label chooses them anew."""
LARGEST_POOL = 20_000
"""Galaxies whose variances are followed; of a larger pool as many are drawn."""
_REMEMBERED = 4


@dataclass(frozen=True)
class Suggestions:
    """Galaxies to label next, best first.

    Attributes
    ----------
    items : of each what a batch keeps: object_id, score, reason, distance (to the nearest label), control (drawn at random).
    sentence : how they came about, or why there is none.
    """

    items: tuple[dict, ...]
    sentence: str

    @property
    def ids(self) -> np.ndarray:
        """Their object ids, int64 (k,)."""
        return np.array([item["object_id"] for item in self.items], np.int64)


@dataclass(frozen=True)
class Ground:
    """What a run lends: it never changes.

    Attributes
    ----------
    ids : int64 (g,), train galaxies that the run predicts. features_gd : float32, over their root mean square distance from their
        middle. noise_gt : float (g, T) predicted noise variance. novelty_g : float (g,), how unlike what the run was fitted to. targets : those that had labels when the run began.
    prior : of the posterior, from the labels that the run saw.
    """

    run_id: int
    ids: np.ndarray
    features_gd: np.ndarray
    noise_gt: np.ndarray
    novelty_g: np.ndarray
    targets: tuple[Target, ...]
    prior: last_layer.Prior

    def rows(self, ids: Iterable[int]) -> np.ndarray:
        """Rows of those of the objects that are here."""
        found = rows_of(self.ids, np.array(list(ids), np.int64))
        return found[found >= 0]


@dataclass(frozen=True)
class Learner:
    """What is known when the label log stands at ``mark``.

    Attributes
    ----------
    pool : int (p,), rows of the ground that may be asked about. watched : the posterior and its variances of the pool.
    labelled : int (l,), rows of the ground whose labels it knows. is_open_p : bool (p,), False once somebody has decided.
    """

    mark: int
    pool: np.ndarray
    watched: Watched
    labelled: np.ndarray
    is_open_p: np.ndarray


def suggest(ws: Workspace, on_desk: Iterable[int] = (), but: Iterable[int] = (), size: int = AT_ONCE, strategy: str = STRATEGY, annotator: str = "") -> Suggestions:
    """The galaxies whose labels should teach most, given every label up to now. The same log gives the same answer to the same person.

    Parameters
    ----------
    on_desk : objects that are about to be labelled: not suggested, and they count as labelled. but : others that are not suggested.
    size : galaxies at most, each with the chance `CONTROL_SHARE` of being drawn without looking at any model.
    strategy : name in the registry; needs features and variances at most. annotator : two people are suggested different galaxies.
    """
    ground = newest_ground(ws)
    if ground is None:
        return Suggestions((), "No finished run keeps what it has learnt of each galaxy: train a model first.")
    learner, coming = learnt(ws, ground), ground.rows(on_desk)
    allowed_p = learner.is_open_p & ~np.isin(learner.pool, [*coming, *ground.rows(but)])
    if not allowed_p.any():
        return Suggestions((), f"Every galaxy that run {ground.run_id} could ask about is decided.")
    size, rng = min(size, int(allowed_p.sum())), np.random.default_rng([ground.run_id, learner.mark, crc32(annotator.encode())])
    batch = compose(registry.strategy(strategy), _candidates(ground, learner, coming, allowed_p), size, rng, rng.binomial(size, CONTROL_SHARE) / size)
    return Suggestions(_items(ground, learner, batch), f"One by one, by what run {ground.run_id} and every label up to now leave unknown.")


def keep(ws: Workspace, items: Iterable[dict], strategy: str = STRATEGY) -> int:
    """Write down that galaxies were asked for, and why, in a batch of their own that grows; returns its id."""
    return batches.extend(ws, NAME, strategy, items)


def _items(ground: Ground, learner: Learner, batch: Batch) -> tuple[dict, ...]:
    ids = ground.ids[learner.pool[batch.indices]].tolist()
    known = lambda number: None if np.isnan(number) else float(number)  # noqa: E731
    return tuple({"object_id": i, "score": known(s), "reason": f"{r} (run {ground.run_id})", "distance": known(d), "control": bool(c)}
                 for i, s, r, d, c in zip(ids, batch.scores, batch.reasons, batch.distances, batch.control, strict=True))  # fmt: skip


def expected_batch(ground: Ground, learner: Learner, size: int) -> np.ndarray:
    """Rows of the ground that a batch would hold, chosen at once as `suggest` chooses; fewer where no more are open."""
    size = min(size, int(learner.is_open_p.sum()))
    picks = registry.strategy(STRATEGY).select(_candidates(ground, learner, np.empty(0, int), learner.is_open_p), size, np.random.default_rng([ground.run_id, learner.mark]))
    return learner.pool[picks.indices]


def newest_ground(ws: Workspace) -> Ground | None:
    """What the newest finished run lends that keeps latent features and has seen labels enough; None without one."""
    finished = runs.frame(ws).query("status == 'done'")["id"]
    return next((found for i in finished if (found := ground_of(ws, int(i))) is not None), None)


_newest: dict[tuple[Workspace, int], Learner] = {}
"""By workspace and run, so that a label costs one update; what is lost here is learnt anew from the log."""


def learnt(ws: Workspace, ground: Ground) -> Learner:
    """What is known now. What was known before is brought up to date: labels are absorbed; anything taken back or changed is learnt anew."""
    key, mark = (ws, ground.run_id), labels.high_water(ws)
    before = _newest.pop(key, None)
    _newest[key] = now = _from_the_log(ws, ground, mark) if before is None or before.mark > mark else _caught_up(ws, ground, before, mark)
    for old in list(_newest)[:-_REMEMBERED]:
        _newest.pop(old, None)
    return now


def _caught_up(ws: Workspace, ground: Ground, before: Learner, mark: int) -> Learner:
    if mark == before.mark:
        return before
    news = labels.since(ws, before.mark, mark)
    touched = ground.rows(np.unique(news["object_id"].to_numpy(np.int64)))
    if news["action"].eq("retract").any() or np.isin(touched, before.labelled).any():
        return _from_the_log(ws, ground, mark)
    values_nt, noise_nt = _standing(ws, ground, touched, mark)
    has_value, watched = np.isfinite(values_nt).any(axis=1), before.watched
    for row, value_t, noise_t in zip(touched[has_value], values_nt[has_value], noise_nt[has_value], strict=True):
        watched = watched.absorb(ground.features_gd[row], value_t, noise_t)
    decided = ground.rows(labels.current(ws, mark, ground.ids[touched])["object_id"].unique())
    return Learner(mark, before.pool, watched, np.concatenate([before.labelled, touched[has_value]]), before.is_open_p & ~np.isin(before.pool, decided))


def _from_the_log(ws: Workspace, ground: Ground, mark: int) -> Learner:
    """Everything from the beginning, under the run's prior."""
    seen = ground.rows(labels.training(ws, mark)["object_id"].unique())
    values_nt, noise_nt = _standing(ws, ground, seen, mark)
    has_value = np.isfinite(values_nt).any(axis=1)
    names = tuple(t.name for t in ground.targets)
    posterior = last_layer.fit(ground.features_gd[seen[has_value]], values_nt[has_value], noise_nt[has_value], names, ground.prior)
    here = _pool(ws, ground)
    return Learner(mark, here, watch(posterior, ground.features_gd[here]), seen[has_value], np.ones(len(here), bool))


def _standing(ws: Workspace, ground: Ground, rows: np.ndarray, mark: int) -> tuple[np.ndarray, np.ndarray]:
    """Values to learn from, (n, T), NaN = none, and the noise variance of each: what the run predicts and the label's own."""
    ids, names = ground.ids[rows], [t.name for t in ground.targets]
    table = labels.training(ws, mark, object_ids=ids)
    values_nt, sigma_nt = (wide(table, ids, names, column) for column in ("value", "sigma"))
    return values_nt, ground.noise_gt[rows] + np.nan_to_num(sigma_nt) ** 2


def _pool(ws: Workspace, ground: Ground) -> np.ndarray:
    asked = Request(run_id=ground.run_id, needs_spectrum=census.modalities(ws)["spectrum"] > 0, targets=tuple(t.name for t in truth.targets(ws)))
    rows = ground.rows(pool(ws, asked).object_ids)
    return np.sort(np.random.default_rng(ground.run_id).permutation(rows)[:LARGEST_POOL])


def _candidates(ground: Ground, learner: Learner, coming: np.ndarray, allowed_p: np.ndarray) -> Candidates:
    """The pool once what is on the desk (rows of the ground) will have been labelled."""
    waiting = np.intersect1d(coming, learner.pool[learner.is_open_p])
    watched = learner.watched
    for row in waiting:
        watched = watched.expect(ground.features_gd[row], ground.noise_gt[row])
    labelled = np.concatenate([learner.labelled, waiting])
    return Candidates(
        allowed_p, ground.features_gd[learner.pool], ground.features_gd[labelled], watched.epistemic_pt, ground.noise_gt[learner.pool], ground.noise_gt[labelled],
        spread_p=watched.mean_pt[:, 0], spread_name=f"predicted {ground.targets[0].name}", novelty_p=ground.novelty_g[learner.pool], groups=task_groups(ground.targets),
    )  # fmt: skip


@lru_cache(maxsize=16)
def ground_of(ws: Workspace, run_id: int) -> Ground | None:
    """What a finished run lends; None where it keeps no latent features or has seen too few labels. Kept: such a run never changes."""
    if not (runs.folder(ws, run_id) / "predictions.npz").exists():
        return None
    saved, mark = runs.load_arrays(ws, run_id, "predictions"), runs.one(ws, run_id)["label_high_water"]
    names = saved["targets"].tolist()
    asked = [t for t in truth.targets(ws) if t.name in names]
    if not saved.get("features", np.empty(0)).size or not asked:
        return None
    noise, features = saved["aleatoric"][:, [names.index(t.name) for t in asked]].astype(float), saved["features"]
    ids = saved["object_ids"].astype(np.int64)
    table = objects.frame(ws)
    kept = np.isfinite(features).all(axis=1) & (np.isfinite(noise) & (noise > 0)).all(axis=1) & np.isin(ids, table.loc[table["split"] == "train", "id"])
    novelty = saved.get("novelty", np.full(len(ids), np.nan))
    return _grounded(ws, run_id, mark, ids[kept], features[kept], noise[kept], novelty[kept], asked)


def _grounded(ws: Workspace, run_id: int, mark: int, ids: np.ndarray, features: np.ndarray, noise: np.ndarray, novelty: np.ndarray, asked: list[Target]) -> Ground | None:
    table = labels.training(ws, mark)
    seen = np.isin(ids, table["object_id"])
    values, sigma = (wide(table, ids[seen], [t.name for t in asked], column) for column in ("value", "sigma"))
    known = np.flatnonzero(np.isfinite(values).sum(axis=0) >= last_layer.FEWEST)
    if not len(known):
        return None
    targets = tuple(asked[t] for t in known)
    features = (features / (np.sqrt(features.var(axis=0, dtype=float).sum()) or 1.0)).astype(np.float32)
    prior = last_layer.prior_of(features[seen], values[:, known], (noise[seen] + np.nan_to_num(sigma) ** 2)[:, known], tuple(t.name for t in targets))
    return Ground(run_id, ids, features, noise[:, known], novelty, targets, prior)
