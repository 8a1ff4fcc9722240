"""In what order a batch is labelled, where no strategy has a say."""

import numpy as np


def neighbours_together(ra_k: np.ndarray, dec_k: np.ndarray) -> np.ndarray:
    """An order in which neighbours on the sky follow each other: from the southernmost always on to the nearest that is left.

    Parameters
    ----------
    ra_k, dec_k : deg, (k,); who has no position (NaN) comes last, as it came.

    Returns
    -------
    int (k,), a permutation.

    >>> neighbours_together(np.array([359.9, 180.0, 0.1, 180.2]), np.array([0.0, 0.0, 0.0, -0.1])).tolist()
    [3, 1, 0, 2]
    """
    ra_k, dec_k = np.radians(ra_k), np.radians(dec_k)
    place_k3 = np.column_stack([np.cos(dec_k) * np.cos(ra_k), np.cos(dec_k) * np.sin(ra_k), np.sin(dec_k)])
    left = np.flatnonzero(np.isfinite(place_k3).all(axis=1))
    lost = np.setdiff1d(np.arange(len(ra_k)), left)
    order, at = [], int(left[dec_k[left].argmin()]) if len(left) else -1
    while len(left):
        order.append(at)
        left = left[left != at]
        if len(left):
            at = int(left[(place_k3[left] @ place_k3[at]).argmax()])
    return np.array([*order, *lost], int)
