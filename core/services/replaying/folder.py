"""A replay as a folder, `curves.csv`, `summary.csv` and `curves.svg`, and as lines for a terminal."""

import json
from pathlib import Path

import pandas as pd

from core.jobs.replaying import Question
from core.services.replaying.curves import COSTS
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
    wide = errors.assign(area=[_area(r) for r in errors.itertuples()], reached=errors["labels_to_random_final"].map("{:.0f}".format).replace("nan", "never"))
    tables = [wide.pivot(index="strategy", columns="metric", values=column)[list(errors["metric"].unique())] for column in ("area", "reached")]
    costs = errors.groupby("strategy")[list(COSTS)].first()
    costs = pd.DataFrame({"junk": costs["junk_share"].map("{:.1%}".format).replace("nan%", "-"), "choosing s": costs["selection_seconds"].map("{:.2f}".format),
                          "fitting s": costs["training_seconds"].map("{:.2f}".format)})  # fmt: skip
    joined = pd.concat([tables[0], tables[1].add_prefix("labels, "), costs], axis=1)
    return joined.loc[list(errors["strategy"].unique())].rename_axis(index=None, columns=None).to_string()


def _area(row) -> str:
    return f"{row.area:+.3f}" if pd.isna(row.area_error) else f"{row.area:+.3f} ± {row.area_error:.3f}"
