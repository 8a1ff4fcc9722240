"""Redshift and star formation from ugriz stamps: a small residual network, read by one head or by many."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from core.models.networks.heads import Heads
from core.models.networks.model import NetworkModel
from core.preprocess.image import SOFTENING, turn
from core.training.network import Batch, Network, Outputs
from core.training.plan import Plan
from core.training.standard import Standard
from core.uncertainty.kinds import kind_of

APERTURE_PIXELS = (2.0, 3.8, 7.6, 15.2, 28.0)
"""Radii of the light that the head sees besides what the convolutions found; 3.8 is the SDSS fibre."""
HEAD_UNITS = 128
"""Of the layer that the members share but for their rank-one factors; a lone head reads the latent features themselves."""


class Residual(nn.Module):
    """Two 3x3 convolutions beside a shortcut, half as wide and high afterwards."""

    def __init__(self, inner: int, outer: int):
        super().__init__()
        self.first = nn.Conv2d(inner, outer, 3, 2, 1, bias=False)
        self.second = nn.Conv2d(outer, outer, 3, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm2d(outer), nn.BatchNorm2d(outer)])
        self.shortcut = nn.Conv2d(inner, outer, 1, 2, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = functional.relu(self.norms[0](self.first(x)), inplace=True)
        h = self.norms[1](self.second(h))
        return functional.relu(h + self.shortcut(x), inplace=True)


class Apertures(nn.Module):
    """Light inside circles: r magnitudes and colours, asinh of nanomaggies, (b, 5, 64, 64) -> (b, 25). Nothing to learn.

    Colours and brightness are what a few hundred labels teach best; the convolutions add shape.
    Flips and quarter turns do not change them.
    """

    def __init__(self, size: int = 64):
        super().__init__()
        y, x = (np.indices((size * 3, size * 3)) + 0.5) / 3 - size / 2
        inside = [(np.hypot(x, y) <= r).reshape(size, 3, size, 3).mean(axis=(1, 3)) for r in APERTURE_PIXELS]
        self.register_buffer("mask_kp", torch.from_numpy(np.stack(inside)).float().flatten(1), persistent=False)
        self.register_buffer("softening_b11", torch.from_numpy(SOFTENING)[:, None, None], persistent=False)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        flux = batch.float().sinh() * self.softening_b11
        magnitude = (flux.flatten(2) @ self.mask_kp.T).asinh()
        return torch.cat([magnitude[:, 2:3], magnitude[:, 1:] - magnitude[:, :-1]], dim=1).flatten(1)


class BayesianCNN(Network):
    """A stem, residual stages that each halve the picture, pooled features joined with apertures, two layers, heads.

    Parameters
    ----------
    standard : of the targets. channels : of the stem and the stages. dropout : of channels after every
        stage but the first, and of the last layer's units. everywhere : of channels after the first stage, too.
        members : heads, each fitted to its own bootstrap weights.

    Attributes
    ----------
    hidden : latent features of a galaxy.
    """

    def __init__(self, standard: Standard, channels: tuple[int, ...] = (32, 48, 64, 96), dropout: float = 0.1, hidden: int = 128, members: int = 1, everywhere: bool = False):
        super().__init__(len(standard.targets))
        self.hidden, self.members = hidden, members
        stem = nn.Sequential(nn.Conv2d(5, channels[0], 3, 2, 1, bias=False), nn.BatchNorm2d(channels[0]), nn.ReLU(inplace=True))
        first, *stages = [Residual(a, b) for a, b in pairwise(channels)]
        self.early = nn.Sequential(stem, first)
        self.late = nn.Sequential(nn.Dropout2d(dropout * everywhere), *(part for stage in stages for part in (stage, nn.Dropout2d(dropout))))
        self.apertures, self.norm = Apertures(), nn.BatchNorm1d(5 * len(APERTURE_PIXELS), affine=False)
        self.mix = nn.Sequential(nn.Linear(channels[-1] + 5 * len(APERTURE_PIXELS), hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.dropout = nn.Dropout(dropout)
        self.heads = Heads(hidden, standard, members, HEAD_UNITS if members > 1 else 0)

    def prepare(self, inputs: torch.Tensor) -> Batch:
        return {"x": inputs, "light": self.apertures(inputs)}

    def forward(self, batch: Batch) -> Outputs:
        return self.asking(batch)()

    def encode(self, batch: Batch) -> torch.Tensor:
        """Latent features, (b, `hidden`)."""
        return self._latent(self.early(batch["x"]), self.norm(batch["light"]))

    def augment(self, batch: Batch) -> Batch:
        return batch | {"x": turned(batch["x"])}

    def asking(self, batch: Batch) -> Callable[[], Outputs]:
        early, light = self.early(batch["x"]), self.norm(batch["light"])
        return lambda: self._answer(self._latent(early, light))

    def _answer(self, latent: torch.Tensor) -> Outputs:
        return self.heads(self.dropout(latent)[None], latent)

    def _latent(self, early: torch.Tensor, light: torch.Tensor) -> torch.Tensor:
        pooled = self.late(early).float().mean(dim=(2, 3))
        return functional.gelu(self.mix(torch.cat([pooled, light], dim=1)))


def turned(images: torch.Tensor) -> torch.Tensor:
    """An eighth of the images each in one of the eight symmetries of the square.

    Which image gets which is as random as their order, so an epoch's shuffle is all the chance there is.
    """
    parts = [turn(part, code, torch.flip) for code, part in enumerate(images.chunk(8))]
    channels_last = images.is_contiguous(memory_format=torch.channels_last) and not images.is_contiguous()
    return torch.cat(parts).contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


class ImageBayesianCNN(NetworkModel):
    """The model ``image_bayesian_cnn`` of the registry."""

    modalities = ("image",)

    def __init__(self, epochs: int, batch_size: int, learning_rate: float, dropout: float, uncertainty: str, members: int):
        kind = kind_of(uncertainty, members, "image_bayesian_cnn")
        super().__init__(Plan(epochs=epochs, fewest=24, batch_size=batch_size, learning_rate=learning_rate, half=True, bootstrap=kind.heads > 1), kind)
        self._dropout = dropout

    def _network(self, standard: Standard) -> Network:
        return BayesianCNN(standard, dropout=self._dropout, members=self.kind.heads, everywhere=self.kind.passes > 0)


class ImageCNN(ImageBayesianCNN):
    """The model ``image_cnn`` of the registry: the same network with one head, dropout off when it is asked; it knows noise but not ignorance."""

    def __init__(self, epochs: int, batch_size: int, learning_rate: float, dropout: float):
        super().__init__(epochs, batch_size, learning_rate, dropout, "heads", members=1)
