"""What is in a workspace, what runs, how far learning has come, and what to do next."""

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from core.store import Workspace, batches, census, embeddings, labels, runs

RANDOM_CONTROL = "random"
"""What a run's ``config["labels"]`` says when it learnt from randomly chosen labels only: the baseline of the learning curve."""


@dataclass(frozen=True)
class Census:
    """What is here.

    Attributes
    ----------
    objects, simulated, labelled : objects; of the mock sky; with a standing label.
    modalities : modality -> objects that have it.
    splits : split, objects, groups, labelled. sn_n : S/N per pixel, float (n,).
    runs, maps : finished training runs; embeddings.
    """

    objects: int
    simulated: int
    labelled: int
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


def is_simulated(ws: Workspace) -> bool:
    """Whether any object comes from the mock sky."""
    return census.objects_and_labels(ws)["simulated"] > 0


def take_census(ws: Workspace) -> Census:
    """Count what is in the workspace."""
    counts = census.objects_and_labels(ws)
    finished = int((runs.frame(ws)["status"] == "done").sum())
    return Census(**counts, modalities=census.modalities(ws), splits=census.by_split(ws), sn_n=census.signal_to_noise(ws),
                  runs=finished, maps=len(embeddings.frame(ws)))


def checklist(ws: Workspace) -> list[Step]:
    """The steps of one turn of the loop; the first that is not done is the next one."""
    steps = _steps(ws, take_census(ws))
    first = next((i for i, step in enumerate(steps) if not step.is_done), None)
    return [Step(s.title, s.sentence, s.page, s.is_done, i == first) for i, s in enumerate(steps)]


def learning_curve(ws: Workspace, target: str, metric: str, subset: str = "all") -> pd.DataFrame:
    """A metric of every finished run against the number of galaxies it learnt from.

    Returns
    -------
    run_id, run, model, galaxies (train split, labelled for ``target`` when the run started), value,
    is_control (the run learnt from randomly chosen labels only); by model, then galaxies.
    """
    wanted = runs.metrics(ws).query("split == 'test' and target == @target and subset == @subset and name == @metric and value.notna()")
    table = runs.frame(ws).query("status == 'done'").merge(wanted[["run_id", "value"]], left_on="id", right_on="run_id")
    table["galaxies"] = [labelled_galaxies(ws, int(mark)).get(target, 0) for mark in table["label_high_water"]]
    table["is_control"] = [json.loads(c).get("labels") == RANDOM_CONTROL for c in table["config"]]
    columns = ["run_id", "name", "model", "galaxies", "value", "is_control"]
    return table[columns].rename(columns={"name": "run"}).sort_values(["model", "galaxies", "run_id"], ignore_index=True)


def labelled_galaxies(ws: Workspace, mark: int | None = None) -> dict[str, int]:
    """target -> galaxies of the train split with a value to train on, when the label log stood at row ``mark`` (default: now)."""
    return dict(_labelled_galaxies(ws, labels.high_water(ws) if mark is None else mark))


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
        Step("Train", f"{fresh} decisions are newer than the newest model" if fresh and here.runs else _counted(here.runs, "finished run", "finished runs", "Teach the models what you know"),
             "pages/train.py", seen),
        Step("Compare", "Which model to trust, and where" if here.runs else "Needs a finished run", "pages/compare.py", seen),
    ]


def fresh_labels(ws: Workspace) -> int:
    """How many rows of the label log no finished run has seen."""
    seen = runs.frame(ws).query("status == 'done'")["label_high_water"]
    return labels.high_water(ws) - (int(seen.max()) if len(seen) else 0)


def _batch_sentence(waiting: int, fresh: int) -> str:
    if waiting:
        return f"{waiting} galaxies are asked for"
    return "The last batch is labelled" if fresh else "Let a model say which galaxies would teach it most"


def _counted(n: int, one: str, many: str, none: str) -> str:
    return none if not n else f"{n:,} {one if n == 1 else many}"
