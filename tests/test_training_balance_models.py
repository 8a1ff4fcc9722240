"""Latent fusion with a stream left out or asked alone."""

import numpy as np
import pytest

from core.columns import MODALITIES
from core.models.networks.latent import FusionLatent
from core.models.prediction import Inputs
from core.models.registry import build
from core.training.session import Session
from tests.test_models_latent import galaxies


@pytest.fixture(scope="module")
def fused() -> tuple[FusionLatent, Inputs]:
    inputs, labels = galaxies(24)
    model = build("fusion_latent", {"epochs": 1})
    model.fit(inputs, labels, Session(seed=1, threads=1))
    return model, inputs


def altered(inputs: Inputs, name: str) -> Inputs:
    return Inputs(inputs.arrays | {name: 0.5 * inputs.arrays[name]}, inputs.present)


@pytest.mark.parametrize("name", MODALITIES)
def test_answer_without_a_stream_does_not_depend_on_what_it_reads(fused, name):
    model, inputs = fused
    everybody = Inputs(inputs.arrays, {m: np.ones(len(inputs), bool) for m in MODALITIES})
    without = model.predict_without(everybody, (name,)).mean
    assert without == pytest.approx(model.predict_without(altered(everybody, name), (name,)).mean, abs=1e-6)
    assert not np.allclose(without, model.predict(everybody).mean)


@pytest.mark.parametrize("name", MODALITIES)
def test_answer_of_a_stream_alone_depends_on_nothing_else_and_is_missing_where_the_modality_is(fused, name):
    model, inputs = fused
    alone, others = model.predict_alone(inputs, name).mean, [m for m in MODALITIES if m != name]
    assert np.isnan(alone).all(axis=1).tolist() == (~inputs.present[name]).tolist()
    seen = inputs.present[name]
    assert np.array_equal(model.predict_alone(altered(altered(inputs, others[0]), others[1]), name).mean[seen], alone[seen])
