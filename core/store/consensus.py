"""What value stands when several people gave a redshift of one object."""

import numpy as np

from core.metrics import AGREE_KMS, kms_apart

TRAINING_GRADE = 3
"""Redshift grades: 4 certain, 3 probable, 2 possible, 1 a guess. Training takes 3 and 4."""


def agreed(z_n: np.ndarray, grade_n: np.ndarray) -> int | None:
    """The reading that a consensus of people stands behind.

    A consensus is two people or more whose redshifts lie within `AGREE_KMS` of one of theirs and whose
    grades together outweigh the grades of all others.

    Parameters
    ----------
    z_n : float (n,) redshifts, one a person, oldest first. grade_n : (n,) 1 to 4, NaN = not graded, counted as `TRAINING_GRADE`.

    Returns
    -------
    Its place: the reading most weight agrees with, then the best graded, then the newest; None without a consensus.

    >>> agreed(np.array([0.1, 0.4, 0.1001]), np.array([3, 4, 3]))
    2
    >>> agreed(np.array([0.1, 0.4]), np.array([4, 1])) is None
    True
    """
    z_n, grade_n = np.asarray(z_n, float), np.nan_to_num(np.asarray(grade_n, float), nan=TRAINING_GRADE)
    together_nn = kms_apart(z_n[:, None], z_n) <= AGREE_KMS
    weight_n = together_nn @ grade_n
    best = max(range(len(z_n)), key=lambda i: (weight_n[i], grade_n[i], i))
    is_carried = together_nn[best].sum() >= 2 and 2 * weight_n[best] > grade_n.sum()
    return best if is_carried else None
