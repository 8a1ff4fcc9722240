"""Make a map: features of every galaxy that has them, laid out on a plane, kept under a name."""

from dataclasses import dataclass

import numpy as np

from core import embedding
from core.columns import MODALITIES
from core.errors import BadInput, NotFound
from core.jobs.context import TaskContext
from core.jobs.inputs import iter_inputs
from core.store import embeddings, objects, runs
from core.store.workspace import Workspace

CHUNK = 512


@dataclass(frozen=True)
class Source:
    """What a map is made of: ids (n,), features (n, d), the run they come from, and who had to stay out."""

    object_ids: np.ndarray
    features_nd: np.ndarray
    run_id: int | None
    run_name: str
    note: str


def run(ctx: TaskContext) -> dict:
    """Parameters: method, features (``image | spectrum | photometry | fused | run:<id>``), parameters, seed, name.

    Galaxies that lack the features are left out and counted. A map of the same kind that is
    there already is where the new one starts, so that galaxies stay where people remember them.
    """
    method, features, given = ctx.parameters.get("method", "umap"), ctx.parameters["features"], ctx.parameters.get("parameters", {})
    seed = int(ctx.parameters.get("seed", 0))
    source = _source(ctx, features, seed)
    name = ctx.parameters.get("name") or embedding.title(method, features, source.run_name)
    previous = _previous(ctx.ws, name, method, features, source)
    report = lambda fraction, message: ctx.report(0.5 + 0.5 * fraction, f"{name}: {message.lower()}")  # noqa: E731
    xy = embedding.embed(source.features_nd, method, given, seed, previous, report)
    used = embedding.method_for(len(xy), method)
    kept = {"seed": seed, "method used": used, "note": source.note, **given}
    embeddings.save(ctx.ws, name, method, features, source.object_ids, xy, kept, source.run_id)
    few = "" if used == method else f" Too few galaxies for {embedding.METHODS[method][0]}: placed by PCA."
    ctx.report(1.0, f"{name}: {len(xy):,} galaxies.{source.note}{few}")
    return {"name": name, "galaxies": len(xy), "note": source.note + few}


def _source(ctx: TaskContext, features: str, seed: int) -> Source:
    if features.startswith("run:"):
        return _latent(ctx.ws, int(features.removeprefix("run:")), seed)
    if features not in embedding.FEATURES:
        raise BadInput("The features of a map", f"be one of {', '.join(embedding.FEATURES)} or run:<id>", features, "this map", "Choose one of them")
    table = objects.frame(ctx.ws)
    wanted = [m for m in MODALITIES if table[m].any()] if features == "fused" else [features]
    has_all = table[wanted].all(axis=1).to_numpy(bool) if wanted else np.zeros(len(table), bool)
    ids = table["id"].to_numpy(np.int64)[has_all]
    if not len(ids):
        raise NotFound(f"No galaxy here has {' and '.join(wanted) or 'any array'} to make a map of. Ingest some on the Data page, or choose other features.")
    parts = [_modality(ctx, modality, ids, k / len(wanted), 1 / len(wanted), seed) for k, modality in enumerate(wanted)]
    return Source(ids, parts[0] if len(parts) == 1 else embedding.fused(parts), None, "", _left_out(len(table) - len(ids), f"without {' or '.join(wanted)}"))


def _modality(ctx: TaskContext, modality: str, ids: np.ndarray, begin: float, share: float, seed: int) -> np.ndarray:
    """Leading components of one modality's inputs, read in chunks."""
    rows, done = [], 0
    for here, inputs in iter_inputs(ctx.ws, ids, (modality,), CHUNK):
        rows.append(embedding.summary(modality, inputs.arrays[modality]))
        done += len(here)
        ctx.report(0.45 * (begin + share * done / len(ids)), f"Reading {embedding.FEATURES[modality]}: {done:,} of {len(ids):,}")
    return embedding.components(np.concatenate(rows), seed=seed)


def _latent(ws: Workspace, run_id: int, seed: int) -> Source:
    saved = runs.load_arrays(ws, run_id, "predictions")
    if "features" not in saved or not saved["features"].size:
        raise NotFound(f"Run {run_id} kept no latent features. Choose a run of a network, or make the map of images or spectra.")
    finite = np.isfinite(saved["features"]).all(axis=1)
    return Source(saved["object_ids"][finite].astype(np.int64), embedding.components(saved["features"][finite], seed=seed), run_id,
                  runs.one(ws, run_id)["model"], _left_out(int((~finite).sum()), "without latent features"))


def _left_out(count: int, why: str) -> str:
    return f" {count:,} {why} left out." if count else ""


def _previous(ws: Workspace, name: str, method: str, features: str, source: Source) -> np.ndarray | None:
    """Where each galaxy stood on the map of this name, else on the newest of the same method and kind of features."""
    maps = embeddings.frame(ws)
    models = runs.frame(ws).set_index("id")["model"]
    same_kind = maps["run_id"].map(models).eq(source.run_name) if source.run_id is not None else maps["features"].eq(features)
    candidates = maps[maps["name"].eq(name)] if maps["name"].eq(name).any() else maps[same_kind & maps["method"].eq(method)]
    if candidates.empty:
        return None
    ids, xy = embeddings.load(ws, candidates["name"].iloc[0])
    place = {i: row for row, i in enumerate(ids.tolist())}
    rows = np.array([place.get(i, -1) for i in source.object_ids.tolist()])
    return np.where(rows[:, None] >= 0, xy[rows], np.nan)
