"""What a person asks for, from whom it is chosen, and what they are shown before they agree."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.acquisition.strangers import STRANGE
from core.columns import TARGET_NAMES
from core.errors import BadInput

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
    diversity : 0 (most informative) to 1 (most spread out), for strategies that can heed it.
    balance : say of z against every other task group, 0 to 1; half and half by default.
    where, whom : what the region and the population are called, for a person.
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
    diversity: float = 0.0
    balance: float = 0.5
    where: str = "everywhere"
    whom: str = "all of the pool"

    def weights(self, groups: Iterable[str]) -> dict[str, float]:
        """The say of each task group by the balance; empty where it is half and half, or there is nothing to balance.

        >>> Request(balance=0.75).weights(["z", "sfr"]), Request(balance=0.75).weights(["sfr"])
        ({'z': 0.75, 'sfr': 0.25}, {})
        """
        groups = list(groups)
        if not 0 <= self.balance <= 1:
            raise BadInput("The balance of z and the other targets", "be from 0 to 1", self.balance, "this batch", "Choose a value in that range")
        if self.balance == 0.5 or "z" not in groups or len(groups) < 2:
            return {}
        return {group: self.balance if group == "z" else 1 - self.balance for group in groups}


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
