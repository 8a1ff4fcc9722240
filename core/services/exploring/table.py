"""A map with everything that can colour it, and rows of it for people to read."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.columns import Target
from core.errors import NotFound
from core.jobs.fitted import stretches_in
from core.services.exploring.places import rows_of
from core.services.exploring.states import label_states, label_values
from core.store import Workspace, assignments, batches, embeddings, labels, objects, runs, truth

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
    half : float32 (n, T), half-width of the 68 % interval, stretched as the run's calibration galaxies of like S/N ask; NaN = not calibrated.
    novelty : float32 (n,), how unlike anything the run was fitted to, about 1 = alike; NaN = unknown.
    run_id : the run, or None; then the five are NaN.
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
    half: np.ndarray
    novelty: np.ndarray
    run_id: int | None
    version: tuple = ()

    def __len__(self) -> int:
        return len(self.object_ids)

    def column(self, target: str) -> int:
        """Position of a target in the (n, T) arrays."""
        return [t.name for t in self.targets].index(target)


def version(ws: Workspace, name: str, run_id: int | None, reader: str = "") -> tuple:
    """Changes whenever `map_table` would answer differently: a cache key."""
    maps = embeddings.frame(ws).query("name == @name")
    if maps.empty:
        raise NotFound(f"There is no map named {name}. Make one on the Explore page.")
    open_batches = batches.frame(ws).query("status == 'open'")
    return (str(ws.path), int(maps["id"].iloc[0]), run_id, labels.high_water(ws), objects.count(ws), tuple(open_batches["id"]), len(truth.targets(ws)), tuple(assignments.blind(ws, reader)))


def map_table(ws: Workspace, name: str, run_id: int | None = None, reader: str = "") -> MapTable:
    """A map with labels as they stand and what one run predicts; raises `NotFound`.

    ``reader`` is who looks: what others said of galaxies that wait for this person's own, blind decision is kept from them. Empty = nothing is.
    """
    seen = version(ws, name, run_id, reader)
    return replace(galaxies(ws, *embeddings.load(ws, name), name, run_id, reader), version=seen)


def galaxies(ws: Workspace, ids: np.ndarray, xy: np.ndarray, name: str = "", run_id: int | None = None, reader: str = "") -> MapTable:
    """`map_table` of galaxies that stand at ``xy``, float (n, 2), in the order of ``ids``."""
    table, targets = objects.brief(ws, ids), truth.targets(ws)
    said, sn = _predictions(ws, run_id, ids, targets), table["sn"].to_numpy(np.float32)
    half = _half_widths(ws, run_id, np.hypot(said["aleatoric"], said["epistemic"]), sn, targets)
    label = label_values(ws, ids, targets)
    label[np.isin(ids, assignments.blind(ws, reader))] = np.nan
    return MapTable(
        name, ids, xy, table["key"].to_numpy(object), table["class"].fillna(UNKNOWN_CLASS).replace("", UNKNOWN_CLASS).to_numpy(object),
        table["split"].to_numpy(object), sn, label_states(ws, ids), targets, label,
        said["mean"], said["aleatoric"], said["epistemic"], half, said["novelty"][:, 0], run_id,
    )


def details(table: MapTable, ids: np.ndarray, target: str) -> pd.DataFrame:
    """What a person reads of some objects, in the order given; ids that are not on the map are left out.

    Columns object_id, key, state, class, split, sn, label, prediction, half (see `MapTable`), epistemic, aleatoric (of ``target``), novelty.
    """
    rows, c = rows_of(table.object_ids, np.asarray(ids, np.int64)), table.column(target)
    rows = rows[rows >= 0]
    return pd.DataFrame({
        "object_id": table.object_ids[rows], "key": table.key[rows], "state": table.state[rows], "class": table.object_class[rows],
        "split": table.split[rows], "sn": table.sn[rows], "label": table.label[rows, c], "prediction": table.mean[rows, c],
        "half": table.half[rows, c], "epistemic": table.epistemic[rows, c], "aleatoric": table.aleatoric[rows, c], "novelty": table.novelty[rows],
    })


def values(table: MapTable, column: str, target: str) -> np.ndarray:
    """One column of `details` for all galaxies of a map, (n,)."""
    of_target = {"label": table.label, "prediction": table.mean, "half": table.half, "epistemic": table.epistemic, "aleatoric": table.aleatoric}
    own = {"object_id": table.object_ids, "key": table.key, "state": table.state, "class": table.object_class, "split": table.split, "sn": table.sn, "novelty": table.novelty}
    return own[column] if column in own else of_target[column][:, table.column(target)]


def facts(ws: Workspace, ids: np.ndarray, target: str, run_id: int | None = None) -> pd.DataFrame:
    """`details` of objects that need not be on any map."""
    ids = np.asarray(ids, np.int64)
    return details(galaxies(ws, ids, np.zeros((len(ids), 2), np.float32), run_id=run_id), ids, target)


def _predictions(ws: Workspace, run_id: int | None, ids: np.ndarray, targets: tuple[Target, ...]) -> dict[str, np.ndarray]:
    """mean and the two 1-sigma uncertainties of a run for these objects and targets, float32 (n, T), and novelty (n, 1); NaN = none."""
    out = {name: np.full((len(ids), len(targets)), np.nan, np.float32) for name in ("mean", "aleatoric", "epistemic")} | {"novelty": np.full((len(ids), 1), np.nan, np.float32)}
    if run_id is not None:
        saved = runs.load_arrays(ws, run_id, "predictions")
        rows, names = rows_of(saved["object_ids"].astype(np.int64), ids), saved["targets"].tolist()
        here = [k for k, target in enumerate(targets) if target.name in names]
        for name in ("mean", "aleatoric", "epistemic"):
            out[name][np.ix_(rows >= 0, here)] = saved[name][rows[rows >= 0]][:, [names.index(targets[k].name) for k in here]]
        if "novelty" in saved:
            out["novelty"][rows >= 0, 0] = saved["novelty"][rows[rows >= 0]]
    return out | {name: np.sqrt(out[name]) for name in ("aleatoric", "epistemic")}


def _half_widths(ws: Workspace, run_id: int | None, sigma_nt: np.ndarray, sn_n: np.ndarray, targets: tuple[Target, ...]) -> np.ndarray:
    """Half-width of the calibrated 68 % interval, float32 (n, T); NaN where the run was not calibrated."""
    if run_id is None:
        return np.full_like(sigma_nt, np.nan)
    stretches = stretches_in(runs.one(ws, run_id)["summary"])
    return (sigma_nt * np.column_stack([stretches.half_width(t.name, "68", sn_n) for t in targets])).astype(np.float32)
