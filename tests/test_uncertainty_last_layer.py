"""The last layer's posterior against the equations written out, and against a refit after labels were absorbed."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import BadInput
from core.uncertainty.last_layer import LastLayer, fit, prior_of

TARGETS = ("z", "sfr_tot_avg", "sfr_tot_entropy")


def labelled(n: int = 100, d: int = 7, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, values and noise variances; every fifth galaxy lacks the second target; the third is negative."""
    rng = np.random.default_rng(seed)
    features = rng.normal(3, 2, (n, d))
    noise = rng.uniform(0.05, 0.5, (n, 3)) ** 2
    values = features @ rng.normal(0, 0.3, (d, 3)) + [0.2, 1.0, -20.0] + rng.normal(0, np.sqrt(noise))
    values[::5, 1] = np.nan
    return features, values, noise


def direct(features, values, noise, prior, t):
    """Mean and covariance of one target's weights by the plain formula."""
    rows = np.column_stack([(features - prior.middle_d) / prior.length, np.ones(len(features))])
    precision, pull = prior.precision_t[t] * np.eye(rows.shape[1]), np.zeros(rows.shape[1])
    for row, value, variance in zip(rows, values[:, t] - prior.centre_t[t], noise[:, t], strict=True):
        if np.isfinite(value):
            precision, pull = precision + np.outer(row, row) / variance, pull + row * value / variance
    return np.linalg.solve(precision, pull), np.linalg.inv(precision), rows


def absorbed(posterior: LastLayer, features, values, noise, order) -> LastLayer:
    for i in order:
        posterior = posterior.absorb(features[i], values[i], noise[i])
    return posterior


def test_posterior_is_the_direct_solution():
    features, values, noise = labelled()
    posterior = fit(features, values, noise, TARGETS)
    said = posterior.predict(features, noise)
    for t in range(3):
        weights, covariance, rows = direct(features, values, noise, posterior.prior, t)
        assert posterior.weights_te[t] == pytest.approx(weights, rel=1e-8, abs=1e-10)
        assert said.mean[:, t] == pytest.approx(rows @ weights + posterior.prior.centre_t[t], rel=1e-8)
        assert said.epistemic[:, t] == pytest.approx(np.diag(rows @ covariance @ rows.T), rel=1e-8)
    assert np.array_equal(said.aleatoric, noise) and said.targets == TARGETS and said.samples_mnt is None


def test_absorbing_twenty_labels_is_a_refit_under_the_same_prior_in_whatever_order():
    features, values, noise = labelled(120)
    before = fit(features[:100], values[:100], noise[:100], TARGETS)
    after = fit(features, values, noise, TARGETS, before.prior)
    for order in (range(100, 120), range(119, 99, -1)):
        updated = absorbed(before, features, values, noise, order)
        assert np.allclose(updated.weights_te, after.weights_te, rtol=1e-8, atol=1e-10)
        assert np.allclose(updated.covariance_tee, after.covariance_tee, rtol=1e-8, atol=1e-12)
    assert not np.allclose(before.weights_te, after.weights_te, rtol=1e-3)


def test_expecting_a_batch_leaves_unknown_what_absorbing_it_does_and_moves_no_weight():
    features, values, noise = labelled(120)
    before = fit(features[:100], values[:100], noise[:100], TARGETS)
    coming = np.where(np.isfinite(values[100:]), noise[100:], np.inf)
    expected = before.expecting(features[100:], coming)
    assert np.allclose(expected.covariance_tee, absorbed(before, features, values, noise, range(100, 120)).covariance_tee, rtol=1e-7, atol=1e-12)
    assert np.array_equal(expected.weights_te, before.weights_te)


def test_absorbing_a_label_shrinks_ignorance_at_that_place_by_hand():
    features, values, noise = labelled()
    before = fit(features, values, noise, TARGETS)
    place, variance = features.mean(axis=0) + 5, np.array([0.04, 0.09, 0.01])
    old = before.predict(place, variance[None])
    new = before.absorb(place, old.mean[0] + [1.0, 1.0, np.nan], variance).predict(place, variance[None])
    share = old.epistemic[0] / (old.epistemic[0] + variance)
    assert new.epistemic[0, :2] == pytest.approx((old.epistemic[0] * (1 - share))[:2], rel=1e-9)
    assert (new.mean - old.mean)[0, :2] == pytest.approx(share[:2], rel=1e-9)
    assert new.mean[0, 2] == old.mean[0, 2] and new.epistemic[0, 2] == old.epistemic[0, 2]


def test_noisy_label_moves_the_model_less():
    features, values, noise = labelled()
    before = fit(features, values, noise, TARGETS)
    place = features[3]
    moved = [before.absorb(place, before.predict(place, noise[:1]).mean[0] + 1, np.full(3, v)).predict(place, noise[:1]).mean[0] for v in (0.01, 1.0)]
    assert (moved[0] > moved[1]).all()


def test_evidence_finds_the_strength_of_the_prior_that_made_the_weights():
    rng = np.random.default_rng(3)
    features = rng.normal(0, 1, (600, 150))
    weights = rng.normal(0, 0.5, 150)
    values = (features @ weights / np.sqrt(150) + rng.normal(0, 0.1, 600))[:, None]
    prior = prior_of(features, values, np.full((600, 1), 0.01), ("z",))
    assert prior.precision_t[0] == pytest.approx(1 / 0.5**2, rel=0.35)


def test_evidence_holds_weights_to_nothing_when_features_say_nothing():
    rng = np.random.default_rng(4)
    features, values = rng.normal(0, 1, (80, 40)), rng.normal(0, 1, (80, 1))
    said = fit(features, values, np.ones((80, 1)), ("z",)).predict(rng.normal(0, 1, (50, 40)), np.ones((50, 1)))
    assert np.abs(said.mean - values.mean()).max() < 0.2 and (said.epistemic < 0.1).all()


def test_fixed_ridge_is_taken_as_given_and_targets_keep_their_units():
    features, values, noise = labelled()
    prior = prior_of(features, values, noise, TARGETS, ridge=2.0)
    assert prior.precision_t == pytest.approx(2 / np.nanvar(values, axis=0))
    unit = np.array([1e-3, 1.0, 50.0])
    said, other = fit(features, values, noise, TARGETS).predict(features, noise), fit(features, values * unit, noise * unit**2, TARGETS).predict(features, noise)
    assert np.allclose(said.mean * unit, other.mean) and np.allclose(said.epistemic * unit**2, other.epistemic)


def test_samples_have_the_mean_and_the_epistemic_variance():
    features, values, noise = labelled(40)
    said = fit(features, values, noise, TARGETS).predict(features[:4], noise[:4], draws=4000, rng=np.random.default_rng(0))
    assert said.samples_mnt.shape == (4000, 4, 3)
    assert np.allclose(said.samples_mnt.mean(axis=0), said.mean, atol=4 * np.sqrt(said.epistemic / 4000))
    assert said.samples_mnt.var(axis=0) == pytest.approx(said.epistemic, rel=0.12)
    with pytest.raises(ValueError, match="needs a generator"):
        fit(features, values, noise, TARGETS).predict(features, noise, draws=2)


def test_ignorance_of_a_true_linear_model_is_calibrated_and_grows_away_from_labels():
    rng = np.random.default_rng(5)
    ratios = []
    for _ in range(60):
        features, weights = rng.normal(0, 1, (60, 20)), rng.normal(0, 1, 20)
        values = (features @ weights + rng.normal(0, 1, 60))[:, None]
        away = rng.normal(0, 1, (20, 20))
        said = fit(features, values, np.ones((60, 1)), ("z",)).predict(away, np.ones((20, 1)))
        ratios.append((said.mean[:, 0] - away @ weights) ** 2 / said.epistemic[:, 0])
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.15)
    near, far = fit(features, values, np.ones((60, 1)), ("z",)).predict(np.stack([0 * away[0], 5 * away[0]]), np.ones((2, 1))).epistemic[:, 0]
    assert far > 10 * near


def test_percentiles_of_the_posterior_never_cross():
    features, values, noise = labelled()
    said = fit(features, values[:, [0, 2, 0]], noise, ("z", "sfr_tot_median", "sfr_tot_p16")).predict(features, noise, draws=3, rng=np.random.default_rng(0))
    assert (said.mean[:, 2] <= said.mean[:, 1]).all() and (said.samples_mnt[..., 2] <= said.samples_mnt[..., 1]).all()


def test_posterior_refuses_what_it_cannot_rest_on():
    features, values, noise = labelled(10)
    with pytest.raises(BadInput, match="Latent features must be finite; got NaN or inf for 1, for row 4"):
        fit(np.where(np.arange(10)[:, None] == 4, np.nan, features), values, noise, TARGETS)
    with pytest.raises(BadInput, match="The noise variance of a label must be above 0 and finite; got 0"):
        fit(features, values, np.zeros_like(noise), TARGETS)
    with pytest.raises(BadInput, match="at least 2 labels of each target; got fewer, for sfr_tot_avg"):
        fit(features, np.where([False, True, False], np.nan, values), noise, TARGETS)
    posterior = fit(features, values, noise, TARGETS)
    with pytest.raises(BadInput, match="The noise variance of a label must be above 0 and finite; got nan"):
        posterior.absorb(features[0], values[1], np.full(3, np.nan))
    unlabelled = posterior.absorb(features[0], np.full(3, np.nan), np.full(3, np.nan))
    assert np.array_equal(unlabelled.weights_te, posterior.weights_te)


def test_target_without_a_label_can_be_learnt_under_a_prior_that_is_given():
    features, values, noise = labelled(30)
    prior = fit(features, values, noise, TARGETS).prior
    nothing = fit(features, np.full_like(values, np.nan), noise, TARGETS, prior)
    said = nothing.predict(features, noise)
    assert np.allclose(said.mean, prior.centre_t)
    assert np.allclose(absorbed(nothing, features, values, noise, range(30)).weights_te, fit(features, values, noise, TARGETS, prior).weights_te)
    assert replace(prior, length=1.0).rows(prior.middle_d).tolist() == [[0.0] * 7 + [1.0]]
