"""What every model of the registry promises, whatever it is made of."""

import subprocess
import sys

import numpy as np
import pytest

from core.columns import MODALITIES, TARGET_NAMES
from core.errors import BadInput, NotFound
from core.models.base import Model
from core.models.options import EXPLAINED
from core.models.percentiles import count_crossings
from core.models.prediction import Inputs, Labels, Prediction
from core.models.registry import MODELS, build, spec
from core.preprocess import image, photometry, spectrum
from core.training.session import Session

N = 48
QUICK = {"epochs": 2, "trees": 12}
"""Settings that make a fit short; each model takes those it knows."""
UNLABELLED = TARGET_NAMES.index("sfr_tot_entropy")


def quick(name: str, **config) -> Model:
    """A model by name with settings for a short fit."""
    known = spec(name).config
    return build(name, {k: v for k, v in QUICK.items() if k in known} | config)


def galaxies(n: int = N, seed: int = 0) -> tuple[Inputs, np.ndarray]:
    """Model inputs of n made-up galaxies whose brightness follows the first column returned, (n, 9) targets."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.02, 0.3, n)
    bright = (0.1 / z)[:, None, None, None]
    profile = np.exp(-((np.indices((64, 64)) - 31.5) ** 2).sum(0) / 30)
    images = bright * profile + rng.normal(0, 0.02, (n, 5, 64, 64))
    line = np.exp(-0.5 * ((spectrum.LOGLAM - np.log10(6564.614 * (1 + z))[:, None]) / 3e-4) ** 2)
    spectra = np.stack([bright[:, :, 0, 0] * (5 + 20 * line) + rng.normal(0, 1, (n, 4620)), np.ones((n, 4620))], axis=1)
    magnitudes = 17 + 5 * np.log10(z / 0.1)[:, None] + rng.normal(0, 0.02, (n, 5))
    ebv = np.full(n, 0.03)
    arrays = {
        "image": image.model_input(images, ebv),
        "spectrum": spectrum.model_input(spectra, ebv),
        "photometry": photometry.model_input(np.stack([magnitudes, np.full((n, 5), 0.02)], axis=1)),
    }
    offsets = np.array([0, -2, 0, 0.05, -0.4, -0.8, 0.4, 0.8])
    targets = np.column_stack([z, np.log10(z)[:, None] + offsets + rng.normal(0, 0.02, (n, 8))])
    return Inputs(arrays, {m: np.ones(n, dtype=bool) for m in MODALITIES}), targets


def labelled(values_nt: np.ndarray) -> Labels:
    """Labels of equal weight without stated noise, one sky group a galaxy."""
    n = len(values_nt)
    return Labels(values_nt, np.full(values_nt.shape, np.nan), np.ones(n), np.arange(n), TARGET_NAMES)


@pytest.fixture(scope="module")
def fitted() -> dict[str, tuple[Model, Prediction]]:
    """Each model, fitted once to labels with gaps: no entropy at all, no redshift for a third."""
    inputs, values = galaxies()
    values[:, UNLABELLED] = np.nan
    values[::3, 0] = np.nan
    models = {}
    for name in MODELS:
        model = quick(name)
        model.fit(inputs, labelled(values), Session(seed=1, threads=1))
        models[name] = (model, model.predict(inputs, np.random.default_rng(5)))
    return models


@pytest.mark.parametrize("name", MODELS)
def test_prediction_has_every_target_and_no_negative_variance(fitted, name):
    prediction = fitted[name][1]
    known = [t for t in range(9) if t != UNLABELLED]
    assert prediction.targets == TARGET_NAMES
    assert prediction.mean.shape == prediction.aleatoric.shape == prediction.epistemic.shape == (N, 9)
    assert np.isfinite(prediction.mean[:, known]).all()
    assert (prediction.aleatoric[:, known] >= 0).all() and (prediction.epistemic[:, known] >= 0).all()
    assert (prediction.sigma[:, known] > 0).all()


@pytest.mark.parametrize("name", MODELS)
def test_prediction_of_a_target_that_nobody_labelled_is_missing(fitted, name):
    assert np.isnan(fitted[name][1].mean[:, UNLABELLED]).all()


@pytest.mark.parametrize("name", MODELS)
def test_predicted_percentiles_never_cross(fitted, name):
    assert count_crossings(fitted[name][1].mean, TARGET_NAMES) == 0


@pytest.mark.parametrize("name", MODELS)
def test_prediction_repeats_itself_with_the_same_rng(fitted, name):
    model, before = fitted[name]
    again = model.predict(galaxies()[0], np.random.default_rng(5))
    assert np.array_equal(before.mean, again.mean, equal_nan=True)
    assert np.array_equal(before.epistemic, again.epistemic, equal_nan=True)


@pytest.mark.parametrize("name", MODELS)
def test_features_have_a_row_a_galaxy_and_no_missing_value(fitted, name):
    found = fitted[name][1].features_nd
    assert found is None or (found.ndim == 2 and len(found) == N and np.isfinite(found).all())


@pytest.mark.parametrize("name", [name for name, entry in MODELS.items() if entry.kind != "classical"])
def test_samples_scatter_about_the_mean_as_the_ignorance_says(fitted, name):
    p = fitted[name][1]
    for target in ("z", "sfr_tot_avg"):
        t = TARGET_NAMES.index(target)
        assert p.samples_mnt[..., t].mean(axis=0) == pytest.approx(p.mean[:, t], rel=1e-4, abs=1e-5)
        assert p.samples_mnt[..., t].var(axis=0) == pytest.approx(p.epistemic[:, t], rel=1e-3, abs=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_state_is_numbers_and_brings_the_model_back(fitted, name, tmp_path):
    from safetensors.numpy import load_file, save_file

    model, before = fitted[name]
    save_file({k: np.ascontiguousarray(v) for k, v in model.state().items()}, tmp_path / "weights.safetensors")
    revived = quick(name)
    revived.load_state(load_file(tmp_path / "weights.safetensors"))
    after = revived.predict(galaxies()[0], np.random.default_rng(5))
    assert after.targets == before.targets
    assert after.mean == pytest.approx(before.mean, nan_ok=True, rel=1e-4, abs=1e-4)
    assert after.aleatoric == pytest.approx(before.aleatoric, nan_ok=True, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_galaxies_without_a_modality_are_served(fitted, name):
    inputs, _ = galaxies(6)
    gone = {m: np.arange(6) % 3 == i for i, m in enumerate(MODALITIES)}
    arrays = {m: np.where(gone[m].reshape(-1, *[1] * (a.ndim - 1)), 0, a).astype(np.float32) for m, a in inputs.arrays.items()}
    prediction = fitted[name][0].predict(Inputs(arrays, {m: ~gone[m] for m in MODALITIES}))
    assert np.isfinite(prediction.mean[:, 0]).all()


@pytest.mark.parametrize("name", MODELS)
def test_fit_without_a_label_is_refused_with_a_sentence(name):
    inputs, values = galaxies(4)
    with pytest.raises(BadInput, match="labels must hold at least one value; got none, for 4 galaxies. Label a few galaxies first"):
        quick(name).fit(inputs, labelled(np.full_like(values, np.nan)), Session(threads=1))


@pytest.mark.parametrize("name", MODELS)
def test_spec_describes_itself(name):
    entry = MODELS[name]
    assert entry.name == name
    assert entry.kind in ("classical", "network", "fusion")
    assert set(entry.modalities) <= set(MODALITIES)
    assert entry.sentence.endswith(".")
    assert set(build(name).modalities) <= set(entry.modalities)


def test_build_names_the_choices_when_there_is_no_such_model():
    with pytest.raises(NotFound, match=f"There is no model 'forest'. Choose one of {', '.join(MODELS)}."):
        build("forest")


def test_build_refuses_a_setting_it_does_not_know():
    with pytest.raises(BadInput, match="setting must be one of modalities, trees, min_leaf; got tress, for model random_forest"):
        build("random_forest", {"tress": 10})


def test_build_refuses_a_modality_it_does_not_know():
    with pytest.raises(BadInput, match="modalities must be one of image, spectrum, photometry, all; got radio"):
        build("linear", {"modalities": "radio"})


def test_listing_models_imports_neither_torch_nor_scikit_learn():
    code = "import sys, core.models.registry as r; assert r.MODELS; print([m for m in ('torch', 'sklearn', 'streamlit', 'sqlite3') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_every_setting_of_every_model_is_explained_and_nothing_else():
    assert {setting for spec in MODELS.values() for setting in spec.config} == set(EXPLAINED)
