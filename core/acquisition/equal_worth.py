"""What choosing has bought: how many randomly drawn labels would have served as well.

Read off the learning curve of a baseline that has learnt from random labels only, a power law as in `core.acquisition.advice`.
"""

from dataclasses import dataclass

import numpy as np

from core.acquisition.advice import DRAWS, FEWEST_COUNTS, PowerLaw, power_laws

REACH = 3.0
"""A curve is not believed beyond this many times its largest number of labels."""


@dataclass(frozen=True)
class EqualWorth:
    """Random labels that would have served as well: the best estimate and the middle 68 % of it.

    Attributes
    ----------
    low, middle, high : labels; ``inf`` where the curve levels out above the error. least, limit : the curve says nothing below and beyond them.
    scatter : of the baseline's errors about its curve, relative.
    """

    low: float
    middle: float
    high: float
    least: float
    limit: float
    scatter: float


def equal_worth(labels_k: np.ndarray, errors_k: np.ndarray, error: float, rng: np.random.Generator) -> EqualWorth | None:
    """How many random labels reach an error.

    Parameters
    ----------
    labels_k, errors_k : of the baseline's trainings, both above 0. error : that a model on chosen labels has reached, above 0; its own scatter
        between trainings is taken to be that of the baseline.

    Returns
    -------
    None while the baseline has fewer than `FEWEST_COUNTS` different numbers of labels.

    >>> n = np.array([100, 200, 400])
    >>> worth = equal_worth(n, 3 * n**-0.5, 3 * 600**-0.5, np.random.default_rng(0))
    >>> round(worth.middle), worth.limit, worth.low < 600 < worth.high
    (600, 1200.0, True)
    """
    labels_k, errors_k = np.asarray(labels_k, float), np.asarray(errors_k, float)
    if len(np.unique(labels_k)) < FEWEST_COUNTS:
        return None
    law, laws, scatter = power_laws(labels_k, errors_k, rng)
    low, high = np.percentile(_reaching(laws, error * np.exp(scatter * rng.standard_normal(DRAWS))), (16, 84), method="nearest")
    middle = float(_reaching(law, np.array([error]))[0])
    return EqualWorth(min(float(low), middle), middle, max(float(high), middle), float(labels_k.min()), float(REACH * labels_k.max()), scatter)


def _reaching(law: PowerLaw, error: np.ndarray) -> np.ndarray:
    """Labels at which the error of each law falls to an error; ``inf`` where it never does."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        found = ((error - law.floor) / law.height) ** (-1 / law.exponent)
    return np.where((error > law.floor) & (law.height > 0), found, np.inf)
