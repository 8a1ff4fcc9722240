"""Everything that a run has said of every galaxy, with where each lies on the sky and how bright it is."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.jobs.fitted import stretches_in
from core.services import exploring
from core.services.exploring import COLOURINGS, Colouring, MapTable
from core.store import Workspace, arrays, batches, labels, objects, runs
from core.uncertainty.conformal import Stretches

KINDS = ("epistemic", "aleatoric", "half", "sigma", "novelty", "disagreement")
"""The colourings that say how unsure a model is, in the order in which they are offered."""
R_BAND = 2


@dataclass(frozen=True)
class Everyone:
    """Every galaxy that a run has predicted; row i is one galaxy throughout.

    Attributes
    ----------
    table : what is known and predicted of them (see `core.services.exploring.MapTable`); they stand on no map.
    ra, dec : degrees, float (n,). magnitude : r, dereddened, float32 (n,). All NaN = unknown.
    stretches : what the calibration split asked of the run's intervals.
    """

    table: MapTable
    ra: np.ndarray
    dec: np.ndarray
    magnitude: np.ndarray
    stretches: Stretches

    def __len__(self) -> int:
        return len(self.table)

    def noise(self, target: str) -> np.ndarray:
        """Aleatoric standard deviation, float (n,), NaN = not predicted."""
        return self.table.aleatoric[:, self.table.column(target)].astype(float)

    def ignorance(self, target: str) -> np.ndarray:
        """Epistemic standard deviation, float (n,), NaN = not predicted."""
        return self.table.epistemic[:, self.table.column(target)].astype(float)

    @property
    def is_free(self) -> np.ndarray:
        """Who can still be asked about, bool (n,): of the train split, not labelled, not waiting, not given up."""
        return (self.table.split == "train") & (self.table.state == exploring.UNLABELLED)

    def knows_both(self, target: str) -> bool:
        """Whether the run tells ignorance from noise at all: both are above 0 for some galaxy."""
        return bool(((self.noise(target) > 0) & (self.ignorance(target) > 0)).any())


def version(ws: Workspace, run_id: int) -> tuple:
    """Changes whenever `everyone` would answer differently: a cache key."""
    open_batches = batches.frame(ws).query("status == 'open'")
    return (str(ws.path), ws.born, run_id, labels.high_water(ws), objects.count(ws), tuple(open_batches["id"]))


def everyone(ws: Workspace, run_id: int) -> Everyone:
    """All that a finished run has predicted; raises `NotFound`."""
    ids = runs.load_arrays(ws, run_id, "predictions")["object_ids"].astype(np.int64)
    table = replace(exploring.galaxies(ws, ids, np.zeros((len(ids), 2), np.float32), run_id=run_id), version=version(ws, run_id))
    ra, dec = (pd.to_numeric(objects.values(ws, ids, column)).to_numpy(float) for column in ("ra", "dec"))
    return Everyone(table, ra, dec, arrays.read(ws, "photometry", ids)[0][:, 0, R_BAND], stretches_in(runs.one(ws, run_id)["summary"]))


def kinds(table: MapTable, target: str, colourings: dict[str, Colouring] = COLOURINGS) -> dict[str, Colouring]:
    """Those of `KINDS` that the run of a table says something about, of ``colourings``."""
    column = table.column(target)
    return {name: colourings[name] for name in KINDS if name in colourings and (colourings[name].values(table, column) > 0).any()}
