"""Which configurations an experiment compares; a preset names models of the registry with their settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.errors import NotFound
from core.models.registry import MODELS

FUSED, NONE = "fused", "none"


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
    def unavailable(self) -> str:
        """Why this version cannot run it; empty when it can."""
        if self.model not in MODELS:
            return f"there is no model {self.model}"
        unknown = sorted(set(self.config) - set(MODELS[self.model].config))
        return f"{self.model} has no setting {', '.join(unknown)}" if unknown else ""

    @property
    def modality(self) -> str:
        """``image``, ``spectrum`` or ``photometry``; ``fused`` when it reads several, ``none`` when none."""
        chosen = self.settings.get("modalities", "all")
        read = MODELS[self.model].modalities if chosen == "all" else (chosen,) if isinstance(chosen, str) else tuple(chosen)
        return read[0] if len(read) == 1 else FUSED if read else NONE

    @property
    def settings(self) -> dict[str, object]:
        """All settings, the model's own included."""
        return {**MODELS[self.model].config, **self.config}


@dataclass(frozen=True)
class Preset:
    """What an experiment does unless told otherwise.

    Attributes
    ----------
    configurations : in the order in which they run; fusions after what they join.
    galaxies : of the mock sky, where a workspace is empty. seeds : repetitions with other random draws.
    epochs : most of each network, None = its own. overrides : model -> settings that make it quicker.
    """

    name: str
    sentence: str
    configurations: tuple[Configuration, ...]
    galaxies: int = 3000
    seeds: int = 3
    epochs: int | None = None
    overrides: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

    def parted(self) -> tuple[list[Configuration], dict[str, str]]:
        """The configurations this version can run, with the overrides; and why the others cannot, by name.

        Of two that mean the same settings the later one stays: it says more.
        """
        missing = {c.name: c.unavailable for c in self.configurations if c.unavailable}
        ready = [replace(c, config={**c.config, **self.overrides.get(c.model, {})}) for c in self.configurations if not c.unavailable]
        return [c for k, c in enumerate(ready) if not any((c.model, c.settings) == (d.model, d.settings) for d in ready[k + 1 :])], missing


def _over_features(model: str) -> list[Configuration]:
    return [Configuration(f"{model} {m}", model, {"modalities": m}) for m in ("image", "spectrum", "photometry", "all")]


RULES = {"fusion_late mean": "mean", "fusion_late inverse variance": "inverse_variance", "fusion_late stacking": "stacking"}
_STUDY = (
    Configuration("mean", "mean"),
    *_over_features("linear"), *_over_features("random_forest"), *_over_features("boosted_trees"),
    *(Configuration(name, name) for name in ("photometry_mlp", "image_cnn", "image_bayesian_cnn", "spectrum_mlp", "spectrum_cnn")),
    Configuration("fusion_early", "fusion_early"), Configuration("fusion_latent", "fusion_latent"), Configuration("fusion_late", "fusion_late"),
    *(Configuration(name, "fusion_late", {"rule": rule}) for name, rule in RULES.items()),
)  # fmt: skip
PRESETS = {
    "study": Preset("study", "Every model of the study, alone and fused, on the same galaxies and labels.", _STUDY),
    "classical": Preset("classical", "The classical models only: minutes instead of an hour.", tuple(c for c in _STUDY if c.model in ("mean", "linear", "random_forest", "boosted_trees"))),
}  # fmt: skip
QUICK = {"galaxies": 400, "seeds": 1, "epochs": 3, "overrides": {"boosted_trees": {"trees": 30, "members": 3}, "random_forest": {"trees": 40}}}


def preset(name: str, is_quick: bool = False) -> Preset:
    """The preset called ``name``, or its quick variant: few galaxies, few epochs, one seed. Raises `NotFound` with the choices."""
    if name not in PRESETS:
        raise NotFound(f"There is no preset {name!r}. Choose one of {', '.join(PRESETS)}.")
    return replace(PRESETS[name], **QUICK) if is_quick else PRESETS[name]

