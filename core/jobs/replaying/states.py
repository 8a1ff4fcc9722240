"""Each round of a replay on disk: one small file, there whole or not at all."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from core.jobs.replaying.question import Step


@dataclass(frozen=True)
class State:
    """What one round has left behind.

    Attributes
    ----------
    asked : rows of the world that were asked about so far, in order. metrics : name -> value on the test galaxies.
    training_seconds : of fitting to the labels among them. junk_share : of the last batch, how many nobody could label;
        None before the first batch, and where it is not known what is junk.
    following : rows of the next batch, empty when the pool has not enough left. selection_seconds : of choosing them, prediction apart.
    weights : of the labels among asked and following, in order, for the next fit; None = all the same.
    """

    asked: list[int]
    metrics: dict[str, float]
    training_seconds: float
    junk_share: float | None
    following: list[int]
    selection_seconds: float
    weights: list[float] | None


def path_of(folder: Path, step: Step) -> Path:
    """Where a step's state lies."""
    return folder / step.strategy / f"seed-{step.seed:03d}" / f"round-{step.round:03d}.json"


def read(folder: Path, step: Step) -> State | None:
    """The state of a step; None while there is none."""
    path = path_of(folder, step)
    return State(**json.loads(path.read_text())) if path.exists() else None


def write(folder: Path, step: Step, state: State) -> None:
    """Keep the state of a step; a reader sees all of it or nothing."""
    path = path_of(folder, step)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.part")
    with open(temporary, "w") as file:
        json.dump(asdict(state), file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
