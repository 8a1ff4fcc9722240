"""What a replay compares, and by which protocol."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from core.acquisition.registry import strategy
from core.acquisition.strangers import STRANGE
from core.errors import BadInput

BASELINE = "random"
WEIGHTS = {"none": "every label counts the same", "pool_mass": "a label counts by the pool galaxies it stands for (not for random)"}
REDSHIFTS = ("z", "redshift", "z_spec", "zspec", "spec_z", "specz")
"""Targets, whatever their case, whose errors are measured as delta = (predicted - true) / (1 + true)."""


class Step(NamedTuple):
    """One round of one strategy with one seed."""

    strategy: str
    seed: int
    round: int


@dataclass(frozen=True)
class Question:
    """What is compared.

    Attributes
    ----------
    target : what is predicted and measured; several, joined by commas, weigh equally in every choice. model, config : who predicts, with settings that differ from its own.
    strategies : names of the registry; ``random`` is always among them, first.
    initial : galaxies asked about at random before the first batch. batch, rounds : of the batches. All of them
        count, those that choose the epoch and those that nobody could label included.
    seeds : repetitions. Every strategy has the same initial set, test set and initialisation for a seed.
    weights : one of `WEIGHTS`. strange_share : of a workspace's pool, of which a batch holds no more than a random one (`core.acquisition.strangers`).
    control_share : of every batch, drawn at random whatever the strategy.

    Raises `BadInput` for a value that cannot be served.
    """

    target: str
    model: str
    strategies: tuple[str, ...] = ("lcmd_sampled",)
    config: Mapping[str, object] = field(default_factory=dict)
    initial: int = 100
    batch: int = 50
    rounds: int = 12
    seeds: int = 10
    weights: str = "none"
    control_share: float = 0.0
    strange_share: float = STRANGE

    def __post_init__(self) -> None:
        object.__setattr__(self, "strategies", tuple(dict.fromkeys((BASELINE, *self.strategies))))
        for name in self.strategies:
            strategy(name)
        if not all(self.targets):
            raise BadInput("--target", "name a target, or several joined by commas", repr(self.target), "this replay", "Correct it")
        for name, least in (("initial", 2), ("batch", 1), ("rounds", 1), ("seeds", 1)):
            if getattr(self, name) < least:
                raise BadInput(f"--{name}", f"be {least} or more", getattr(self, name), "this replay", "Choose a larger number")
        if self.weights not in WEIGHTS:
            raise BadInput("--weights", f"be one of {', '.join(WEIGHTS)}", self.weights, "this replay", "Choose one of them")
        for name, share in (("--control", self.control_share), ("--strange", self.strange_share)):
            if not 0 <= share < 1:
                raise BadInput(name, "be at least 0 and under 1", share, "this replay", "Choose a share in that range")

    @classmethod
    def of(cls, asked: Mapping[str, object]) -> "Question":
        """The question whose `asked` this was."""
        return cls(**{**asked, "strategies": tuple(asked["strategies"])})

    def asked(self) -> dict:
        """The question as JSON holds it."""
        return json.loads(json.dumps(asdict(self)))

    def mark(self, source: str) -> str:
        """A short name for what a round depends on: with more strategies, seeds or rounds, those that are there stay good."""
        what = {name: value for name, value in self.asked().items() if name not in ("strategies", "seeds", "rounds")}
        return hashlib.sha256(json.dumps([what, source], sort_keys=True).encode()).hexdigest()[:12]

    def steps(self) -> list[Step]:
        """Every step there is: round by round, so that all curves grow together."""
        return [Step(name, seed, number) for number in range(self.rounds + 1) for seed in range(self.seeds) for name in self.strategies]

    @property
    def budget(self) -> int:
        """Galaxies asked about at the end of each curve."""
        return self.initial + self.batch * self.rounds

    @property
    def targets(self) -> tuple[str, ...]:
        """What is predicted and measured, in order."""
        return tuple(name.strip() for name in self.target.split(","))

    def measures(self, target: str) -> dict[str, str]:
        """What is measured of a target after each round: a name of `core.metrics` -> what a curve calls it."""
        names = (*(("rmse_delta", "nmad", "eta05") if is_redshift(target) else ("rmse", "mae")), "crps", "coverage68")
        return {name: name if len(self.targets) == 1 else f"{target} {name}" for name in names}


def is_redshift(target: str) -> bool:
    """Whether errors of a target are measured as delta."""
    return target.lower() in REDSHIFTS
