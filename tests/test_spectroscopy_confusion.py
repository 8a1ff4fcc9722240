"""One feature, two names: why two redshifts were read from one spectrum."""

import numpy as np
import pytest

from core.spectroscopy.confusion import WINDOW, confusions, sentence
from core.spectroscopy.lines import LINES, line


def shifted(name: str, wave: float) -> float:
    """The redshift at which a line falls at ``wave``."""
    return wave / line(name).wave - 1


@pytest.mark.parametrize(("first", "second", "wave"), [
    ("Halpha 6565", "[OIII] 5008", 8012.0), ("Halpha 6565", "[OII] 3727", 7400.0), ("[OII] 3727", "Lya 1216", 5600.0), ("[OIII] 5008", "Hbeta 4863", 6100.0),
    ("CIV 1549", "MgII 2800", 4600.0), ("Ca K 3935", "Ca H 3970", 4500.0), ("Hbeta 4863", "[OIII] 4960", 5500.0),
])  # fmt: skip
def test_confusions_names_the_pair_that_was_confused_first(first, second, wave):
    found = confusions(shifted(first, wave), shifted(second, wave))
    assert (found[0].first.name, found[0].second.name) == (first, second)
    assert found[0].wave == pytest.approx(wave) and found[0].apart_kms == pytest.approx(0, abs=1e-6)


def test_confusions_are_the_same_from_either_side():
    a, b = shifted("Halpha 6565", 8012), shifted("[OIII] 5008", 8012)
    there, back = confusions(a, b), confusions(b, a)
    assert [(p.first, p.second) for p in there] == [(p.second, p.first) for p in back]


def test_confusions_survive_a_reading_that_is_a_little_off_and_end_with_the_tolerance():
    a, b = shifted("Halpha 6565", 8012), shifted("[OIII] 5008", 8012)
    near, far = (confusions(a, (1 + b) * np.exp(kms / 299_792.458) - 1) for kms in (200, 400))
    assert near[0].is_likely and near[0].apart_kms == pytest.approx(200, abs=0.1)
    assert all((p.first.name, p.second.name) != ("Halpha 6565", "[OIII] 5008") for p in far)


def test_confusions_never_take_a_peak_for_a_dip():
    rng = np.random.default_rng(3)
    pairs = [p for a, b in rng.uniform(0, 1, (300, 2)) for p in confusions(a, b)]
    dips = {entry for entry in LINES if entry.group == "absorption"}
    assert pairs and all(p.first.name[0] == "H" for p in pairs if p.second in dips and p.first not in dips)
    assert all(WINDOW[0] <= p.wave <= WINDOW[1] for p in pairs)


def test_likely_confusions_are_rare_between_random_redshifts():
    found = [confusions(a, b) for a, b in np.random.default_rng(0).uniform(0, 1, (2000, 2))]
    likely, any_ = np.mean([any(p.is_likely for p in f) for f in found]), np.mean([bool(f) for f in found])
    assert 0.08 < likely < 0.14 and 0.27 < any_ < 0.35


def test_confusions_of_readings_that_share_no_feature_are_none():
    assert confusions(0.05, 0.0555) == []


def test_sentence_names_who_reads_what_and_where():
    found = confusions(shifted("Halpha 6565", 8012), shifted("[OIII] 5008", 8012))
    assert sentence(found[0], "Annie", "Cecilia") == "Annie reads Hα 6565, Cecilia reads [O III] 5008 at the same 8012 Å."
