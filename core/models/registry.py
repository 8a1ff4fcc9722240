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
    sentence : what it is and when to use it. missing : what it says of a galaxy that lacks something it reads.
    factory : ``module:callable``, imported when the model is built; called with ``config`` as keywords.
    config : every setting with its default; a setting that is not here is refused.
    """

    name: str
    modalities: tuple[str, ...]
    kind: str
    sentence: str
    missing: str
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


_TYPICAL = "The typical value stands for a missing number, and a flag says that it does."
_NOTHING = "Without it: the labelled galaxies' mean, with their variance."
_SPECS = (
    Spec("mean", (), "classical", "Says the labelled galaxies' mean and variance: what every other model must beat.", "It reads nothing, so it misses nothing.", "core.models.classical:Mean"),
    Spec(
        "linear", MODALITIES, "classical", "Bayesian ridge regression on physical features; fast, and hard to fool.", _TYPICAL,
        "core.models.linear:Linear", {"modalities": "all"},
    ),
    Spec(
        "random_forest", MODALITIES, "classical", "Random forest on physical features; the strong classical baseline.", _TYPICAL,
        "core.models.forest:RandomForest", {"modalities": "all", "trees": 100, "min_leaf": 4},
    ),
    Spec(
        "boosted_trees", MODALITIES, "classical", "Gradient-boosted trees on physical features; slower than a forest and usually closer.", "Each tree has learned which way missing numbers go.",
        "core.models.boosted:BoostedTrees", {"modalities": "all", "trees": 120, "learning_rate": 0.08, "leaves": 15, "min_leaf": 10, "members": 5},
    ),
    Spec(
        "photometry_mlp", ("photometry",), "network", "Ensemble of small networks on magnitudes and colours; seconds to fit.", _NOTHING,
        "core.models.networks.photometry:PhotometryMLP", {"epochs": 0, "batch_size": 512, "learning_rate": 4e-3, "hidden": 96, "uncertainty": "ensemble", "members": 8},
    ),
    Spec(
        "image_bayesian_cnn", ("image",), "network", "Residual network on ugriz images; several heads on it say how unsure it is.", _NOTHING,
        "core.models.networks.image:ImageBayesianCNN", {"epochs": 0, "batch_size": 64, "learning_rate": 3e-3, "dropout": 0.1, "uncertainty": "heads", "members": 0},
    ),
    Spec(
        "image_cnn", ("image",), "network", "The same network asked once, with nothing left out: quicker, and it knows noise but not ignorance.", _NOTHING,
        "core.models.networks.image:ImageCNN", {"epochs": 0, "batch_size": 64, "learning_rate": 3e-3, "dropout": 0.1},
    ),
    Spec(
        "spectrum_mlp", ("spectrum",), "network", "The study's fully connected network on the 4620 samples; it knows no shift, so its redshifts are coarse.", _NOTHING,
        "core.models.networks.spectrum_mlp:SpectrumMLP",
        {"epochs": 0, "batch_size": 64, "learning_rate": 2e-3, "hidden": 128, "dropout": 0.4, "uncertainty": "heads", "members": 0},
    ),
    Spec(
        "spectrum_cnn", ("spectrum",), "network", "Finds the redshift with learned templates, then reads star formation in the rest frame.", _NOTHING,
        "core.models.networks.spectrum:SpectrumCNN", {"epochs": 0, "batch_size": 64, "learning_rate": 3e-3, "uncertainty": "heads", "members": 0},
    ),
    Spec(
        "fusion_early", MODALITIES, "fusion",
        "Joins pixels, samples and magnitudes in one row before anything is learned.", "Learned values stand for it, and a flag.",
        "core.models.networks.early:FusionEarly",
        {"epochs": 0, "batch_size": 64, "learning_rate": 2e-3, "modality_dropout": 0.35, "hidden": 128, "dropout": 0.4, "uncertainty": "heads", "members": 0},
    ),
    Spec(
        "fusion_latent", MODALITIES, "fusion", "Joins what a stream for each modality has found, and learns from all of them together.",
        "A learned value stands for it; one modality alone is answered by its stream.",
        "core.models.networks.latent:FusionLatent",
        {
            "epochs": 0, "batch_size": 64, "learning_rate": 3e-3, "join": "gated", "balance": "auxiliary+dropout", "modality_dropout": 0.15, "auxiliary": 1.0,
            "uncertainty": "heads", "members": 0,
        },
    ),
    Spec(
        "fusion_late", MODALITIES, "fusion", "Joins the three networks by what each is worth on held-out galaxies.", "The others decide; one alone gives its own answer.",
        "core.models.fusion:FusionLate", {"epochs": 0, "reuse": True, "how": "joint"},
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
