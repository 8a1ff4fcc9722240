"""What people's decisions so far teach of galaxies that nobody has looked at: can somebody tell, and how long does it take?"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.acquisition import labelability
from core.acquisition.cost import expected_seconds
from core.acquisition.labelability import Facts
from core.columns import MODALITIES
from core.services.querying.request import Pool
from core.store import Workspace, acts, arrays, labels, objects

_IVAR, _MAGNITUDE, _R = 1, 0, 2


@dataclass(frozen=True)
class Experience:
    """What ``decisions`` galaxies that people decided on have taught: weights of `labelability.chance`, None while nobody has failed to tell."""

    decisions: int
    weight_f: np.ndarray | None

    def chance(self, facts: Facts) -> np.ndarray:
        """That somebody can label each, (n,)."""
        return np.ones(len(facts)) if self.weight_f is None else labelability.chance(facts, self.weight_f)


def experienced(ws: Workspace, everybody: pd.DataFrame, targets: Iterable[str]) -> Experience:
    """Learn from standing decisions on the targets, ``everybody`` being all objects.

    A galaxy counts once, as told when anybody could. What an oracle revealed does not count, for nobody looked, nor
    does a star: that was told.
    """
    current = labels.current(ws)
    seen = current[current["target"].isin(list(targets)) & current["source"].ne("catalogue") & current["flags"].ne("star")]
    told = seen["action"].eq("label").groupby(seen["object_id"]).any()
    if told.all():
        return Experience(len(told), None)
    decided = everybody[everybody["id"].isin(told.index)]
    return Experience(len(decided), labelability.learn(facts_of(ws, decided), told.loc[decided["id"]].to_numpy(bool)))


def facts_of(ws: Workspace, table: pd.DataFrame) -> Facts:
    """What can be seen of the objects before anybody looks at them; each shard is read once in this process."""
    good_n, magnitude_n = arrays.reduced(ws, "spectrum", table["id"], good_share), arrays.reduced(ws, "photometry", table["id"], r_magnitude)
    return Facts(table["sn"].to_numpy(float), good_n, magnitude_n, table[list(MODALITIES)].to_numpy(bool))


def seconds_per_label(ws: Workspace, pool: Pool) -> np.ndarray:
    """Seconds that a label of each galaxy of the pool is expected to take, (p,): of a decision, over the chance that it is one.

    By everybody's decisions whose time was taken. Raises `BadInput` when there is none.
    """
    spent = acts.timed(ws)
    sn_n = objects.frame(ws).set_index("id")["sn"].reindex(spent["object_id"]).to_numpy(float)
    return expected_seconds(sn_n, spent["milliseconds"].to_numpy(float) / 1000, pool.sn) / pool.chance


def good_share(spectra_n2p: np.ndarray) -> np.ndarray:
    """Share of a spectrum's pixels that hold information, (n,)."""
    return (spectra_n2p[:, _IVAR] > 0).mean(axis=1)


def r_magnitude(photometry_n25: np.ndarray) -> np.ndarray:
    """Magnitude in r, (n,), NaN = missing."""
    return photometry_n25[:, _MAGNITUDE, _R]
