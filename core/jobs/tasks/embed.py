"""Make a map: features of every galaxy that has them, laid out on a plane, kept under a name."""

from dataclasses import dataclass

import numpy as np

from core import embedding
from core.embedding import Axes
from core.errors import BadInput, NotFound
from core.jobs.context import TaskContext
from core.jobs.inputs import iter_inputs
from core.store import arrays, census, embeddings, objects, runs
from core.store.workspace import Workspace

CHUNK = 512


@dataclass(frozen=True)
class Source:
    """What a map is made of: ids (n,), features (n, d), the run they come from, who had to stay out, and the axes, by modality."""

    object_ids: np.ndarray
    features_nd: np.ndarray
    run_id: int | None
    run_name: str
    note: str
    axes: dict[str, tuple[Axes, float]]

    def space(self) -> dict[str, np.ndarray]:
        """What `embeddings.save` keeps, so that newcomers can be placed."""
        kept = {"features": self.features_nd, "parts": np.array(list(self.axes))}
        for part, (axes, scale) in self.axes.items():
            kept |= axes.arrays(part) | {f"{part}.scale": np.float64(scale)}
        return kept


def run(ctx: TaskContext) -> dict:
    """Parameters: method, features (``image | spectrum | photometry | fused | run:<id>``), parameters, seed, name; or place (a map's name).

    Galaxies that lack the features are left out and counted. A map of the same kind that is
    there already is where the new one starts, so that galaxies stay where people remember them.
    With ``place``, galaxies that came in since that map was made are put on it, and nobody on it moves.
    """
    if "place" in ctx.parameters:
        return _place(ctx, ctx.parameters["place"])
    method, features, given = ctx.parameters.get("method", "umap"), ctx.parameters["features"], ctx.parameters.get("parameters", {})
    seed = int(ctx.parameters.get("seed", 0))
    source = _source(ctx, features, seed)
    name = ctx.parameters.get("name") or embedding.title(method, features, source.run_name)
    previous, used = _previous(ctx.ws, name, method, features, source), embedding.method_for(len(source.object_ids), method)
    kept = {"seed": seed, "method used": used, "note": source.note, **given}
    if used != "pca" and name not in set(embeddings.frame(ctx.ws)["name"]):
        first = embedding.first_view(source.features_nd)
        embeddings.save(ctx.ws, name, method, features, source.object_ids, first, kept | {"first view": True}, source.run_id)
    report = lambda fraction, message: ctx.report(0.5 + 0.5 * fraction, f"{name}: {message.lower()}")  # noqa: E731
    xy = embedding.embed(source.features_nd, method, given, seed, previous, report)
    embeddings.save(ctx.ws, name, method, features, source.object_ids, xy, kept, source.run_id, previous, source.space())
    few = "" if used == method else f" Too few galaxies for {embedding.METHODS[method][0]}: placed by PCA."
    ctx.report(1.0, f"{name}: {len(xy):,} galaxies.{source.note}{few}")
    return {"name": name, "galaxies": len(xy), "note": source.note + few}


def _place(ctx: TaskContext, name: str) -> dict:
    row, (ids, xy), space = embeddings.one(ctx.ws, name), embeddings.load(ctx.ws, name), embeddings.load_space(ctx.ws, name)
    fresh, features_md = _newcomers(ctx, ids, space, row["run_id"])
    if not len(fresh):
        raise NotFound(f"Every galaxy that could stand on the map {name} stands on it. Bring in others on the Data page first.")
    placed = embedding.place(features_md, space["features"], xy, row["parameters"].get("method used", row["method"]))
    parameters = row["parameters"] | {"placed": row["parameters"].get("placed", 0) + len(fresh)}
    everybody, before = np.concatenate([ids, fresh]), np.concatenate([xy, np.full_like(placed, np.nan)])
    embeddings.save(ctx.ws, name, row["method"], row["features"], everybody, np.concatenate([xy, placed]), parameters, row["run_id"], before,
                    space | {"features": np.concatenate([space["features"], features_md])})
    ctx.report(1.0, f"{name}: {len(fresh):,} galaxies placed, nobody moved.")
    return {"name": name, "galaxies": len(everybody), "note": f" {len(fresh):,} placed without moving the rest."}


def _newcomers(ctx: TaskContext, ids: np.ndarray, space: dict, run_id: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Galaxies that have what a map is made of and are not on it, and their features on its axes, (m,) and (m, d)."""
    parts = space["parts"].tolist()
    axes = {part: Axes.from_arrays(space, part) for part in parts}
    if run_id is not None:
        known, features = _latent(ctx.ws, run_id)
        here = ~np.isin(known, ids)
        return known[here], axes["run"].of(features[here])
    fresh = np.setdiff1d(arrays.having(ctx.ws, parts), ids)
    rows = [axes[part].of(_summaries(ctx, part, fresh, k / len(parts), 1 / len(parts))) * space[f"{part}.scale"] for k, part in enumerate(parts) if len(fresh)]
    return fresh, np.hstack(rows).astype(np.float32) if rows else np.empty((0, 0), np.float32)


def _source(ctx: TaskContext, features: str, seed: int) -> Source:
    if features.startswith("run:"):
        return _of_run(ctx.ws, int(features.removeprefix("run:")), seed)
    if features not in embedding.FEATURES:
        raise BadInput("The features of a map", f"be one of {', '.join(embedding.FEATURES)} or run:<id>", features, "this map", "Choose one of them")
    wanted = [m for m, count in census.modalities(ctx.ws).items() if count] if features == "fused" else [features]
    ids = arrays.having(ctx.ws, wanted) if wanted else np.empty(0, np.int64)
    if not len(ids):
        raise NotFound(f"No galaxy here has {' and '.join(wanted) or 'any array'} to make a map of. Ingest some on the Data page, or choose other features.")
    rows = [_summaries(ctx, modality, ids, k / len(wanted), 1 / len(wanted)) for k, modality in enumerate(wanted)]
    axes = [embedding.axes_of(r, seed=seed) for r in rows]
    parts = [a.of(r) for a, r in zip(axes, rows, strict=True)]
    scales = embedding.scales(parts) if len(parts) > 1 else [1.0]
    joined = np.hstack([p * s for p, s in zip(parts, scales, strict=True)]).astype(np.float32)
    note = _left_out(objects.count(ctx.ws) - len(ids), f"without {' or '.join(wanted)}")
    return Source(ids, joined, None, "", note, dict(zip(wanted, zip(axes, scales, strict=True), strict=True)))


def _summaries(ctx: TaskContext, modality: str, ids: np.ndarray, begin: float, share: float) -> np.ndarray:
    """What a map of one modality is made of, read in chunks."""
    rows, done = [], 0
    for here, inputs in iter_inputs(ctx.ws, ids, (modality,), CHUNK):
        rows.append(embedding.summary(modality, inputs.arrays[modality]))
        done += len(here)
        ctx.report(0.45 * (begin + share * done / len(ids)), f"Reading {embedding.FEATURES[modality]}: {done:,} of {len(ids):,}")
    return np.concatenate(rows)


def _of_run(ws: Workspace, run_id: int, seed: int) -> Source:
    ids, features_nd = _latent(ws, run_id)
    lacking, axes = len(runs.load_arrays(ws, run_id, "predictions")["object_ids"]) - len(ids), embedding.axes_of(features_nd, seed=seed)
    return Source(ids, axes.of(features_nd), run_id, runs.one(ws, run_id)["model"], _left_out(lacking, "without latent features"), {"run": (axes, 1.0)})


def _latent(ws: Workspace, run_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids and latent features of the galaxies for which a run keeps them."""
    saved = runs.load_arrays(ws, run_id, "predictions")
    if "features" not in saved or not saved["features"].size:
        raise NotFound(f"Run {run_id} kept no latent features. Choose a run of a network, or make the map of images or spectra.")
    finite = np.isfinite(saved["features"]).all(axis=1)
    return saved["object_ids"][finite].astype(np.int64), saved["features"][finite]


def _left_out(count: int, why: str) -> str:
    return f" {count:,} {why} left out." if count else ""


def _previous(ws: Workspace, name: str, method: str, features: str, source: Source) -> np.ndarray | None:
    """Where each galaxy stood on the map of this name and method, else on the newest of the same method and kind of features."""
    maps = embeddings.frame(ws)
    maps = maps[~maps["parameters"].str.contains('"first view"')]
    models = runs.frame(ws).set_index("id")["model"]
    same_kind = maps["run_id"].map(models).eq(source.run_name) if source.run_id is not None else maps["features"].eq(features)
    maps, same_kind = maps[maps["method"].eq(method)], same_kind[maps["method"].eq(method)]
    candidates = maps[maps["name"].eq(name)] if maps["name"].eq(name).any() else maps[same_kind]
    if candidates.empty:
        return None
    ids, xy = embeddings.load(ws, candidates["name"].iloc[0])
    place = {i: row for row, i in enumerate(ids.tolist())}
    rows = np.array([place.get(i, -1) for i in source.object_ids.tolist()])
    return np.where(rows[:, None] >= 0, xy[rows], np.nan)
