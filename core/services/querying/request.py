"""What a person asks for, from whom it is chosen, and what they are shown before they agree."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.acquisition.strangers import STRANGE
from core.columns import TARGET_NAMES

LEAST_SN = 2.0
"""Below this S/N per pixel people can rarely tell a redshift."""

LEAST_GOOD = 0.3
"""Share of a spectrum's pixels with information below which lines are missing that a redshift is told by."""
LEAST_CHANCE = 0.2
"""Chance that somebody can tell below which asking is a waste of time."""
NEVER_FLAGGED = ("artefact",)
"""Issue words that take an object out for good."""


@dataclass(frozen=True)
class Request:
    """What a person asks for.

    Attributes
    ----------
    strategy : name in `core.acquisition.registry.STRATEGIES`. size : galaxies. seed : drives every draw.
    targets : whose uncertainty counts; a galaxy decided on for any of them is not asked about again.
    run_id : the model that scores, or None. control_share : 0 to 1, drawn at random whatever the strategy.
    least_sn : a galaxy below is not asked about; one of unknown S/N may be. needs_spectrum : leave out who has none.
    region : only these objects (a lasso), or None. skip_waiting : leave out what stands in an open batch.
    only_galaxies : leave out what the catalogue calls a star, a quasar or sky; no class counts as a galaxy.
    population : the objects that predictions should serve, asked about or not, for strategies that can heed it; None = the pool.
    least_good : a galaxy is not asked about whose spectrum has a smaller share of pixels with information, 0 to 1; one without a spectrum may be.
    least_chance : nor one that somebody can tell with a smaller chance, 0 to 1, as past decisions teach; 0 = all may be.
    excluded : objects that are not asked about. not_flagged : nor those that somebody flagged with one of these words.
    strange_share : of the pool, 0 to 1, that counts as strange by its novelty: of it a batch holds no more than a random one would; 0 = the strategy is free.
    per_minute : weigh what a label is worth by the time that it takes, for strategies that can heed it.
    """

    strategy: str = "lcmd_sampled"
    size: int = 50
    targets: tuple[str, ...] = TARGET_NAMES
    run_id: int | None = None
    control_share: float = 0.1
    seed: int = 0
    least_sn: float = LEAST_SN
    needs_spectrum: bool = False
    region: tuple[int, ...] | None = None
    skip_waiting: bool = True
    only_galaxies: bool = True
    population: tuple[int, ...] | None = None
    least_good: float = LEAST_GOOD
    least_chance: float = LEAST_CHANCE
    excluded: tuple[int, ...] = ()
    not_flagged: tuple[str, ...] = NEVER_FLAGGED
    strange_share: float = STRANGE
    per_minute: bool = False


@dataclass(frozen=True)
class Pool:
    """Who may be asked about, and why the others may not.

    Attributes
    ----------
    object_ids : int64 (p,) allowed. sn : float (p,), NaN = unknown. chance : float (p,) that somebody can tell; 1 while nobody has failed to.
    labelled_ids, refused_ids : int64 (l,) and (r,) anywhere in the workspace, with a value of a chosen target, and of which nobody could tell one.
    region_labelled : how many of those are train-split galaxies of the region.
    counts : reason -> galaxies of the region left out for it; each is counted once, under the first that holds.
    """

    object_ids: np.ndarray
    sn: np.ndarray
    chance: np.ndarray
    labelled_ids: np.ndarray
    refused_ids: np.ndarray
    region_labelled: int
    counts: dict[str, int]

    def __len__(self) -> int:
        return len(self.object_ids)


@dataclass(frozen=True)
class Preview:
    """A batch before anybody has agreed to it.

    Attributes
    ----------
    request, pool : what was asked, and from whom it was chosen.
    table : in rank order object_id, rank, score, reason, distance (to the nearest label, in units of the
        pool's root mean square distance from its middle; NaN = not known), control, chance (that somebody can tell).
    worth : ``covered`` and ``random_covered``, shares of the pool's uncertainty that the batch and a random batch of
        the same size come near; ``redundancy``, how much picks repeat each other; ``labelled_share`` of the region. NaN = not known.
    features : what distances are measured in, for a person.
    """

    request: Request
    pool: Pool
    table: pd.DataFrame
    worth: dict[str, float]
    features: str
