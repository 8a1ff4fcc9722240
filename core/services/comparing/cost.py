"""What accuracy costs."""

import numpy as np


def pareto(cost_n: np.ndarray, badness_n: np.ndarray) -> np.ndarray:
    """Which rows no other row beats in both: the Pareto front, bool (n,); rows with a missing value (NaN) are never in it.

    >>> pareto(np.array([1.0, 2.0, 3.0, np.nan]), np.array([0.3, 0.4, 0.1, 0.0])).tolist()
    [True, False, True, False]
    """
    cost, bad = np.asarray(cost_n, float), np.asarray(badness_n, float)
    known = np.isfinite(cost) & np.isfinite(bad)
    no_worse = (cost[:, None] <= cost) & (bad[:, None] <= bad)
    better = (cost[:, None] < cost) | (bad[:, None] < bad)
    return known & ~(no_worse & better & known[:, None]).any(axis=0)
