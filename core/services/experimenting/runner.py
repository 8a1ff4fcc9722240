"""From a preset to finished runs: a sky where there is none, labels where there are few, one train job a configuration and seed.

Everything is remembered by the workspace: the same experiment asked again goes on where it was, and runs
that have finished on the same labels, with the same settings and seed, are taken as they are.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import BadInput
from core.jobs import tuned
from core.jobs.foreground import follow
from core.jobs.oracle import reveal
from core.jobs.supervisor import say_aloud
from core.models import registry
from core.services import overviewing
from core.services.experimenting.presets import Configuration, Preset
from core.store import Workspace, jobs, labels, objects, runs, truth

FEW_LABELS = 100
"""With fewer labelled galaxies than this an oracle reveals more; a comparison of models would say little."""
MOST_LABELS = 5000
"""What an oracle reveals when nobody said how many."""
SKY_SEED = 0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One fit of an experiment: ``job_id`` is None when a finished run is reused, ``run_id`` None while there is none; ``error`` says what went wrong."""

    configuration: Configuration
    seed: int
    job_id: int | None
    run_id: int | None
    error: str = ""


@dataclass(frozen=True)
class Experiment:
    """What was compared.

    Attributes
    ----------
    preset : its name and order. missing : configurations that this version cannot run, and why.
    mark : newest row of the label log that the runs saw. runs : finished, failed and cancelled.
    is_complete : False when somebody stopped it.
    """

    preset: Preset
    missing: Mapping[str, str]
    mark: int
    runs: tuple[Run, ...]
    is_complete: bool = True


def run(ws: Workspace, preset: Preset, seeds: int | None = None, n_labels: int | None = None, is_tuned: bool = False, say: Say = say_aloud) -> Experiment:
    """Run an experiment to its end in the foreground; a worker that serves the workspace does the work where there is one.

    Parameters
    ----------
    seeds : repetitions, None = the preset's. n_labels : training galaxies whose catalogue values an oracle reveals first.
    is_tuned : take the best settings that searches of this workspace have found, where there are any. say : hears how far it is.
    """
    mark = prepare(ws, preset, n_labels, say)
    ready, missing = preset.parted()
    for name, why in missing.items():
        say(f"{name} is not in this version: {why}.")
    ready = [_tuned(ws, c) for c in ready] if is_tuned else ready
    waiting = queue(ws, ready, range(preset.seeds if seeds is None else seeds), mark, preset.epochs)
    ended: list[Run] = []
    for number, one in enumerate(waiting, start=1):
        done = _see_through(ws, one, f"[{number}/{len(waiting)}] {one.configuration.name}, seed {one.seed}", say)
        if done is None:
            return Experiment(preset, missing, mark, tuple(ended), is_complete=False)
        ended.append(done)
    return Experiment(preset, missing, mark, tuple(ended))


def prepare(ws: Workspace, preset: Preset, n_labels: int | None = None, say: Say = say_aloud) -> int:
    """See that there are galaxies and labels; returns the newest row of the label log. Raises `BadInput` when there is no truth to compare with."""
    if not objects.count(ws):
        say(f"The workspace {ws.path} is empty: a sky of {preset.galaxies:,} galaxies is simulated.")
        asked = {"n": preset.galaxies, "seed": SKY_SEED, "labels": 0, "models": [], "maps": False}
        built = follow(ws, _pending(ws, "demo", asked) or jobs.enqueue(ws, "demo", "Simulate a sky for an experiment", asked), say=say)
        if built["status"] != "done":
            raise BadInput("The sky of an experiment", "be simulated to its end", built["error"] or built["status"], str(ws.path), "Ask for the experiment again; it goes on")
    labelled = max(overviewing.labelled_galaxies(ws).values(), default=0)
    if n_labels is not None or labelled < FEW_LABELS:
        order = _oracle_order(ws)[: MOST_LABELS if n_labels is None else n_labels]
        say(f"An oracle reveals the catalogue values of {len(order):,} random training galaxies.")
        reveal(ws, order, f"experiment {SKY_SEED}")
    if not overviewing.labelled_galaxies(ws):
        raise BadInput("labels", "cover at least one galaxy of the train split", 0, str(ws.path), "Label galaxies, or ingest a catalogue of values")
    return labels.high_water(ws)


def queue(ws: Workspace, configurations: Sequence[Configuration], seeds: Sequence[int], mark: int, epochs: int | None = None) -> list[Run]:
    """One `Run` a configuration and seed, seeds outermost: a finished run, a job that is on its way, or a new job."""
    finished = _finished(ws, labels.snapshot_hash(labels.training(ws, mark)))
    return [_asked(ws, c, seed, mark, epochs, finished) for seed in seeds for c in configurations]


def _asked(ws: Workspace, c: Configuration, seed: int, mark: int, epochs: int | None, finished: Mapping[str, int]) -> Run:
    config = {**c.config, **({"epochs": epochs} if epochs and "epochs" in registry.spec(c.model).config else {})}
    if (run_id := finished.get(_key(c.model, config, seed))) is not None:
        return Run(c, seed, None, run_id)
    asked = json.loads(json.dumps({"model": c.model, "config": config, "seed": int(seed), "up_to": mark, "name": c.name}))
    job = _pending(ws, "train", asked)
    return Run(c, seed, job or jobs.enqueue(ws, "train", f"Train {c.name}, seed {seed}", asked), None)


def _finished(ws: Workspace, snapshot: str) -> dict[str, int]:
    """Runs that saw exactly these labels, by what they fitted; the newest of each."""
    table = runs.frame(ws).query("status == 'done' and label_hash == @snapshot")
    return {_key(r.model, json.loads(r.config), r.seed): int(r.id) for r in table[::-1].itertuples() if r.model in registry.MODELS}


def _key(model: str, config: Mapping[str, object], seed: int) -> str:
    return json.dumps([model, {**registry.spec(model).config, **config}, int(seed)], sort_keys=True)


def _pending(ws: Workspace, kind: str, parameters: dict) -> int | None:
    """The newest job of these parameters that has not done its work; one that failed or was cancelled is queued again."""
    table = jobs.frame(ws).query("kind == @kind and status != 'done'")
    same = [int(job.id) for job in table.itertuples() if json.loads(job.parameters) == parameters]
    if same:
        jobs.retry(ws, same[0])
    return same[0] if same else None


def _see_through(ws: Workspace, one: Run, title: str, say: Say) -> Run | None:
    """The run with its end, or None when a person stopped it."""
    if one.run_id is not None:
        say(f"{title}: run {one.run_id} has these labels, settings and seed already")
        return one
    job = follow(ws, one.job_id, say=lambda line: say(f"{title}: {line}"))
    if job["status"] == "cancelled":
        return None
    begun = runs.of_job(ws, one.job_id)
    say(f"{title}: {job['error'] or job['status']}")
    return Run(one.configuration, one.seed, one.job_id, None if begun is None or job["error"] else int(begun["id"]), job["error"] or "")


def _tuned(ws: Workspace, c: Configuration) -> Configuration:
    return Configuration(c.name, c.model, tuned.best(ws, c.model, c.config) or c.config)


def _oracle_order(ws: Workspace) -> list[int]:
    """Galaxies of the train split with a catalogue value, in the order in which an oracle reveals them."""
    table = objects.frame(ws)
    ids = table.loc[(table["split"] == "train") & table["class"].fillna("GALAXY").isin(["GALAXY"]), "id"]
    known = np.unique(truth.frame(ws, ids)["object_id"])
    return np.random.default_rng(SKY_SEED).permutation(known).tolist()
