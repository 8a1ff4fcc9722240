"""One loop for all networks: exact resumption, seeds, masks, early stopping."""

import numpy as np
import pytest
import torch

from core.columns import TARGET_NAMES
from core.errors import Cancelled
from core.models.networks.image import ImageBayesianCNN
from core.models.networks.photometry import PhotometryMLP
from core.models.prediction import Inputs, Labels
from core.models.registry import build
from core.training.loop import PREPARE_ROWS, prepared
from core.training.machine import Machine
from core.training.network import Network
from core.training.session import Session


def galaxies(n: int = 120, seed: int = 0) -> tuple[Inputs, Labels]:
    """Photometry that says redshift and star formation, two galaxies a sky group; half lack the SFR targets."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 19)).astype(np.float32)
    values = np.full((n, 9), np.nan)
    values[:, 0] = 0.1 + 0.03 * x[:, 0]
    values[::2, 1:] = x[::2, 1:2] + np.array([0, -2, 0, 0.05, -0.4, -0.8, 0.4, 0.8])
    sigma = np.where(np.isfinite(values), 0.05, np.nan)
    return Inputs({"photometry": x}, {"photometry": np.ones(n, bool)}), Labels(values, sigma, np.ones(n), np.arange(n) // 2, TARGET_NAMES)


def network(epochs: int = 12) -> PhotometryMLP:
    return PhotometryMLP(epochs, 32, 4e-3, 16, "ensemble", 3)


class Interrupted(Session):
    """Raises `Cancelled` at the given call of `check`, once."""

    def __init__(self, at: int, **settings):
        super().__init__(**settings)
        self.left = at

    def check(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Cancelled("Job 1 was cancelled.")


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("at", [1, 7, 30, 53])
def test_resumed_fit_has_the_weights_of_an_uninterrupted_one(at):
    inputs, labels = galaxies()
    whole, broken, session = network(), network(), Interrupted(at, seed=4, threads=1)
    whole.fit(inputs, labels, Session(seed=4, threads=1))
    with pytest.raises(Cancelled):
        broken.fit(inputs, labels, session)
    resumed = network()
    resumed.fit(inputs, labels, session)
    assert same(whole.state(), resumed.state())


def test_resumed_image_network_draws_the_same_dropout():
    rng = np.random.default_rng(0)
    inputs = Inputs({"image": rng.standard_normal((40, 5, 64, 64)).astype(np.float16)}, {"image": np.ones(40, bool)})
    _, labels = galaxies(40)
    whole, session = build("image_bayesian_cnn", {"epochs": 3}), Interrupted(5, seed=1, threads=1)
    whole.fit(inputs, labels, Session(seed=1, threads=1))
    with pytest.raises(Cancelled):
        build("image_bayesian_cnn", {"epochs": 3}).fit(inputs, labels, session)
    resumed = build("image_bayesian_cnn", {"epochs": 3})
    resumed.fit(inputs, labels, session)
    assert isinstance(whole, ImageBayesianCNN) and same(whole.state(), resumed.state())


def test_resuming_survives_a_file(tmp_path):
    from safetensors.numpy import load_file, save_file

    inputs, labels = galaxies()
    whole, session = network(), Interrupted(20, seed=4, threads=1)
    whole.fit(inputs, labels, Session(seed=4, threads=1))
    with pytest.raises(Cancelled):
        network().fit(inputs, labels, session)
    save_file({k: np.ascontiguousarray(v) for k, v in session.restore().items()}, tmp_path / "state.safetensors")
    later, resumed = Session(seed=4, threads=1), network()
    later.save(load_file(tmp_path / "state.safetensors"))
    resumed.fit(inputs, labels, later)
    assert same(whole.state(), resumed.state())


def test_state_of_another_fit_is_not_taken_up():
    inputs, labels = galaxies()
    session = Session(seed=4, threads=1)
    network(2).fit(inputs, labels, session)
    again, fresh = network(3), network(3)
    again.fit(inputs, labels, session)
    fresh.fit(inputs, labels, Session(seed=4, threads=1))
    assert same(again.state(), fresh.state())


def test_same_seed_same_weights_and_another_seed_others():
    inputs, labels = galaxies()
    fits = [network(3) for _ in range(3)]
    for model, seed in zip(fits, (1, 1, 2), strict=True):
        model.fit(inputs, labels, Session(seed=seed, threads=1))
    assert same(fits[0].state(), fits[1].state())
    assert not same(fits[0].state(), fits[2].state())


def test_fit_leaves_the_world_as_it_was():
    before = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    network(1).fit(*galaxies(20), Session(seed=1, threads=1))
    after = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    assert torch.equal(before[0], after[0]) and before[1:] == after[1:]


def test_galaxies_without_a_label_do_not_matter():
    inputs, labels = galaxies()
    blank = Labels(*(np.concatenate([a, np.full((30, *a.shape[1:]), fill)]) for a, fill in ((labels.values_nt, np.nan), (labels.sigma_nt, 9.0), (labels.weight_n, 1.0))),
                   np.concatenate([labels.group_n, np.arange(1000, 1030)]), TARGET_NAMES)
    more = Inputs({"photometry": np.concatenate([inputs.arrays["photometry"], np.full((30, 19), 7, np.float32)])}, {"photometry": np.ones(150, bool)})
    a, b = network(2), network(2)
    a.fit(inputs, labels, Session(seed=1, threads=1))
    b.fit(more, blank, Session(seed=1, threads=1))
    assert same(a.state(), b.state())


def test_sigma_of_a_missing_label_does_not_matter():
    inputs, labels = galaxies()
    wild = np.where(np.isfinite(labels.values_nt), labels.sigma_nt, 1e6)
    a, b = network(2), network(2)
    a.fit(inputs, labels, Session(seed=1, threads=1))
    b.fit(inputs, Labels(labels.values_nt, wild, labels.weight_n, labels.group_n, TARGET_NAMES), Session(seed=1, threads=1))
    assert same(a.state(), b.state())


def test_no_sky_group_is_both_fitted_and_held_out():
    inputs, labels = galaxies()
    model = network(1)
    model.fit(inputs, labels, Session(seed=3, threads=1))
    assert 0 < model.held_n.sum() < 60
    assert not set(labels.group_n[model.held_n]) & set(labels.group_n[~model.held_n])


def test_fit_reports_losses_rate_and_speed_of_each_epoch():
    session = Session(seed=1, threads=1)
    network(5).fit(*galaxies(), session)
    epochs = [epoch for epoch, _ in session.curves]
    assert epochs == list(range(5))
    assert all(set(v) == {"train_loss", "validation_loss", "learning_rate", "images_per_second"} for _, v in session.curves)
    assert session.curves[-1][1]["train_loss"] < session.curves[0][1]["train_loss"]
    assert session.curves[-1][1]["learning_rate"] < 0.1 * max(v["learning_rate"] for _, v in session.curves)


def test_cancel_stops_within_a_mini_batch():
    inputs, labels = galaxies()
    session = Interrupted(2, seed=1, threads=1)
    with pytest.raises(Cancelled):
        network().fit(inputs, labels, session)
    assert session.curves == []


def test_fit_overfits_a_handful():
    inputs, labels = galaxies(12)
    model = PhotometryMLP(200, 12, 8e-3, 64, "ensemble", 2)
    model.fit(inputs, labels[np.arange(12)], Session(seed=1, threads=1))
    fitted = ~model.held_n
    error = (model.predict(inputs).mean - labels.values_nt)[fitted]
    assert np.nanmax(np.abs(error[:, 0])) < 0.01 and np.nanmax(np.abs(error[:, 3])) < 0.3


def test_one_labelled_galaxy_is_enough_to_go_on():
    rng = np.random.default_rng(0)
    inputs = Inputs({"image": rng.standard_normal((1, 5, 64, 64)).astype(np.float16)}, {"image": np.ones(1, bool)})
    model = build("image_bayesian_cnn", {"epochs": 1})
    model.fit(inputs, galaxies(1)[1], Session(seed=1, threads=1))
    assert np.isfinite(model.predict(inputs).mean).all()


def test_weights_of_galaxies_pull_the_fit():
    inputs, labels = galaxies(200)
    values = np.full((200, 9), np.nan)
    values[:, 0] = np.where(np.arange(200) < 100, 0.1, 0.3)
    blind = Inputs({"photometry": np.zeros((200, 19), np.float32)}, inputs.present)
    weight = np.where(np.arange(200) < 100, 1.9, 0.1)
    model = network(30)
    model.fit(blind, Labels(values, np.full_like(values, np.nan), weight, np.arange(200), TARGET_NAMES), Session(seed=1, threads=1))
    assert model.predict(blind).mean[0, 0] == pytest.approx(0.11, abs=0.015)


class Doubling(Network):
    """Reads two arrays by name."""

    def prepare(self, inputs):
        return {"x": 2 * inputs["image"].float(), "has/image": inputs["has/image"].float()}

    def forward(self, batch):
        raise AssertionError("never asked")


def test_network_of_several_arrays_gets_them_by_name_in_order():
    n = PREPARE_ROWS + 5
    given = {"image": np.arange(n, dtype=np.float16)[:, None], "has/image": np.arange(n) % 2 == 0}
    batch = prepared(Doubling(1), given, Machine())
    assert batch["x"][:, 0].tolist() == (2.0 * np.arange(n)).tolist()
    assert batch["has/image"].tolist() == (np.arange(n) % 2 == 0).astype(float).tolist()
