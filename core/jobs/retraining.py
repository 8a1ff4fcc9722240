"""Teaching models anew: what was trained before, with the settings it had, on the labels as they stand; by itself once enough have come in."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from core.models import registry
from core.store import Workspace, jobs, preferences, runs, unlearnt

NAME = "retraining"
FEWEST, USUAL, MOST = 1, 50, 100_000
"""Bounds of `Rule.after` and what it is until somebody says otherwise."""


@dataclass(frozen=True)
class Rule:
    """When a workspace retrains by itself.

    Attributes
    ----------
    is_on : whether it does. after : galaxies of the train split that have been labelled since a model learnt.
    models : which; empty = every model that has a finished run.
    """

    is_on: bool = False
    after: int = USUAL
    models: tuple[str, ...] = ()


def rule(ws: Workspace) -> Rule:
    """The workspace's rule; off where nobody has set one."""
    kept = preferences.load(ws, NAME)
    return Rule() if kept is None else Rule(kept["is_on"], kept["after"], tuple(kept["models"]))


def set_rule(ws: Workspace, wanted: Rule, annotator: str) -> None:
    """Set the workspace's rule, for everybody."""
    preferences.save(ws, NAME, asdict(wanted), annotator)


def trained(ws: Workspace) -> dict[str, dict]:
    """Models that have a finished run, oldest first, and the parameters of a training that repeats their newest."""
    table = runs.frame(ws).query("status == 'done' and not is_control").drop_duplicates("model").sort_values("id")
    return {run.model: _again(ws, run) for run in table.itertuples() if run.model in registry.MODELS}


def queue(ws: Workspace, models: Iterable[str] = (), least: int = 0) -> list[int]:
    """Queue a training of each model (of all in `trained` when none is named) that is due, and return the job ids; see `core.store.unlearnt.enqueue`.

    A model without a finished run is left out.
    """
    again, wanted = trained(ws), set(models)
    found = [unlearnt.enqueue(ws, model, f"Train {model}", given, least) for model, given in again.items() if not wanted or model in wanted]
    return [job for job in found if job is not None]


def queue_due(ws: Workspace) -> list[int]:
    """What the workspace's rule asks for now; nothing while it is off."""
    kept = rule(ws)
    return queue(ws, kept.models, max(kept.after, FEWEST)) if kept.is_on else []


def _again(ws: Workspace, run) -> dict:
    settings = {k: v for k, v in json.loads(run.config).items() if k in registry.spec(run.model).config}
    asked = {} if run.job_id is None or run.job_id != run.job_id else jobs.one(ws, int(run.job_id))["parameters"]
    return {"config": settings, "seed": int(run.seed)} | {k: asked[k] for k in ("weights",) if k in asked}
