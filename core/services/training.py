"""Teaching models what has been labelled: what will be learnt from, what to start, how it goes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from core.errors import BadInput
from core.jobs import retraining
from core.jobs.mass import POOL_MASS
from core.jobs.retraining import Rule, rule, set_rule
from core.models import registry
from core.services import overviewing
from core.store import Workspace, jobs, labels, runs, unlearnt

__all__ = ["Rule", "Snapshot", "curves", "finished", "is_training", "last_line", "retrain", "rule", "set_rule", "snapshot", "stale_models", "start", "unhappy"]
CURVES = ("train_loss", "validation_loss")


@dataclass(frozen=True)
class Snapshot:
    """The labels a run started now would learn from.

    Attributes
    ----------
    high_water : newest row of the label log. values : standing values, over all targets and splits.
    galaxies : target -> galaxies of the train split with a value. hash : SHA-256 of the standing values.
    held_back : galaxies whose redshift is not trained on because people disagree (see `core.store.labels.held_back`).
    """

    high_water: int
    values: int
    galaxies: dict[str, int]
    hash: str
    held_back: int


def snapshot(ws: Workspace) -> Snapshot:
    """The labels as they stand now."""
    return _snapshot(ws, labels.high_water(ws))


@lru_cache(maxsize=8)
def _snapshot(ws: Workspace, mark: int) -> Snapshot:
    """Kept: the log is append-only, so its state at a row never changes."""
    table = labels.training(ws, up_to=mark)
    return Snapshot(mark, len(table), overviewing.labelled_galaxies(ws, mark), labels.snapshot_hash(table), len(labels.held_back(ws, mark)))


def start(ws: Workspace, models: list[str], seed: int = 0, epochs: int | None = None, configs: Mapping[str, dict] | None = None, weights: str = POOL_MASS) -> list[int]:
    """Queue one training job a model and return the job ids.

    Parameters
    ----------
    models : names of `core.models.registry`. epochs : None = the model's own.
    configs : model -> settings that differ from its defaults. weights : one of `core.jobs.mass.WEIGHTS`.

    Raises `BadInput` when no model is chosen or there is no label to learn from, `NotFound` for an unknown model;
    then nothing is queued.
    """
    if not models:
        raise BadInput("models", "hold at least one", "none", "this training", "Tick the models to train")
    if not overviewing.labelled_galaxies(ws):
        raise BadInput("labels", "cover at least one galaxy of the train split", 0, "this workspace", "Label a batch, or ingest a catalogue of labels")
    names = [registry.spec(model).name for model in models]
    return [_enqueue(ws, name, seed, epochs, dict((configs or {}).get(name, {})), weights) for name in names]


def retrain(ws: Workspace, models: tuple[str, ...] = ()) -> list[int]:
    """Queue every model that has a finished run (of ``models``, where some are named) with the settings of its newest; all models where there is none.

    They learn from one snapshot, the labels as they stand now. A model whose training runs or waits is left to it. Raises as `start` does.
    """
    if not retraining.trained(ws):
        return start(ws, list(registry.MODELS))
    return retraining.queue(ws, models)


def stale_models(ws: Workspace) -> tuple[str, ...]:
    """Models whose newest finished run has learnt from a label that was undone since."""
    newest = runs.frame(ws).query("status == 'done' and not is_control").drop_duplicates("model")
    return tuple(newest.loc[(newest["stale"] > 0) & newest["model"].isin(list(registry.MODELS)), "model"])


def is_training(ws: Workspace) -> bool:
    """Whether a training runs or waits."""
    return bool(jobs.active(ws)["kind"].eq("train").any())


def unhappy(ws: Workspace, among: int = 20) -> pd.DataFrame:
    """The failed and cancelled ones of the newest jobs of any kind, newest first; columns of `core.store.jobs.frame`."""
    return jobs.frame(ws).head(among).query("status in ('failed', 'cancelled')").reset_index(drop=True)


def last_line(error: str) -> str:
    """What a traceback ends with: the sentence a person reads first.

    >>> last_line("Traceback (most recent call last):\\n  ...\\nMemoryError: 3 GB")
    'MemoryError: 3 GB'
    """
    return next((line.strip() for line in reversed(error.splitlines()) if line.strip()), "")


def curves(ws: Workspace) -> pd.DataFrame:
    """The losses of the newest run of each model that has reported any, baselines apart.

    Returns
    -------
    run_id, run, model, status, epoch, name (``train_loss`` or ``validation_loss``), value; newest run first.
    """
    newest = runs.frame(ws).query("not is_control").head(60).rename(columns={"id": "run_id", "name": "run"})[["run_id", "run", "model", "status"]]
    points = runs.histories(ws, newest["run_id"]).query("name in @CURVES").merge(newest, on="run_id")
    points = points[points["run_id"] == points.groupby("model")["run_id"].transform("max")]
    return points.sort_values(["run_id", "epoch"], ascending=[False, True], ignore_index=True)[["run_id", "run", "model", "status", "epoch", "name", "value"]]


def finished(ws: Workspace) -> pd.DataFrame:
    """Ended runs, newest first.

    Returns
    -------
    Columns of `core.store.runs.frame`; ``state``: what a person should know about the labels the run has seen;
    seconds, epochs, parameters, device of its summary (NaN or empty where it says nothing).
    """
    table = runs.frame(ws).query("status != 'running'").reset_index(drop=True)
    summaries = [json.loads(text) for text in table["summary"]]
    behind = {mark: unlearnt.galaxies_since(ws, mark) for mark in set(table["label_high_water"].tolist())}
    numbers = {name: [s.get(name, np.nan) for s in summaries] for name in ("seconds", "epochs", "parameters")}
    table["stale"] = [overviewing.undone(ws, run) for _, run in table.iterrows()]
    return table.assign(state=[_state(row, behind[row.label_high_water]) for row in table.itertuples()], **numbers, device=[s.get("device", "") for s in summaries])


def _state(run, behind: int) -> str:
    if run.status != "done":
        return run.status
    if run.stale:
        return f"stale: {run.stale:,} of its labels undone"
    if run.is_control:
        return "baseline"
    return f"{overviewing.labelled_since(behind)} since" if behind else "up to date"


def _enqueue(ws: Workspace, model: str, seed: int, epochs: int | None, config: dict, weights: str) -> int:
    parameters = {"model": model, "config": config, "seed": int(seed)} | ({} if weights == POOL_MASS else {"weights": weights}) | ({} if epochs is None else {"epochs": int(epochs)})
    return jobs.enqueue(ws, "train", f"Train {model}", parameters)
