"""Two runs: what differs between them, which is better, and on which galaxies."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.services.comparing.finished import Comparison
from core.services.comparing.held_out import predicted_and_true
from core.services.comparing.measures import COSTS, badness, shown
from core.services.comparing.side_by_side import compared
from core.store import Workspace

SNAPSHOT = {"seed": "seed", "label_count": "label values", "label_high_water": "label log read to row", "label_hash": "label snapshot", "stale": "labels undone since", "device": "device"}
HASH_LETTERS = 12


@dataclass(frozen=True)
class Gain:
    """How much nearer to the truth the second run is.

    Attributes
    ----------
    galaxies : held-out galaxies that both predict. share : of them for which the second is nearer.
    mean, error : mean of |residual| of the first less that of the second, and its standard error.
    """

    galaxies: int
    share: float
    mean: float
    error: float

    @property
    def sentence(self) -> str:
        """Which run is nearer, and whether that is more than chance."""
        if not self.galaxies:
            return "No held-out galaxy has a truth and both predictions."
        if not self.mean and not self.error:
            return f"The two are equally near to the truth for each of {self.galaxies:,} held-out galaxies."
        nearer = "second" if self.mean > 0 else "first"
        if not self.error:
            return f"The **{nearer}** run is nearer to the truth by {abs(self.mean):.2g} for each of {self.galaxies:,} held-out galaxies."
        times = abs(self.mean) / self.error
        verdict = f"The **{nearer}** run is nearer to the truth on average, by {times:.1f} standard errors" if times >= 2 else f"On average the two are alike ({times:.1f} standard errors apart)"
        return f"{verdict}; the second is the nearer one for **{self.share:.0%}** of {self.galaxies:,} held-out galaxies."


def settings_that_differ(comparison: Comparison, first: int, second: int) -> pd.DataFrame:
    """What the two runs were asked to do differently: what, first, second, all text; no rows when nothing differs."""
    said = [_said(comparison.run(run)) for run in (first, second)]
    names = list(dict.fromkeys([*said[0], *said[1]]))
    rows = [(name, said[0].get(name, "-"), said[1].get(name, "-")) for name in names]
    return pd.DataFrame([r for r in rows if r[1] != r[2]], columns=["what", "first", "second"])


def metrics_that_differ(comparison: Comparison, first: int, second: int, target: str, subset: str) -> pd.DataFrame:
    """Every metric and cost of two runs: metric, first, second, all text, and better (``first``, ``second`` or empty)."""
    table = compared(comparison, target, subset).set_index("run_id").loc[[first, second]]
    rows = []
    for metric in (*shown(target), *COSTS):
        values = table[metric.name].astype(float)
        bad = badness(values, metric).to_numpy()
        is_better = metric.aim != "none" and np.isfinite(bad).all() and bad[0] != bad[1]
        rows.append((metric.label, *map(metric.text, values), ("first" if bad[0] < bad[1] else "second") if is_better else ""))
    found = pd.DataFrame(rows, columns=["metric", "first", "second", "better"])
    return found[(found["first"] != "") | (found["second"] != "")].reset_index(drop=True)


def difference(ws: Workspace, first: int, second: int, target: str, subset: str = "all") -> pd.DataFrame:
    """Two runs on the same held-out galaxies: object_id, key, truth, first, second, gain (|residual| of the first minus that of the second), sn."""
    a, b = (predicted_and_true(ws, run, target, subset) for run in (first, second))
    both = a.merge(b[["object_id", "mean", "residual"]], on="object_id", suffixes=("", "_second"))
    gain = both["residual"].abs() - both["residual_second"].abs()
    return both.assign(first=both["mean"], second=both["mean_second"], gain=gain)[["object_id", "key", "truth", "first", "second", "gain", "sn"]]


def gain(table: pd.DataFrame) -> Gain:
    """`difference` in one line, galaxies paired."""
    values = table["gain"].to_numpy(float)
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    return Gain(len(values), float((values > 0).mean()) if len(values) else 0.0, float(values.mean()) if len(values) else 0.0, error)


def _said(run: pd.Series) -> dict[str, str]:
    """Everything that was asked of a run, by what people call it."""
    snapshot = {name: str(run[column]) for column, name in SNAPSHOT.items()}
    snapshot["label snapshot"] = snapshot["label snapshot"][:HASH_LETTERS] or "-"
    return {"model": run["model"], "reads": run["reads"], **{name.replace("_", " "): str(value) for name, value in run["settings"].items()}, **snapshot}
