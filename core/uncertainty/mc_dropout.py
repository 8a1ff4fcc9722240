"""Monte-Carlo dropout: the same network asked several times with other units left out.

Gal & Ghahramani 2016 (arXiv:1506.02142). The spread of the means is what more labels could
remove; draws come from torch's generator, so a seed set around the call fixes them.
"""

from dataclasses import replace

import torch
from torch import nn

from core.training.network import Batch, Network, Outputs

_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d)


@torch.no_grad()
def dropout_passes(network: Network, batch: Batch, count: int) -> Outputs:
    """Ask ``count`` times with dropout on and everything else as in prediction; 0 = once, with nothing left out.

    Returns
    -------
    Outputs whose first axis is the passes, or the members of the one answer; features are the mean over passes.
    """
    if not count:
        return network(batch)
    dropouts = [module for module in network.modules() if isinstance(module, _DROPOUTS)]
    before = [module.training for module in dropouts]
    for module in dropouts:
        module.train()
    answer = network.asking(batch)
    found = [answer() for _ in range(count)]
    for module, was in zip(dropouts, before, strict=True):
        module.train(was)
    return replace(network.together(found), features_bd=torch.stack([o.features_bd for o in found]).mean(dim=0))
