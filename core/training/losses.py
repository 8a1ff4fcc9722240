"""The loss of every network: masked, weighted, balanced between task groups, aware of labels' own noise."""

import torch

from core.training.network import Network, Outputs, Targets

NOISE_VOTE = 0.1
"""Weight of learning the labels' stated sigma beside learning the labels."""


def loss(network: Network, outputs: Outputs, targets: Targets, weight_t: torch.Tensor, beta: float, warm: bool) -> torch.Tensor:
    """Mean over members and galaxies of `per_galaxy`; a scalar."""
    return per_galaxy(network, outputs, targets, weight_t, beta, warm).mean()


def stream_losses(network: Network, outputs: Outputs, targets: Targets, weight_t: torch.Tensor, beta: float, warm: bool) -> dict[str, torch.Tensor]:
    """Loss of what each stream of a joint network says by itself, by stream, in its order; scalars.

    Galaxies without the modality count 0. A stream that no galaxy of the batch has is left out.
    """
    own = {name: (rows, per_galaxy(network.streams[name], said, targets.at(rows), weight_t, beta, warm)) for name, (rows, said) in outputs.own.items()}
    return {name: losses.mean() * len(rows) / len(targets.value_bt) for name, (rows, losses) in own.items()}


def per_galaxy(network: Network, outputs: Outputs, targets: Targets, weight_t: torch.Tensor, beta: float, warm: bool) -> torch.Tensor:
    """Loss of the targets that each galaxy has, by each member.

    Parameters
    ----------
    weight_t : (T,), `core.training.standard.Standard.weight_t`.
    beta : of beta-NLL. warm : only the mean is fitted; the variance learns from it and does not steer it.

    Returns
    -------
    (m, b). What stands in ``value_bt`` where ``has_bt`` is 0 does not matter.
    """
    element = gaussian(outputs, targets, share(network, outputs), beta, warm)
    if network.own_targets:
        own = torch.zeros_like(element)
        own[..., list(network.own_targets)] = network.own_loss(outputs, targets)
        is_own = torch.zeros(element.shape[-1], device=element.device)
        is_own[list(network.own_targets)] = 1
        element = element * (1 - is_own) + own
    return (element * targets.has_bt * weight_t).sum(dim=-1) * targets.weight_mb


def gaussian(outputs: Outputs, targets: Targets, share_t: torch.Tensor, beta: float, warm: bool) -> torch.Tensor:
    """Loss of each member, galaxy and target, (m, b, T).

    The variance is the network's own plus what of the label's stated sigma shows up as scatter;
    where none is stated, what such a label would state. Catalogue sigmas of star formation are
    wider than the scatter between like galaxies, so their share is fitted, never above 1.
    """
    residual = targets.value_bt - outputs.mean_mbt
    squared = residual.detach() ** 2 if warm else residual**2
    stated = torch.where(targets.stated_bt > 0, targets.sigma_bt, outputs.lognoise_mbt.detach().exp())
    variance = outputs.logvar_mbt.exp() + (share_t * stated) ** 2
    likelihood = variance.detach() ** beta * 0.5 * (variance.log() + squared / variance)
    element = likelihood + 0.5 * residual**2 if warm else likelihood
    noise = (torch.where(targets.stated_bt > 0, targets.sigma_bt, 1.0).log() - outputs.lognoise_mbt) ** 2
    return element + NOISE_VOTE * noise * targets.stated_bt


def share(network: Network, outputs: Outputs) -> torch.Tensor:
    """Share of the stated sigma that counts as scatter, (T,), 0 to 1."""
    return log_share(network).exp()


def log_share(network: Network) -> torch.Tensor:
    """Its logarithm, (T,)."""
    return network.log_share_t.clamp(-5, 0)


def variance(network: Network, outputs: Outputs) -> torch.Tensor:
    """Predicted variance of a label, (m, b, T): the network's own and that of a typical label of such a galaxy."""
    return outputs.logvar_mbt.exp() + (share(network, outputs) * outputs.lognoise_mbt.exp()) ** 2
