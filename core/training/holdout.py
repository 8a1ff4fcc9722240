"""The labelled galaxies that choose the epoch instead of being fitted."""

import hashlib

import numpy as np

FEWEST = 4
"""Under so many galaxies to choose by, nothing is held out: they would choose worse than the schedule does."""


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
