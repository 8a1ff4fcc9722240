"""Settings of models that are one of a few words: the one list that models, experiments and the Train page read."""

from core.columns import MODALITIES
from core.errors import BadInput

OPTIONS: dict[str, tuple[str, ...]] = {
    "modalities": (*MODALITIES, "all"),
    "join": ("concatenated", "gated"),
    "uncertainty": ("heads", "mc_dropout", "ensemble", "last_layer"),
    "how": ("mean", "inverse_variance", "stacking", "joint"),
}
"""Setting -> what it may be: which features a classical model reads, how latent features are joined, where ignorance comes from, how late answers are joined."""

EXPLAINED: dict[str, str] = {
    "epochs": "Passes over the labelled galaxies; 0 leaves it to the model.",
    "batch_size": "Galaxies a step.",
    "learning_rate": "Longest stride of the optimiser, or the share of each tree's correction that is kept.",
    "uncertainty": "Where ignorance comes from. Heads: several on one network, one pass. Mc_dropout: one network asked often, other units left out. "
    "Ensemble: several networks. Last_layer: the posterior of the last layer, in closed form; it learns from a label at once.",
    "members": "How many answers differ from each other; their spread is the ignorance. For a network 0 leaves it to the kind of uncertainty.",
    "hidden": "Units of a hidden layer.",
    "dropout": "Share of channels or units left out at random.",
    "modalities": "Whose physical features are read.",
    "trees": "Of the forest, or corrections one after another.",
    "min_leaf": "Labelled galaxies in a leaf of a tree, at least.",
    "leaves": "Of a tree, at most.",
    "modality_dropout": "How often a galaxy's image, spectrum or photometry is withheld while fitting, so that the rest learns to do without it.",
    "join": "Concatenated: latent features side by side. Gated: each weighed by what all of them say.",
    "balance": "What is done so that no modality is neglected: none, auxiliary, mmpareto, dropout, guided or random; several joined by +.",
    "auxiliary": "How much each stream's own answer counts beside the joint one.",
    "reuse": "Take over networks that were fitted to the same labels with the same seed.",
    "how": "Joint: by what each is worth for the target and the redshift together. Inverse variance: for the target alone. Stacking: fixed weights. Mean: equal ones.",
}
"""Setting -> what it does, for a person."""


def option(setting: str, value: str, model: str) -> str:
    """``value`` when the setting may be that; raises `BadInput` with the choices.

    >>> option("join", "gated", "fusion_latent")
    'gated'
    """
    if value not in OPTIONS[setting]:
        raise BadInput(setting, f"be one of {', '.join(OPTIONS[setting])}", value, model, "Choose one of them")
    return value
