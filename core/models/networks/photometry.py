"""Redshift and star formation from magnitudes: an ensemble of small networks in one matrix product."""

import torch
from torch import nn
from torch.nn import functional

from core.models.networks.heads import Heads
from core.models.networks.model import NetworkModel
from core.preprocess.photometry import COLUMNS
from core.training.network import Batch, Network, Outputs
from core.training.plan import Plan
from core.training.standard import Standard


class Perceptrons(Network):
    """m independent perceptrons, (b, 19) -> m answers.

    Parameters
    ----------
    standard : of the targets. members : m. hidden : units a layer. layers : hidden layers.
    """

    def __init__(self, standard: Standard, members: int = 8, hidden: int = 128, layers: int = 3, width: int = len(COLUMNS)):
        super().__init__(len(standard.targets))
        self.members, self.hidden = members, hidden
        sizes = [width, *[hidden] * layers]
        self.weights = nn.ParameterList([torch.randn(members, a, b) * (2 / a) ** 0.5 for a, b in zip(sizes, sizes[1:], strict=False)])
        self.biases = nn.ParameterList([torch.zeros(members, 1, b) for b in sizes[1:]])
        self.heads = Heads(hidden, standard, members)

    def forward(self, batch: Batch) -> Outputs:
        h = self._layers(batch)
        return self.heads(h, h[0])

    def encode(self, batch: Batch) -> torch.Tensor:
        """Latent features of the first member, (b, `hidden`)."""
        return self._layers(batch)[0]

    def _layers(self, batch: Batch) -> torch.Tensor:
        h = batch["x"].expand(self.members, -1, -1)
        for weight, bias in zip(self.weights, self.biases, strict=True):
            h = functional.gelu(torch.baddbmm(bias, h, weight))
        return h


class PhotometryMLP(NetworkModel):
    """The model ``photometry_mlp`` of the registry."""

    modalities = ("photometry",)

    def __init__(self, epochs: int, batch_size: int, learning_rate: float, members: int, hidden: int):
        plan = Plan(epochs=epochs, examples=1_200_000, fewest=20, most=150, batch_size=batch_size, learning_rate=learning_rate, weight_decay=0.01)
        super().__init__(plan)
        self._members, self._hidden = members, hidden

    def _network(self, standard: Standard) -> Network:
        return Perceptrons(standard, self._members, self._hidden)
