"""Monte-Carlo dropout: the same network asked several times with other units left out.

Gal & Ghahramani 2016 (arXiv:1506.02142). The spread of the means is what more labels could
remove; draws come from torch's generator, so a seed set around the call fixes them.
"""

from collections.abc import Callable

import torch
from torch import nn

from core.training.network import Outputs

_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d)


def dropout_passes(network: nn.Module, answer: Callable[[], Outputs], count: int) -> Outputs:
    """Ask ``count`` times with dropout on and everything else as in prediction.

    Returns
    -------
    Outputs whose first axis is the passes; features are the mean over passes.
    """
    dropouts = [module for module in network.modules() if isinstance(module, _DROPOUTS)]
    before = [module.training for module in dropouts]
    for module in dropouts:
        module.train()
    found = [answer() for _ in range(count)]
    for module, was in zip(dropouts, before, strict=True):
        module.train(was)
    joined = (torch.cat([getattr(o, name) for o in found]) for name in ("mean_mbt", "logvar_mbt", "lognoise_mbt"))
    return Outputs(*joined, torch.stack([o.features_bd for o in found]).mean(dim=0), {})
