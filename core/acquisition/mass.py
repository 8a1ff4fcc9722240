"""What each acquired label stands for: a chosen label is not a random one, and the loss should know."""

import numpy as np

from core.acquisition.distances import nearest
from core.errors import BadInput


def pool_mass_weights(features_pd: np.ndarray, labelled_ld: np.ndarray) -> np.ndarray:
    """Weight of each label in the loss: sqrt(1 + galaxies of the pool that are nearest to it), normalised to mean 1.

    Active learning asks about rare galaxies more often than they occur, and pays for it in the core of the
    distribution; a label that counts for the galaxies around it gives the core back. The root keeps a
    label in a crowd from outvoting the rest. Not for labels drawn at random: they stand for equal shares already.

    Parameters
    ----------
    features_pd : (p, d) of the galaxies without a label; p may be 0. labelled_ld : (l, d) the same features of the labelled ones.

    Returns
    -------
    float (l,), mean 1.

    Raises
    ------
    BadInput : there is no label, or a feature is not finite.

    >>> pool_mass_weights(np.array([[0.1], [0.2], [-0.1]]), np.array([[0.0], [5.0]])).round(3).tolist()
    [1.333, 0.667]
    """
    if not len(labelled_ld):
        raise BadInput("Pool-mass weights", "have a label to weigh", "none", "this training", "Label a few galaxies first")
    if not (np.isfinite(features_pd).all() and np.isfinite(labelled_ld).all()):
        raise BadInput("Features", "be finite", "NaN or inf", "pool-mass weights", "Leave those galaxies out or choose another model")
    count_l = np.bincount(nearest(features_pd, labelled_ld)[1], minlength=len(labelled_ld)) if len(features_pd) else np.zeros(len(labelled_ld))
    weight_l = np.sqrt(1.0 + count_l)
    return weight_l / weight_l.mean()
