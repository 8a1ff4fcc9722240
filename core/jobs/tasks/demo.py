"""Build the demo: draw a mock sky, store it, let an oracle reveal a first few labels, queue maps and models.

Parameters of the job: ``n`` objects, ``seed``, ``labels`` galaxies that the oracle reveals (400),
``models`` to train (`FIRST_MODELS`), ``maps`` to draw or not (true). A part of the sky is stored in one transaction and a
label is recorded once, so that a job that was killed goes on where it was.
"""

import json
import time
from collections.abc import Sequence

import numpy as np

from core import embedding
from core.columns import TARGET_NAMES
from core.data import mock_sky
from core.jobs.context import TaskContext
from core.jobs.oracle import reveal
from core.jobs.storing import Storing
from core.models import registry
from core.store import Workspace, jobs, objects, truth

FIRST_LABELS = 400
MAPS = (("pca", "image"), ("umap", "image"), ("umap", "spectrum"), ("umap", "fused"))
"""Method and features, the quickest first: something to look at comes before something better."""
FIRST_MODELS = ("mean", "linear", "random_forest", "image_bayesian_cnn", "spectrum_cnn", "photometry_mlp", "fusion_late")
"""The quickest first; the fusion comes last, because it takes over the networks that are fitted by then."""
POOL_FROM = 4
"""Parts from which on a pool of processes is worth its start."""
SKY_SHARE = 0.9


def run(ctx: TaskContext) -> dict:
    """Returns what was stored, labelled and queued, and the seconds it took."""
    started = time.monotonic()
    n, seed = int(ctx.parameters.get("n", 3000)), int(ctx.parameters.get("seed", 0))
    fresh = _draw(ctx, n, seed)
    labelled = _reveal(ctx, seed, int(ctx.parameters.get("labels", FIRST_LABELS)))
    queued = _queue(ctx, seed, ctx.parameters.get("models", FIRST_MODELS), MAPS if ctx.parameters.get("maps", True) else ())
    ctx.report(1.0, f"{n:,} objects, {labelled:,} of them labelled")
    return {"objects": n, "new": fresh, "labelled": labelled, "queued": queued, "seconds": round(time.monotonic() - started, 2)}


def _draw(ctx: TaskContext, n: int, seed: int) -> int:
    """Store the parts of the sky that are not here yet; how many objects came."""
    here = _parts_here(ctx.ws, n, seed)
    done, fresh = sum(here.values()), 0
    storing = Storing(ctx.ws)
    ctx.report(SKY_SHARE * done / n, f"Simulating galaxies: {done:,} of {n:,}")
    workers = None if n - done > POOL_FROM * mock_sky.PART_ROWS else 1
    for chunk in mock_sky.simulate(n, seed, workers, skip=here):
        gain = storing.store(chunk)
        done, fresh = done + len(chunk.objects), fresh + int(gain.is_new.sum())
        ctx.report(SKY_SHARE * done / n, f"Simulating galaxies: {done:,} of {n:,}")
    return fresh


def _parts_here(ws: Workspace, n: int, seed: int) -> dict[int, int]:
    """Number and rows of the parts that are stored whole."""
    counts = objects.frame(ws)["source"].value_counts()
    return {number: rows for number, rows in mock_sky.parts(n) if counts.get(mock_sky.source_of(number, seed), 0) >= rows}


def _reveal(ctx: TaskContext, seed: int, count: int) -> int:
    """Label random galaxies of the train split in all targets, as the catalogue has them; how many."""
    known = truth.frame(ctx.ws, _eligible(ctx.ws))
    complete = known.groupby("object_id")["target"].nunique() == len(TARGET_NAMES)
    pool = complete.index[complete].to_numpy()
    picked = np.random.default_rng([seed, count]).permutation(pool)[:count]
    tell = lambda done: ctx.report(SKY_SHARE + 0.08 * done / len(picked), f"The catalogue labels galaxies: {done:,} of {len(picked):,}")  # noqa: E731
    return reveal(ctx.ws, picked.tolist(), f"demo {seed}", tell)


def _eligible(ws: Workspace) -> list[int]:
    """Galaxies of the mock sky in the train split."""
    table = objects.frame(ws)
    return table.loc[(table["simulated"] == 1) & (table["split"] == "train") & (table["class"] == "GALAXY"), "id"].tolist()


def _queue(ctx: TaskContext, seed: int, models: Sequence[str], maps: Sequence[tuple[str, str]]) -> int:
    """Queue maps and models that this job has not queued yet; how many there are in all."""
    wanted = [("embed", embedding.title(method, features), {"method": method, "features": features, "parameters": {}}) for method, features in maps]
    wanted += [("train", f"Train {model}", {"model": registry.spec(model).name, "config": {}, "seed": seed}) for model in models]
    there = [(job.kind, json.loads(job.parameters)) for job in jobs.frame(ctx.ws).itertuples() if job.id > ctx.job_id]
    for kind, title, parameters in wanted:
        if (kind, parameters) not in there:
            jobs.enqueue(ctx.ws, kind, title, parameters)
    return len(wanted)
