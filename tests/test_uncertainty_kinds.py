"""Four ways to be unsure, each told apart from the others by what it multiplies."""

import pytest

from core.errors import BadInput
from core.models.options import OPTIONS
from core.uncertainty.kinds import ANSWERS, kind_of


@pytest.mark.parametrize(("word", "counts"), [("heads", (7, 1, 0, 0)), ("ensemble", (1, 7, 0, 0)), ("mc_dropout", (1, 1, 7, 0)), ("last_layer", (1, 1, 0, 7))])
def test_kind_multiplies_heads_or_networks_or_passes_or_draws(word, counts):
    kind = kind_of(word, 7, "image_bayesian_cnn")
    assert (kind.heads, kind.networks, kind.passes, kind.draws) == counts


def test_kind_without_a_number_has_its_own():
    assert {word: kind_of(word, 0, "image_bayesian_cnn").members for word in OPTIONS["uncertainty"]} == ANSWERS
    assert kind_of("heads", 0, "spectrum_cnn", heads=4).heads == 4


def test_kind_that_does_not_exist_is_refused():
    with pytest.raises(BadInput, match="uncertainty must be one of heads, mc_dropout, ensemble, last_layer; got laplace, for model spectrum_cnn. Choose one of them"):
        kind_of("laplace", 0, "spectrum_cnn")
