"""What a running fit may ask of the world: say how far it is, save, resume, stop."""

from collections.abc import Callable
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


class Stages:
    """Fits one part after another as one fit to a session: parts that are done belong to its checkpoint.

    Parameters
    ----------
    session : of the whole. count : how many parts there are to fit.
    """

    def __init__(self, session: Session, count: int):
        self.session, self.left = session, count
        self.saved = session.restore() or {}
        self.done: dict[str, np.ndarray] = {"epochs": np.zeros(1)}

    def run(self, name: str, fit: Callable[[Session], None], state: Callable[[], dict[str, np.ndarray]], load: Callable[[dict[str, np.ndarray]], None]) -> None:
        """``fit`` a part with a session of its own, or ``load`` it where an interrupted fit had it done; ``state`` is what it is then."""
        kept = under(self.saved, f"fitted/{name}/")
        if kept:
            load(kept)
            self.done["epochs"] = self.saved["epochs"]
        else:
            part = _Part(self, name)
            fit(part)
            self.done["epochs"] = self.done["epochs"] + part.epochs
        self.left -= 1
        self.done |= {f"fitted/{name}/{k}": v for k, v in state().items()}
        if not kept:
            self.session.save(dict(self.done))


class _Part(Session):
    """What a part sees of the whole's session; its epochs follow those of the parts before it."""

    def __init__(self, stages: Stages, name: str):
        super().__init__(stages.session.seed, stages.session.threads)
        self._stages, self._name = stages, name
        self._state = under(stages.saved, f"fitting/{name}/") or None
        self.epochs = 0

    def report(self, epoch: int, epochs: int, values: dict[str, float]) -> None:
        self.epochs = epoch + 1
        before = int(self._stages.done["epochs"][0])
        self._stages.session.report(before + epoch, before + epochs * self._stages.left, values)

    def check(self) -> None:
        self._stages.session.check()

    def save(self, state: dict[str, np.ndarray]) -> None:
        self._stages.session.save(self._stages.done | {f"fitting/{self._name}/{k}": v for k, v in state.items()})


def under(state: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names begin with ``prefix``, without it."""
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
