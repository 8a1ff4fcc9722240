"""Search a model's settings by cross-validation on the labels as they stand; the journal makes it resumable."""

import hashlib
import json
import time
from dataclasses import asdict

from core.jobs.context import TaskContext
from core.jobs.inputs import load_inputs, load_labels, training_ids
from core.models import registry
from core.models.search import space_of
from core.settings import settings
from core.store import labels
from core.training.tuning import Search, tune

TRIALS, FOLDS = 20, 3


def run(ctx: TaskContext) -> dict:
    """Parameters: model; optional config (held in all trials), trials, folds, seed, epochs, up_to. Returns best settings, their loss and the defaults'."""
    started = time.monotonic()
    spec, seed, fixed = registry.spec(ctx.parameters["model"]), int(ctx.parameters.get("seed", 0)), _fixed(ctx)
    space = {name: where for name, where in space_of(spec.name).items() if name not in fixed}
    mark = int(ctx.parameters.get("up_to") or labels.high_water(ctx.ws))
    ids = training_ids(ctx.ws, mark)
    ctx.report(0.0, f"Reading {len(ids):,} labelled galaxies")
    known = load_labels(ctx.ws, ids, mark)
    modalities = spec.build(fixed).modalities
    trials, folds = int(ctx.parameters.get("trials") or TRIALS), int(ctx.parameters.get("folds") or FOLDS)
    question = [spec.name, fixed, sorted(space), folds, seed, mark]
    search = Search(spec, space, fixed, trials, folds, seed, ctx.ws.path / "tuning" / f"{spec.name}-{_mark_of(question)}.journal")
    found = tune(search, load_inputs(ctx.ws, ids, modalities), known, settings().threads, ctx.check, ctx.report)
    ctx.report(1.0, f"Loss {found.value:.4f}, with the model's own settings {found.default:.4f}; {found.pruned} of {found.trials} trials given up")
    return {**asdict(found), "label_high_water": mark, "galaxies": len(ids), "seconds": round(time.monotonic() - started, 1)}


def _fixed(ctx: TaskContext) -> dict:
    epochs = ctx.parameters.get("epochs")
    return dict(ctx.parameters.get("config") or {}) | ({"epochs": int(epochs)} if epochs else {})


def _mark_of(question: list) -> str:
    """A short name for what is asked: the same question goes on with the same journal."""
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()[:12]
