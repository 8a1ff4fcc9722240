"""What a running fit may ask of the world: say how far it is, save, resume, stop."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Session:
    """A fit on its own: remembers its history, keeps its checkpoint in memory, is never stopped.

    A background job overrides the four methods to write to the store.

    Attributes
    ----------
    seed : drives every random draw of the fit.
    threads : for torch; 0 = as many as the machine has.
    """

    seed: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        self.curves: list[tuple[int, dict[str, float]]] = []
        self._state: dict[str, np.ndarray] | None = None

    def report(self, epoch: int, epochs: int, values: dict[str, float]) -> None:
        """An epoch is done; ``values`` are its curve points (train_loss, validation_loss, ...)."""
        self.curves.append((epoch, values))

    def check(self) -> None:
        """Called after every mini-batch; raises `Cancelled` or `StaleFence` when the fit must stop."""

    def save(self, state: dict[str, np.ndarray]) -> None:
        """Keep everything needed to go on from here (weights, optimiser, epoch, random state)."""
        self._state = state

    def restore(self) -> dict[str, np.ndarray] | None:
        """The state last saved, or None at the first start."""
        return self._state
