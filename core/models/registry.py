"""The one list of models. Looking at it imports neither torch nor scikit-learn; building does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module

from core.columns import MODALITIES
from core.errors import BadInput, NotFound
from core.models.base import Model


@dataclass(frozen=True)
class Spec:
    """A model that people can choose.

    Attributes
    ----------
    name : registry name. modalities : what it can read. kind : ``classical``, ``network`` or ``fusion``.
    sentence : what it is and when to use it.
    factory : ``module:callable``, imported when the model is built; called with ``config`` as keywords.
    config : every setting with its default; a setting that is not here is refused.
    """

    name: str
    modalities: tuple[str, ...]
    kind: str
    sentence: str
    factory: str
    config: Mapping[str, object] = field(default_factory=dict)

    def build(self, config: Mapping[str, object] | None = None) -> Model:
        """A fresh, unfitted model; settings not given take their defaults. Raises `BadInput` for an unknown one."""
        given = dict(config or {})
        unknown = sorted(set(given) - set(self.config))
        if unknown:
            choices = ", ".join(self.config) or "nothing: this model has no settings"
            raise BadInput("setting", f"be one of {choices}", ", ".join(unknown), f"model {self.name}", "Remove it or correct its name")
        module, attribute = self.factory.split(":")
        return getattr(import_module(module), attribute)(**{**self.config, **given})


_SPECS = (
    Spec("mean", (), "classical", "Says the labelled galaxies' mean and variance: what every other model must beat.", "core.models.classical:Mean"),
    Spec(
        "linear", MODALITIES, "classical", "Bayesian ridge regression on physical features; fast, and hard to fool.",
        "core.models.linear:Linear", {"modalities": "all"},
    ),
    Spec(
        "random_forest", MODALITIES, "classical", "Random forest on physical features; the strong classical baseline.",
        "core.models.forest:RandomForest", {"modalities": "all", "trees": 100, "min_leaf": 4},
    ),
    Spec(
        "boosted_trees", MODALITIES, "classical", "Gradient-boosted trees on physical features; slower than a forest and usually closer.",
        "core.models.boosted:BoostedTrees", {"modalities": "all", "trees": 120, "learning_rate": 0.08, "leaves": 15, "min_leaf": 10, "members": 5},
    ),
)
MODELS: dict[str, Spec] = {spec.name: spec for spec in _SPECS}


def spec(name: str) -> Spec:
    """The entry called ``name``; raises `NotFound` with the choices."""
    if name not in MODELS:
        raise NotFound(f"There is no model {name!r}. Choose one of {', '.join(MODELS)}.")
    return MODELS[name]


def build(name: str, config: Mapping[str, object] | None = None) -> Model:
    """A fresh, unfitted model by name; see `Spec.build`."""
    return spec(name).build(config)
