"""Which branch must do without the others for a while: the re-balancing of Wu et al. (2022, arXiv:2202.05306, algorithm 1)."""

from collections.abc import Mapping

import torch

WARM_EPOCHS, LIMIT, WINDOW = 2, 0.01, 5
"""Epochs before the first window, the difference of speeds that opens one, and its steps."""


def faster(log_ratio: Mapping[str, float], limit: float = LIMIT) -> str | None:
    """The branch that learns from the others fastest, when the speeds are farther apart than ``limit``.

    >>> faster({"image": -1.0, "spectrum": -2.0}), faster({"image": -1.0, "spectrum": -1.005})
    ('image', None)
    """
    if len(log_ratio) < 2 or max(log_ratio.values()) - min(log_ratio.values()) <= limit:
        return None
    return max(log_ratio, key=log_ratio.__getitem__)


class Guide:
    """Names, step by step, the branch whose cross-modal gate is held at its running mean.

    Parameters
    ----------
    kind : ``guided`` (windows for the faster branch, a free step between them), ``random`` (each step anyone or nobody, with
        equal chance), anything else: nobody ever.
    branches : in order.
    """

    def __init__(self, kind: str, branches: tuple[str, ...]):
        self.kind, self.branches = kind, branches
        self._held, self._left = None, 0

    def held(self, epoch: int, log_ratio: Mapping[str, float]) -> str | None:
        """Of the next step. ``log_ratio`` : `core.training.balance.speed.Speeds.log_ratio` so far."""
        if epoch < WARM_EPOCHS or self.kind not in ("guided", "random"):
            return None
        return self._window(log_ratio) if self.kind == "guided" else [*self.branches, None][int(torch.randint(len(self.branches) + 1, ()))]

    def _window(self, log_ratio: Mapping[str, float]) -> str | None:
        """A free step follows every window: it is what the speeds are measured on."""
        if self._left == 0:
            self._held = None if self._held else faster(log_ratio)
            self._left = WINDOW if self._held else 1
        self._left -= 1
        return self._held

    def numbers(self) -> dict[str, float]:
        """Where the window is, for a checkpoint."""
        return {"window/left": float(self._left), "window/held": float(self.branches.index(self._held)) if self._held else -1.0}

    def take(self, numbers: Mapping[str, float]) -> None:
        """Go on from `numbers`."""
        held = int(numbers["window/held"])
        self._left, self._held = int(numbers["window/left"]), self.branches[held] if held >= 0 else None
