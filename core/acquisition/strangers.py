"""Stars, quasars and artefacts look most unlike what is labelled, and a strategy that covers feature space asks about them first."""

import numpy as np

STRANGE = 0.05
"""Share of the pool that counts as strange: on the mock sky it holds nineteen in twenty of the stars, quasars and artefacts."""


def rationed(novelty_p: np.ndarray, allowed_p: np.ndarray, size: int, rng: np.random.Generator, share: float = STRANGE) -> np.ndarray:
    """Who may be asked about when of the strangest ``share`` of the pool a batch shall hold no more than a random one.

    As many of them as a random batch would hold on average are drawn without looking at any score; the others have to wait.
    A strategy is then free among all that is not strange, rare galaxies still come in at the rate at which they occur, and what
    nobody can label does not fill the first batches, when nothing has taught anybody what that looks like.

    Parameters
    ----------
    novelty_p : float (p,), NaN = unknown, and not strange. allowed_p : bool (p,). size : of the batch. share : 0 to 1; 0 = all may be asked about.

    Returns
    -------
    bool (p,), at least ``size`` of them True where ``allowed_p`` has as many.

    >>> rationed(np.array([1.0, 9.0, 1.1, 8.0]), np.ones(4, bool), 2, np.random.default_rng(0), 0.5).tolist()
    [True, True, True, False]
    """
    rows = np.flatnonzero(allowed_p)
    known = rows[np.isfinite(novelty_p[rows])]
    strange = known[np.argsort(-novelty_p[known], kind="stable")[: int(share * len(rows))]]
    expected = len(strange) * size / max(len(rows), 1)
    drawn = int(expected) + int(rng.random() < expected % 1)
    left = allowed_p.copy()
    left[rng.permutation(strange)[max(drawn, size - (len(rows) - len(strange))) :]] = False
    return left
