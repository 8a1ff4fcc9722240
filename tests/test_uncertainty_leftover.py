"""What the last layer's posterior makes of what a network leaves over."""

import numpy as np
import pytest

from core.models.prediction import Prediction
from core.uncertainty.leftover import absorbed, of_residuals, refined

TARGETS = ("z", "sfr_tot_avg", "sfr_tot_median")


def told(n: int = 200, seed: int = 0) -> tuple[Prediction, np.ndarray]:
    """A network that misses 0.3 times its first feature in the second target, noise 0.1; the third target has no label."""
    rng = np.random.default_rng(seed)
    features = rng.normal(1, 1, (n, 4))
    mean = np.column_stack([features[:, 1], features[:, 2], features[:, 3]])
    values = mean + rng.normal(0, 0.1, mean.shape)
    values[:, 1] += 0.3 * features[:, 0]
    values[:, 2] = np.nan
    return Prediction(mean, np.full((n, 3), 0.01), np.full((n, 3), 0.5), np.stack([mean - 1, mean + 1]), features, TARGETS), values


def test_posterior_corrects_what_the_network_leaves_over():
    said, values = told()
    posterior = of_residuals(said, values)
    found = refined(posterior, said, 4, np.random.default_rng(0))
    assert posterior.targets == ("z", "sfr_tot_avg")
    assert np.std(found.mean[:, 1] - said.mean[:, 1] - 0.3 * said.features_nd[:, 0]) < 0.03
    assert np.sqrt(np.mean((values[:, 1] - found.mean[:, 1]) ** 2)) == pytest.approx(0.1, rel=0.1)


def test_posterior_leaves_targets_alone_that_it_does_not_know():
    said, values = told()
    found = refined(of_residuals(said, values, without=(0,)), said, 3, np.random.default_rng(0))
    for t in (0, 2):
        assert np.array_equal(found.mean[:, t], said.mean[:, t]) and np.array_equal(found.epistemic[:, t], said.epistemic[:, t])
        assert np.array_equal(found.samples_mnt[..., t], said.samples_mnt[[0, 1, 0], :, t])
    assert (found.epistemic[:, 1] < 0.01).all()
    assert np.array_equal(found.aleatoric, said.aleatoric)


def test_one_label_is_too_few_for_a_posterior():
    said, values = told(3)
    assert of_residuals(said, np.where(np.arange(3)[:, None] == 1, values, np.nan)) is None


def test_draws_scatter_as_the_ignorance_says_and_it_grows_away_from_the_labels():
    said, values = told()
    posterior = of_residuals(said, values)
    found = refined(posterior, said, 3000, np.random.default_rng(1))
    assert found.samples_mnt[..., :2].var(axis=0) == pytest.approx(found.epistemic[:, :2], rel=0.2)
    away = Prediction(said.mean[:1], said.aleatoric[:1], said.epistemic[:1], said.samples_mnt[:, :1], said.features_nd[:1] + 20, TARGETS)
    assert (refined(posterior, away, 2, np.random.default_rng(0)).epistemic[0, :2] > 20 * found.epistemic[:, :2].max(axis=0)).all()


def test_absorbing_labels_moves_the_answer_to_them():
    said, values = told(60)
    posterior = of_residuals(said, values)
    more, surprising = told(30, seed=1)
    later = absorbed(posterior, more, surprising + [0, 1.0, 0])
    before, after = (refined(p, more, 2, np.random.default_rng(0)) for p in (posterior, later))
    assert np.mean(after.mean[:, 1] - before.mean[:, 1]) > 0.15
    assert (after.epistemic[:, :2] < before.epistemic[:, :2]).all()
