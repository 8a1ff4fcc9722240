"""What classical models share: one row of scaled physical features a galaxy; and the simplest of them."""

from dataclasses import dataclass, field

import numpy as np

from core.columns import MODALITIES, TARGETS
from core.models.base import Model, names_from_array, names_to_array, require_labels
from core.models.options import option
from core.models.prediction import Inputs, Labels, Prediction
from core.preprocess import features
from core.training.session import Session

COMPONENTS = 12
"""Principal components of the continuum-normalised spectrum that are kept."""
CLIP = 5.0
"""Scaled features are held within +-CLIP, so that one wild pixel cannot carry a linear model away."""


def chosen(modalities: str) -> tuple[str, ...]:
    """The modalities that a setting names; raises `BadInput` with the choices."""
    return MODALITIES if option("modalities", modalities, "a classical model") == "all" else (modalities,)


@dataclass
class Scaling:
    """Features on a common scale, learned from the labelled galaxies: median 0, middle 68 % within +-1.

    Attributes
    ----------
    centre_d, scale_d : float32 (d,). A feature that does not vary, or is never there, becomes 0.
    """

    centre_d: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    scale_d: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))

    def fit(self, raw_nd: np.ndarray) -> "Scaling":
        """Learn from (n, d) with NaN = missing; n >= 1."""
        finite = np.where(np.isfinite(raw_nd).any(axis=0), raw_nd, 0)
        low, self.centre_d, high = np.nanpercentile(finite, [16, 50, 84], axis=0).astype(np.float32)
        spread = np.where(high > low, (high - low) / 2, np.nanstd(finite, axis=0))
        self.scale_d = np.where(spread > 0, spread, np.inf).astype(np.float32)
        return self

    def apply(self, raw_nd: np.ndarray) -> np.ndarray:
        """Scaled features, float32 (n, d), missing = 0, within +-`CLIP`."""
        return np.clip(np.nan_to_num((raw_nd - self.centre_d) / self.scale_d, nan=0.0), -CLIP, CLIP)

    def state(self) -> dict[str, np.ndarray]:
        """Arrays for `Model.state`."""
        return {"centre_d": self.centre_d, "scale_d": self.scale_d}


@dataclass
class Eigenspectra:
    """Principal components of continuum-normalised spectra at rest, learned from the labelled galaxies.

    Attributes
    ----------
    mean_b : float32 (b,), the mean spectrum. component_kb : float32 (k, b), k = `COMPONENTS` orthonormal ones, fewer from fewer galaxies.
    """

    mean_b: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    component_kb: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))

    def fit(self, spectra_nb: np.ndarray) -> "Eigenspectra":
        """Learn from (n, b) with NaN = not covered; bins that a galaxy lacks are taken for the mean."""
        seen = spectra_nb[np.isfinite(spectra_nb).any(axis=1)]
        count = np.maximum(np.isfinite(seen).sum(axis=0), 1)
        self.mean_b = (np.nansum(seen, axis=0) / count).astype(np.float32)
        self.component_kb = np.linalg.svd(np.nan_to_num(seen - self.mean_b), full_matrices=False)[2][:COMPONENTS].astype(np.float32)
        return self

    def apply(self, spectra_nb: np.ndarray) -> np.ndarray:
        """Coefficients, float32 (n, `COMPONENTS`); NaN for a galaxy without a spectrum and for components that few galaxies could not give."""
        out = np.full((len(spectra_nb), COMPONENTS), np.nan, dtype=np.float32)
        seen = np.isfinite(spectra_nb).any(axis=1)
        out[np.ix_(seen, np.arange(len(self.component_kb)))] = np.nan_to_num(spectra_nb[seen] - self.mean_b) @ self.component_kb.T
        return out


class Physical:
    """Physical features of some modalities: one row a galaxy, on a scale learned from the labelled ones.

    Parameters
    ----------
    modalities : see `chosen`.

    Attributes
    ----------
    scaling, eigenspectra : what `fit` learned.
    """

    def __init__(self, modalities: tuple[str, ...]):
        self.modalities = modalities
        self.scaling, self.eigenspectra = Scaling(), Eigenspectra()

    def fit(self, inputs: Inputs) -> np.ndarray:
        """Learn from labelled galaxies; returns what `raw` says of them."""
        blocks, there, normalised = self._blocks(inputs)
        if normalised is not None:
            self.eigenspectra.fit(normalised)
        raw = self._joined(blocks, there, normalised)
        self.scaling.fit(raw)
        return raw

    def raw(self, inputs: Inputs) -> np.ndarray:
        """Physical features of each galaxy, for spectra their coefficients too, then one column a modality that says whether it is there.

        Returns
        -------
        float32 (n, d); NaN where a modality, or just a value, is missing. A modality that ``inputs``
        does not carry at all counts as missing for every galaxy.
        """
        return self._joined(*self._blocks(inputs))

    def scaled(self, inputs: Inputs) -> np.ndarray:
        """`raw` as `Scaling.apply` has it: float32 (n, d), missing = 0."""
        return self.scaling.apply(self.raw(inputs))

    def state(self) -> dict[str, np.ndarray]:
        """Arrays for `Model.state`."""
        return self.scaling.state() | {"eigen_mean_b": self.eigenspectra.mean_b, "eigen_kb": self.eigenspectra.component_kb}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Take what `state` kept out of a model's state."""
        self.scaling = Scaling(state["centre_d"], state["scale_d"])
        self.eigenspectra = Eigenspectra(state["eigen_mean_b"], state["eigen_kb"])

    def _blocks(self, inputs: Inputs) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray | None]:
        """Features and presence by modality, and the normalised spectra (None where spectra are not read)."""
        there = [inputs.present.get(m, np.zeros(len(inputs), dtype=bool)) for m in self.modalities]
        blocks = [_features(inputs, m, present) for m, present in zip(self.modalities, there, strict=True)]
        if "spectrum" not in self.modalities:
            return blocks, there, None
        log_shift = blocks[self.modalities.index("spectrum")][:, features.SPECTRUM_COLUMNS.index("comb_log_shift")]
        spectra = inputs.arrays.get("spectrum", np.zeros((len(inputs), 2, 1), dtype=np.float32))
        return blocks, there, features.normalised(spectra, log_shift)

    def _joined(self, blocks: list[np.ndarray], there: list[np.ndarray], normalised: np.ndarray | None) -> np.ndarray:
        coefficients = [] if normalised is None else [self.eigenspectra.apply(normalised)]
        return np.column_stack([*blocks, *coefficients, *there]).astype(np.float32)


def _features(inputs: Inputs, modality: str, present_n: np.ndarray) -> np.ndarray:
    absent = np.full((len(inputs), len(features.COLUMNS[modality])), np.nan, dtype=np.float32)
    return features.of(modality, inputs.arrays[modality], present_n) if modality in inputs.arrays else absent


def label_groups(labels: Labels) -> list[tuple[np.ndarray, np.ndarray]]:
    """Targets that may be fitted together: one task group, labelled for the same galaxies.

    Redshift is thus never outvoted by the eight columns of star formation.

    Returns
    -------
    (columns, rows) pairs of integer arrays; targets without a label are in none.

    >>> values = np.array([[0.1, -1.0, -2.0], [0.2, np.nan, np.nan]])
    >>> labels = Labels(values, values, np.ones(2), np.arange(2), ("z", "sfr_tot_avg", "sfr_tot_median"))
    >>> [(c.tolist(), r.tolist()) for c, r in label_groups(labels)]
    [([0], [0, 1]), ([1, 2], [0])]
    """
    task = {t.name: t.task_group for t in TARGETS}
    has = np.isfinite(labels.values_nt)
    groups: dict[tuple[str, bytes], list[int]] = {}
    for t, name in enumerate(labels.targets):
        if has[:, t].any():
            groups.setdefault((task.get(name, name), has[:, t].tobytes()), []).append(t)
    return [(np.array(columns), np.flatnonzero(has[:, columns[0]])) for columns in groups.values()]


def blank(n: int, targets: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """mean, aleatoric and epistemic of NaN, float (n, T): what stays so has never been labelled."""
    mean, aleatoric, epistemic = np.full((3, n, len(targets)), np.nan)
    return mean, aleatoric, epistemic


def weighted_moments(values_nt: np.ndarray, weight_n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and variance of each column without its NaN; NaN for a column that has nothing else."""
    has = np.isfinite(values_nt)
    weight = has * weight_n[:, None]
    total = np.where(weight.sum(axis=0) > 0, weight.sum(axis=0), np.nan)
    mean = (weight * np.where(has, values_nt, 0)).sum(axis=0) / total
    return mean, (weight * np.where(has, values_nt - mean, 0) ** 2).sum(axis=0) / total


def quantile(values_n: np.ndarray, weight_n: np.ndarray, share: float) -> float:
    """The smallest value that leaves at least ``share`` of the weight at or below it; n >= 1.

    >>> quantile(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0]), 0.68)
    2.0
    """
    order = np.argsort(values_n)
    below = np.cumsum(weight_n[order])
    return float(values_n[order][np.searchsorted(below, share * below[-1])])


class Mean(Model):
    """The labelled galaxies' mean; its variance is all aleatoric but for the standard error of the mean."""

    modalities = ()

    def __init__(self) -> None:
        self._targets: tuple[str, ...] = ()
        self._mean_t, self._variance_t, self._count_t = np.zeros((3, 0))

    def fit(self, inputs: Inputs, labels: Labels, session: Session) -> None:
        require_labels(labels)
        session.check()
        self._targets = labels.targets
        self._mean_t, self._variance_t = weighted_moments(labels.values_nt, labels.weight_n)
        self._count_t = np.isfinite(labels.values_nt).sum(axis=0).astype(float)

    def _predict(self, inputs: Inputs, rng: np.random.Generator) -> Prediction:
        n = len(inputs)
        epistemic = self._variance_t / np.maximum(self._count_t, 1)
        rows = [np.tile(values, (n, 1)) for values in (self._mean_t, self._variance_t, epistemic)]
        return Prediction(*rows, targets=self._targets)

    def state(self) -> dict[str, np.ndarray]:
        return {"targets": names_to_array(self._targets), "mean_t": self._mean_t, "variance_t": self._variance_t, "count_t": self._count_t}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        self._targets = names_from_array(state["targets"])
        self._mean_t, self._variance_t, self._count_t = state["mean_t"], state["variance_t"], state["count_t"]
