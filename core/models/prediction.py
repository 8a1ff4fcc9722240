"""What goes into a model and what comes out of it, the same for every model."""

from dataclasses import dataclass, field, replace

import numpy as np

from core.columns import MODALITIES, TARGET_NAMES


@dataclass(frozen=True)
class Inputs:
    """Model inputs of n galaxies, one array per modality.

    Attributes
    ----------
    arrays : modality -> float array whose first axis is n; made by `core.preprocess`.
        Rows of galaxies that lack the modality are zeros.
    present : modality -> bool (n,): which galaxies have it.
    """

    arrays: dict[str, np.ndarray]
    present: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(next(iter(self.present.values())))

    def __getitem__(self, index: np.ndarray) -> "Inputs":
        """The galaxies at ``index`` (integers, a mask or a slice)."""
        return Inputs({m: a[index] for m, a in self.arrays.items()}, {m: p[index] for m, p in self.present.items()})

    def only(self, modalities: tuple[str, ...] = MODALITIES) -> "Inputs":
        """The same galaxies with just these modalities."""
        return Inputs({m: self.arrays[m] for m in modalities if m in self.arrays}, {m: self.present[m] for m in modalities if m in self.present})


@dataclass(frozen=True)
class Labels:
    """Targets of n galaxies.

    Attributes
    ----------
    values_nt : float (n, T), NaN where a galaxy has no label of that target.
    sigma_nt : float (n, T), the label's own 1-sigma noise; NaN = not stated.
    weight_n : float (n,), what each galaxy counts in the loss (pool mass, say); mean 1.
    group_n : int (n,), sky groups: a group falls wholly into fitting or validation.
    targets : T names.
    """

    values_nt: np.ndarray
    sigma_nt: np.ndarray
    weight_n: np.ndarray
    group_n: np.ndarray
    targets: tuple[str, ...] = TARGET_NAMES

    def __getitem__(self, index: np.ndarray) -> "Labels":
        return replace(self, values_nt=self.values_nt[index], sigma_nt=self.sigma_nt[index], weight_n=self.weight_n[index], group_n=self.group_n[index])


@dataclass(frozen=True)
class Prediction:
    """What a model says of n galaxies.

    Attributes
    ----------
    mean : float (n, T) in the targets' units; percentiles never cross.
    aleatoric : float (n, T), variance that more labels cannot remove (noise).
    epistemic : float (n, T), variance that more labels can remove (ignorance).
    samples_mnt : float (m, n, T) draws of the mean function, or None.
    features_nd : float (n, d) latent features for maps and acquisition, or None.
    targets : T names.
    """

    mean: np.ndarray
    aleatoric: np.ndarray
    epistemic: np.ndarray
    samples_mnt: np.ndarray | None = None
    features_nd: np.ndarray | None = None
    targets: tuple[str, ...] = field(default=TARGET_NAMES)

    @property
    def sigma(self) -> np.ndarray:
        """Total standard deviation, float (n, T)."""
        return np.sqrt(self.aleatoric + self.epistemic)

    def of(self, target: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """mean, aleatoric and epistemic variance of one target, each (n,)."""
        t = self.targets.index(target)
        return self.mean[:, t], self.aleatoric[:, t], self.epistemic[:, t]
