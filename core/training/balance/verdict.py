"""Is a modality neglected, or is it redundant? The answer in words, target by target.

A low utilisation rate alone does not tell. A modality is *neglected* when a model of it alone knows something that the
joint model does not: mixing that answer in would lower the error. It is *redundant* when nothing would be gained and the
others do as well without it; that is a fact about the galaxies and nothing to mend.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.training.balance.utilisation import FEWEST, SKILL, Answers, Errors, errors_of, utilisation

CLEAR, SURE = 0.05, 2.0
"""A difference of the mean squared error counts when it is so large a share of it, and so many standard errors."""
LEAST = 1e-3
"""... and when it changes the skill by so much."""
KINDS = ("used", "underused", "neglected", "redundant", "uninformative", "unneeded")
LEANS = 0.05
"""From this rate on, a model is said to lean on a modality that it could do without."""
RANGE = 0.1
"""Rates that differ so much between low and high S/N are both told."""


@dataclass(frozen=True)
class Verdict:
    """What a modality is to a model, for one target.

    Attributes
    ----------
    kind : one of `KINDS`; underused is used and worth more, uninformative knows nothing even alone, unneeded costs nothing
        when it is left out, and no model of it alone is at hand to tell why.
    rate : conditional utilisation rate. alone : skill of a model that reads nothing else, NaN = not at hand.
    gain : share by which the squared error would fall if that model's answer were mixed in.
    """

    target: str
    modality: str
    kind: str
    rate: float
    alone: float
    gain: float


def verdicts(answers: Answers) -> list[Verdict]:
    """Of every modality, for every target that can be told."""
    found = []
    for target in answers.targets:
        errors = errors_of(answers, target)
        if len(errors.together_k) >= FEWEST and errors.climate_k.mean() > 0:
            found += [_verdict(target, m, errors) for m in answers.modalities]
    return found


def mixing_gain(error_k2: np.ndarray) -> np.ndarray:
    """How far each squared error would fall if the second answer were mixed into the first, (k,).

    The weight of the second (0 to 1) is fitted on one half of the galaxies and judged on the other.

    Parameters
    ----------
    error_k2 : errors with their sign, of the joint answer and of the other one.
    """
    drop = np.zeros(len(error_k2))
    for half in (slice(0, None, 2), slice(1, None, 2)):
        fitted = np.delete(error_k2, np.arange(len(error_k2))[half], axis=0)
        step = fitted[:, 1] - fitted[:, 0]
        weight = np.clip(-(fitted[:, 0] * step).sum() / max((step**2).sum(), np.finfo(float).tiny), 0, 1)
        judged = error_k2[half]
        drop[half] = judged[:, 0] ** 2 - ((1 - weight) * judged[:, 0] + weight * judged[:, 1]) ** 2
    return drop


def sentences(answers: Answers, by_sn: Mapping[str, Mapping[str, Mapping[str, float]]] | None = None) -> list[str]:
    """One sentence a target.

    Parameters
    ----------
    by_sn : utilisation rates of galaxies of low, middle and high S/N, in that order: name -> target -> modality -> rate.
    """
    found = verdicts(answers)
    return [_sentence(target, [v for v in found if v.target == target], dict(by_sn or {})) for target in dict.fromkeys(v.target for v in found)]


def _verdict(target: str, modality: str, errors: Errors) -> Verdict:
    together, without = errors.skill(errors.together_k), errors.skill(errors.without[modality])
    alone = errors.skill(errors.alone[modality]) if modality in errors.alone else float("nan")
    drop = mixing_gain(errors.difference[modality]) if modality in errors.difference else np.zeros(1)
    gain = float(drop.mean() / max(errors.together_k.mean(), np.finfo(float).tiny))
    return Verdict(target, modality, _kind(modality, errors, alone, _counts(drop, errors)), utilisation(together, without), alone, gain)


def _kind(modality: str, errors: Errors, alone: float, would_gain: bool) -> str:
    is_costly = _counts(errors.without[modality] - errors.together_k, errors)
    is_needed = is_costly and not any(_stands_in(other, errors) for other in errors.alone if other != modality)
    if would_gain and alone >= SKILL:
        return "underused" if is_costly else "neglected"
    if is_needed:
        return "used"
    if np.isnan(alone):
        return "redundant" if is_costly else "unneeded"
    return "redundant" if alone >= SKILL else "uninformative"


def _stands_in(other: str, errors: Errors) -> bool:
    """Whether a model of another modality alone does as well as the joint one, which has nothing to add to it either."""
    adds = mixing_gain(errors.difference[other][:, ::-1])
    return not _counts(errors.alone[other] - errors.together_k, errors) and not _counts(adds, errors)


def _counts(difference_k: np.ndarray, errors: Errors) -> bool:
    """Whether squared errors are larger by a difference that is sure, and large enough to matter."""
    mean = difference_k.mean()
    noise = difference_k.std() / len(difference_k) ** 0.5
    return bool(mean > max(SURE * noise, CLEAR * errors.together_k.mean(), LEAST * errors.climate_k.mean()))


def _sentence(target: str, found: Sequence[Verdict], by_sn: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    if all(np.isnan(v.rate) and v.kind != "neglected" for v in found):
        return f"{target}: the model knows too little of it for any modality to have a share."
    clauses = {v: _clause(v, [rates.get(target, {}).get(v.modality, np.nan) for rates in by_sn.values()]) for v in found}
    return f"{target}: " + "; ".join(clauses[v] for v in sorted(found, key=lambda v: KINDS.index(v.kind))) + "."


def _clause(v: Verdict, rate_by_sn: Sequence[float]) -> str:
    knows = "" if np.isnan(v.alone) else f"alone it has a skill of {v.alone:.2f}, but "
    leans = " of the skill, because this model leans on it all the same" if v.rate >= LEANS else ""
    mixing = f"mixing in what it says alone (skill {v.alone:.2f}) would lower the squared error by {v.gain:.0%}"
    return {
        "used": f"{v.modality} is used, leaving it out costs {_share(v.rate)} of the skill{_range(rate_by_sn)}",
        "underused": f"{v.modality} is used, leaving it out costs {_share(v.rate)} of the skill{_range(rate_by_sn)}, but it is worth more: {mixing}",
        "neglected": f"{v.modality} is neglected: leaving it out costs {_share(v.rate)} of the skill, yet {mixing}",
        "redundant": f"{v.modality} is redundant: {knows}the others know as much (leaving it out costs {_share(v.rate)}{leans})",
        "uninformative": f"{v.modality} says nothing of it",
        "unneeded": f"{v.modality} is not needed, leaving it out costs {_share(v.rate)} of the skill; without a model of it alone nobody can tell why",
    }[v.kind]


def _share(rate: float) -> str:
    return "none" if np.isnan(rate) or rate < 0.005 else f"{rate:.0%}"


def _range(rate_by_sn: Sequence[float]) -> str:
    told = [rate for rate in rate_by_sn if np.isfinite(rate)]
    if len(told) < 2 or abs(told[0] - told[-1]) < RANGE:
        return ""
    return f" ({told[0]:.0%} at low S/N, {told[-1]:.0%} at high)"
