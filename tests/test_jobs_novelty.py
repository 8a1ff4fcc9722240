"""How unlike anything labelled objects are, on points whose place is known."""

import numpy as np
import pytest

from core.data import mock_sky
from core.jobs import novelty as job
from core.jobs.inputs import load_inputs
from core.jobs.novelty import is_read, measured, novelty_of
from core.models.prediction import Inputs
from core.preprocess import features, spectrum

RNG = np.random.default_rng(0)
NEAR = RNG.standard_normal((300, 4)).astype(np.float32)
LABELLED = np.arange(310) < 200
ALL = np.ones(310, bool)


def points(*far) -> np.ndarray:
    """300 galaxies about the origin, of which 200 are labelled, and ten others."""
    return np.vstack([NEAR, np.resize(np.array(far, np.float32), (10, 4))])


def test_novelty_is_about_one_for_the_like_and_large_for_the_unlike():
    found = novelty_of([points([9, 9, 9, 9])], ALL, LABELLED, np.random.default_rng(0))
    assert found.dtype == np.float32 and np.median(found[200:300]) == pytest.approx(1.1, abs=0.2) and found[300:].min() > 5


def test_novelty_does_not_depend_on_the_units_of_a_feature():
    seen = points([9, 0, 0, 0])
    plain, scaled = (novelty_of([seen * unit], ALL, LABELLED, np.random.default_rng(0)) for unit in (1, [1e-6, 1, 1, 1e6]))
    assert plain == pytest.approx(scaled, rel=1e-3)


def test_novelty_hears_what_one_of_two_kinds_of_features_says():
    dull, telling = points([0, 0, 0, 0]), np.repeat(points([6, 6, 6, 6]), 20, axis=1)
    assert novelty_of([dull], ALL, LABELLED, np.random.default_rng(0))[300:].max() < 1
    assert novelty_of([dull, telling], ALL, LABELLED, np.random.default_rng(0))[300:].min() > 2


def test_novelty_of_what_the_model_does_not_read_is_unknown_and_teaches_nothing():
    is_read = np.arange(310) % 2 == 0
    found = novelty_of([points([9, 9, 9, 9])], is_read, LABELLED, np.random.default_rng(0))
    assert np.isnan(found[~is_read]).all() and np.isfinite(found[is_read]).all()


def test_missing_numbers_are_taken_for_typical_ones_and_constant_features_say_nothing():
    seen = np.column_stack([points([9, 0, 0, 0]), np.where(LABELLED, 5.0, 7.0), np.full(310, np.nan)])
    with_gap = seen.copy()
    with_gap[300:, 0] = np.nan
    assert novelty_of([seen], ALL, LABELLED, np.random.default_rng(0))[300:] == pytest.approx(novelty_of([seen[:, :4]], ALL, LABELLED, np.random.default_rng(0))[300:], rel=1e-3)
    assert novelty_of([with_gap], ALL, LABELLED, np.random.default_rng(0))[300:].max() < 1


def test_novelty_holds_galaxies_against_no_more_labels_than_it_may(monkeypatch):
    monkeypatch.setattr(job, "MOST_LABELS", 60)
    found = novelty_of([points([9, 9, 9, 9])], ALL, LABELLED, np.random.default_rng(0))
    assert found[300:].min() > 4 and np.median(found[200:300]) == pytest.approx(1.1, abs=0.25)


@pytest.mark.parametrize("blocks", [[], [np.zeros((310, 0))]])
def test_without_features_or_labels_nothing_is_known(blocks):
    assert np.isnan(novelty_of(blocks, ALL, LABELLED, np.random.default_rng(0))).all()
    assert np.isnan(novelty_of([points([9, 9, 9, 9])], ALL, np.arange(310) < 1, np.random.default_rng(0))).all()


def test_measured_features_are_those_of_the_modalities_that_are_read(tiny):
    inputs = load_inputs(tiny, [1, 2, 3], ("image", "photometry"))
    assert measured(inputs, ("image", "photometry")).shape == (3, sum(len(features.COLUMNS[m]) for m in ("image", "photometry"))) and measured(inputs, ()).shape == (3, 0)


def test_an_object_is_read_when_it_has_one_of_the_modalities():
    inputs = Inputs({}, {"image": np.array([True, False, False]), "photometry": np.array([False, True, False])})
    assert is_read(inputs, ("image", "photometry")).tolist() == [True, True, False] and is_read(inputs, ("image",)).tolist() == [True, False, False]
    assert not is_read(inputs, ()).any()


def test_stars_quasars_and_artefacts_of_the_mock_sky_are_newer_than_its_galaxies():
    chunk = mock_sky.part(0)
    kind = np.array([row["true_kind"] for row in chunk.objects["metadata"]])
    rows, spectra = chunk.arrays["spectrum"]
    present = np.isin(np.arange(len(kind)), rows)
    whole = np.zeros((len(kind), *spectra.shape[1:]), np.float32)
    whole[rows] = spectra
    inputs = Inputs({"spectrum": spectrum.model_input(whole, chunk.objects["ebv"].to_numpy())}, {"spectrum": present})
    is_galaxy = np.isin(kind, ("galaxy", "repeat"))
    labelled = is_galaxy & (np.arange(len(kind)) % 2 == 0)
    found = novelty_of([measured(inputs, ("spectrum",))], present, labelled, np.random.default_rng(0))
    strange, usual = found[~is_galaxy & present], found[is_galaxy & ~labelled & present]
    assert len(strange) >= 5 and (strange[:, None] > usual).mean() > 0.95
