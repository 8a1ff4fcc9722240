"""A batch before anybody has agreed to it, and what it is worth."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from core.acquisition.candidates import Candidates
from core.acquisition.variance import balanced_uncertainty
from core.acquisition.worth import covered, squared_to_labels
from core.services.exploring import rows_of
from core.services.querying.request import Pool, Request
from core.services.querying.scored import Scored

WORTH_SAMPLE = 20_000
"""Galaxies of the pool on which a batch's worth is measured, drawn at random from a larger one."""
RANDOM_DRAWS, RANDOM_PICKS = 8, 4000
"""Random batches whose mean a batch is held against, for one by itself covers anything from little to much; fewer of large ones, which vary less."""


@dataclass(frozen=True)
class Edits:
    """What a person has changed of a batch by hand: objects taken out and put in, how many of the random control left, by what it was ordered."""

    removed: tuple[int, ...] = ()
    added: tuple[int, ...] = ()
    removed_control: int = 0
    order: str = "as chosen"


@dataclass(frozen=True)
class Preview:
    """A batch before anybody has agreed to it.

    Attributes
    ----------
    request : what was asked. seen : from whom it was chosen, and what the strategy knew of them. measured : the part of the
        pool whose features are known, on which worth is measured; the same wherever the strategy needs features.
    table : in rank order object_id, rank, score, reason, distance (to the nearest label, in units of the
        pool's root mean square distance from its middle; NaN = not known), control, chance (that somebody can tell; NaN = not known).
    worth : ``covered`` and ``random_covered``, shares of the pool's uncertainty that the batch and random batches of
        the same size come near; ``redundancy``, how much picks repeat each other; ``labelled_share`` of the region;
        ``cannot``, the mean chance that nobody can tell; ``measured``, how many picks the first two know. NaN = not known.
    edits : what was changed by hand.
    """

    request: Request
    seen: Scored
    measured: Scored
    table: pd.DataFrame
    worth: dict[str, float]
    edits: Edits = field(default_factory=Edits)

    @property
    def pool(self) -> Pool:
        """Who could be asked about."""
        return self.seen.pool

    @property
    def features(self) -> str:
        """What distances are measured in, for a person."""
        return self.measured.features

    @property
    def ids(self) -> np.ndarray:
        """The picks in rank order, int64 (k,)."""
        return self.table["object_id"].to_numpy(np.int64)

    def changed(self, table: pd.DataFrame, **edits) -> "Preview":
        """The same batch with other rows, ranked as they come, its worth measured anew."""
        table = table.assign(rank=np.arange(len(table))).reset_index(drop=True)
        return replace(self, table=table, worth=worth(self.request, self.seen, self.measured, table), edits=replace(self.edits, **edits))


def worth(request: Request, seen: Scored, measured: Scored, table: pd.DataFrame) -> dict[str, float]:
    """What a batch of these rows is worth, see `Preview`; the same rows have the same worth."""
    known = {"covered": np.nan, "random_covered": np.nan, "redundancy": np.nan, "measured": 0}
    rows = rows_of(measured.pool.object_ids, table["object_id"].to_numpy(np.int64))
    rows = rows[rows >= 0]
    if len(rows) and measured.candidates.features_pd is not None:
        known = _coverage(measured.candidates, rows, np.random.default_rng([request.seed, 1]))
    labelled_share = seen.pool.region_labelled / max(seen.pool.region_labelled + len(seen.pool), 1)
    return known | {"labelled_share": labelled_share, "cannot": 1 - float(table["chance"].mean()) if table["chance"].notna().any() else np.nan}


def _coverage(candidates: Candidates, rows: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    sample = np.union1d(rows, rng.permutation(len(candidates))[:WORTH_SAMPLE])
    features, weights, labelled = candidates.features_pd[sample], _mass(candidates)[sample], candidates.labelled_ld
    known = features, weights, labelled
    old = squared_to_labels(features, labelled)
    share, redundancy = covered(*known, np.searchsorted(sample, rows), old)
    drawn = [covered(*known, rng.permutation(len(sample))[: len(rows)], old)[0] for _ in range(min(RANDOM_DRAWS, max(RANDOM_PICKS // len(rows), 1)))]
    return {"covered": share, "random_covered": float(np.mean(drawn)), "redundancy": redundancy, "measured": len(rows)}


def _mass(candidates: Candidates) -> np.ndarray:
    """The uncertainty of each galaxy of the pool; 1 for each where no model says or it is never unsure."""
    if candidates.epistemic_pt is None or not candidates.epistemic_pt.any():
        return np.ones(len(candidates))
    return balanced_uncertainty(candidates.epistemic_pt, candidates.groups, candidates.weights)[0]
