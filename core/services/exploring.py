"""Looking at the sky as a map: what stands on it, what colours it, what a lasso catches, what is near."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core import embedding
from core.columns import MODALITIES, Target, task_groups
from core.errors import NotFound
from core.store import Workspace, arrays, batches, census, embeddings, jobs, labels, objects, runs, truth

UNLABELLED, WAITING, CANNOT, LABELLED = "unlabelled", "in an open batch", "cannot be told", "labelled"
STATES = (UNLABELLED, WAITING, CANNOT, LABELLED)
UNKNOWN_CLASS = "no class"


@dataclass(frozen=True)
class MapTable:
    """A map with everything that can colour it; row i is one galaxy throughout.

    Attributes
    ----------
    name : of the map. object_ids : int64 (n,). xy : float32 (n, 2).
    key, object_class, split, state : object (n,); state is one of `STATES`. sn : float32 (n,), NaN = unknown.
    targets : the T targets. label : float32 (n, T) standing training values, NaN = none.
    mean, aleatoric, epistemic : float32 (n, T) of the run in target units, the last two 1-sigma; NaN = not predicted.
    run_id : the run, or None; then the three are NaN.
    version : of the map, its labels and batches when this was read; see `version`.
    """

    name: str
    object_ids: np.ndarray
    xy: np.ndarray
    key: np.ndarray
    object_class: np.ndarray
    split: np.ndarray
    sn: np.ndarray
    state: np.ndarray
    targets: tuple[Target, ...]
    label: np.ndarray
    mean: np.ndarray
    aleatoric: np.ndarray
    epistemic: np.ndarray
    run_id: int | None
    version: tuple = ()

    def __len__(self) -> int:
        return len(self.object_ids)

    def column(self, target: str) -> int:
        """Position of a target in the (n, T) arrays."""
        return [t.name for t in self.targets].index(target)


@dataclass(frozen=True)
class Colouring:
    """One thing that a map can be coloured by.

    Attributes
    ----------
    title : for the list. scale : ``category``, ``sequential``, ``logarithmic`` or ``diverging`` about 0.
    values : (table, target column) -> (n,) names or numbers, NaN = no value.
    needs_run, per_target : whether it takes a run, a target. sentence : help.
    """

    title: str
    scale: str
    values: Callable[[MapTable, int], np.ndarray]
    sentence: str
    needs_run: bool = False
    per_target: bool = False


COLOURINGS: dict[str, Colouring] = {
    "state": Colouring("Label state", "category", lambda t, c: t.state, "Unlabelled, waiting in an open batch, labelled, or nobody could tell"),
    "epistemic": Colouring(
        "Epistemic uncertainty", "logarithmic", lambda t, c: t.epistemic[:, c], "1 sigma of what the model does not know and labels could teach it", True, True),
    "aleatoric": Colouring(
        "Aleatoric uncertainty", "logarithmic", lambda t, c: t.aleatoric[:, c], "1 sigma of noise that more labels cannot remove, as the model sees it", True, True),
    "prediction": Colouring("Prediction", "sequential", lambda t, c: t.mean[:, c], "What the model says", True, True),
    "residual": Colouring(
        "Prediction minus label", "diverging", lambda t, c: t.mean[:, c] - t.label[:, c], "Where the model disagrees with the label; labelled galaxies only", True, True),
    "label": Colouring("Label", "sequential", lambda t, c: t.label[:, c], "The value that people or a catalogue gave; labelled galaxies only", False, True),
    "sn": Colouring("Signal-to-noise", "logarithmic", lambda t, c: t.sn, "Median S/N per pixel of the spectrum"),
    "class": Colouring("Class", "category", lambda t, c: t.object_class, "What the catalogue says the object is"),
    "split": Colouring("Split", "category", lambda t, c: t.split, "Train, calibration and test; strategies ask about train only"),
}


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


def version(ws: Workspace, name: str, run_id: int | None) -> tuple:
    """Changes whenever `map_table` would answer differently: a cache key."""
    maps = embeddings.frame(ws).query("name == @name")
    if maps.empty:
        raise NotFound(f"There is no map named {name}. Make one on the Explore page.")
    open_batches = batches.frame(ws).query("status == 'open'")
    return (str(ws.path), int(maps["id"].iloc[0]), run_id, labels.high_water(ws), objects.count(ws), tuple(open_batches["id"]), len(truth.targets(ws)))


def map_table(ws: Workspace, name: str, run_id: int | None = None) -> MapTable:
    """A map with labels as they stand and what one run predicts; raises `NotFound`."""
    seen = version(ws, name, run_id)
    return replace(galaxies(ws, *embeddings.load(ws, name), name, run_id), version=seen)


def galaxies(ws: Workspace, ids: np.ndarray, xy: np.ndarray, name: str = "", run_id: int | None = None) -> MapTable:
    """`map_table` of galaxies that stand at ``xy``, float (n, 2), in the order of ``ids``."""
    table, targets = objects.frame(ws, ids), truth.targets(ws)
    mean, aleatoric, epistemic = _predictions(ws, run_id, ids, targets)
    return MapTable(
        name, ids, xy, table["key"].to_numpy(object), table["class"].fillna(UNKNOWN_CLASS).replace("", UNKNOWN_CLASS).to_numpy(object),
        table["split"].to_numpy(object), table["sn"].to_numpy(np.float32), label_states(ws, ids), targets, label_values(ws, ids, targets),
        mean, aleatoric, epistemic, run_id,
    )


def label_states(ws: Workspace, ids: np.ndarray) -> np.ndarray:
    """One of `STATES` for each object: a value of any target beats "cannot", which beats waiting in a batch."""
    current = labels.current(ws)
    state = np.full(len(ids), UNLABELLED, dtype=object)
    by_action = {action: rows["object_id"].to_numpy(np.int64) for action, rows in current.groupby("action")}
    for name, members in ((WAITING, waiting(ws)), (CANNOT, by_action.get("cannot", [])), (LABELLED, by_action.get("label", []))):
        state[np.isin(ids, members)] = name
    return state


def waiting(ws: Workspace) -> np.ndarray:
    """Ids of objects in open batches, int64; those that have been decided on since are among them."""
    open_ids = batches.frame(ws).query("status == 'open' and size > 0")["id"]
    return np.unique(np.concatenate([np.empty(0, np.int64), *(batches.items(ws, i)["object_id"].to_numpy(np.int64) for i in open_ids)]))


def label_values(ws: Workspace, ids: np.ndarray, targets: tuple[Target, ...]) -> np.ndarray:
    """Standing training values, float32 (n, T), NaN where there is none."""
    values, column = np.full((len(ids), len(targets)), np.nan, np.float32), {t.name: k for k, t in enumerate(targets)}
    table = labels.training(ws)
    rows = rows_of(ids, table["object_id"].to_numpy(np.int64))
    here = (rows >= 0) & table["target"].isin(column).to_numpy(bool)
    values[rows[here], table["target"].map(column).to_numpy()[here].astype(int)] = table["value"].to_numpy(np.float32)[here]
    return values


def rows_of(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Where each wanted id stands in ``ids``, -1 where it does not, int64 (k,).

    >>> rows_of(np.array([7, 3, 5]), np.array([5, 4, 7])).tolist()
    [2, -1, 0]
    """
    if not len(ids):
        return np.full(len(wanted), -1, np.int64)
    order = np.argsort(ids, kind="stable")
    place = order[np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)]
    return np.where(np.asarray(ids)[place] == wanted, place, -1)


def points_in_polygon(xy_n2: np.ndarray, polygon_k2: np.ndarray) -> np.ndarray:
    """Which points lie inside a closed polygon, by the even-odd rule; bool (n,).

    Points outside the bounding box are never looked at; of the rest, each edge meets only those
    whose y it spans, so the work is that of the crossings, not points times edges.

    >>> points_in_polygon(np.array([[0.5, 0.5], [2.0, 0.5]]), np.array([[0, 0], [1, 0], [1, 1], [0, 1]])).tolist()
    [True, False]
    """
    xy, polygon = np.asarray(xy_n2, float), np.asarray(polygon_k2, float)
    inside = np.zeros(len(xy), bool)
    if len(polygon) < 3:
        return inside
    near = np.flatnonzero(((xy >= polygon.min(axis=0)) & (xy <= polygon.max(axis=0))).all(axis=1))
    near = near[np.argsort(xy[near, 1], kind="stable")]
    x, y, odd = xy[near, 0], xy[near, 1], np.zeros(len(near), bool)
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        begin, end = np.searchsorted(y, sorted((y1, y2)))
        if end > begin:
            odd[begin:end] ^= x[begin:end] < x1 + (y[begin:end] - y1) * (x2 - x1) / (y2 - y1)
    inside[near] = odd
    return inside


def details(table: MapTable, ids: np.ndarray, target: str) -> pd.DataFrame:
    """What a person reads of some objects, in the order given; ids that are not on the map are left out.

    Columns object_id, key, state, class, split, sn, label, prediction, epistemic, aleatoric (of ``target``).
    """
    rows, c = rows_of(table.object_ids, np.asarray(ids, np.int64)), table.column(target)
    rows = rows[rows >= 0]
    return pd.DataFrame({
        "object_id": table.object_ids[rows], "key": table.key[rows], "state": table.state[rows], "class": table.object_class[rows],
        "split": table.split[rows], "sn": table.sn[rows], "label": table.label[rows, c], "prediction": table.mean[rows, c],
        "epistemic": table.epistemic[rows, c], "aleatoric": table.aleatoric[rows, c],
    })


def facts(ws: Workspace, ids: np.ndarray, target: str, run_id: int | None = None) -> pd.DataFrame:
    """`details` of objects that need not be on any map."""
    ids = np.asarray(ids, np.int64)
    return details(galaxies(ws, ids, np.zeros((len(ids), 2), np.float32), run_id=run_id), ids, target)


def nearest(ws: Workspace, table: MapTable, object_id: int, count: int = 12) -> np.ndarray:
    """The objects most like one, nearest first, without itself, int64 (<= count,).

    Likeness is distance in the latent features of the map's run; without them, distance on the map.
    Raises `NotFound` for an object that is not there.
    """
    ids, features = latent(ws, table.run_id)
    row = rows_of(ids, np.array([object_id]))[0] if len(ids) else -1
    if row < 0:
        ids, features = table.object_ids, table.xy
        row = rows_of(ids, np.array([object_id]))[0]
    if row < 0:
        raise NotFound(f"Object {object_id} is not on the map {table.name}. Choose another map.")
    squared = ((features - features[row]) ** 2).sum(axis=1)
    squared[row] = np.inf
    return ids[np.argsort(squared, kind="stable")[: min(count, len(ids) - 1)]]


def latent(ws: Workspace, run_id: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Ids and latent features (n, d) of a run where they are finite; empty without a run or without features."""
    saved = {} if run_id is None else runs.load_arrays(ws, run_id, "predictions")
    if "features" not in saved or not saved["features"].size:
        return np.empty(0, np.int64), np.empty((0, 0), np.float32)
    finite = np.isfinite(saved["features"]).all(axis=1)
    return saved["object_ids"][finite].astype(np.int64), saved["features"][finite].astype(np.float32)


def stamps(ws: Workspace, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images float32 (n, 5, 64, 64) in nanomaggies per pixel, NaN where there is none, and who has one, bool (n,)."""
    return arrays.read(ws, "image", ids)


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


def _predictions(ws: Workspace, run_id: int | None, ids: np.ndarray, targets: tuple[Target, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """mean and the two 1-sigma uncertainties of a run for these objects and targets, float32 (n, T), NaN = none."""
    out = {name: np.full((len(ids), len(targets)), np.nan, np.float32) for name in ("mean", "aleatoric", "epistemic")}
    if run_id is not None:
        saved = runs.load_arrays(ws, run_id, "predictions")
        rows, names = rows_of(saved["object_ids"].astype(np.int64), ids), saved["targets"].tolist()
        for k, target in enumerate(targets):
            if target.name in names:
                for name, values in out.items():
                    values[rows >= 0, k] = saved[name][rows[rows >= 0], names.index(target.name)]
    return out["mean"], np.sqrt(out["aleatoric"]), np.sqrt(out["epistemic"])
