"""A redshift, or any other number, from the columns of a table that need not be magnitudes."""

from dataclasses import replace

import numpy as np
import torch

from core.models.networks.model import NetworkModel
from core.models.networks.photometry import Perceptrons
from core.models.prediction import Inputs, Labels, Prediction
from core.training.network import Batch, Network, Outputs
from core.training.plan import Plan
from core.training.session import Session
from core.training.standard import Standard


class TablePerceptrons(Perceptrons):
    """`Perceptrons` whose features are what every member has found, and behind that the columns themselves."""

    def forward(self, batch: Batch) -> Outputs:
        h = self._layers(batch)
        return self.heads(h, torch.cat([*h, batch["x"]], dim=1))


class TableMLP(NetworkModel):
    """Small networks side by side on plain columns; not in the registry, because a survey's galaxies have magnitudes.

    Its inputs lie where magnitudes do: ``photometry``, float32 (n, ``width``), standardised by whoever read the table.
    Every label is fitted: a schedule that ends by itself needs no held-out ones. Its features are what all members have found
    joined with the columns, each part with a root mean square length of 1 among the labelled: distances in one member's
    features alone depend on where that member began.
    """

    modalities = ("photometry",)

    def __init__(self, width: int, epochs: int = 40, members: int = 4, hidden: int = 64):
        super().__init__(Plan(epochs=epochs, batch_size=512, learning_rate=6e-3, weight_decay=0.05, validation_share=0.0))
        self._width, self._members, self._hidden = width, members, hidden
        self._length = np.ones(2)

    def fit(self, inputs: Inputs, labels: Labels, session: Session) -> None:
        super().fit(inputs, labels, session)
        self._length = np.ones(2)
        labelled = np.isfinite(labels.values_nt).any(axis=1)
        self._length = np.array([_length(part) for part in self._parts(self.predict(inputs[labelled]).features_nd)])

    def _network(self, standard: Standard) -> Network:
        return TablePerceptrons(standard, self._members, self._hidden, layers=2, width=self._width)

    def _predict(self, inputs: Inputs, rng: np.random.Generator) -> Prediction:
        found = super()._predict(inputs, rng)
        return replace(found, features_nd=np.hstack([part / length for part, length in zip(self._parts(found.features_nd), self._length, strict=True)]))

    def _parts(self, features_nd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return features_nd[:, : -self._width], features_nd[:, -self._width :]


def _length(part_nd: np.ndarray) -> np.float32:
    """Root mean square distance of rows from their middle; 1 where all rows are the same."""
    return np.float32(np.sqrt(part_nd.var(axis=0).sum()) or 1.0)
