"""Running a replay to its end in the foreground: in a workspace as a job, on a bare table right here."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from core.errors import BadInput, JobError
from core.jobs.foreground import follow
from core.jobs.replaying import Question, TableSource, probe, run_rounds, sky_source, table_source
from core.jobs.supervisor import say_aloud
from core.jobs.tasks.replay import FOLDER
from core.services.replaying.curves import curves
from core.store import Workspace, jobs

ROUNDS = "rounds"
"""Folder beside the results of a table's replay in which its rounds are kept."""
TABLE_MODEL = "small network"
"""What a table's question calls its model."""
Say = Callable[[str], None]


def question_of(model: str | None, protocol: Mapping[str, object]) -> Question:
    """The question for a workspace; raises `BadInput` when no model is named or the protocol cannot be served."""
    if not model:
        raise BadInput("--model", "be named for a workspace", "nothing", "this replay", "Name a model of the registry, or a --table")
    return Question(model=model, **protocol)


def start(ws: Workspace, question: Question, workers: int | None = None) -> int:
    """Queue a replay and return the job's id; one that was asked before and has not done its work is queued again.

    Raises `BadInput` for a target that the workspace does not have, `NotFound` for an unknown model.
    """
    sky_source(ws, question)
    asked = {"question": question.asked()} | ({} if workers is None else {"workers": workers})
    table = jobs.frame(ws).query("kind == 'replay' and status != 'done'")
    same = [int(job.id) for job in table.itertuples() if json.loads(job.parameters) == asked]
    if same:
        jobs.retry(ws, same[0])
        return same[0]
    return jobs.enqueue(ws, "replay", f"Replay {len(question.strategies)} strategies with {question.model}", asked)


def in_workspace(ws: Workspace, question: Question, workers: int | None = None, say: Say = say_aloud) -> pd.DataFrame:
    """Replay on the galaxies of a workspace as a job, followed to its end, and return the curves.

    Raises `JobError` when the job failed or somebody stopped it; asked again, it goes on.
    """
    job_id = start(ws, question, workers)
    job = follow(ws, job_id, say=say)
    if job["status"] != "done":
        why = job["error"] or f"the replay was {job['status']}. Ask for it again; it goes on where it was."
        raise JobError(f"Job {job_id}: {why}")
    return curves(ws.path / job["result"]["folder"], question)


def on_table(path: Path, features: tuple[str, ...], out: Path, protocol: Mapping[str, object], model: str | None = None, n_test: int | None = None,
             n_pool: int = 0, workers: int | None = None, say: Say = say_aloud) -> tuple[pd.DataFrame, Question]:  # fmt: skip
    """As `of_table`, from a file and the columns to use; also the question. Rows that are left out are counted aloud.

    Raises `BadInput` when a model is named (a table has its own), and as `core.jobs.replaying.table_source` does.
    """
    if model:
        raise BadInput("--model", "not be named with --table", model, "this replay", "Leave it out: a table's columns are learned by a small network of their own")
    question = Question(model=TABLE_MODEL, **protocol)
    source, left_out = table_source(path, features, question.target, n_test, n_pool)
    if left_out:
        say(f"{left_out:,} rows are left out: a column has no number there.")
    return of_table(source, question, out, workers, say), question


def of_table(source: TableSource, question: Question, out: Path, workers: int | None = None, say: Say = say_aloud) -> pd.DataFrame:
    """Replay on the rows of a table in this process and return the curves; rounds are kept in ``out``, so that asked again it goes on."""
    folder = out / ROUNDS / question.mark(source.mark())
    probe(question, source)
    told = -1
    for done, total in run_rounds(folder, question, source, workers):
        percent = 100 * done // total
        if percent > told:
            say(f"{percent:3d} %  {done:,} of {total:,} rounds")
            told = percent
    return curves(folder, question)


def growing(ws: Workspace, job_id: int) -> pd.DataFrame:
    """The curves of a replay as far as it has come; empty before its first round."""
    question = Question.of(jobs.one(ws, job_id)["parameters"]["question"])
    return curves(ws.path / FOLDER / question.mark(sky_source(ws, question).mark()), question)
