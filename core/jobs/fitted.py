"""What finished runs have left: their models as they were, what they cost, how far their intervals are to be stretched."""

from collections.abc import Mapping

import numpy as np
from safetensors.numpy import load_file

from core.errors import NotFound
from core.models import registry
from core.models.base import Model
from core.store import Workspace, runs
from core.uncertainty.conformal import Stretches

WEIGHTS = "weights.safetensors"


def fitted(ws: Workspace, run_id: int) -> Model:
    """The model of a run; raises `NotFound` when its weights are not there."""
    run = runs.one(ws, run_id)
    path = runs.folder(ws, run_id) / WEIGHTS
    if not path.exists():
        raise NotFound(f"Run {run_id} has no weights. Wait until it is done, or train {run['model']} again.")
    model = registry.build(run["model"], run["config"])
    model.load_state(load_file(path))
    return model


def stretches_in(summary: Mapping[str, object]) -> Stretches:
    """What the calibration split asked of a run's intervals when it was trained, by the run's summary; empty where it was not asked."""
    return Stretches(**summary.get("conformal", {}))


def training_seconds(summaries: Mapping[int, Mapping[str, object]]) -> dict[int, float]:
    """Seconds of training by run, with those of the runs whose networks it took over; NaN where a run tells none.

    >>> training_seconds({1: {"seconds": 20.0}, 2: {"seconds": 3.0, "reused_runs": [1]}, 3: {}})
    {1: 20.0, 2: 23.0, 3: nan}
    """
    return {i: own.get("seconds", np.nan) + sum(summaries.get(k, {}).get("seconds", 0.0) for k in own.get("reused_runs", ())) for i, own in summaries.items()}


def adopt_branches(ws: Workspace, model: Model, run_id: int) -> list[int]:
    """Give a fusion the branches that finished runs fitted to the same labels with the same seed and settings.

    Returns
    -------
    Ids of the runs they come from; empty for other models, and where the setting ``reuse`` is off.
    """
    from core.models.fusion import FusionLate

    if not isinstance(model, FusionLate) or not model.reuse:
        return []
    run, table = runs.one(ws, run_id), runs.frame(ws)
    alike = table[(table["status"] == "done") & ~table["is_control"] & (table["label_hash"] == run["label_hash"]) & (table["seed"] == run["seed"])]
    newest = {str(r.model): int(r.id) for r in alike[::-1].itertuples() if r.model in model.branches}
    usable = {name: i for name, i in newest.items() if runs.one(ws, i)["config"] == model.branch_config(name)}
    model.adopt({name: fitted(ws, i) for name, i in usable.items()})
    return sorted(usable.values())
