"""Early fusion: pixels, samples and magnitudes in one row before anything is learned from any of them."""

from collections.abc import Collection

import torch
from torch import nn
from torch.nn import functional

from core.columns import MODALITIES
from core.models.networks.image import turned
from core.models.networks.model import NetworkModel
from core.models.networks.spectrum_mlp import HEADS, Dense, samples
from core.models.networks.streams import Join, Joint
from core.preprocess.photometry import COLUMNS
from core.preprocess.spectrum import CHANNELS, LOGLAM
from core.training.network import Batch, Network, Outputs
from core.training.plan import Plan
from core.training.standard import Standard
from core.uncertainty.kinds import kind_of

IMAGE_SIDE = 8
"""Pixels of the pooled image on a side, 3.2 arcsec each."""
LOUDNESS = {"image": 10.0, "spectrum": 0.9, "photometry": 30.0}
"""What each modality's numbers are multiplied by, lest nineteen magnitudes go unheard among thousands of samples."""


class Raw(nn.Module):
    """A modality as one row of numbers. Nothing to learn; ``kind`` is the modality."""

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind
        self.hidden = {"image": 5 * IMAGE_SIDE**2, "spectrum": len(CHANNELS) * len(LOGLAM), "photometry": len(COLUMNS)}[kind]

    def prepare(self, inputs: torch.Tensor) -> Batch:
        if self.kind == "spectrum":
            row = samples(inputs)
        else:
            row = functional.adaptive_avg_pool2d(inputs.float(), IMAGE_SIDE) if self.kind == "image" else inputs.float()
        return {"x": LOUDNESS[self.kind] * row}

    def augment(self, batch: Batch) -> Batch:
        return {"x": turned(batch["x"])} if self.kind == "image" else batch


class EarlyFusion(Joint):
    """One row of pooled pixels, samples and magnitudes, and who is there; then one fully connected network.

    Parameters
    ----------
    standard : of the targets. modality_dropout : see `Joint`. members, hidden, dropout : see `core.models.networks.spectrum_mlp`.
    """

    def __init__(self, standard: Standard, modality_dropout: float = 0.2, members: int = 4, hidden: int = 128, dropout: float = 0.2):
        super().__init__(len(standard.targets), {m: Raw(m) for m in MODALITIES}, modality_dropout)
        self.members = members
        self.first = Join(self.widths, 2 * hidden, 1)
        self.flags = nn.Linear(len(MODALITIES), 2 * hidden, bias=False)
        self.dense = Dense(standard, 2 * hidden, hidden, members, dropout)

    def forward(self, batch: Batch, without: Collection[str] = (), held: Collection[str] = ()) -> Outputs:
        sent, shown, _ = self.messages(batch, without, held)
        return self.dense(self.first(sent)[0] + self.flags(torch.stack([shown[m] for m in MODALITIES], dim=1)))

    def look(self, name: str, batch: Batch) -> tuple[torch.Tensor, None]:
        return batch["x"].flatten(1), None


class FusionEarly(NetworkModel):
    """The model ``fusion_early`` of the registry."""

    modalities = MODALITIES

    def __init__(self, epochs: int, batch_size: int, learning_rate: float, modality_dropout: float, hidden: int, dropout: float, uncertainty: str, members: int):
        kind = kind_of(uncertainty, members, "fusion_early", HEADS)
        plan = Plan(epochs=epochs, examples=60_000, fewest=20, batch_size=batch_size, learning_rate=learning_rate, weight_decay=0.1, bootstrap=kind.heads > 1, balance="dropout")
        super().__init__(plan, kind)
        self._settings = {"modality_dropout": modality_dropout, "members": kind.heads, "hidden": hidden, "dropout": dropout}

    def _network(self, standard: Standard) -> Network:
        return EarlyFusion(standard, **self._settings)
