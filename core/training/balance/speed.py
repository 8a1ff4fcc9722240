"""How fast each branch learns from the others, beside how fast it learns by itself (Wu et al. 2022, arXiv:2202.05306, section 4)."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn


def learned(parameters: Sequence[nn.Parameter]) -> torch.Tensor:
    """||gradient||^2 / ||parameters||^2 of some parameters together, float64 (); 0 where none has a gradient."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return torch.zeros((), dtype=torch.float64)
    size = torch.nn.utils.get_total_norm([p.detach() for p in parameters]).double()
    return (torch.nn.utils.get_total_norm(gradients).double() / size) ** 2


class Speeds:
    """What each branch has learned so far, step by step.

    Parameters
    ----------
    cross, own : branch -> its parameters that carry what the other streams say into it, and those of itself.
        Branches without cross-modal parameters have no speed.

    Attributes
    ----------
    own : as given, of the branches that have a speed.
    sums : branch -> sums over the steps of `learned`, cross-modal and own, float64 (2,).
    """

    def __init__(self, cross: Mapping[str, Sequence[nn.Parameter]], own: Mapping[str, Sequence[nn.Parameter]]):
        self._cross = {name: list(parameters) for name, parameters in cross.items() if parameters}
        self.own = {name: list(own[name]) for name in self._cross}
        self.sums = {name: torch.zeros(2, dtype=torch.float64) for name in self._cross}

    def add(self) -> None:
        """Count the gradients as they stand."""
        for name, sums in self.sums.items():
            sums += torch.stack([learned(part).cpu() for part in (self._cross[name], self.own[name])])

    @property
    def log_ratio(self) -> dict[str, float]:
        """s of each branch: log10 of what its cross-modal parameters have learned over what its own have; empty before the first step."""
        return {name: float((sums[0] / sums[1]).log10()) for name, sums in self.sums.items() if (sums > 0).all()}

    def numbers(self) -> dict[str, float]:
        """The sums as plain numbers, for a checkpoint."""
        return {f"speed/{kind}/{name}": float(value) for name, sums in self.sums.items() for kind, value in zip(("cross", "own"), sums, strict=True)}

    def take(self, numbers: Mapping[str, float]) -> None:
        """Go on from `numbers`."""
        for name, sums in self.sums.items():
            sums.copy_(torch.tensor([numbers[f"speed/cross/{name}"], numbers[f"speed/own/{name}"]], dtype=torch.float64))
