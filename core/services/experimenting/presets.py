"""Which configurations an experiment compares: every model of the registry, and every variant of it that the study names."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from core.errors import NotFound
from core.models.options import OPTIONS
from core.models.registry import MODELS, Spec

FUSED, NONE = "fused", "none"
KINDS = ("classical", "network", "fusion")
"""Kinds of models in the order in which they run: what a late fusion joins is fitted before it, and taken over."""


@dataclass(frozen=True)
class Configuration:
    """One row of an experiment's tables.

    Attributes
    ----------
    name : what people read. model : registry name. config : settings that differ from the model's own.
    """

    name: str
    model: str
    config: Mapping[str, object] = field(default_factory=dict)

    @property
    def modality(self) -> str:
        """``image``, ``spectrum`` or ``photometry``; ``fused`` when it reads several, ``none`` when none."""
        chosen = self.config.get("modalities", "all")
        read = MODELS[self.model].modalities if chosen == "all" else (chosen,)
        return read[0] if len(read) == 1 else FUSED if read else NONE


@dataclass(frozen=True)
class Preset:
    """What an experiment does unless told otherwise.

    Attributes
    ----------
    name, sentence : what it is. configurations : in the order in which they run.
    galaxies : of the mock sky, where a workspace is empty. seeds : repetitions with other random draws.
    """

    name: str
    sentence: str
    configurations: tuple[Configuration, ...]
    galaxies: int = 3000
    seeds: int = 3


def variants(spec: Spec) -> list[Configuration]:
    """A model with every combination of its settings among `core.models.options.OPTIONS`; just the model where it has none of them.

    >>> [c.name for c in variants(MODELS["linear"])]
    ['linear image', 'linear spectrum', 'linear photometry', 'linear all']
    """
    varied = [name for name in OPTIONS if name in spec.config]
    return [Configuration(" ".join([spec.name, *(str(v).replace("_", " ") for v in values)]), spec.name, dict(zip(varied, values, strict=True)))
            for values in product(*(OPTIONS[name] for name in varied))]  # fmt: skip


def _of_kinds(*kinds: str) -> tuple[Configuration, ...]:
    return tuple(c for kind in kinds for spec in MODELS.values() if spec.kind == kind for c in variants(spec))


PRESETS = {
    preset.name: preset
    for preset in (
        Preset("study", "Every model, alone and fused, on the same galaxies and labels.", _of_kinds(*KINDS)),
        Preset("classical", "The models without networks: minutes instead of an hour.", _of_kinds("classical")),
    )
}
QUICK_GALAXIES, QUICK_SEEDS = 300, 1
QUICK: Mapping[str, object] = {"epochs": 3, "trees": 20}
"""Settings that make any model that has them quick; a late fusion's branches are then still those that ran before it."""


def preset(name: str, is_quick: bool = False) -> Preset:
    """The preset called ``name``, or its quick variant: few galaxies, few epochs, one seed. Raises `NotFound` with the choices."""
    if name not in PRESETS:
        raise NotFound(f"There is no preset {name!r}. Choose one of {', '.join(PRESETS)}.")
    return _quick(PRESETS[name]) if is_quick else PRESETS[name]


def _quick(slow: Preset) -> Preset:
    """Few galaxies, and every model with those of `QUICK` that it has."""
    quicker = lambda c: replace(c, config={**c.config, **{k: v for k, v in QUICK.items() if k in MODELS[c.model].config}})  # noqa: E731
    sentence = f"{slow.sentence} Quick: few galaxies and epochs, to see that all of it works; the numbers mean little."
    return replace(slow, name=f"{slow.name}-quick", sentence=sentence, galaxies=QUICK_GALAXIES, seeds=QUICK_SEEDS, configurations=tuple(quicker(c) for c in slow.configurations))
