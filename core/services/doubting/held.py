"""How often a run's 68 % intervals hold the truth."""

from dataclasses import dataclass

import numpy as np

from core import metrics
from core.services import comparing
from core.store import Workspace
from core.uncertainty.conformal import LEVELS


@dataclass(frozen=True)
class Held:
    """What 68 % intervals hold on the test galaxies, stretched where the run was calibrated.

    Attributes
    ----------
    share : 0 to 1. galaxies : that it was counted on. error : standard error of counting so many.
    """

    share: float
    galaxies: int
    error: float

    @property
    def sentence(self) -> str:
        """The share with its error, in percent."""
        return f"{100 * self.share:.1f} ± {100 * self.error:.1f} %"


def held(ws: Workspace, run_id: int, target: str) -> Held | None:
    """`Held` of a run; None when no test galaxy has a catalogue value, a prediction and an error bar."""
    table = comparing.predicted_and_true(ws, run_id, target)
    half = table["half"].where(table["half"].notna(), metrics.Z68 * table["sigma"])
    known = np.isfinite(half)
    if not known.any():
        return None
    share, count = float(((table["mean"] - table["truth"]).abs() <= half)[known].mean()), int(known.sum())
    return Held(share, count, metrics.binomial_error(LEVELS["68"], count))
