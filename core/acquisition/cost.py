"""What a label costs: the seconds that somebody is expected to spend on a galaxy."""

import numpy as np

from core.acquisition.labelability import FAINTEST_SN
from core.errors import BadInput

LONGEST, SHORTEST = 300.0, 0.5
"""Seconds beyond which a person was away, and below which a key was held down: durations are held between."""
DOUBT = 20
"""Decisions that would have to show a dependence on S/N before half of it is believed."""
SPREAD = 0.4
"""Of log10 S/N among galaxies, dex: the scale on which that doubt is measured."""


def expected_seconds(decided_sn_n: np.ndarray, seconds_n: np.ndarray, sn_p: np.ndarray) -> np.ndarray:
    """The typical time that a decision on each galaxy takes, by its S/N.

    A straight line through log seconds against log10 S/N whose slope is shrunk towards none (ridge), never drawn
    beyond the S/N that were met. An unknown S/N gets the typical time.

    Parameters
    ----------
    decided_sn_n : (n,) S/N of the galaxies that were decided on, NaN = unknown. seconds_n : (n,) what each took.
    sn_p : (p,) S/N of those that may be asked about, NaN = unknown.

    Returns
    -------
    float (p,), above 0. Raises `BadInput` without a single decision.

    >>> expected_seconds(np.array([1.0, 100.0]), np.array([40.0, 10.0]), np.array([np.nan])).round(3).tolist()
    [20.0]
    """
    if not len(seconds_n):
        raise BadInput("The time that a label takes", "be known from a decision at least", "none yet", "weighing by your time", "Label a few galaxies first, or weigh without it")
    log_seconds_n = np.log(np.clip(seconds_n, SHORTEST, LONGEST))
    log_sn_n, log_sn_p = (np.log10(np.maximum(sn, FAINTEST_SN)) for sn in (decided_sn_n, sn_p))
    middle = np.nanmean(log_sn_n) if np.isfinite(log_sn_n).any() else 0.0
    x_n, x_p = np.nan_to_num(log_sn_n - middle), np.nan_to_num(log_sn_p - middle)
    slope = x_n @ (log_seconds_n - log_seconds_n.mean()) / (x_n @ x_n + DOUBT * SPREAD**2)
    return np.exp(log_seconds_n.mean() + slope * np.clip(x_p, x_n.min(), x_n.max()))
