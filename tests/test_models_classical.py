"""The classical models against closed forms, and the ordering of percentiles."""

import numpy as np
import pytest

from core.columns import TARGET_NAMES
from core.errors import Cancelled
from core.models.base import names_from_array, names_to_array
from core.models.classical import COMPONENTS, Eigenspectra, Physical, Scaling, label_groups, weighted_moments
from core.models.forest import _ask, _factor, _flatten
from core.models.linear import _evidence, _freedom
from core.models.percentiles import arranged, non_crossing
from core.models.prediction import Inputs, Labels, Prediction
from core.models.registry import build
from core.preprocess import features, photometry
from core.training.session import Session
from tests.test_models_registry import galaxies, labelled, quick

CLASSICAL = ("mean", "linear", "random_forest")


def _photometric(n: int, seed: int = 0) -> tuple[Inputs, np.ndarray]:
    """Photometry alone, and a redshift that is linear in the r magnitude with noise of 0.01."""
    rng = np.random.default_rng(seed)
    phot = np.stack([rng.uniform(15, 19, (n, 1)) + rng.normal(0, 0.3, (n, 5)), np.full((n, 5), 0.02)], axis=1)
    z = 0.1 + 0.03 * (phot[:, 0, 2] - 17) + rng.normal(0, 0.01, n)
    return Inputs({"photometry": photometry.model_input(phot)}, {"photometry": np.ones(n, dtype=bool)}), z


def _z_labels(z: np.ndarray, weight: np.ndarray | None = None) -> Labels:
    n = len(z)
    return Labels(z[:, None], np.full((n, 1), np.nan), np.ones(n) if weight is None else weight, np.arange(n), ("z",))


def test_non_crossing_sorts_percentiles_and_nothing_else():
    names = ("sfr_tot_p84", "z", "sfr_tot_p16", "sfr_tot_mode", "sfr_tot_median")
    crossing = np.array([[-1.0, 5.0, 0.5, 7.0, -0.5], [1.0, 5.0, -1.0, 7.0, 0.0]])
    assert non_crossing(crossing, names).tolist() == [[0.5, 5.0, -1.0, 7.0, -0.5], [1.0, 5.0, -1.0, 7.0, 0.0]]


def test_non_crossing_keeps_missing_percentiles_where_they_are():
    names = ("sfr_tot_p2p5", "sfr_tot_p16", "sfr_tot_median")
    assert non_crossing(np.array([[2.0, np.nan, 1.0]]), names)[0, [0, 2]].tolist() == [1.0, 2.0]
    assert np.isnan(non_crossing(np.array([[2.0, np.nan, 1.0]]), names)[0, 1])


def test_arranged_moves_variances_with_their_values_and_sorts_samples():
    names = ("sfr_tot_p16", "sfr_tot_median")
    out = arranged(Prediction(np.array([[0.0, -1.0]]), np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([[[5.0, 4.0]]]), None, names))
    assert (out.mean.tolist(), out.aleatoric.tolist(), out.epistemic.tolist()) == ([[-1, 0]], [[2, 1]], [[4, 3]])
    assert out.samples_mnt.tolist() == [[[4, 5]]]


def test_names_survive_as_numbers():
    packed = names_to_array(TARGET_NAMES)
    assert packed.dtype == np.uint8
    assert names_from_array(packed) == TARGET_NAMES


def test_weighted_moments_count_weights_and_skip_missing_values():
    mean, variance = weighted_moments(np.array([[-1.0, np.nan], [2.0, np.nan]]), np.array([2.0, 1.0]))
    assert (mean[0], variance[0]) == (0.0, 2.0)
    assert np.isnan(mean[1]) and np.isnan(variance[1])


def test_mean_predicts_the_weighted_mean_and_its_standard_error():
    inputs, _ = _photometric(3)
    model = build("mean")
    model.fit(inputs, _z_labels(np.array([-1.0, 2.0, np.nan]), np.array([2.0, 1.0, 1.0])), Session())
    prediction = model.predict(inputs)
    assert prediction.mean.ravel().tolist() == [0, 0, 0]
    assert prediction.aleatoric.ravel().tolist() == [2, 2, 2]
    assert prediction.epistemic.ravel().tolist() == [1, 1, 1]


def test_scaling_makes_medians_zero_and_keeps_missing_and_constant_features_at_zero():
    raw = np.column_stack([np.arange(101.0), np.full(101, 3.0), np.full(101, np.nan), np.r_[np.nan, np.arange(100.0)]])
    out = Scaling().fit(raw).apply(raw)
    assert out[[50, 84], 0].tolist() == [0, 1]
    assert not out[:, 1:3].any()
    assert out[0, 3] == 0
    assert np.abs(Scaling().fit(raw).apply(raw * 1e6)).max() <= 5


def test_label_groups_part_task_groups_and_different_gaps():
    values = np.ones((4, 9))
    values[0, TARGET_NAMES.index("sfr_tot_mode")] = np.nan
    values[:, TARGET_NAMES.index("sfr_tot_p16")] = np.nan
    groups = [(sorted(TARGET_NAMES[c] for c in columns), rows.tolist()) for columns, rows in label_groups(labelled(values))]
    assert (["z"], [0, 1, 2, 3]) in groups
    assert (["sfr_tot_mode"], [1, 2, 3]) in groups
    assert len(groups) == 3


def test_evidence_recovers_signal_and_noise():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 3))
    y = x @ np.array([0.6, -0.5, 0.0]) + rng.normal(0, 0.4, 2000)
    eigenvalues, basis = np.linalg.eigh(x.T @ x)
    solution, alpha, beta = _evidence(eigenvalues, basis.T @ (x.T @ y), y @ y, len(y))
    assert basis @ solution == pytest.approx([0.6, -0.5, 0.0], abs=0.03)
    assert beta**-0.5 == pytest.approx(0.4, rel=0.05)


def test_linear_finds_a_linear_law_its_noise_and_doubts_what_lies_outside():
    inputs, z = _photometric(600)
    model = build("linear", {"modalities": "photometry"})
    model.fit(inputs, _z_labels(z), Session())
    prediction = model.predict(inputs)
    assert np.sqrt(np.mean((prediction.mean[:, 0] - z) ** 2)) == pytest.approx(0.01, rel=0.15)
    assert prediction.aleatoric[0, 0] ** 0.5 == pytest.approx(0.01, rel=0.15)
    far = np.abs(inputs.arrays["photometry"][:, :5]).max(axis=1)
    assert prediction.epistemic[far.argmax(), 0] > 3 * prediction.epistemic[far.argmin(), 0]


@pytest.mark.parametrize("name", CLASSICAL)
def test_model_answers_with_one_label(name):
    inputs, z = _photometric(5)
    model = build(name)
    model.fit(inputs[:1], _z_labels(z[:1]), Session())
    prediction = model.predict(inputs)
    assert prediction.mean[:, 0] == pytest.approx(np.full(5, z[0]), abs=1e-6)
    assert np.isfinite(prediction.sigma).all()


@pytest.mark.parametrize("name", CLASSICAL)
def test_model_treats_negative_targets_like_positive_ones(name):
    inputs, values = galaxies(40)
    means = []
    for shift in (0, -50):
        model = quick(name)
        model.fit(inputs, labelled(values + shift), Session(seed=2, threads=1))
        means.append(model.predict(inputs).mean - shift)
    # Rounding decides between equally good splits of a forest.
    assert means[1] == pytest.approx(means[0], abs=0.06 if name == "random_forest" else 1e-4)


@pytest.mark.parametrize("name", CLASSICAL)
def test_model_answers_in_the_order_it_is_asked(name):
    inputs, values = galaxies(40)
    model = quick(name)
    model.fit(inputs, labelled(values), Session(seed=2, threads=1))
    order = np.random.default_rng(0).permutation(40)
    assert model.predict(inputs[order]).mean == pytest.approx(model.predict(inputs).mean[order], abs=1e-4)


@pytest.mark.parametrize("name", CLASSICAL[1:])
def test_model_gives_a_heavier_label_more_say(name):
    inputs, z = _photometric(200)
    z = np.where(np.arange(200) % 2, z, z + 0.3)
    bias = []
    for heavy in (0, 1):
        model = quick(name, modalities="photometry")
        model.fit(inputs, _z_labels(z, np.where(np.arange(200) % 2 == heavy, 1.9, 0.1)), Session(seed=0, threads=1))
        bias.append(model.predict(inputs).mean.mean())
    assert bias[0] - bias[1] > 0.2


def test_physical_features_mark_what_is_absent():
    inputs, _ = galaxies(3)
    inputs.present["spectrum"][1] = False
    raw = Physical(("spectrum", "photometry")).fit(inputs)
    d = len(features.COLUMNS["spectrum"])
    assert np.isnan(raw[1, :d]).all() and np.isfinite(raw[0, d : d + len(features.COLUMNS["photometry"])]).all()
    assert np.isnan(raw[1, -2 - COMPONENTS : -2]).all()
    assert raw[:, -2].tolist() == [1, 0, 1]
    assert np.isnan(Physical(("image",)).fit(inputs.only(("photometry",)))[:, :-1]).all()


def test_eigenspectra_find_the_directions_that_spectra_differ_in():
    rng = np.random.default_rng(0)
    shapes = np.linalg.qr(rng.standard_normal((40, 2)))[0].T
    wanted = rng.standard_normal((200, 2)) * [3.0, 1.0]
    spectra = (5 + wanted @ shapes).astype(np.float32)
    found = Eigenspectra().fit(spectra)
    coefficients = found.apply(spectra)
    assert found.mean_b == pytest.approx(spectra.mean(axis=0), abs=1e-5)
    assert np.abs(np.corrcoef(coefficients[:, 0], wanted[:, 0])[0, 1]) > 0.99
    assert coefficients[:, :2] @ found.component_kb[:2] + found.mean_b == pytest.approx(spectra, abs=1e-4)
    spectra[0] = np.nan
    assert np.isnan(found.apply(spectra)[0]).all() and np.isfinite(found.apply(spectra)[1]).all()


def test_eigenspectra_of_a_few_galaxies_leave_the_other_coefficients_missing():
    found = Eigenspectra().fit(np.array([[0.0, 1.0], [0.0, -1.0]], dtype=np.float32))
    assert np.isfinite(found.apply(np.ones((1, 2), dtype=np.float32))[0]).sum() == 2


def test_random_forest_learns_and_its_sigma_matches_its_errors():
    inputs, z = _photometric(900)
    model = build("random_forest", {"modalities": "photometry", "trees": 60})
    model.fit(inputs[:600], _z_labels(z[:600]), Session(seed=0, threads=1))
    prediction = model.predict(inputs[600:])
    error = prediction.mean[:, 0] - z[600:]
    assert np.sqrt(np.mean(error**2)) < 0.5 * z.std()
    assert np.mean(np.abs(error) < prediction.sigma[:, 0]) == pytest.approx(0.68, abs=0.1)


def test_random_forest_walks_its_trees_as_scikit_learn_does():
    from sklearn.ensemble import RandomForestRegressor

    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 6)).astype(np.float32)
    y = np.column_stack([x[:, 0] * x[:, 1], np.sin(x[:, 2])])
    weight = rng.uniform(0.5, 2, 200)
    forest = RandomForestRegressor(n_estimators=15, min_samples_leaf=3, random_state=0).fit(x, y, sample_weight=weight)
    flat = _flatten(forest, x, y, weight)
    assert _ask(flat, x)[0] == pytest.approx(forest.predict(x), abs=1e-6)
    leaf = forest.estimators_[0].apply(x)
    drawn = np.bincount(forest.estimators_samples_[0], minlength=200)
    here = leaf == leaf[0]
    spread = np.average((y[here] - np.average(y[here], axis=0, weights=drawn[here])) ** 2, axis=0, weights=drawn[here])
    assert flat["variance"][leaf[0]] == pytest.approx(spread, rel=1e-4)


def test_random_forest_stops_between_blocks_of_trees_when_cancelled():
    class Stopped(Session):
        def check(self) -> None:
            if len(self.curves) == 2:
                raise Cancelled("stopped")

    inputs, z = _photometric(60)
    session = Stopped(threads=1)
    with pytest.raises(Cancelled):
        build("random_forest", {"modalities": "photometry"}).fit(inputs, _z_labels(z), session)
    assert [epoch for epoch, _ in session.curves] == [10, 20]


def test_linear_is_not_bent_by_a_few_wild_redshifts():
    inputs, z = _photometric(600)
    wild = np.where(np.arange(600) % 40 == 0, z + 2.0, z)
    model = build("linear", {"modalities": "photometry"})
    model.fit(inputs, _z_labels(wild), Session())
    prediction = model.predict(inputs)
    assert np.median(np.abs(prediction.mean[:, 0] - z)) < 0.009
    assert prediction.aleatoric[0, 0] ** 0.5 == pytest.approx(0.01, rel=0.2)


def test_freedom_is_high_for_gaussian_noise_and_low_for_heavy_tails():
    rng = np.random.default_rng(0)
    assert _freedom(rng.standard_normal(5000) ** 2, np.ones(5000)) >= 16
    assert _freedom(rng.standard_t(2, 5000) ** 2, np.ones(5000)) == 2


def test_factor_makes_68_percent_of_errors_fit():
    errors = np.random.default_rng(0).normal(0, 3, 20_000) ** 2
    assert _factor(errors, np.ones(20_000), np.ones(20_000)) == pytest.approx(9, rel=0.05)
    assert _factor(errors, np.zeros(20_000), np.ones(20_000)) == 1
