"""How a network comes to know what it does not know: four ways, and how many answers each makes.

All end in the same terms: several answers, whose mean variance is noise (aleatoric) and whose means' variance is ignorance (epistemic).
"""

from dataclasses import dataclass

from core.models.options import option

ANSWERS = {"heads": 16, "mc_dropout": 50, "ensemble": 5, "last_layer": 32}
"""Kind -> answers, where nobody says otherwise; 50 passes are the study's."""


@dataclass(frozen=True)
class Kind:
    """A way to be unsure.

    Attributes
    ----------
    word : one of `core.models.options.OPTIONS` of ``uncertainty``: ``heads``, members that share most of one network; ``mc_dropout``,
        one network asked again and again with other units left out; ``ensemble``, networks that share nothing;
        ``last_layer``, the posterior of one network's last layer in closed form.
    members : how many answers; 0 = as `ANSWERS` says.
    """

    word: str = "heads"
    members: int = 1

    @property
    def heads(self) -> int:
        """Members inside one network."""
        return self._count("heads")

    @property
    def networks(self) -> int:
        """Networks fitted one after another."""
        return self._count("ensemble")

    @property
    def passes(self) -> int:
        """Times that a network is asked with dropout on; 0 = once, with dropout off."""
        return self._count("mc_dropout", 0)

    @property
    def draws(self) -> int:
        """Functions drawn from the last layer's posterior; 0 = there is none."""
        return self._count("last_layer", 0)

    def _count(self, word: str, otherwise: int = 1) -> int:
        return self.members if self.word == word else otherwise


def kind_of(word: str, members: int, model: str, heads: int = ANSWERS["heads"]) -> Kind:
    """The kind that settings of ``model`` ask for; ``heads`` is how many the model has by default. Raises `BadInput` for another word.

    >>> kind_of("mc_dropout", 0, "image_cnn").passes, kind_of("heads", 3, "image_cnn").heads, kind_of("ensemble", 0, "image_cnn").heads
    (50, 3, 1)
    """
    answers = ANSWERS | {"heads": heads}
    return Kind(word, members or answers[option("uncertainty", word, f"model {model}")])
