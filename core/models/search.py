"""What tuning may change of each model, and how far; what is not here keeps its default."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import BadInput


@dataclass(frozen=True)
class Span:
    """Numbers from ``low`` to ``high``, both included; whole ones when both are. ``is_log``: steps are factors."""

    low: float
    high: float
    is_log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    options: tuple[object, ...]


SPACES: dict[str, Mapping[str, Span | Choice]] = {
    "random_forest": {"trees": Choice((50, 100, 200)), "min_leaf": Span(1, 20, is_log=True)},
    "boosted_trees": {
        "trees": Span(60, 400, is_log=True), "learning_rate": Span(0.02, 0.2, is_log=True), "leaves": Span(4, 31, is_log=True), "min_leaf": Span(3, 40, is_log=True),
    },
    "photometry_mlp": {"learning_rate": Span(5e-4, 2e-2, is_log=True), "batch_size": Span(32, 1024, is_log=True), "hidden": Span(32, 256, is_log=True)},
    "image_bayesian_cnn": {"learning_rate": Span(5e-4, 1e-2, is_log=True), "batch_size": Span(16, 128, is_log=True), "dropout": Span(0.02, 0.3)},
    "image_cnn": {"learning_rate": Span(5e-4, 1e-2, is_log=True), "batch_size": Span(16, 128, is_log=True), "dropout": Span(0.02, 0.3)},
    "spectrum_mlp": {"learning_rate": Span(3e-4, 1e-2, is_log=True), "hidden": Span(48, 256, is_log=True), "dropout": Span(0.02, 0.5)},
    "spectrum_cnn": {"learning_rate": Span(5e-4, 1e-2, is_log=True), "batch_size": Span(16, 128, is_log=True)},
    "fusion_early": {"learning_rate": Span(3e-4, 1e-2, is_log=True), "hidden": Span(48, 256, is_log=True), "dropout": Span(0.02, 0.5)},
    "fusion_latent": {"learning_rate": Span(5e-4, 1e-2, is_log=True), "modality_dropout": Span(0.0, 0.4), "auxiliary": Span(0.1, 2.0, is_log=True)},
}  # fmt: skip
"""Registry name -> setting -> where to look for it."""


def space_of(model: str) -> Mapping[str, Span | Choice]:
    """What of a model can be tuned; raises `BadInput` for a model that has nothing."""
    if model not in SPACES:
        raise BadInput("The model to tune", f"be one of {', '.join(SPACES)}", model, "this tuning", "Choose one of them; the others have no settings worth a search")
    return SPACES[model]
