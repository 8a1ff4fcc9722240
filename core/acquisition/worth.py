"""What a batch buys, before anybody labels it."""

import numpy as np

from core.acquisition.distances import BLOCK, nearest, squared_between


def squared_to_labels(features_pd: np.ndarray, labelled_ld: np.ndarray) -> np.ndarray:
    """Squared distance of each galaxy of the pool to its nearest label, to the pool's middle when nothing is labelled; (p,)."""
    return nearest(features_pd, labelled_ld if len(labelled_ld) else features_pd.mean(axis=0, keepdims=True))[0]


def covered(features_pd: np.ndarray, weights_p: np.ndarray, labelled_ld: np.ndarray, rows: np.ndarray, old_p: np.ndarray | None = None) -> tuple[float, float]:
    """How much of the pool's uncertainty a batch comes near, and how much of that its picks share.

    A pick covers a galaxy by ``1 - d_new^2 / d_old^2``, where d_old is the distance to the nearest
    label (to the pool's middle when nothing is labelled) and d_new the distance to the pick.

    Parameters
    ----------
    features_pd : (p, d). weights_p : (p,) 0 or more, the uncertainty mass of each galaxy (ones = plain counting).
    labelled_ld : (l, d), l may be 0. rows : (k,) the batch, rows of the pool. old_p : `squared_to_labels`, where it is known already.

    Returns
    -------
    share : 0 to 1 of the mass. redundancy : 0 when the picks cover different galaxies, towards 1 when
    they all cover the same; 0 when nothing is covered.

    >>> pool = np.array([[0.0], [4.0], [4.0]])
    >>> covered(pool, np.ones(3), np.array([[0.0]]), np.array([1, 2]))
    (0.6666666666666666, 0.5)
    """
    old_p = squared_to_labels(features_pd, labelled_ld) if old_p is None else old_p
    joint, single = 0.0, 0.0
    for start in range(0, len(features_pd), BLOCK):
        here = slice(start, start + BLOCK)
        squared = squared_between(features_pd[here], features_pd[rows])
        ratio = np.divide(squared, old_p[here, None], out=np.ones_like(squared), where=old_p[here, None] > 0)
        gain = np.maximum(1 - ratio, 0) * weights_p[here, None]
        joint, single = joint + float(gain.max(axis=1).sum(dtype=float)), single + float(gain.sum(dtype=float))
    total = float(np.sum(weights_p, dtype=float))
    return (joint / total if total > 0 else 0.0), (max(0.0, 1 - joint / single) if single > 0 else 0.0)
