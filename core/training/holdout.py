"""The labelled galaxies that choose the epoch instead of being fitted."""

import hashlib

import numpy as np

FEWEST = 4
"""Under so many galaxies to choose by, nothing is held out: they would choose worse than the schedule does."""
SHARE, MOST = 0.15, 1000
"""Of the labelled galaxies, how many choose the epoch; with many labels the rest is better fitted."""


def held_share(n: int, share: float = SHARE) -> float:
    """Share of n labelled galaxies to hold out, `MOST` at most.

    >>> held_share(400), held_share(20_000)
    (0.15, 0.05)
    """
    return min(share, MOST / max(n, 1))


def carve(group_n: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Hold out whole sky groups, by a draw that depends on the seed and the group alone.

    So the branches of a fusion hold out the same galaxies whatever each of them sees, and a galaxy
    that is held out stays so when more are labelled.

    Parameters
    ----------
    group_n : int (n,), sky group of each labelled galaxy. share : of the groups, 0 to 1.

    Returns
    -------
    bool (n,), True = held out; all False when that would be under `FEWEST` galaxies.

    >>> held = carve(np.repeat(np.arange(100), 2), 0.15, seed=0)
    >>> int(held.sum()), bool((held[::2] == held[1::2]).all())
    (34, True)
    """
    groups, place = np.unique(np.asarray(group_n, dtype=np.int64), return_inverse=True)
    held = np.array([_draw(seed, int(g)) < share for g in groups], dtype=bool)[place]
    return held if held.sum() >= FEWEST else np.zeros(len(held), dtype=bool)


def _draw(seed: int, group: int) -> float:
    return int.from_bytes(hashlib.blake2b(f"held {seed} {group}".encode(), digest_size=8).digest(), "big") / 2**64
