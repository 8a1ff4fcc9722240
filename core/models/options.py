"""Settings of models that are one of a few words: the one list that models, experiments and the Train page read."""

from core.columns import MODALITIES
from core.errors import BadInput

OPTIONS: dict[str, tuple[str, ...]] = {
    "modalities": (*MODALITIES, "all"),
    "join": ("concatenated", "gated"),
    "how": ("mean", "inverse_variance", "stacking", "joint"),
}
"""Setting -> what it may be: which features a classical model reads, how latent features are joined, how late answers are."""


def option(setting: str, value: str, model: str) -> str:
    """``value`` when the setting may be that; raises `BadInput` with the choices.

    >>> option("join", "gated", "fusion_latent")
    'gated'
    """
    if value not in OPTIONS[setting]:
        raise BadInput(setting, f"be one of {', '.join(OPTIONS[setting])}", value, model, "Choose one of them")
    return value
