"""Targets on a common scale, which losses are written in, and back to units."""

from dataclasses import dataclass

import numpy as np

from core.columns import TARGETS
from core.models.base import names_from_array, names_to_array
from core.models.prediction import Labels


@dataclass(frozen=True)
class Standard:
    """Centre and scale of each target, from the labelled galaxies.

    Attributes
    ----------
    targets : T names.
    centre_t, scale_t : float (T,), weighted mean and standard deviation of the labels.
    share_t : float (T,), weighted share of the galaxies that have a label of the target.
    low_t, high_t : float (T,), the smallest and largest label.
    noise_t : float (T,), typical sigma that labels state, in units of ``scale_t``; 0 where none does.
    """

    targets: tuple[str, ...]
    centre_t: np.ndarray
    scale_t: np.ndarray
    share_t: np.ndarray
    low_t: np.ndarray
    high_t: np.ndarray
    noise_t: np.ndarray

    @property
    def is_labelled_t(self) -> np.ndarray:
        """Which targets have any label; the rest is predicted as NaN. bool (T,)."""
        return self.share_t > 0

    @property
    def weight_t(self) -> np.ndarray:
        """What an average galaxy's loss in each target counts, so that task groups weigh equally; float (T,).

        A target that few galaxies have counts more on each of them. Targets without a label count 0.
        """
        groups = task_groups(self.targets)
        labelled = [[t for t in columns if self.is_labelled_t[t]] for columns in groups.values()]
        labelled = [columns for columns in labelled if columns]
        weight = np.zeros(len(self.targets))
        for columns in labelled:
            weight[columns] = 1 / (len(labelled) * len(columns) * self.share_t[columns])
        return weight

    def state(self) -> dict[str, np.ndarray]:
        """Arrays for `Model.state`."""
        rows = [self.centre_t, self.scale_t, self.share_t, self.low_t, self.high_t, self.noise_t]
        return {"targets": names_to_array(self.targets), "moments_6t": np.stack(rows)}

    @staticmethod
    def of_state(state: dict[str, np.ndarray]) -> "Standard":
        """The `Standard` whose `state` this was."""
        return Standard(names_from_array(state["targets"]), *np.asarray(state["moments_6t"], dtype=float))


def standard_of(labels: Labels) -> Standard:
    """Centre, scale, share and range of each target's labels; centre 0 and scale 1 where there is none.

    >>> labels = Labels(np.array([[0.1], [0.3]]), np.full((2, 1), np.nan), np.ones(2), np.arange(2), ("z",))
    >>> s = standard_of(labels)
    >>> s.centre_t.round(3).tolist(), s.scale_t.round(3).tolist(), s.weight_t.tolist()
    ([0.2], [0.1], [1.0])
    """
    has = np.isfinite(labels.values_nt)
    weight = has * labels.weight_n[:, None]
    values = np.where(has, labels.values_nt, 0.0)
    total = weight.sum(axis=0)
    norm = np.where(total > 0, total, 1.0)
    centre = (weight * values).sum(axis=0) / norm
    scale = np.sqrt((weight * np.where(has, values - centre, 0) ** 2).sum(axis=0) / norm)
    low, high = np.where(has, values, np.inf).min(axis=0, initial=np.inf), np.where(has, values, -np.inf).max(axis=0, initial=-np.inf)
    scale = np.where(scale > 0, scale, 1.0)
    return Standard(labels.targets, centre, scale, total / labels.weight_n.sum(), low, high, _typical_noise(labels, has) / scale)


def _typical_noise(labels: Labels, has: np.ndarray) -> np.ndarray:
    stated = has & (labels.sigma_nt > 0)
    logs = np.where(stated, np.log(np.where(stated, labels.sigma_nt, 1.0)), 0.0)
    count = stated.sum(axis=0)
    return np.where(count > 0, np.exp(logs.sum(axis=0) / np.maximum(count, 1)), 0.0)


def task_groups(targets: tuple[str, ...]) -> dict[str, list[int]]:
    """Columns of each task group; a target of the workspace's own is a group of its own.

    >>> task_groups(("z", "sfr_tot_avg", "sfr_tot_median", "lgm"))
    {'z': [0], 'sfr': [1, 2], 'lgm': [3]}
    """
    group_of = {t.name: t.task_group for t in TARGETS}
    groups: dict[str, list[int]] = {}
    for column, name in enumerate(targets):
        groups.setdefault(group_of.get(name, name), []).append(column)
    return groups
