"""The maps there are, what further ones can be made of, and making them."""

import numpy as np
import pandas as pd

from core import embedding
from core.columns import MODALITIES, task_groups
from core.services.exploring.places import rows_of
from core.services.exploring.table import MapTable
from core.store import Workspace, arrays, census, embeddings, jobs, runs, truth


def map_names(ws: Workspace) -> list[str]:
    """The maps there are, newest first."""
    return embeddings.frame(ws)["name"].tolist()


def run_names(ws: Workspace) -> dict[int, str]:
    """Finished runs that keep predictions, newest first: id -> name for a person."""
    table = runs.frame(ws).query("status == 'done'")
    return {int(r.id): f"{r.name} · run {r.id}" for r in table.itertuples() if (runs.folder(ws, r.id) / "predictions.npz").exists()}


def target_groups(ws: Workspace) -> dict[str, tuple[str, ...]]:
    """Task group -> names of its targets, the workspace's own included."""
    targets = truth.targets(ws)
    return {group: tuple(targets[i].name for i in members) for group, members in task_groups(targets).items()}


def target_names(ws: Workspace) -> list[str]:
    """What can be looked at: the nine targets and the workspace's own."""
    return [target.name for target in truth.targets(ws)]


def feature_choices(ws: Workspace) -> dict[str, str]:
    """What a map can be made of here: value of the embed job's ``features`` -> words."""
    here = [m for m in MODALITIES if census.modalities(ws)[m]]
    choices = {m: embedding.FEATURES[m] for m in here} | ({"fused": embedding.FEATURES["fused"]} if len(here) > 1 else {})
    return choices | {f"run:{i}": f"what {name} has learnt" for i, name in run_names(ws).items() if _has_latent(ws, i)}


def make_map(ws: Workspace, method: str, features: str, parameters: dict, name: str = "") -> int:
    """Queue a job that makes a map, and return the job's id."""
    run_name = runs.one(ws, int(features.removeprefix("run:")))["model"] if features.startswith("run:") else ""
    title = name.strip() or embedding.title(method, features, run_name)
    return jobs.enqueue(ws, "embed", title, {"method": method, "features": features, "parameters": parameters, "name": title})


def newcomers(ws: Workspace, name: str) -> int:
    """How many galaxies have what a map is made of and are not on it; 0 for a map of what a run has learnt, or one that cannot take any."""
    features = embeddings.one(ws, name)["features"]
    if features.startswith("run:") or not embeddings.takes_newcomers(ws, name):
        return 0
    wanted = [m for m, count in census.modalities(ws).items() if count] if features == "fused" else [features]
    return len(np.setdiff1d(arrays.having(ws, wanted), embeddings.load(ws, name)[0]))


def place_newcomers(ws: Workspace, name: str) -> int:
    """Queue a job that puts them on the map without moving anybody, and return the job's id."""
    return jobs.enqueue(ws, "embed", f"Place newcomers on {name}", {"place": name})


def is_first_view(ws: Workspace, name: str) -> bool:
    """Whether a map only stands in by PCA while UMAP or t-SNE is at work."""
    return bool(embeddings.one(ws, name)["parameters"].get("first view"))


def moved_most(ws: Workspace, table: MapTable, other: str | None = None, count: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Who stands elsewhere than on the map before, or than on another map turned onto this one, farthest first.

    Returns
    -------
    ids int64 (<= count,) and how far, as a share of the map's size; empty where nothing is there to compare with.
    """
    before = embeddings.load_before(ws, table.name) if other is None else _placed_as(ws, other, table.object_ids)
    if before is None or np.isfinite(before).all(axis=1).sum() < 3:
        return np.empty(0, np.int64), np.empty(0)
    far = embedding.displacement(embedding.align(table.xy, before), before)
    rows = np.argsort(-np.nan_to_num(far, nan=-1.0), kind="stable")[: min(count, int(np.isfinite(far).sum()))]
    return table.object_ids[rows], far[rows]


def _placed_as(ws: Workspace, other: str, ids: np.ndarray) -> np.ndarray:
    there, xy = embeddings.load(ws, other)
    rows = rows_of(there, ids)
    return np.where(rows[:, None] >= 0, xy[rows], np.nan)


def maps_being_made(ws: Workspace) -> pd.DataFrame:
    """Jobs under way or waiting that end in a map: id, kind, title, status, fraction, message."""
    table = jobs.active(ws)
    return table[table["kind"].isin(("embed", "demo"))]


def _has_latent(ws: Workspace, run_id: int) -> bool:
    path = runs.folder(ws, run_id) / "predictions.npz"
    with np.load(path, allow_pickle=False) as file:
        return "features" in file.files
