"""Replays of a workspace, looked at while they run and afterwards."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.jobs.replaying import Question
from core.models.registry import MODELS, Spec
from core.services.replaying.asking import growing
from core.services.replaying.curves import curves
from core.store import Workspace, census, jobs, runs


@dataclass(frozen=True)
class Replay:
    """A replay that was asked for.

    Attributes
    ----------
    job_id, status, message, error : of its job; fraction : 0 to 1, how far it is.
    question : what it compares. folder : where its rounds are, in the workspace; empty until it is done.
    """

    job_id: int
    status: str
    message: str
    error: str
    fraction: float
    question: Question
    folder: str

    @property
    def is_under_way(self) -> bool:
        """Whether more rounds will come without anybody doing anything."""
        return self.status in ("queued", "running")

    @property
    def metrics(self) -> list[str]:
        """What its curves measure, as they call it."""
        return [called for target in self.question.targets for called in self.question.measures(target).values()]

    @property
    def title(self) -> str:
        """What a person tells it from others by."""
        asked = self.question
        strategies = ", ".join(name.replace("_", " ") for name in asked.strategies[1:]) or "random alone"
        return f"#{self.job_id} · {asked.model} · {', '.join(asked.targets)} · {strategies} · {asked.budget} labels, {asked.seeds} seed{'s' * (asked.seeds != 1)} · {self.status}"


def replays(ws: Workspace) -> list[Replay]:
    """Every replay of the workspace, newest first."""
    return [_replay(jobs.one(ws, i)) for i in jobs.frame(ws).query("kind == 'replay'")["id"]]


def told_so_far(ws: Workspace, replay: Replay) -> pd.DataFrame:
    """The curves of a replay as far as they go, as `core.services.replaying.curves.curves` gives them; empty before the first round."""
    return curves(ws.path / replay.folder, replay.question) if replay.folder else growing(ws, replay.job_id)


def models(ws: Workspace) -> list[Spec]:
    """Models that can be replayed here: those that look at something that galaxies here have."""
    here = census.modalities(ws)
    return [spec for spec in MODELS.values() if any(here[m] for m in spec.modalities)]


def seconds(ws: Workspace, question: Question) -> float | None:
    """How long a replay may take on one processor, from the newest finished run of its model; None where there is none.

    An upper bound where the run has learnt from more galaxies than the replay will ask about.
    """
    finished = runs.frame(ws).query("status == 'done' and not is_control and model == @question.model")
    spent = json.loads(finished["summary"].iloc[0]).get("seconds", np.nan) if len(finished) else np.nan
    return float(spent) * len(question.steps()) if np.isfinite(spent) else None


def _replay(job: dict) -> Replay:
    question, folder = Question.of(job["parameters"]["question"]), (job["result"] or {}).get("folder", "")
    return Replay(job["id"], job["status"], job["message"] or "", job["error"] or "", job["fraction"], question, folder)
