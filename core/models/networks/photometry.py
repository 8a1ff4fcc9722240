"""Redshift and star formation from magnitudes: an ensemble of small networks in one matrix product."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from core.models.networks.heads import FastLayer, Heads
from core.models.networks.model import NetworkModel
from core.preprocess.photometry import COLUMNS
from core.training.network import Batch, Network, Outputs
from core.training.plan import Plan
from core.training.standard import Standard
from core.uncertainty.kinds import kind_of

HEADS = 8
"""Members that share their layers but for rank-one factors."""
DROPOUT = 0.1
"""Of every layer's units, where dropout is what says how unsure the network is."""


class Layer(nn.Module):
    """A layer of m members that share nothing, (m, b, d) -> (m, b, h)."""

    def __init__(self, width: int, hidden: int, members: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(members, width, hidden) * (2 / width) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(members, 1, hidden))

    def forward(self, x_mbd: torch.Tensor) -> torch.Tensor:
        return torch.baddbmm(self.bias, x_mbd, self.weight)


class Perceptrons(Network):
    """m perceptrons, (b, 19) -> m answers.

    Parameters
    ----------
    standard : of the targets. members : m. hidden : units a layer. layers : hidden layers. dropout : of every layer's units.
    shared : whether the members' layers are the same but for rank-one factors (`FastLayer`); else they share nothing.
    """

    def __init__(self, standard: Standard, members: int = 8, hidden: int = 128, layers: int = 3, width: int = len(COLUMNS), shared: bool = False, dropout: float = 0.0):
        super().__init__(len(standard.targets))
        self.members, self.hidden = members, hidden
        sizes = [width, *[hidden] * layers]
        self.layers = nn.ModuleList([FastLayer(a, b, members, float(i == 0)) if shared else Layer(a, b, members) for i, (a, b) in enumerate(pairwise(sizes))])
        self.dropout = nn.Dropout(dropout)
        self.heads = Heads(hidden, standard, members)

    def forward(self, batch: Batch) -> Outputs:
        h = self._layers(batch)
        return self.heads(h, h[0])

    def encode(self, batch: Batch) -> torch.Tensor:
        """Latent features of the first member, (b, `hidden`)."""
        return self._layers(batch)[0]

    def _layers(self, batch: Batch) -> torch.Tensor:
        h = batch["x"].expand(self.members, -1, -1)
        for layer in self.layers:
            h = self.dropout(functional.gelu(layer(h)))
        return h


class PhotometryMLP(NetworkModel):
    """The model ``photometry_mlp`` of the registry; its ensemble is fitted at once, as independent perceptrons in one network."""

    modalities = ("photometry",)

    def __init__(self, epochs: int, batch_size: int, learning_rate: float, hidden: int, uncertainty: str, members: int):
        kind = kind_of(uncertainty, members, "photometry_mlp", HEADS)
        examples = {"examples": 1_200_000, "fewest": 20, "most": 150}
        super().__init__(Plan(epochs, batch_size=batch_size, learning_rate=learning_rate, weight_decay=0.01, **examples), kind)
        self._hidden, self.networks = hidden, 1

    def _network(self, standard: Standard) -> Network:
        members = self.kind.heads * self.kind.networks
        return Perceptrons(standard, members, self._hidden, shared=self.kind.heads > 1, dropout=DROPOUT * (self.kind.passes > 0))
