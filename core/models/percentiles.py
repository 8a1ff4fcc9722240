"""Percentiles that never cross: whatever a model says, its quantiles come out in order."""

from dataclasses import replace

import numpy as np

from core.columns import PERCENTILES
from core.models.prediction import Prediction


def columns(targets: tuple[str, ...]) -> list[int]:
    """Where the percentiles stand among ``targets``, lowest percentile first; absent ones are left out.

    >>> columns(("z", "sfr_tot_p84", "sfr_tot_p16"))
    [2, 1]
    """
    return [targets.index(p) for p in PERCENTILES if p in targets]


def arrangement(mean: np.ndarray, targets: tuple[str, ...]) -> np.ndarray:
    """Which column each column takes its value from so that the percentiles ascend.

    Parameters
    ----------
    mean : float (..., T); NaN = the model says nothing about that target, and such a column keeps its place.
    targets : T names.

    Returns
    -------
    int (..., T), for `numpy.take_along_axis` on the last axis.
    """
    index = np.broadcast_to(np.arange(len(targets)), np.shape(mean)).copy()
    at = np.array(columns(tuple(targets)), dtype=int)
    if len(at) < 2:
        return index
    values = np.asarray(mean)[..., at]
    finite_first = np.argsort(np.isnan(values), axis=-1, kind="stable")
    ascending = np.argsort(values, axis=-1, kind="stable")
    np.put_along_axis(index, at[finite_first], at[ascending], axis=-1)
    return index


def non_crossing(mean: np.ndarray, targets: tuple[str, ...]) -> np.ndarray:
    """Sort the percentiles of each galaxy: the rearrangement of Chernozhukov, Fernandez-Val & Galichon.

    The sorted curve is never farther from the true quantiles than the crossing one
    (Econometrica 78, 1093, 2010, doi:10.3982/ECTA7880).

    Parameters
    ----------
    mean : float (..., T), NaN allowed. targets : T names; other columns are not touched.

    Returns
    -------
    float (..., T).

    >>> non_crossing(np.array([[0.1, -1.0, -2.0]]), ("z", "sfr_tot_p16", "sfr_tot_median")).tolist()
    [[0.1, -2.0, -1.0]]
    """
    return np.take_along_axis(np.asarray(mean), arrangement(mean, targets), axis=-1)


def arranged(prediction: Prediction) -> Prediction:
    """The same prediction with percentiles in order; each value keeps the variances it came with."""
    index = arrangement(prediction.mean, prediction.targets)
    samples = prediction.samples_mnt
    return replace(
        prediction,
        mean=np.take_along_axis(prediction.mean, index, axis=-1),
        aleatoric=np.take_along_axis(prediction.aleatoric, index, axis=-1),
        epistemic=np.take_along_axis(prediction.epistemic, index, axis=-1),
        samples_mnt=None if samples is None else non_crossing(samples, prediction.targets),
    )


def count_crossings(mean_nt: np.ndarray, targets: tuple[str, ...]) -> int:
    """How many galaxies have a lower percentile above a higher one; missing percentiles are skipped.

    >>> count_crossings(np.array([[-2.0, -1.0], [0.0, -1.0]]), ("sfr_tot_p16", "sfr_tot_median"))
    1
    """
    moved = arrangement(mean_nt, targets) != np.arange(len(targets))
    return int(moved.any(axis=-1).sum())
