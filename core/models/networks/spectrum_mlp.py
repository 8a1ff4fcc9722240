"""The study's fully connected network on the 4620 samples of a spectrum: it knows no line and no shift, only samples."""

import torch
from torch import nn
from torch.nn import functional

from core.models.networks.heads import Heads
from core.models.networks.model import NetworkModel
from core.preprocess.spectrum import CHANNELS, LOGLAM
from core.training.network import Batch, Network, Outputs
from core.training.plan import Plan
from core.training.standard import Standard
from core.uncertainty.kinds import kind_of

HEADS = 4
"""Members of a fully connected network: mixes and heads on layers that they share."""
SIGNIFICANCE_LIMIT, SIGNIFICANCE_SCALE, LEVEL_SCALE = 5.0, 6.0, 9.0
"""Significance is held within +-5 (in asinh); both channels are brought to a spread of about a third: many samples say the same."""


def samples(inputs: torch.Tensor) -> torch.Tensor:
    """Both channels of every sample in one row, (b, 2, 4620) -> (b, 9240)."""
    both = inputs.float()
    return torch.cat([both[:, 0].clamp(-SIGNIFICANCE_LIMIT, SIGNIFICANCE_LIMIT) / SIGNIFICANCE_SCALE, both[:, 1] / LEVEL_SCALE], dim=1)


class Dense(nn.Module):
    """What a fully connected network is after its first layer: normalise, drop out, a second layer, a mix and heads for each member.

    Parameters
    ----------
    width : of the first layer's units, before anything is done to them. members : m, each fitted to its own bootstrap weights.
    """

    def __init__(self, standard: Standard, width: int, hidden: int, members: int, dropout: float):
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm1d(width), nn.GELU(), nn.Dropout(dropout), nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.GELU(), nn.Dropout(dropout)
        )
        self.mix_mdh = nn.Parameter(torch.randn(members, hidden, hidden) / hidden**0.5)
        self.heads = Heads(hidden, standard, members)

    def forward(self, first_bw: torch.Tensor) -> Outputs:
        """(b, width) -> the members' answers."""
        latent = self.body(first_bw)
        return self.heads(functional.gelu(torch.matmul(latent, self.mix_mdh)), latent)


class SamplesMLP(Network):
    """(b, 9240) -> two layers -> a mix and heads for each member.

    Parameters
    ----------
    standard : of the targets. members : m. hidden : units of the second layer, and of each mix; the first has twice as many.
    """

    def __init__(self, standard: Standard, members: int = 4, hidden: int = 128, dropout: float = 0.2):
        super().__init__(len(standard.targets))
        self.members = members
        self.first = nn.Linear(len(CHANNELS) * len(LOGLAM), 2 * hidden)
        self.dense = Dense(standard, 2 * hidden, hidden, members, dropout)

    def prepare(self, inputs: torch.Tensor) -> Batch:
        return {"x": samples(inputs)}

    def forward(self, batch: Batch) -> Outputs:
        return self.dense(self.first(batch["x"]))


class SpectrumMLP(NetworkModel):
    """The model ``spectrum_mlp`` of the registry."""

    modalities = ("spectrum",)

    def __init__(self, epochs: int, batch_size: int, learning_rate: float, hidden: int, dropout: float, uncertainty: str, members: int):
        kind = kind_of(uncertainty, members, "spectrum_mlp", HEADS)
        plan = Plan(epochs=epochs, examples=60_000, fewest=20, batch_size=batch_size, learning_rate=learning_rate, weight_decay=0.1, bootstrap=kind.heads > 1)
        super().__init__(plan, kind)
        self._settings = {"members": kind.heads, "hidden": hidden, "dropout": dropout}

    def _network(self, standard: Standard) -> Network:
        return SamplesMLP(standard, **self._settings)
