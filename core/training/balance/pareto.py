"""MMPareto (Wei & Hu 2024, arXiv:2405.17730): a stream's own loss must not pull its encoder against the joint one."""

from collections.abc import Iterable, Sequence

import torch
from torch import nn


def min_norm(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The shortest vector between a and b, (p,): no step along it makes either loss worse, to first order.

    >>> min_norm(torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 1.0]))
    tensor([0.2000, 0.6000])
    """
    difference = b - a
    share = (b @ difference) / (difference @ difference).clamp(min=torch.finfo(a.dtype).tiny)
    return b - share.clamp(0, 1) * difference


def combined(joint: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
    """One gradient from that of the joint loss and that of a stream's own, (p,).

    Their sum where they agree. Where they conflict, the direction of `min_norm` with the length of the sum when it is
    longer: the short vector alone would lose the noise that makes stochastic descent generalise.
    """
    if joint @ own >= 0:
        return joint + own
    direction = 2 * min_norm(joint, own)
    length, wanted = direction.norm(), (joint + own).norm()
    return direction * (wanted / length) if 0 < length < wanted else direction


def backward(joint: torch.Tensor, own: torch.Tensor, encoders: Iterable[Sequence[nn.Parameter]], parameters: Sequence[nn.Parameter]) -> None:
    """Leave in every ``grad`` what the two losses ask together.

    Parameters
    ----------
    joint, own : scalar losses; ``own`` is the sum of the streams' losses, each of which touches one encoder.
    encoders : parameters of each stream's encoder; there the gradients are `combined`, everywhere else added.
    parameters : all that are fitted; their gradients are None before.
    """
    own.backward(retain_graph=True)
    kept = {p: p.grad for p in parameters}
    for p in parameters:
        p.grad = None
    joint.backward()
    shared = [[p for p in encoder if p.grad is not None and kept[p] is not None] for encoder in encoders]
    for encoder in filter(None, shared):
        _write(combined(_flat(p.grad for p in encoder), _flat(kept[p] for p in encoder)), encoder)
    done = {p for encoder in shared for p in encoder}
    for p in parameters:
        if p not in done and kept[p] is not None:
            p.grad = kept[p] if p.grad is None else p.grad + kept[p]


def _flat(gradients: Iterable[torch.Tensor]) -> torch.Tensor:
    return torch.cat([gradient.reshape(-1) for gradient in gradients])


def _write(flat: torch.Tensor, parameters: Sequence[nn.Parameter]) -> None:
    for p, part in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        p.grad.copy_(part.reshape(p.shape))
