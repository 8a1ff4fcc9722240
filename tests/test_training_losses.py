"""The loss, against numbers worked out by hand."""

import numpy as np
import pytest
import torch

from core.models.prediction import Labels
from core.training.losses import gaussian, loss, per_galaxy, stream_losses, variance
from core.training.network import Network, Outputs, Targets
from core.training.standard import standard_of


class Fixed(Network):
    """A network of no computation: its share of stated noise is 0.5."""

    def forward(self, batch):
        raise AssertionError("never asked")


def outputs(mean, logvar, lognoise=-9.0) -> Outputs:
    mean = torch.tensor(mean, dtype=torch.float32)
    return Outputs(mean, torch.full_like(mean, logvar), torch.full_like(mean, lognoise), torch.zeros(mean.shape[1], 1), {})


def targets(value, has, sigma=None, weight=None) -> Targets:
    value, has = torch.tensor(value, dtype=torch.float32), torch.tensor(has, dtype=torch.float32)
    sigma = torch.zeros_like(value) if sigma is None else torch.tensor(sigma, dtype=torch.float32)
    return Targets(value, has, sigma, (sigma > 0).float(), torch.ones(1, len(value)) if weight is None else torch.tensor(weight))


def test_likelihood_is_the_gaussian_one():
    found = gaussian(outputs([[[0.0]]], 0.0, -20.0), targets([[2.0]], [[1]]), torch.tensor([0.5]), beta=0.0, warm=False)
    assert float(found) == pytest.approx(0.5 * (0 + 4))


def test_beta_weighs_by_a_power_of_the_variance():
    half = gaussian(outputs([[[0.0]]], np.log(4.0), -20.0), targets([[2.0]], [[1]]), torch.tensor([0.5]), beta=0.5, warm=False)
    assert float(half) == pytest.approx(2 * 0.5 * (np.log(4) + 1), rel=1e-5)


def test_stated_sigma_adds_its_share_to_the_variance():
    found = gaussian(outputs([[[0.0]]], 0.0), targets([[2.0]], [[1]], [[2.0]]), torch.tensor([0.5]), beta=0.0, warm=False)
    noise = 0.1 * (np.log(2.0) + 9.0) ** 2
    assert float(found) == pytest.approx(0.5 * (np.log(2) + 4 / 2) + noise, rel=1e-4)


def test_warm_up_moves_the_mean_by_squared_error_alone():
    mean = torch.zeros(1, 1, 1, requires_grad=True)
    answer = Outputs(mean, torch.full((1, 1, 1), 2.0), torch.full((1, 1, 1), -20.0), torch.zeros(1, 1), {})
    gaussian(answer, targets([[3.0]], [[1]]), torch.tensor([0.5]), beta=0.5, warm=True).sum().backward()
    assert float(mean.grad) == pytest.approx(-3.0)


def test_value_behind_a_mask_does_not_matter():
    network, answer, weight = Fixed(2), outputs([[[0.0, 0.0]]], 0.0), torch.ones(2)
    a, b = (per_galaxy(network, answer, targets([[1.0, hidden]], [[1, 0]]), weight, 0.0, False) for hidden in (0.0, 99.0))
    assert torch.equal(a, b)


def test_loss_is_the_weighted_mean_over_members_and_galaxies():
    network, answer = Fixed(1), outputs([[[0.0], [0.0]], [[0.0], [0.0]]], 0.0, -20.0)
    labels = targets([[2.0], [4.0]], [[1], [1]], weight=[[1.0, 1.0], [2.0, 0.0]])
    assert float(loss(network, answer, labels, torch.ones(1), 0.0, False).detach()) == pytest.approx((2 + 8 + 2 * 2 + 0) / 4)


def test_task_groups_weigh_equally_however_many_targets_or_labels_they_have():
    values = np.full((10, 3), np.nan)
    values[:2, 0] = [0.1, 0.2]
    values[:, 1:] = 0.0
    labels = Labels(values, np.full((10, 3), np.nan), np.ones(10), np.arange(10), ("z", "sfr_tot_avg", "sfr_tot_median"))
    weight = standard_of(labels).weight_t
    total = weight * np.isfinite(values).sum(axis=0) / 10
    assert total == pytest.approx([0.5, 0.25, 0.25])


def test_target_without_a_label_has_no_vote():
    labels = Labels(np.array([[0.1, np.nan], [0.2, np.nan]]), np.full((2, 2), np.nan), np.ones(2), np.arange(2), ("z", "sfr_tot_avg"))
    assert standard_of(labels).weight_t.tolist() == [1.0, 0.0]


def test_predicted_variance_holds_what_a_typical_label_states():
    found = variance(Fixed(1), outputs([[[0.0]]], np.log(0.25), np.log(2.0)))
    assert float(found.detach()) == pytest.approx(0.25 + (0.5 * 2) ** 2, rel=1e-5)


def test_members_that_disagree_are_joined_with_their_spread():
    joined = outputs([[[1.0]], [[3.0]]], 0.0).joined()
    assert float(joined.mean_mbt) == 2.0
    assert float(joined.logvar_mbt.exp()) == pytest.approx(2.0)


def test_stream_losses_count_galaxies_without_the_modality_as_nothing():
    network = Fixed(1)
    network.streams["image"] = Fixed(1)
    seen = outputs([[[0.0]]], 0.0, -20.0)
    joint = outputs([[[0.0], [0.0]]], 0.0, -20.0)
    joint.own["image"] = torch.tensor([1]), seen
    found = stream_losses(network, joint, targets([[9.0], [2.0]], [[1], [1]]), torch.ones(1), 0.0, False)
    assert {name: float(value.detach()) for name, value in found.items()} == {"image": pytest.approx(2.0 / 2)}
