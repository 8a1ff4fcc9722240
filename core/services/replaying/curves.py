"""What the rounds of a replay say, as one long table."""

from pathlib import Path

import pandas as pd

from core.jobs.replaying import Question, states

COLUMNS = ["strategy", "seed", "labels", "metric", "value"]
COSTS = ("junk_share", "selection_seconds", "training_seconds")
"""Told beside the metrics: of the last batch, of choosing the next one, of fitting."""


def curves(folder: Path, question: Question) -> pd.DataFrame:
    """The curves of a question as far as the rounds in a folder go.

    Returns
    -------
    strategy, seed, labels (galaxies asked about, whatever came of it), metric (of `Question.measures` or `COSTS`), value.
    """
    rows = []
    for step in question.steps():
        state = states.read(folder, step)
        if state is None:
            continue
        costs = {name: getattr(state, name) for name in COSTS}
        rows += [(step.strategy, step.seed, len(state.asked), name, value) for name, value in {**state.metrics, **costs}.items() if value is not None]
    return pd.DataFrame(rows, columns=COLUMNS)
