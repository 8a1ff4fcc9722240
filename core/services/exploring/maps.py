"""The maps there are, what further ones can be made of, and making them."""

import numpy as np
import pandas as pd

from core import embedding
from core.columns import MODALITIES, task_groups
from core.store import Workspace, census, embeddings, jobs, runs, truth


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


def maps_being_made(ws: Workspace) -> pd.DataFrame:
    """Jobs under way or waiting that end in a map: id, kind, title, status, fraction, message."""
    table = jobs.active(ws)
    return table[table["kind"].isin(("embed", "demo"))]


def _has_latent(ws: Workspace, run_id: int) -> bool:
    path = runs.folder(ws, run_id) / "predictions.npz"
    with np.load(path, allow_pickle=False) as file:
        return "features" in file.files
