"""What every model is: fitted to labelled galaxies, asked about any galaxies, stored as plain arrays.

`Model` is abstract; its subclasses are final. They implement `fit`, `_predict`, `state` and
`load_state`; `predict` is not overridden, because it is the one place where percentiles are put in order.
"""

from abc import ABC, abstractmethod

import numpy as np

from core.columns import MODALITIES
from core.errors import BadInput
from core.models.percentiles import arranged
from core.models.prediction import Inputs, Labels, Prediction
from core.training.session import Session


class Model(ABC):
    """Arrays in, predictions out.

    Attributes
    ----------
    modalities : what the model reads; other arrays of `Inputs` are ignored, and galaxies that lack
        one of its modalities are served from what there is.
    device, precision : where and in what arithmetic it was fitted.
    """

    modalities: tuple[str, ...] = MODALITIES
    device: str = "cpu"
    precision: str = "float64"

    @abstractmethod
    def fit(self, inputs: Inputs, labels: Labels, session: Session) -> None:
        """Learn from labelled galaxies.

        Parameters
        ----------
        inputs : n galaxies.
        labels : (n, T) values; NaN = no label. A target without any label is predicted as NaN.
        session : seed and threads; told about progress, asked whether to stop.

        Raises
        ------
        BadInput : no galaxy has any label (see `require_labels`).
        """

    def predict(self, inputs: Inputs, rng: np.random.Generator | None = None) -> Prediction:
        """Mean and both variances of every target the model was fitted on, in that order.

        Parameters
        ----------
        inputs : n galaxies, labelled or not.
        rng : for models that draw samples; the same state gives the same answer. Default: seed 0.
        """
        return arranged(self._predict(inputs, np.random.default_rng(0) if rng is None else rng))

    @abstractmethod
    def _predict(self, inputs: Inputs, rng: np.random.Generator) -> Prediction:
        """As `predict`, percentiles not yet in order."""

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """Everything a fitted model is, as numeric arrays that safetensors can hold."""

    @abstractmethod
    def load_state(self, state: dict[str, np.ndarray]) -> None:
        """Become the model whose `state` this was; predictions are then the same."""


def require_labels(labels: Labels) -> None:
    """Raise `BadInput` when there is nothing to learn from; every `Model.fit` begins with it."""
    if not np.isfinite(labels.values_nt).any():
        raise BadInput("labels", "hold at least one value", "none", f"{len(labels.values_nt)} galaxies", "Label a few galaxies first")


def names_to_array(names: tuple[str, ...]) -> np.ndarray:
    """Target names as bytes, uint8 (k,), for `Model.state`: safetensors holds numbers only."""
    return np.frombuffer("\n".join(names).encode(), dtype=np.uint8).copy()


def names_from_array(array: np.ndarray) -> tuple[str, ...]:
    """The names that `names_to_array` packed.

    >>> names_from_array(names_to_array(("z", "sfr_tot_avg")))
    ('z', 'sfr_tot_avg')
    """
    return tuple(np.asarray(array, dtype=np.uint8).tobytes().decode().split("\n"))
