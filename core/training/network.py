"""What the training loop asks of a network, and what a network answers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import nn

NOISE_SHARE = 0.5
"""First guess of the share of a label's stated sigma that shows up as scatter; fitted afterwards."""


Batch = dict[str, torch.Tensor]
"""What a network reads of some galaxies: tensors whose first axis is the galaxies."""


@dataclass
class Targets:
    """Labels of a batch in standard units.

    Attributes
    ----------
    value_bt : (b, T), 0 where there is no label. has_bt : 1 where there is one.
    sigma_bt : (b, T), the label's own sigma, 0 where it is not stated. stated_bt : 1 where it is.
    weight_mb : (m, b), what each member of an ensemble makes of each galaxy.
    """

    value_bt: torch.Tensor
    has_bt: torch.Tensor
    sigma_bt: torch.Tensor
    stated_bt: torch.Tensor
    weight_mb: torch.Tensor

    def at(self, rows: torch.Tensor) -> "Targets":
        """The galaxies ``rows``."""
        return Targets(self.value_bt[rows], self.has_bt[rows], self.sigma_bt[rows], self.stated_bt[rows], self.weight_mb[:, rows])

    def joined(self) -> "Targets":
        """The same labels with the weights of the first member, for outputs that are joined."""
        return Targets(self.value_bt, self.has_bt, self.sigma_bt, self.stated_bt, self.weight_mb[:1])


@dataclass
class Outputs:
    """A network's answer for a batch, in standard units.

    Attributes
    ----------
    mean_mbt, logvar_mbt : (m, b, T), mean and log variance by each of m members or passes.
    lognoise_mbt : (m, b, T), log of the sigma that a label of such a galaxy would state.
    features_bd : (b, d), latent features.
    extra : what the network's own loss needs besides, (m, b, ...) each.
    own : of a network with several streams, by stream: the rows of the batch that have its modality, and what
        the stream says of them by itself.
    """

    mean_mbt: torch.Tensor
    logvar_mbt: torch.Tensor
    lognoise_mbt: torch.Tensor
    features_bd: torch.Tensor
    extra: dict[str, torch.Tensor]
    own: dict[str, tuple[torch.Tensor, "Outputs"]] = field(default_factory=dict)

    def with_target(self, column: int, mean_mb: torch.Tensor, logvar_mb: torch.Tensor) -> "Outputs":
        """The same answer with another mean and log variance of one target."""
        here = torch.arange(self.mean_mbt.shape[-1], device=self.mean_mbt.device) == column
        mean, logvar = torch.where(here, mean_mb[..., None], self.mean_mbt), torch.where(here, logvar_mb[..., None], self.logvar_mbt)
        return replace(self, mean_mbt=mean, logvar_mbt=logvar)

    def first(self, count: int) -> "Outputs":
        """The first galaxies of the batch; ``extra`` of members, (m, b, ...)."""
        cut = {name: tensor[:, :count] for name, tensor in self.extra.items()}
        return Outputs(self.mean_mbt[:, :count], self.logvar_mbt[:, :count], self.lognoise_mbt[:, :count], self.features_bd[:count], cut)

    def joined(self) -> "Outputs":
        """What the members say together, as one member: the mean of means, and the spread of means in the variance."""
        spread = self.mean_mbt.var(dim=0, correction=0, keepdim=True)
        logvar = (self.logvar_mbt.exp().mean(dim=0, keepdim=True) + spread).log()
        return Outputs(self.mean_mbt.mean(dim=0, keepdim=True), logvar, self.lognoise_mbt.mean(dim=0, keepdim=True), self.features_bd, self.extra)


class Network(nn.Module, ABC):
    """Tensors in, `Outputs` out.

    Attributes
    ----------
    members : m of its outputs while it is fitted.
    own_targets : columns whose loss the network defines itself (`own_loss`).
    streams : of a network that joins several modalities: the part that reads each, by modality, in order.
    auxiliary : what the streams' losses by themselves (`Outputs.own`) count beside that of the joint answer.
    """

    members: int = 1
    own_targets: tuple[int, ...] = ()
    auxiliary: float = 0.0

    def __init__(self, targets: int):
        super().__init__()
        self.streams = nn.ModuleDict()
        self.log_share_t = nn.Parameter(torch.full((targets,), NOISE_SHARE).log())

    def prepare(self, inputs: torch.Tensor | Batch) -> Batch:
        """Model inputs (b, ...) as `forward` wants them; what does not change while fitting is computed here, once.

        A network of one modality gets its array; one of several gets an array a modality by name, and by
        ``has/<modality>`` which galaxies have it, bool (b,).
        """
        return {"x": inputs.float()}

    @abstractmethod
    def forward(self, batch: Batch) -> Outputs:
        """The answer for prepared galaxies."""

    def augment(self, batch: Batch) -> Batch:
        """The same galaxies, in random order already, seen otherwise; targets unchanged."""
        return batch

    def own_loss(self, outputs: Outputs, targets: Targets) -> torch.Tensor:
        """Loss of the ``own_targets``, (m, b, k); (1, b, k) for outputs that are `joined`."""
        raise TypeError(f"{type(self).__name__} names own targets but no loss for them")

    def asking(self, batch: Batch) -> Callable[[], Outputs]:
        """What to call for each of several answers about a batch; what no dropout reaches may be computed here, once."""
        return lambda: self(batch)

    def together(self, answers: Sequence[Outputs]) -> Outputs:
        """Several answers about the same galaxies as those of so many members; features are the first answer's.

        The answers may be of other networks of the same kind, fitted to the same standard.
        """
        mean, logvar, lognoise = (torch.cat([getattr(a, name) for a in answers]) for name in ("mean_mbt", "logvar_mbt", "lognoise_mbt"))
        return Outputs(mean, logvar, lognoise, answers[0].features_bd, {name: torch.cat([a.extra[name] for a in answers]) for name in answers[0].extra})
