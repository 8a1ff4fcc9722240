"""One interface for all ways to be unsure: every network model gives mean, noise, ignorance and samples by each of them."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from core.columns import MODALITIES, TARGET_NAMES
from core.errors import BadInput, Cancelled
from core.models.options import OPTIONS
from core.models.prediction import Inputs
from core.models.registry import MODELS, build
from core.training.session import Session
from tests.test_models_registry import galaxies, labelled
from tests.test_training_loop import Interrupted, same

WORDS = OPTIONS["uncertainty"]
NETWORKS = [name for name, spec in MODELS.items() if "uncertainty" in spec.config]
SINGLE = ("image_bayesian_cnn", "photometry_mlp")
SHORT = {"epochs": 1, "members": 3}


def fitted(name: str, word: str, n: int = 24, **config):
    inputs, values = galaxies(n)
    known = {k: v for k, v in (SHORT | config).items() if k in MODELS[name].config}
    model = build(name, known | {"uncertainty": word})
    model.fit(inputs, labelled(values), Session(seed=1, threads=1))
    return model


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("name", NETWORKS)
def test_network_tells_noise_ignorance_and_samples_apart_and_survives_a_file(name, word):
    inputs, _ = galaxies(24)
    model = fitted(name, word)
    p = model.predict(inputs, np.random.default_rng(3))
    assert p.mean.shape == p.aleatoric.shape == p.epistemic.shape == (24, 9)
    assert (p.aleatoric > 0).all() and (p.epistemic >= 0).all() and (p.epistemic[:, 3] > 0).all()
    assert p.samples_mnt.shape == (3, 24, 9)
    if word != "last_layer":
        assert p.samples_mnt.mean(axis=0)[:, 0] == pytest.approx(p.mean[:, 0], rel=1e-5, abs=1e-7)
        assert p.samples_mnt.var(axis=0)[:, 0] == pytest.approx(p.epistemic[:, 0], rel=1e-4, abs=1e-12)
    revived = build(name, {k: v for k, v in SHORT.items() if k in MODELS[name].config} | {"uncertainty": word})
    revived.load_state(model.state())
    again = revived.predict(inputs, np.random.default_rng(3))
    assert np.array_equal(again.mean, p.mean) and np.array_equal(again.epistemic, p.epistemic)


@pytest.mark.parametrize("name", NETWORKS)
def test_ensemble_that_was_interrupted_goes_on_as_if_it_had_not_been(name):
    inputs, values = galaxies(16)
    whole, broken, resumed = (build(name, {"epochs": 2, "members": 2, "uncertainty": "ensemble"}) for _ in range(3))
    whole.fit(inputs, labelled(values), Session(seed=2, threads=1))
    session = Interrupted(3, seed=2, threads=1)
    with pytest.raises(Cancelled):
        broken.fit(inputs, labelled(values), session)
    resumed.fit(inputs, labelled(values), session)
    assert same(whole.state(), resumed.state())
    assert [e for e, _ in session.curves] == sorted({e for e, _ in session.curves})


def test_networks_of_an_ensemble_start_apart_and_hold_the_same_galaxies_out():
    model = fitted("image_bayesian_cnn", "ensemble", members=2)
    first, second = (dict(net.named_parameters())["mix.0.weight"].detach().numpy() for net in model._nets)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] < 0.1
    assert model.held_n.any()


def test_dropout_reaches_all_of_the_network_only_where_it_is_asked_for():
    dropped, heads = (fitted("image_bayesian_cnn", word)._nets[0] for word in ("mc_dropout", "heads"))
    assert [dropped.late[i].p for i in (0, 2, 4)] == [0.1] * 3 and dropped.dropout.p == 0.1
    assert heads.late[0].p == 0.0


@pytest.mark.parametrize("name", SINGLE)
def test_label_is_absorbed_without_retraining(name):
    model, (inputs, values) = fitted(name, "last_layer", epochs=3), galaxies(8, seed=9)
    before = model.predict(inputs)
    network = {k: v for k, v in model.state().items() if not k.startswith("posterior/")}
    model.absorb(inputs, labelled(values + 1.0))
    after = model.predict(inputs)
    assert (after.epistemic[:, 3] < before.epistemic[:, 3]).all()
    assert np.mean((values[:, 3] + 1 - after.mean[:, 3]) ** 2) < np.mean((values[:, 3] + 1 - before.mean[:, 3]) ** 2)
    assert same(network, {k: v for k, v in model.state().items() if not k.startswith("posterior/")})


def test_label_is_not_absorbed_where_there_is_no_posterior():
    inputs, values = galaxies(4)
    with pytest.raises(BadInput, match="uncertainty must be last_layer to learn without retraining; got heads, for PhotometryMLP. Train with last_layer first"):
        fitted("photometry_mlp", "heads").absorb(inputs, labelled(values))


def test_galaxy_that_is_not_seen_is_absorbed_by_nobody():
    model, (inputs, values) = fitted("photometry_mlp", "last_layer"), galaxies(4)
    before = model.state()
    model.absorb(Inputs(inputs.arrays, {m: np.zeros(4, bool) for m in MODALITIES}), labelled(values))
    assert same(before, model.state()) and TARGET_NAMES[3] in model._posterior.targets


def planted(n: int, seed: int) -> tuple[Inputs, np.ndarray, np.ndarray]:
    """Photometry whose first column says the value and whose second says how much noise was planted in the label, 0.03 to 0.6."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1.7, 1.7, (n, 19)).astype(np.float32)
    sigma = 0.135 * np.exp(0.88 * x[:, 1])
    return Inputs({"photometry": x}, {"photometry": np.ones(n, bool)}), np.sin(1.5 * x[:, 0]) + sigma * rng.standard_normal(n), sigma


def test_noise_follows_what_was_planted_and_ignorance_in_units_of_it_falls():
    (inputs, value, _), (asked, _, sigma) = planted(1500, 0), planted(400, 1)
    values = np.full((1500, 9), np.nan)
    values[:, 3] = value
    model = build("photometry_mlp", {"epochs": 20, "batch_size": 128, "uncertainty": "heads"})
    model.fit(inputs, labelled(values), Session(seed=0, threads=1))
    _, aleatoric, epistemic = model.predict(asked).of(TARGET_NAMES[3])
    followed = spearmanr(aleatoric, sigma).statistic
    assert followed > 0.8 and spearmanr(epistemic, sigma).statistic < 0.5 * followed
    assert spearmanr(epistemic / aleatoric, sigma).statistic < -0.2
    assert np.median(np.sqrt(aleatoric) / sigma) == pytest.approx(1, abs=0.4)
