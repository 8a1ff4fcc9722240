"""From latent features to mean, log variance and label noise, by several members at once."""

import torch
from torch import nn
from torch.nn import functional

from core.training.network import Outputs
from core.training.standard import Standard

LOGVAR_RANGE = (-13.0, 4.0)
"""Of standardised targets: sigma from 0.0015 to 7 times the spread of the labels."""
FIRST_LOGVAR = -1.0
FACTOR_SPREAD = 0.5
"""Of the first factors of a member's inputs."""


class FastLayer(nn.Module):
    """A layer of m members: one matrix for all of them, and for each member a factor of every input and of every output.

    Each member's matrix is thus the shared one times a matrix of rank one (BatchEnsemble; Wen et al. 2020,
    arXiv:2002.06715; TabM, Gorishniy et al. 2025, arXiv:2410.24210). Factors about 1 tell the members apart from the start:
    random signs, which make the members differ more, left CRPS on the mock sky's images 9 % worse.

    Parameters
    ----------
    width, hidden : of inputs and outputs. members : m. spread : of the first factors of the inputs; 0 = a layer before has told the members apart.
    """

    def __init__(self, width: int, hidden: int, members: int, spread: float = FACTOR_SPREAD):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, hidden) * (2 / width) ** 0.5)
        self.input_m1d = nn.Parameter(1 + spread * torch.randn(members, 1, width))
        self.output_m1h = nn.Parameter(torch.ones(members, 1, hidden))
        self.bias_m1h = nn.Parameter(torch.zeros(members, 1, hidden))

    def forward(self, x_mbd: torch.Tensor) -> torch.Tensor:
        """(m, b, d), or (1, b, d) shared by the members, -> (m, b, h)."""
        return torch.matmul(x_mbd * self.input_m1d, self.weight) * self.output_m1h + self.bias_m1h


class Heads(nn.Module):
    """m heads side by side; each gives T means, log variances and log sigmas that labels state.

    Parameters
    ----------
    width : d, of the latent features. standard : of the targets. members : m.
    hidden : units of a layer before the linear one, its weights shared by the members (`FastLayer`); 0 = none.
    """

    def __init__(self, width: int, standard: Standard, members: int = 1, hidden: int = 0):
        super().__init__()
        count = len(standard.targets)
        self.layer = FastLayer(width, hidden, members) if hidden else None
        width = hidden or width
        self.weight_mdo = nn.Parameter(torch.randn(members, width, 3 * count) * 0.1 / width**0.5)
        noise = torch.from_numpy(standard.noise_t).clamp(min=1e-6).log().float()
        bias = torch.cat([torch.zeros(count), torch.full((count,), FIRST_LOGVAR), noise])
        self.bias_m1o = nn.Parameter(bias.expand(members, 1, 3 * count).clone())

    def forward(self, latent_mbd: torch.Tensor, features_bd: torch.Tensor) -> Outputs:
        """Latent (m, b, d), or (1, b, d) shared by the members, to `Outputs`; always in float32."""
        with torch.autocast(latent_mbd.device.type, enabled=False):
            latent = latent_mbd.float()
            latent = latent.expand(len(self.weight_mdo), -1, -1) if self.layer is None else functional.gelu(self.layer(latent))
            mean, logvar, lognoise = torch.baddbmm(self.bias_m1o, latent, self.weight_mdo).chunk(3, dim=-1)
        return Outputs(mean, logvar.clamp(*LOGVAR_RANGE), lognoise.clamp(-14, 3), features_bd.float(), {})
