"""What networks of several modalities share: a stream each, a learned value for what is missing, a join."""

from abc import abstractmethod
from collections.abc import Collection, Mapping

import torch
from torch import nn

from core.training.network import Batch, Network, Outputs

MEMORY = 0.05
"""How much of a stream's running mean each batch replaces."""


class Joint(Network):
    """One stream a modality; each sends a message, and an answer is made of all messages.

    A galaxy that lacks a modality gets a learned message in its place. While the network is fitted, messages of
    modalities that a galaxy has are now and then replaced too, so that the answer learns to do without them.

    Parameters
    ----------
    targets : T. streams : a network for each modality that knows ``hidden``, the width of its message.
    modality_dropout : how often each message is replaced while fitting; at least one of a galaxy's stays.

    Attributes
    ----------
    probing : what the streams say by themselves learns from their messages without steering them.
    gate_held : the stream whose gate is held at its running mean, so that it hears nothing of the others; None = none.
    """

    probing: bool = False
    gate_held: str | None = None

    def __init__(self, targets: int, streams: Mapping[str, nn.Module], modality_dropout: float):
        super().__init__(targets)
        self.streams = nn.ModuleDict(streams)
        self.modality_dropout = modality_dropout
        self.missing = nn.ParameterDict({name: nn.Parameter(torch.zeros(stream.hidden)) for name, stream in streams.items()})
        for name, stream in streams.items():
            self.register_buffer(f"mean_{name}", torch.zeros(stream.hidden))

    @property
    def widths(self) -> dict[str, int]:
        """Width of each stream's message."""
        return {name: len(token) for name, token in self.missing.items()}

    @abstractmethod
    def forward(self, batch: Batch, without: Collection[str] = (), held: Collection[str] = ()) -> Outputs:
        """The answer for prepared galaxies.

        Parameters
        ----------
        batch : by ``<modality>/<name>`` what each stream prepared, by ``has/<modality>`` who has it: 1 or 0, (b,).
        without : modalities taken for missing, whoever has them.
        held : modalities whose message is replaced by its running mean over the galaxies that were fitted.
        """

    @abstractmethod
    def look(self, name: str, batch: Batch) -> tuple[torch.Tensor, Outputs | None]:
        """A stream's message (b, ``hidden``), and what it says by itself, about galaxies that have the modality."""

    def cross_parameters(self, name: str) -> list[nn.Parameter]:
        """The weights by which other streams have a say in how a stream's message is used; none where messages are only joined."""
        return []

    def own_parameters(self, name: str) -> list[nn.Parameter]:
        """The weights of a stream."""
        return list(self.streams[name].parameters())

    def prepare(self, inputs: Batch) -> Batch:
        known = [name for name in self.streams if name in inputs]
        made = {f"{name}/{key}": tensor for name in known for key, tensor in self.streams[name].prepare(inputs[name]).items()}
        return made | {f"has/{name}": inputs[f"has/{name}"].float() for name in known}

    def augment(self, batch: Batch) -> Batch:
        known = [name for name in self.streams if f"has/{name}" in batch]
        return batch | {f"{name}/{key}": tensor for name in known for key, tensor in self.streams[name].augment(part_of(batch, name)).items()}

    def messages(self, batch: Batch, without: Collection[str], held: Collection[str]) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], dict[str, tuple[torch.Tensor, Outputs]]]:
        """Each stream's message (b, d), to whom it is shown (b,) as 1 or 0, and the streams' own answers (see `Outputs`)."""
        shown = self._shown(batch, without)
        sent, own = {}, {}
        for name in self.streams:
            message = self.missing[name].expand(len(shown[name]), -1)
            rows = torch.nonzero(batch[f"has/{name}"])[:, 0] if f"has/{name}" in batch and name not in without else ()
            if len(rows):
                found, said = self._looked(name, batch, rows)
                placed = torch.zeros_like(message).index_copy(0, rows, found)
                message = torch.where(shown[name][:, None] > 0, self._mean_of(name) if name in held else placed, message)
                own |= {name: (rows, said)} if said is not None else {}
            sent[name] = message
        return sent, shown, own

    def _looked(self, name: str, batch: Batch, rows: torch.Tensor) -> tuple[torch.Tensor, Outputs | None]:
        """`look` at the galaxies ``rows``; a lone one is looked at twice while fitting, because batch normalisation needs two."""
        part = part_of(batch, name)
        everybody = len(rows) == len(batch[f"has/{name}"])
        if not everybody:
            part = {key: tensor[rows] for key, tensor in part.items()}
        if len(rows) == 1 and self.training:
            part = {key: tensor.repeat(2, *[1] * (tensor.dim() - 1)) for key, tensor in part.items()}
        found, said = self.look(name, part)
        found = found[: len(rows)].float()
        if self.training:
            self._mean_of(name).lerp_(found.detach().mean(dim=0), MEMORY)
        return found, said.first(len(rows)) if said is not None else None

    def _mean_of(self, name: str) -> torch.Tensor:
        return getattr(self, f"mean_{name}")

    def _shown(self, batch: Batch, without: Collection[str]) -> dict[str, torch.Tensor]:
        """By stream, 1 for galaxies that have its modality and whose message is not left out; (b,)."""
        like = next(iter(batch.values()))
        absent = torch.zeros(len(like), device=like.device)
        has = {name: absent if name in without else batch.get(f"has/{name}", absent) for name in self.streams}
        if not self.training or not self.modality_dropout:
            return has
        kept = {name: h * (torch.rand(len(absent), device=like.device) >= self.modality_dropout) for name, h in has.items()}
        some = sum(kept.values()) > 0
        return {name: torch.where(some, kept[name], has[name]) for name in has}


def part_of(batch: Batch, name: str) -> Batch:
    """What one stream prepared.

    >>> part_of({"image/x": torch.zeros(1), "has/image": torch.ones(1)}, "image").keys()
    dict_keys(['x'])
    """
    return {key.removeprefix(f"{name}/"): tensor for key, tensor in batch.items() if key.startswith(f"{name}/")}


class Join(nn.Module):
    """Messages to one latent vector by each member: concatenated and mixed, or gated as well.

    A gate is a number from 0 to 1 for each unit of a stream's share, decided by all messages
    (gated multimodal unit; Arevalo et al. 2017, arXiv:1702.01992).

    Parameters
    ----------
    widths : d of each stream's message. hidden : h, of the latent vector. members : m. gated : whether shares are gated.
    """

    def __init__(self, widths: Mapping[str, int], hidden: int, members: int, gated: bool = False):
        super().__init__()
        total = sum(widths.values())
        self.weight = nn.ParameterDict({name: nn.Parameter(torch.randn(members, width, hidden) / total**0.5) for name, width in widths.items()})
        self.bias_m1h = nn.Parameter(torch.zeros(members, 1, hidden))
        self.gate = nn.ModuleDict({name: Gate(total, hidden) for name in widths} if gated else {})

    def forward(self, messages: Mapping[str, torch.Tensor], gate_held: str | None = None) -> torch.Tensor:
        """Messages (b, d) by stream -> (m, b, h); ``gate_held`` : the stream whose gate does not look."""
        shares = {name: torch.matmul(messages[name], weight) for name, weight in self.weight.items()}
        if len(self.gate):
            everything = torch.cat([messages[name] for name in self.weight], dim=-1)
            shares = {name: self.gate[name](everything, name == gate_held) * share for name, share in shares.items()}
        return sum(shares.values()) + self.bias_m1h


class Gate(nn.Module):
    """How much of each unit of a stream's share is let through, seen all messages: (b, d) -> (b, h), 0 to 1."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.look = nn.Linear(width, hidden)
        nn.init.normal_(self.look.weight, std=0.1 / width**0.5)
        nn.init.ones_(self.look.bias)
        self.register_buffer("mean_h", torch.full((hidden,), 0.73))

    def forward(self, everything_bd: torch.Tensor, is_held: bool) -> torch.Tensor:
        if is_held:
            return self.mean_h
        gate = self.look(everything_bd).sigmoid()
        if self.training:
            self.mean_h.lerp_(gate.detach().mean(dim=0), MEMORY)
        return gate
