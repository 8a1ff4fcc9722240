"""What is in a workspace, what runs, how far learning has come, and what to do next."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import numpy as np
import pandas as pd

from core.columns import MODALITIES
from core.jobs import baseline, workplace
from core.store import Workspace, batches, census, embeddings, jobs, labels, objects, runs, unlearnt

STAGES = (("Galaxies", "demo"), ("Maps", "embed"), ("First models", "train"))
"""What a demo sky is made of, and the kind of job that makes it."""


@dataclass(frozen=True)
class Census:
    """What is here.

    Attributes
    ----------
    objects, simulated, labelled : objects; of the mock sky; with a standing label.
    complete : objects with every modality. modalities : modality -> objects that have it.
    splits : split, objects, groups, labelled. sn_n : S/N per pixel, float (n,).
    runs, maps : finished training runs; embeddings.
    """

    objects: int
    simulated: int
    labelled: int
    complete: int
    modalities: dict[str, int]
    splits: pd.DataFrame
    sn_n: np.ndarray
    runs: int
    maps: int


@dataclass(frozen=True)
class Step:
    """One line of the checklist: what to do, on which page, whether it is done, whether it is the next one."""

    title: str
    sentence: str
    page: str
    is_done: bool
    is_next: bool = False


@dataclass(frozen=True)
class Best:
    """The best value of a metric, and the model and run that reached it."""

    value: float
    model: str
    run_id: int


@dataclass(frozen=True)
class Stage:
    """A part of the demo sky: what is said of it now, how far it is (0 to 1), and whether it is ``done``, ``running``, ``waiting`` or ``failed`` (ended, not all of it well)."""

    title: str
    sentence: str
    fraction: float
    state: str


def is_simulated(ws: Workspace) -> bool:
    """Whether any object comes from the mock sky."""
    return census.has_simulated(ws)


def take_census(ws: Workspace) -> Census:
    """Count what is in the workspace."""
    counts = census.objects_and_labels(ws)
    finished = int((runs.frame(ws)["status"] == "done").sum())
    together = census.combinations(ws).set_index("modalities")["n"]
    return Census(**counts, complete=int(together.get(" + ".join(sorted(MODALITIES)), 0)), modalities=census.modalities(ws), splits=census.by_split(ws), sn_n=census.signal_to_noise(ws),
                  runs=finished, maps=len(embeddings.frame(ws)))


def is_empty(ws: Workspace) -> bool:
    """Whether no object is here yet."""
    return objects.count(ws) == 0


def checklist(ws: Workspace, here: Census | None = None) -> list[Step]:
    """The steps of one turn of the loop; the first that is not done is the next one. ``here`` spares a second census."""
    steps = _steps(ws, take_census(ws) if here is None else here)
    first = next((i for i, step in enumerate(steps) if not step.is_done), None)
    return [Step(s.title, s.sentence, s.page, s.is_done, i == first) for i, s in enumerate(steps)]


def learning_curve(ws: Workspace, target: str, metric: str, subset: str = "all") -> pd.DataFrame:
    """A metric of every finished run against the number of galaxies it learnt from.

    Returns
    -------
    run_id, run, model, seed, galaxies (train split, with a label of ``target`` that the run learnt from), value, stale (labels it saw
    that have been undone since), is_control (a baseline, on randomly drawn labels only), is_random (all of its labels happen to be
    random, or it is a baseline); by model, then galaxies.
    """
    wanted = runs.metrics(ws).query("split == 'test' and target == @target and subset == @subset and name == @metric and value.notna()")
    table = runs.frame(ws).query("status == 'done'").merge(wanted[["run_id", "value"]], left_on="id", right_on="run_id")
    table["galaxies"] = [galaxies_of(ws, run).get(target, 0) for _, run in table.iterrows()]
    table["is_random"] = table["is_control"] | np.array([_is_all_random(ws, int(mark)) for mark in table["label_high_water"]], bool)
    table["stale"] = [undone(ws, run) for _, run in table.iterrows()]
    columns = ["run_id", "name", "model", "seed", "galaxies", "value", "stale", "is_control", "is_random"]
    return table[columns].rename(columns={"name": "run"}).sort_values(["model", "galaxies", "run_id"], ignore_index=True)


def undone(ws: Workspace, run: Mapping) -> int:
    """Labels that a run (a row of `core.store.runs.frame`) saw and that have been undone since; of a baseline those of the galaxies it drew."""
    if not (run["stale"] and run["is_control"]):
        return int(run["stale"])
    mark, since = int(run["label_high_water"]), labels.since(ws, int(run["label_high_water"]), labels.high_water(ws))
    gone = since.loc[(since["action"] == "retract") & (since["supersedes"] <= mark), "object_id"]
    return int(gone.isin(_drawn(ws, mark, json.loads(run["config"]).get("galaxies"), int(run["seed"]))).sum())


@lru_cache(maxsize=256)
def _drawn(ws: Workspace, mark: int, most: int | None, seed: int) -> frozenset[int]:
    """Kept: what a baseline drew from the log as it stood never changes."""
    return frozenset(baseline.drawn(ws, mark, most, seed).tolist())


@lru_cache(maxsize=256)
def _is_all_random(ws: Workspace, mark: int) -> bool:
    """Whether no strategy and no person had chosen a labelled galaxy of the train split when the log stood there."""
    seen = labels.training(ws, up_to=mark)["object_id"]
    split = census.split_by_object(ws)
    return set(seen[seen.map(split) == "train"]) <= set(baseline.random_galaxies(ws, mark).tolist())


def best_of_newest(ws: Workspace, target: str, metric: str) -> Best | None:
    """The lowest value of a metric among the newest finished runs of the models, on all test galaxies; None where nothing was measured."""
    newest = runs.frame(ws).query("status == 'done' and not is_control").drop_duplicates("model").set_index("id")["model"]
    values = runs.metrics(ws).query("split == 'test' and target == @target and subset == 'all' and name == @metric").set_index("run_id")["value"]
    values = values[values.index.isin(newest.index)].dropna()
    return None if values.empty else Best(float(values.min()), str(newest[values.idxmin()]), int(values.idxmin()))


def labelled_galaxies(ws: Workspace, mark: int | None = None) -> dict[str, int]:
    """target -> galaxies of the train split with a value to train on, when the label log stood at row ``mark`` (default: now)."""
    return dict(_labelled_galaxies(ws, labels.high_water(ws) if mark is None else mark))


def galaxies_of(ws: Workspace, run: Mapping) -> dict[str, int]:
    """target -> galaxies that a run (a row of `core.store.runs.frame`, or `core.store.runs.one`) learnt from."""
    summary = json.loads(run["summary"]) if isinstance(run["summary"], str) else run["summary"]
    return summary["galaxies"] if "galaxies" in summary else labelled_galaxies(ws, int(run["label_high_water"]))


@lru_cache(maxsize=512)
def _labelled_galaxies(ws: Workspace, mark: int) -> tuple[tuple[str, int], ...]:
    """Kept: the log is append-only, so its state at a row never changes."""
    table = labels.training(ws, up_to=mark)
    split = census.split_by_object(ws)
    counts = table[table["object_id"].map(split) == "train"]["target"].value_counts()
    return tuple((str(target), int(n)) for target, n in counts.items())


def _steps(ws: Workspace, here: Census) -> list[Step]:
    queue = batches.frame(ws).query("status == 'open'")
    waiting = int((queue["size"] - queue["done"]).sum())
    fresh = fresh_labels(ws)
    seen = here.runs > 0 and not fresh
    return [
        Step("Bring in galaxies", _counted(here.objects, "galaxy is here", "galaxies are here", "Build the demo sky, or read your own files"), "pages/data.py", here.objects > 0),
        Step("Draw a map", _counted(here.maps, "map", "maps", "See which galaxies look alike"), "pages/explore.py", here.maps > 0),
        Step("Ask for a batch", _batch_sentence(waiting, fresh), "pages/query.py", waiting > 0 or (fresh > 0 and here.labelled > 0)),
        Step("Label it", f"{waiting} galaxies wait for a label" if waiting else _counted(here.labelled, "galaxy has a label", "galaxies have a label", "One key per galaxy"),
             "pages/label.py", here.labelled > 0 and not waiting),
        Step("Train", f"{labelled_since(fresh)} since the newest model" if fresh and here.runs else _counted(here.runs, "finished run", "finished runs", "Teach the models what you know"),
             "pages/train.py", seen),
        Step("Compare", "Which model to trust, and where" if here.runs else "Needs a finished run", "pages/compare.py", seen),
    ]


def fresh_labels(ws: Workspace) -> int:
    """How many galaxies of the train split have got or lost a label that no finished run has seen."""
    seen = runs.frame(ws).query("status == 'done' and not is_control")["label_high_water"]
    return unlearnt.galaxies_since(ws, int(seen.max()) if len(seen) else 0)


def has_labels(ws: Workspace) -> bool:
    """Whether anybody has decided anything."""
    return labels.high_water(ws) > 0


def labelled_since(fresh: int) -> str:
    """`fresh_labels` in words."""
    return f"{fresh:,} new label{'s' * (fresh != 1)}"


def decisions_since(ws: Workspace, mark: int) -> int:
    """How many rows the label log has grown by since it stood at ``mark``."""
    return labels.high_water(ws) - mark


def _batch_sentence(waiting: int, fresh: int) -> str:
    if waiting:
        return f"{waiting} galaxies are asked for"
    return "Labels are here that no model has seen" if fresh else "Let a model say which galaxies would teach it most"


def _counted(n: int, one: str, many: str, none: str) -> str:
    return none if not n else f"{n:,} {one if n == 1 else many}"


def is_waiting_in_vain(ws: Workspace) -> bool:
    """Whether jobs wait and no worker serves the workspace."""
    return len(jobs.active(ws)) > 0 and not workplace.is_served(ws)


def is_filling(ws: Workspace) -> bool:
    """Whether the demo sky is on its way: its job, or a map or a first model that it asked for, runs or waits."""
    return bool(_of_the_demo(jobs.frame(ws))["status"].isin(["queued", "running"]).any())


def build_demo(ws: Workspace, n: int = 3000, seed: int = 0) -> int | None:
    """Queue the demo sky into a workspace that has neither objects nor jobs; None, and nothing done, in any other."""
    return jobs.enqueue_first(ws, "demo", "Build the demo sky", {"n": n, "seed": seed})


def stages(ws: Workspace) -> list[Stage]:
    """How far the demo sky is: its galaxies, its maps, its first models."""
    table = _of_the_demo(jobs.frame(ws))
    return [_stage(title, table[table["kind"] == kind]) for title, kind in STAGES]


def _of_the_demo(table: pd.DataFrame) -> pd.DataFrame:
    """The newest demo job and what it has asked for: what was queued between its start and its end."""
    demo = table.query("kind == 'demo'").head(1)
    if demo.empty:
        return demo
    first, end = demo.iloc[0]["id"], demo.iloc[0]["finished"] or "9999"
    return table[(table["id"] >= first) & (table["created"] <= end) & table["kind"].isin([kind for _, kind in STAGES])]


def _stage(title: str, rows: pd.DataFrame) -> Stage:
    ended, running = rows[rows["status"].isin(jobs.ENDED)], rows.query("status == 'running'")
    done = int((rows["status"] == "done").sum())
    if len(rows) and len(ended) == len(rows):
        return Stage(title, f"{done} of {len(rows)} ready", 1.0, "done" if done == len(rows) else "failed")
    said = running.iloc[0]["message"] or running.iloc[0]["title"] if len(running) else ""
    fraction = rows["fraction"].where(~rows["status"].isin(jobs.ENDED), 1.0).mean() if len(rows) else 0.0
    return Stage(title, said, float(fraction), "running" if len(running) else "waiting")


def failures(ws: Workspace, among: int = 20) -> int:
    """How many of the newest jobs have failed."""
    return int((jobs.frame(ws).head(among)["status"] == "failed").sum())


def is_orphaned(job, now: float | None = None) -> bool:
    """Whether a running job's worker has stopped renewing its lease."""
    return job.status == "running" and job.lease_until is not None and job.lease_until < _now(now)


def remaining_seconds(job, now: float | None = None) -> float | None:
    """How long a running job still takes if it goes on as it has; None before 5 % are done."""
    if job.status != "running" or job.fraction < 0.05 or not job.started:
        return None
    return (_now(now) - _unix(job.started)) * (1 - job.fraction) / job.fraction


def spoken(seconds: float) -> str:
    """A duration as people say it.

    >>> spoken(8), spoken(70), spoken(4000)
    ('8 s', '1 min', '1.1 h')
    """
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def _now(now: float | None) -> float:
    return time.time() if now is None else now


def _unix(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
