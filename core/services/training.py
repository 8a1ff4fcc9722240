"""Teaching models what has been labelled: what will be learnt from, what to start, how it goes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from core.errors import BadInput
from core.models import registry
from core.services import overviewing
from core.store import Workspace, jobs, labels, runs

CURVES = ("train_loss", "validation_loss")


@dataclass(frozen=True)
class Snapshot:
    """The labels a run started now would learn from.

    Attributes
    ----------
    high_water : newest row of the label log. values : standing values, over all targets and splits.
    galaxies : target -> galaxies of the train split with a value. hash : SHA-256 of the standing values.
    """

    high_water: int
    values: int
    galaxies: dict[str, int]
    hash: str


def snapshot(ws: Workspace) -> Snapshot:
    """The labels as they stand now."""
    mark = labels.high_water(ws)
    table = labels.training(ws, up_to=mark)
    return Snapshot(mark, len(table), overviewing.labelled_galaxies(ws, mark), labels.snapshot_hash(table))


def start(ws: Workspace, models: list[str], seed: int = 0, epochs: int | None = None, configs: Mapping[str, dict] | None = None) -> list[int]:
    """Queue one training job a model and return the job ids.

    Parameters
    ----------
    models : names of `core.models.registry`. epochs : None = the model's own.
    configs : model -> settings that differ from its defaults.

    Raises `BadInput` when no model is chosen or there is no label to learn from, `NotFound` for an unknown model;
    then nothing is queued.
    """
    if not models:
        raise BadInput("models", "hold at least one", "none", "this training", "Tick the models to train")
    if not overviewing.labelled_galaxies(ws):
        raise BadInput("labels", "cover at least one galaxy of the train split", 0, "this workspace", "Label a batch, or ingest a catalogue of labels")
    names = [registry.spec(model).name for model in models]
    return [_enqueue(ws, name, seed, epochs, dict((configs or {}).get(name, {}))) for name in names]


def retrain(ws: Workspace) -> list[int]:
    """Queue every model that has a finished run, with the settings of its newest; all models where there is none."""
    table = runs.frame(ws).query("status == 'done'").drop_duplicates("model")
    known = table[table["model"].isin(list(registry.MODELS))].sort_values("id")
    if known.empty:
        return start(ws, list(registry.MODELS))
    return [job for row in known.itertuples() for job in _again(ws, row)]


def queue(ws: Workspace) -> pd.DataFrame:
    """Training jobs, newest first, with the run each of them has started.

    Returns
    -------
    Columns of `core.store.jobs.frame`, and model, seed (asked for), run_id (missing until it starts).
    """
    table = jobs.frame(ws).query("kind == 'train'").reset_index(drop=True)
    asked = [json.loads(text) for text in table["parameters"]]
    started = runs.frame(ws).dropna(subset=["job_id"]).set_index("job_id")["id"]
    return table.assign(model=[p["model"] for p in asked], seed=[p.get("seed", 0) for p in asked], run_id=table["id"].map(started).astype("Int64"))


def curves(ws: Workspace, limit: int = 8) -> pd.DataFrame:
    """The losses of the newest runs that have reported any.

    Returns
    -------
    run_id, run, model, status, epoch, name (``train_loss`` or ``validation_loss``), value; newest run first.
    """
    newest = runs.frame(ws).head(6 * limit)
    points = runs.histories(ws, newest["id"])
    points = points[points["name"].isin(CURVES)].merge(newest[["id", "name", "model", "status"]], left_on="run_id", right_on="id", suffixes=("", "_run"))
    kept = sorted(points["run_id"].unique(), reverse=True)[:limit]
    points = points[points["run_id"].isin(kept)].rename(columns={"name_run": "run"})
    return points.sort_values(["run_id", "epoch"], ascending=[False, True], ignore_index=True)[["run_id", "run", "model", "status", "epoch", "name", "value"]]


def finished(ws: Workspace) -> pd.DataFrame:
    """Ended runs, newest first, with ``state``: what a person should know about the labels each has seen."""
    table = runs.frame(ws).query("status != 'running'").reset_index(drop=True)
    mark = labels.high_water(ws)
    return table.assign(state=[_state(row, mark) for row in table.itertuples()])


def _state(run, mark: int) -> str:
    if run.status != "done":
        return run.status
    if run.stale:
        return f"stale: {run.stale} of its labels were undone"
    newer = mark - run.label_high_water
    return f"{newer} decisions behind" if newer else "up to date"


def _again(ws: Workspace, run) -> list[int]:
    settings = {k: v for k, v in json.loads(run.config).items() if k in registry.spec(run.model).config}
    return start(ws, [run.model], run.seed, configs={run.model: settings})


def _enqueue(ws: Workspace, model: str, seed: int, epochs: int | None, config: dict) -> int:
    parameters = {"model": model, "config": config, "seed": int(seed)} | ({} if epochs is None else {"epochs": int(epochs)})
    return jobs.enqueue(ws, "train", f"Train {model}", parameters)
