"""From latent features to mean, log variance and label noise, by several members at once."""

import torch
from torch import nn

from core.training.network import Outputs
from core.training.standard import Standard

LOGVAR_RANGE = (-13.0, 4.0)
"""Of standardised targets: sigma from 0.0015 to 7 times the spread of the labels."""
FIRST_LOGVAR = -1.0


class Heads(nn.Module):
    """m linear heads side by side; each gives T means, log variances and log sigmas that labels state.

    Parameters
    ----------
    width : d, of the latent features. standard : of the targets. members : m.
    """

    def __init__(self, width: int, standard: Standard, members: int = 1):
        super().__init__()
        count = len(standard.targets)
        self.weight_mdo = nn.Parameter(torch.randn(members, width, 3 * count) * 0.1 / width**0.5)
        noise = torch.from_numpy(standard.noise_t).clamp(min=1e-6).log().float()
        bias = torch.cat([torch.zeros(count), torch.full((count,), FIRST_LOGVAR), noise])
        self.bias_m1o = nn.Parameter(bias.expand(members, 1, 3 * count).clone())

    def forward(self, latent_mbd: torch.Tensor, features_bd: torch.Tensor) -> Outputs:
        """Latent (m, b, d), or (1, b, d) shared by the members, to `Outputs`; always in float32."""
        with torch.autocast(latent_mbd.device.type, enabled=False):
            latent = latent_mbd.float().expand(len(self.weight_mdo), -1, -1)
            mean, logvar, lognoise = torch.baddbmm(self.bias_m1o, latent, self.weight_mdo).chunk(3, dim=-1)
        return Outputs(mean, logvar.clamp(*LOGVAR_RANGE), lognoise.clamp(-14, 3), features_bd.float(), {})
