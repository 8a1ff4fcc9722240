"""Replay active learning on the galaxies of a workspace whose catalogue values are known.

No label is recorded: the oracle answers inside the replay. Parameters of the job: ``question``, as
`core.jobs.replaying.Question.asked` gives it, and ``workers`` (optional), the processes to use. Each round is a file
under ``replays/`` in the workspace, so a job that was killed goes on where it was.
"""

import time

from core.jobs.context import TaskContext
from core.jobs.replaying import Question, probe, run_rounds, sky_source

FOLDER = "replays"


def run(ctx: TaskContext) -> dict:
    """Returns the folder of the rounds, relative to the workspace, how many rounds there are, and the seconds it took."""
    started = time.monotonic()
    question = Question.of(ctx.parameters["question"])
    source = sky_source(ctx.ws, question)
    folder = f"{FOLDER}/{question.mark(source.mark())}"
    ctx.report(0.0, f"Asking {question.model} what it can give {len(question.strategies)} strategies")
    probe(question, source)
    done = 0
    for done, total in run_rounds(ctx.ws.path / folder, question, source, ctx.parameters.get("workers")):
        ctx.report(done / total, f"{done:,} of {total:,} rounds: {len(question.strategies)} strategies, {question.seeds} seeds")
    ctx.report(1.0, f"All {len(question.steps()):,} rounds are there")
    return {"folder": folder, "rounds": len(question.steps()), "seconds": round(time.monotonic() - started, 1)}
