"""The one list of what can be done so that no modality is neglected while a network of several is fitted."""

from core.errors import BadInput

REMEDIES: dict[str, str] = {
    "none": "The joint loss alone.",
    "auxiliary": "Each stream is also fitted by what it says by itself.",
    "mmpareto": "As auxiliary, but where a stream's own gradient conflicts with the joint one, the two are reconciled (Wei & Hu 2024).",
    "dropout": "Now and then a stream's message is withheld, so that the others learn to do without it.",
    "guided": "The branch that learns from the others fastest must do without them for a while (Wu et al. 2022).",
    "random": "A branch drawn at random must do without the others for a step (Wu et al. 2022): the baseline of guided.",
}


def remedies_of(balance: str) -> frozenset[str]:
    """The remedies that a setting names, joined by ``+``; empty for none.

    >>> sorted(remedies_of("auxiliary+dropout")), remedies_of("none")
    (['auxiliary', 'dropout'], frozenset())
    """
    named = frozenset(balance.split("+"))
    unknown = sorted(named - set(REMEDIES))
    if unknown:
        raise BadInput("balance", f"name remedies among {', '.join(REMEDIES)}, joined by +", ", ".join(unknown), "this network", "Correct the name")
    if {"guided", "random"} <= named:
        raise BadInput("balance", "name only one of guided and random", balance, "this network", "Leave one out")
    return named - {"none"}
