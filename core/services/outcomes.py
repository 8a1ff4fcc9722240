"""How trainings have ended, in words: what a run reached, what the one before it had reached, and what failed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.services import overviewing
from core.services.training import last_line
from core.store import Workspace, jobs, runs

HEADLINES = {("z", "nmad"): "z NMAD", ("sfr_tot_median", "rmse"): "SFR RMSE"}
"""What a run is told by: (target, metric) on all test galaxies -> words."""


@dataclass(frozen=True)
class Outcome:
    """How a job ended. ``run_id`` is the run it made, None where there is none; ``sentence`` what a person should hear."""

    job_id: int
    run_id: int | None
    is_well: bool
    sentence: str


def newest(ws: Workspace) -> str:
    """When the newest job ended (ISO, UTC); empty where none has."""
    return str(ws.frame("SELECT COALESCE(MAX(finished), '') AS t FROM jobs")["t"].iloc[0])


def since(ws: Workspace, stamp: str) -> list[Outcome]:
    """Trainings that ended after ``stamp`` and jobs of any kind that failed after it, oldest first; what a person cancelled is known to them."""
    ended = jobs.frame(ws)
    ended = ended[(ended["finished"].fillna("") > stamp) & (ended["status"].eq("failed") | (ended["status"].eq("done") & ended["kind"].eq("train")))]
    return [_outcome(ws, job) for job in ended.sort_values("finished").itertuples()]


def against_before(ws: Workspace, run_id: int) -> str:
    """What a run reached against the run of its model before it, and on how many more labelled galaxies."""
    run, table = runs.one(ws, run_id), runs.frame(ws).query("status == 'done' and not is_control and id < @run_id")
    before = table[table["model"] == run["model"]].head(1)
    if run["is_control"] or before.empty:
        return _values(ws, run_id, None) or "no test galaxy has a catalogue value to measure it by"
    said = _values(ws, run_id, int(before["id"].iloc[0]))
    more = overviewing.galaxies_of(ws, run).get("z", 0) - overviewing.galaxies_of(ws, before.iloc[0]).get("z", 0)
    on = f"on {abs(more):,} {'more' if more > 0 else 'fewer'} label{'s' * (abs(more) != 1)}" if more else "on as many labels"
    return f"{said}, {on}" if said else f"trained {on}; no test galaxy has a catalogue value to measure it by"


def _outcome(ws: Workspace, job) -> Outcome:
    if job.status == "failed":
        return Outcome(int(job.id), None, False, f"{job.title} failed: {last_line(job.error or '')}")
    run = runs.of_job(ws, int(job.id))
    run_id = None if run is None else int(run["id"])
    return Outcome(int(job.id), run_id, True, f"{job.title.removeprefix('Train ')}: {'trained' if run_id is None else against_before(ws, run_id)}.")


def _values(ws: Workspace, run_id: int, before: int | None) -> str:
    """"z NMAD 0.0171, was 0.0180; SFR RMSE ..." of those `HEADLINES` that were measured."""
    now, then = _measured(ws, run_id), pd.Series(dtype=float) if before is None else _measured(ws, before)
    return "; ".join(f"{words} {three_digits(now[key])}" + (f", was {three_digits(then[key])}" if key in then else "") for key, words in HEADLINES.items() if key in now)


def _measured(ws: Workspace, run_id: int) -> pd.Series:
    table = runs.metrics(ws, run_id).query("split == 'test' and subset == 'all'").dropna(subset="value")
    return table.set_index(["target", "name"])["value"]


def three_digits(value: float) -> str:
    """A number as people say it of an error.

    >>> three_digits(0.018), three_digits(0.017149), three_digits(9.21e-5), three_digits(12.3456)
    ('0.0180', '0.0171', '0.0000921', '12.3')
    """
    return f"{value:.{max(2 - int(np.floor(np.log10(abs(value)))), 0)}f}" if value else "0"
