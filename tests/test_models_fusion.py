"""Late fusion: what is joined, what is corrected, what is served."""

import numpy as np
import pytest

from core.columns import MODALITIES, TARGET_NAMES
from core.errors import BadInput, Cancelled
from core.models.base import Model
from core.models.fusion import BRANCHES, FusionLate
from core.models.joint_errors import WAYS, JointErrors, best_weights, combine, measure
from core.models.prediction import Inputs, Labels, Prediction
from core.training.holdout import carve
from core.training.session import Session

N = 600
Z, SFR = 0, 1
OTHER = [2, 4]
FREE = [Z, SFR, *OTHER]
"""Targets that are no percentiles: their values are not put in order."""


class Told(Model):
    """A branch that answers with its input, as far from the truth as it was told to be."""

    def __init__(self, modality: str, sigma_t: np.ndarray):
        self.modalities, self.sigma_t = (modality,), sigma_t

    def fit(self, inputs, labels, session):
        raise AssertionError("an adopted branch must not be fitted")

    def _predict(self, inputs, rng):
        mean = inputs.arrays[self.modalities[0]].astype(float)
        variance = np.broadcast_to(self.sigma_t**2, mean.shape)
        return Prediction(mean, 0.9 * variance, 0.1 * variance, None, mean[:, :2], TARGET_NAMES)

    def state(self):
        return {"sigma_t": self.sigma_t}

    def load_state(self, state):
        self.sigma_t = state["sigma_t"]


def sky(seed: int = 0) -> tuple[Inputs, np.ndarray, dict[str, Model]]:
    """Three branches of N galaxies: the image's error in SFR follows its error in z, the spectrum's z is nearly exact."""
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((N, 9)) * 0.5
    sigma = {"image": np.full(9, 0.3), "spectrum": np.full(9, 0.3), "photometry": np.full(9, 0.5)}
    sigma["spectrum"][Z] = 0.001
    error = {m: rng.standard_normal((N, 9)) * s for m, s in sigma.items()}
    error["image"][:, SFR] = 0.9 * error["image"][:, Z] + np.sqrt(1 - 0.81) * error["image"][:, SFR]
    arrays = {m: truth + e for m, e in error.items()}
    branches = dict(zip(BRANCHES, (Told(m, sigma[m]) for m in MODALITIES), strict=True))
    return Inputs(arrays, {m: np.ones(N, bool) for m in MODALITIES}), truth, branches


def labels_of(values: np.ndarray) -> Labels:
    return Labels(values, np.full(values.shape, np.nan), np.ones(len(values)), np.arange(len(values)), TARGET_NAMES)


@pytest.fixture(scope="module")
def fused() -> tuple[FusionLate, Inputs, np.ndarray]:
    """A fusion weighed on 150 or so held-out galaxies, asked about as many new ones."""
    inputs, truth, branches = sky()
    model = FusionLate()
    model.adopt(branches)
    model.fit(inputs, labels_of(truth), Session(seed=0, threads=1))
    fresh, fresh_truth, _ = sky(1)
    return model, fresh, fresh_truth


def rmse(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean((a - b) ** 2, axis=0))


def test_fusion_beats_every_branch(fused):
    model, inputs, truth = fused
    found = rmse(model.predict(inputs).mean, truth)
    assert found[Z] < 0.002 and (found[[SFR, *OTHER]] < 0.25).all()


def test_fusion_corrects_star_formation_with_the_better_redshift(fused):
    model, inputs, truth = fused
    found = rmse(model.predict(inputs).mean, truth)
    independent = 1 / np.sqrt(1 / 0.3**2 + 1 / 0.3**2 + 1 / 0.5**2)
    known_z = 1 / np.sqrt(1 / (0.3**2 * 0.19) + 1 / 0.3**2 + 1 / 0.5**2)
    assert found[OTHER] == pytest.approx(independent, rel=0.1)
    assert 0.9 * known_z < found[SFR] < 0.8 * independent


def test_fusion_is_as_sure_as_it_is_right(fused):
    model, inputs, truth = fused
    p = model.predict(inputs)
    inside = np.mean(np.abs(p.mean - truth) < p.sigma, axis=0)
    assert inside[FREE] == pytest.approx(0.68, abs=0.13)


def joined(how: str, **sigma: float) -> tuple[FusionLate, Inputs, np.ndarray]:
    """A fusion that joins in a certain way, asked about new galaxies; ``sigma`` : what a modality's branch says of its own errors, in units of them."""
    inputs, truth, branches = sky()
    for branch in branches.values():
        branch.sigma_t = branch.sigma_t * sigma.get(branch.modalities[0], 1.0)
    model = FusionLate(how=how)
    model.adopt(branches)
    model.fit(inputs, labels_of(truth), Session(seed=0, threads=1))
    return model, *sky(1)[:2]


@pytest.mark.parametrize("how", WAYS)
def test_every_way_is_as_sure_as_it_is_right_though_a_branch_boasts(how):
    model, inputs, truth = joined(how, spectrum=0.2)
    p = model.predict(inputs)
    assert np.mean(np.abs(p.mean - truth) < p.sigma, axis=0)[FREE] == pytest.approx(0.68, abs=0.13)


@pytest.mark.parametrize("how", [w for w in WAYS if w != "mean"])
def test_redshift_is_as_good_and_as_sure_as_the_spectrums(how):
    model, inputs, truth = joined(how, spectrum=0.3)
    p = model.predict(inputs)
    assert rmse(p.mean, truth)[Z] == pytest.approx(0.001, rel=0.1)
    assert np.median(p.sigma[:, Z]) == pytest.approx(0.001, rel=0.25)


def test_tenth_of_a_joint_variance_at_least_is_ignorance():
    errors = JointErrors(np.ones((1, 1)), np.eye(2)[None], np.eye(1)[None], np.ones(1), None)
    sure, unsure = (combine(np.zeros((1, 1, 1)), np.full((1, 1, 1), 1 - e), np.full((1, 1, 1), e), errors)[2][0, 0] for e in (1e-6, 0.4))
    assert (sure, unsure) == (pytest.approx(0.1), pytest.approx(0.4))


def test_average_weighs_all_branches_alike_and_stacking_the_better_more():
    averaged, inputs, _ = joined("mean")
    assert averaged.predict(inputs).mean[:, 2] == pytest.approx(np.mean([a[:, 2] for a in inputs.arrays.values()], axis=0))
    stacked, _, truth = joined("stacking")
    best = 1 / np.sqrt(1 / 0.3**2 + 1 / 0.3**2 + 1 / 0.5**2)
    assert rmse(stacked.predict(inputs).mean, truth)[OTHER] == pytest.approx(best, rel=0.1)
    assert rmse(averaged.predict(inputs).mean, truth)[OTHER] == pytest.approx(np.sqrt(0.3**2 + 0.3**2 + 0.5**2) / 3, rel=0.1)


def test_only_the_joint_way_lets_a_better_redshift_correct_star_formation():
    found = {how: rmse(model.predict(inputs).mean, truth)[SFR] for how in ("joint", "inverse_variance") for model, inputs, truth in [joined(how)]}
    assert found["joint"] < 0.8 * found["inverse_variance"]


def test_weights_of_stacking_are_those_of_least_variance_and_none_is_negative():
    assert best_weights(np.diag([1.0, 2.0, 2.0])) == pytest.approx([0.5, 0.25, 0.25])
    alike = np.array([[1.0, 1.9, 0], [1.9, 4.0, 0], [0, 0, 1.0]])
    assert best_weights(alike) == pytest.approx([0.5, 0, 0.5])


def test_fusion_refuses_a_way_that_does_not_exist():
    with pytest.raises(BadInput, match="how must be one of mean, inverse_variance, stacking, joint; got median, for model fusion_late. Choose one of them"):
        FusionLate(how="median")


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("modality", MODALITIES)
def test_fusion_of_one_modality_is_that_branch(how, modality):
    model, inputs, _ = joined(how)
    alone = Inputs(inputs.arrays, {m: np.full(N, m == modality) for m in MODALITIES})
    expected = model.branches[BRANCHES[MODALITIES.index(modality)]].predict(inputs)
    assert model.predict(alone).mean == pytest.approx(expected.mean, abs=1e-9)


@pytest.mark.parametrize("gone", MODALITIES)
@pytest.mark.parametrize("how", [w for w in WAYS if w != "mean"])
def test_fusion_of_two_modalities_is_no_worse_than_either(how, gone):
    model, inputs, truth = joined(how)
    found = rmse(model.predict(Inputs(inputs.arrays, inputs.present | {gone: np.zeros(N, bool)})).mean, truth)
    single = np.min([rmse(inputs.arrays[m], truth) for m in MODALITIES if m != gone], axis=0)
    assert (found < 1.02 * single)[FREE].all()


def test_fusion_without_any_modality_knows_the_labels_mean(fused):
    model, inputs, _ = fused
    nothing = Inputs(inputs.arrays, {m: np.zeros(N, bool) for m in MODALITIES})
    p = model.predict(nothing)
    assert np.ptp(p.mean[:, 1]) == 0 and abs(p.mean[0, 1]) < 0.1
    assert p.sigma[0, 1] > 0.4


def test_fusion_comes_back_from_its_state(fused):
    model, inputs, _ = fused
    revived, (_, _, branches) = FusionLate(), sky()
    revived.adopt(branches)
    revived.load_state(model.state())
    assert np.array_equal(revived.predict(inputs).mean, model.predict(inputs).mean)


def test_fusion_refuses_a_branch_it_does_not_have():
    with pytest.raises(BadInput, match="branch must be one of image_bayesian_cnn, spectrum_cnn, photometry_mlp; got linear"):
        FusionLate().adopt({"linear": Told("image", np.ones(9))})


def test_fusion_leaves_out_a_modality_that_nobody_has():
    inputs, truth, branches = sky()
    model = FusionLate()
    model.adopt(branches)
    model.fit(Inputs(inputs.arrays, inputs.present | {"spectrum": np.zeros(N, bool)}), labels_of(truth), Session(seed=0, threads=1))
    assert list(model.branches) == ["image_bayesian_cnn", "photometry_mlp"]
    assert np.isfinite(model.predict(inputs).mean).all()


def small() -> tuple[Inputs, Labels]:
    """Forty galaxies with all three modalities, of no meaning."""
    rng = np.random.default_rng(0)
    arrays = {
        "image": rng.standard_normal((40, 5, 64, 64)).astype(np.float16),
        "spectrum": rng.standard_normal((40, 2, 4620)).astype(np.float16),
        "photometry": rng.standard_normal((40, 19)).astype(np.float32),
    }
    values = rng.uniform(0.02, 0.1, (40, 9))
    return Inputs(arrays, {m: np.ones(40, bool) for m in MODALITIES}), labels_of(values)


class Stopped(Session):
    """Cancelled when the given number of epochs has been reported."""

    def __init__(self, after: int):
        super().__init__(seed=2, threads=1)
        self.after = after

    def check(self) -> None:
        if len(self.curves) == self.after:
            self.after = -1
            raise Cancelled("Job 1 was cancelled.")


def test_fusion_resumes_in_the_branch_where_it_stopped():
    inputs, labels = small()
    whole, broken, resumed = (FusionLate(epochs=2) for _ in range(3))
    whole.fit(inputs, labels, Session(seed=2, threads=1))
    session = Stopped(after=3)
    with pytest.raises(Cancelled):
        broken.fit(inputs, labels, session)
    resumed.fit(inputs, labels, session)
    assert all(np.array_equal(v, resumed.state()[k]) for k, v in whole.state().items())
    assert [epoch for epoch, _ in session.curves] == [0, 1, 2, 3, 4, 5]


def test_branches_hold_out_the_same_galaxies():
    inputs, labels = small()
    model = FusionLate(epochs=1)
    some = Inputs(inputs.arrays, inputs.present | {"image": np.arange(40) % 3 > 0})
    model.fit(some, labels, Session(seed=2, threads=1))
    held = carve(labels.group_n, 0.15, 2)
    for branch in model.branches.values():
        assert not (branch.held_n & ~held).any() and branch.held_n.any()


def test_measured_scale_makes_errors_unit_and_correlation_is_found():
    rng = np.random.default_rng(0)
    common = rng.standard_normal((4000, 1))
    truth = np.zeros((4000, 1))
    mean = np.stack([common + rng.standard_normal((4000, 1)), common + rng.standard_normal((4000, 1))])
    found = measure(mean, np.full(mean.shape, np.sqrt(0.5)), truth, None)
    assert found.scale_jt[:, 0] == pytest.approx(2.0, rel=0.07)
    assert found.pair_t4[0, 0, 1] == pytest.approx(0.5, abs=0.05)


def test_nothing_to_measure_means_calibrated_and_independent():
    found = measure(np.zeros((2, 0, 1)), np.ones((2, 0, 1)), np.zeros((0, 1)), 0)
    assert found.scale_jt.tolist() == [[1.0], [1.0]]
    assert found.pair_t4[0] == pytest.approx(np.eye(4))


def test_combination_of_two_is_the_inverse_variance_mean():
    errors = JointErrors(np.ones((2, 1)), np.eye(4)[None], np.eye(2)[None], np.ones(1), None)
    mean = np.array([[[1.0]], [[4.0]]])
    aleatoric = np.array([[[1.0]], [[4.0]]]) * 0.75
    found = combine(mean, aleatoric, aleatoric / 3, errors)
    assert found[0][0, 0] == pytest.approx(1.6)
    assert found[1][0, 0] + found[2][0, 0] == pytest.approx(0.8)
    assert found[2][0, 0] == pytest.approx(0.2)


def test_combination_serves_what_one_model_alone_says():
    errors = JointErrors(np.ones((2, 2)), np.stack([np.eye(4)] * 2), np.stack([np.eye(2)] * 2), np.ones(2), 0)
    mean = np.array([[[0.1, 1.0], [np.nan, 2.0]], [[np.nan, np.nan], [0.2, np.nan]]])
    found = combine(mean, np.where(np.isfinite(mean), 0.5, np.nan), np.where(np.isfinite(mean), 0.5, np.nan), errors)[0]
    assert found[0].tolist() == pytest.approx([0.1, 1.0])
    assert found[1, 0] == pytest.approx(0.2)
