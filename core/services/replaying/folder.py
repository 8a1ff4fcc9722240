"""A replay as a folder, `curves.csv`, `summary.csv` and `curves.svg`, and as lines for a terminal."""

import json
from pathlib import Path

import pandas as pd

from core.jobs.replaying import Question
from core.services.replaying.plot import drawn
from core.services.replaying.summary import summary


def write(curves: pd.DataFrame, question: Question, out: Path) -> pd.DataFrame:
    """Write a replay into a folder, with `question.json` that says what was asked; returns the summary."""
    out.mkdir(parents=True, exist_ok=True)
    found = summary(curves)
    curves.to_csv(out / "curves.csv", index=False)
    found.to_csv(out / "summary.csv", index=False)
    (out / "curves.svg").write_text(drawn(curves, f"{question.target} by {question.model}, {question.seeds} seeds: mean and standard error"))
    (out / "question.json").write_text(json.dumps(question.asked(), indent=1))
    return found


def told(found: pd.DataFrame) -> str:
    """The paired table: a line a strategy; areas with their standard errors, and the labels that reach random's last value."""
    errors = found[found["area"].notna()]
    rows = {name: {} for name in errors["strategy"].unique()}
    for row in errors.itertuples():
        reached = "never" if pd.isna(row.labels_to_random_final) else f"{row.labels_to_random_final:.0f}"
        error = "" if pd.isna(row.area_error) else f" ± {row.area_error:.3f}"
        rows[row.strategy] |= {row.metric: f"{row.area:+.3f}{error}", f"{row.metric}: labels": reached}
        rows[row.strategy] |= {"junk": "-" if pd.isna(row.junk_share) else f"{row.junk_share:.1%}", "choosing s": f"{row.selection_seconds:.2f}", "fitting s": f"{row.training_seconds:.2f}"}
    table = pd.DataFrame.from_dict(rows, orient="index")
    labels = [c for c in table if c.endswith(": labels")]
    others = [c for c in table if c not in labels]
    return table[[*others[:-3], *labels, *others[-3:]]].to_string()
