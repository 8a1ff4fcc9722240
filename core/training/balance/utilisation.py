"""What each modality is worth to a model that reads several: the conditional utilisation rate (Wu et al. 2022, arXiv:2202.05306).

u(m | others) = [A(all) - A(all without m)] / A(all), for each target; A, here called skill, is 1 - L / L of the labels' mean,
L the mean squared error on galaxies that the model has not seen. The rate says what the model does with a modality, not
what the modality could give: see `core.training.balance.verdict`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

SKILL = 0.05
"""Skill under which a model knows too little of a target for shares of it to mean anything."""
FEWEST = 20
"""Galaxies under which no rate is told."""


@dataclass(frozen=True)
class Answers:
    """What a model says of n galaxies with all of its modalities, and what is said with less; means (n, T), NaN where nothing is said.

    Attributes
    ----------
    targets : T names. truth_nt : NaN = unknown. centre_t : (T,), mean of the labels that were fitted.
    together_nt : the model's answer.
    without : modality -> the same model's answer with that modality left out.
    alone : modality -> the answer of a model that reads nothing else, where there is one.
    """

    targets: tuple[str, ...]
    truth_nt: np.ndarray
    centre_t: np.ndarray
    together_nt: np.ndarray
    without: Mapping[str, np.ndarray]
    alone: Mapping[str, np.ndarray]

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those that can be left out."""
        return tuple(self.without)

    def __getitem__(self, rows_n: np.ndarray) -> "Answers":
        """Some of the galaxies."""
        at = lambda answers: {m: mean_nt[rows_n] for m, mean_nt in answers.items()}  # noqa: E731
        return replace(self, truth_nt=self.truth_nt[rows_n], together_nt=self.together_nt[rows_n], without=at(self.without), alone=at(self.alone))


@dataclass(frozen=True)
class Errors:
    """Squared errors of one target on the k galaxies for which truth and all answers are known, each (k,); `climate_k` of saying the labels' mean."""

    climate_k: np.ndarray
    together_k: np.ndarray
    without: Mapping[str, np.ndarray]
    alone: Mapping[str, np.ndarray]
    difference: Mapping[str, np.ndarray]
    """modality -> (k, 2): error, with its sign, of the model and of the one that reads the modality alone."""

    def skill(self, squared_k: np.ndarray) -> float:
        """1 - mean squared error / that of the labels' mean; 1 is perfect, 0 is worth nothing, NaN where the truth does not vary."""
        climate = self.climate_k.mean() if len(self.climate_k) else 0.0
        return float(1 - squared_k.mean() / climate) if climate > 0 else float("nan")


def errors_of(answers: Answers, target: str) -> Errors:
    """Squared errors of one target; galaxies for which an answer is missing are left out of all, a modality without any answer alone out of ``alone``."""
    t = answers.targets.index(target)
    truth = answers.truth_nt[:, t]
    alone = {m: mean_nt[:, t] - truth for m, mean_nt in answers.alone.items() if np.isfinite(mean_nt[:, t] - truth).any()}
    together, without = answers.together_nt[:, t] - truth, {m: mean_nt[:, t] - truth for m, mean_nt in answers.without.items()}
    known = np.isfinite(np.stack([truth, together, *without.values(), *alone.values()])).all(axis=0)
    squared = lambda errors: {m: error[known] ** 2 for m, error in errors.items()}  # noqa: E731
    signed = {m: np.stack([together, error], axis=1)[known] for m, error in alone.items()}
    return Errors((answers.centre_t[t] - truth[known]) ** 2, together[known] ** 2, squared(without), squared(alone), signed)


def utilisation(skill_together: float, skill_without: float) -> float:
    """Conditional utilisation rate from two skills; NaN where the model has too little skill to share out.

    Above 1 when the model does worse than the labels' mean once the modality is gone, below 0 when it does better without.

    >>> utilisation(0.5, 0.25), utilisation(0.01, 0.0)
    (0.5, nan)
    """
    return (skill_together - skill_without) / skill_together if skill_together >= SKILL else float("nan")


def rates(answers: Answers) -> dict[str, dict[str, float]]:
    """Conditional utilisation rate by target and modality; only those that can be told."""
    found: dict[str, dict[str, float]] = {}
    for target in answers.targets:
        errors = errors_of(answers, target)
        if len(errors.together_k) >= FEWEST:
            together = errors.skill(errors.together_k)
            told = {m: utilisation(together, errors.skill(squared)) for m, squared in errors.without.items()}
            found |= {target: {m: rate for m, rate in told.items() if np.isfinite(rate)}}
    return {target: told for target, told in found.items() if told}


def skills(answers: Answers) -> dict[str, dict[str, float]]:
    """Skill by target: ``together``, and of each modality alone where such a model is at hand."""
    found: dict[str, dict[str, float]] = {}
    for target in answers.targets:
        errors = errors_of(answers, target)
        if len(errors.together_k) >= FEWEST:
            told = {name: errors.skill(squared) for name, squared in {"together": errors.together_k, **errors.alone}.items()}
            found[target] = {name: value for name, value in told.items() if np.isfinite(value)}
    return {target: told for target, told in found.items() if told}
