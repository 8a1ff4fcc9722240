"""Searching a model's settings in the background."""

from collections.abc import Mapping

from core.errors import BadInput
from core.jobs import tuned
from core.models import registry, search
from core.services import overviewing
from core.store import Workspace, jobs, labels


def found(ws: Workspace, model: str) -> dict | None:
    """Settings of the newest finished search of a model; None where nobody has searched."""
    return tuned.best(ws, model)


def start(ws: Workspace, model: str, config: Mapping[str, object] | None = None, trials: int = 20, folds: int = 3, seed: int = 0, epochs: int | None = None) -> int:
    """Queue a search over the labels as they stand now and return the job's id.

    Parameters
    ----------
    model : one of `core.models.search.SPACES`. config : settings held in all trials. trials, folds : of the cross-validation.

    Raises `BadInput` when there is no label to learn from or nothing to search, `NotFound` for an unknown model.
    """
    name = registry.spec(model).name
    search.space_of(name)
    if not overviewing.labelled_galaxies(ws):
        raise BadInput("labels", "cover at least one galaxy of the train split", 0, "this workspace", "Label a batch, or ingest a catalogue of labels")
    asked = {"model": name, "config": dict(config or {}), "trials": int(trials), "folds": int(folds), "seed": int(seed), "up_to": labels.high_water(ws)}
    return jobs.enqueue(ws, "tune", f"Tune {name}", asked | ({} if epochs is None else {"epochs": int(epochs)}))
