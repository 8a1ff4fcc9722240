"""Redshift and star formation from a spectrum: a learned matched filter, then a look at the rest frame."""

import math

import torch
from scipy.fft import next_fast_len
from torch import nn
from torch.nn import functional

from core.models.networks.heads import LOGVAR_RANGE, Heads
from core.models.networks.model import NetworkModel
from core.preprocess.spectrum import LOGLAM, STEP
from core.training.network import Network, Outputs, Targets
from core.training.plan import Plan
from core.training.standard import Standard

STRIDE = 2
BIN = STRIDE * STEP
"""log10(1+z) of one bin of the redshift grid: 138 km/s; the redshift is refined inside the bin."""
PIXELS = len(LOGLAM) // STRIDE
NEAR = 3
"""Bins on either side of the peak that the refinement averages over."""
SIGNIFICANCE_LIMIT = 5.0


class Templates(nn.Module):
    """Rest-frame templates, found by their likeness to the spectrum at every redshift of a grid at once.

    A redshift is a shift in log lambda, so the score of all redshifts is one cross-correlation,
    done by FFT. What is learned at one redshift holds at all.

    Parameters
    ----------
    channels : of the features that are compared. shifts : bins of the redshift grid.
    members, kinds : each member has so many templates; the likelier of them count.
    """

    def __init__(self, channels: int, shifts: int, members: int, kinds: int):
        super().__init__()
        self.members, self.kinds, self.shifts = members, kinds, shifts
        self.length = PIXELS + shifts - 1
        self.fft = next_fast_len(self.length, real=True)
        self.rest_kcl = nn.Parameter(torch.randn(members * kinds, channels, self.length) * 0.01)
        self.bias_k1 = nn.Parameter(torch.zeros(members * kinds, 1))

    def forward(self, features_bcp: torch.Tensor) -> torch.Tensor:
        """log p of every bin of log10(1+z), lowest first, by each member: (b, c, p) -> (m, b, shifts)."""
        spectrum = torch.fft.rfft(features_bcp, self.fft)
        template = torch.fft.rfft(self.rest_kcl, self.fft)
        product = torch.einsum("bcf,kcf->bkf", spectrum.conj(), template)
        lags = torch.fft.irfft(product, self.fft)[..., : self.shifts].flip(-1)
        score = (lags + self.bias_k1).unflatten(1, (self.members, self.kinds)).logsumexp(dim=2)
        return score.log_softmax(dim=-1).transpose(0, 1)


class MatchedFilter(Network):
    """Features, matched filter, spectrum in the rest frame of the likeliest redshift, heads.

    Parameters
    ----------
    standard : of the targets; the redshift grid spans its labels with a margin.
    members : matched filters and heads, each fitted to its own bootstrap weights.
    """

    def __init__(self, standard: Standard, members: int = 4, kinds: int = 3, channels: int = 12, hidden: int = 64, dropout: float = 0.2):
        super().__init__(len(standard.targets))
        self.members = members
        self.z_column = _labelled_z(standard)
        self.own_targets = () if self.z_column is None else (self.z_column,)
        self.shifts, self.first = _grid(standard, self.z_column)
        self._centre, self._scale = (0.0, 1.0) if self.z_column is None else (float(standard.centre_t[self.z_column]), float(standard.scale_t[self.z_column]))
        self.features = nn.Sequential(nn.Conv1d(3, channels, 9, padding=4), nn.GELU(), nn.Conv1d(channels, channels, 5, padding=2))
        self.templates = Templates(channels + 1, self.shifts, members, kinds)
        self.rest = nn.Sequential(
            nn.Conv1d(3, 16, 5, 2, 2), nn.GELU(), nn.Conv1d(16, 24, 5, 3, 2), nn.GELU(), nn.Conv1d(24, 16, 5, 2, 2), nn.GELU(), nn.Flatten(), nn.Dropout(dropout)
        )
        with torch.no_grad():
            width = self.rest(torch.zeros(1, 3, self.templates.length)).shape[1]
        self.look = nn.Linear(width, hidden)
        self.mix_mdh = nn.Parameter(torch.randn(members, hidden + 11, hidden) / (hidden + 11) ** 0.5)
        self.heads = Heads(hidden, standard, members)
        self.register_buffer("loglam1z_s", self.first + BIN * torch.arange(self.shifts), persistent=False)

    def forward(self, batch: torch.Tensor) -> Outputs:
        views = _views(batch.float())
        log_p = self.templates(torch.cat([views[:, :1], self.features(views)], dim=1) / PIXELS**0.5)
        shift = log_p.detach().logsumexp(dim=0).argmax(dim=-1) if self.own_targets else torch.zeros(len(batch), dtype=torch.long, device=batch.device)
        latent = functional.gelu(self.look(self.rest(self._rest_frame(views, shift))))
        seen = torch.cat([latent, self._scalars(views, log_p, shift)], dim=1)
        h = functional.gelu(torch.matmul(seen, self.mix_mdh))
        outputs = self.heads(h, latent)
        outputs.extra["log_p"] = log_p
        return self._with_z(outputs, log_p) if self.own_targets else outputs

    def own_loss(self, outputs: Outputs, targets: Targets) -> torch.Tensor:
        """Cross-entropy with the two bins around the labelled redshift, (m, b, 1); of the members' mixture when they are joined."""
        log_p = outputs.extra["log_p"]
        if len(outputs.mean_mbt) < len(log_p):
            log_p = log_p.logsumexp(dim=0, keepdim=True) - math.log(len(log_p))
        z = targets.value_bt[:, self.z_column] * self._scale + self._centre
        place = ((torch.log10(1 + z.clamp(min=-0.5)) - self.first) / BIN).clamp(0, self.shifts - 1.001)
        low = place.long()
        part = place - low
        take = lambda index: log_p.gather(2, index.expand(len(log_p), -1)[..., None])[..., 0]  # noqa: E731
        return -((1 - part) * take(low) + part * take(low + 1))[..., None]

    def _with_z(self, outputs: Outputs, log_p: torch.Tensor) -> Outputs:
        """Put the redshift's mean and variance, from the members' distributions over the grid, among the outputs.

        The estimate is the peak of the members' mixture, refined over its neighbours. Members
        differ from it as their expectations differ from each other; that is the ignorance.
        """
        z_s = 10**self.loglam1z_s - 1
        p = log_p.exp()
        expected = (p * z_s).sum(-1)
        spread = (p * z_s**2).sum(-1) - expected**2
        mixture = p.mean(dim=0)
        near = (torch.arange(self.shifts, device=p.device) - mixture.argmax(-1, keepdim=True)).abs() <= NEAR
        peak = torch.where(near, mixture, 0)
        point = (peak * z_s).sum(-1) / peak.sum(-1)
        mean = point + expected - expected.mean(dim=0)
        variance = spread + (expected.mean(dim=0) - point) ** 2 + (BIN * math.log(10)) ** 2 / 12
        column = torch.arange(outputs.mean_mbt.shape[-1], device=p.device) == self.z_column
        outputs.mean_mbt = torch.where(column, ((mean - self._centre) / self._scale)[..., None], outputs.mean_mbt)
        outputs.logvar_mbt = torch.where(column, (variance / self._scale**2).clamp(min=math.exp(2 * LOGVAR_RANGE[0])).log()[..., None], outputs.logvar_mbt)
        return outputs

    def _rest_frame(self, views: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        """Significance, brightness at unit distance and coverage by rest wavelength, (b, 3, length)."""
        z = 10 ** self.loglam1z_s[shift] - 1
        distance = 2 * (z.clamp(min=1e-3) * (1 + z / 4)).log()[:, None] + 5
        covered = views[:, 2]
        held = torch.stack([views[:, 0], (views[:, 1] + distance) * covered / 3, covered], dim=1)
        padded = functional.pad(held, (self.shifts - 1, self.shifts - 1))
        index = torch.arange(self.templates.length, device=shift.device) + shift[:, None]
        return padded.gather(2, index[:, None].expand(-1, 3, -1))

    def _scalars(self, views: torch.Tensor, log_p: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        z = 10 ** self.loglam1z_s[shift] - 1
        level = functional.adaptive_avg_pool1d(views[:, 1:2], 8)[:, 0] / 3
        sure = log_p.detach().exp().mean(dim=0).max(dim=-1).values
        return torch.cat([z.clamp(min=1e-3).log()[:, None] + 2.5, 5 * z[:, None], sure[:, None], level], dim=1)


def _views(batch: torch.Tensor) -> torch.Tensor:
    """Two pixels in one: significance, level, coverage; (b, 2, 4620) -> (b, 3, 2310)."""
    significance = batch[:, 0].clamp(-SIGNIFICANCE_LIMIT, SIGNIFICANCE_LIMIT)
    covered = (batch[:, 1] != 0).float()
    return functional.avg_pool1d(torch.stack([significance, batch[:, 1], covered], dim=1), STRIDE)


def _labelled_z(standard: Standard) -> int | None:
    column = standard.targets.index("z") if "z" in standard.targets else None
    return column if column is not None and standard.is_labelled_t[column] else None


def _grid(standard: Standard, z_column: int | None) -> tuple[int, float]:
    """How many bins of log10(1+z), and the first: the labels' range and a margin."""
    if z_column is None:
        return 1, 0.0
    first = BIN * math.floor(math.log10(1 + min(standard.low_t[z_column], 0.0)) / BIN - 5)
    last = math.log10(1 + 1.1 * max(standard.high_t[z_column], 0.0) + 0.02)
    return math.ceil((last - first) / BIN), first


class SpectrumCNN(NetworkModel):
    """The model ``spectrum_cnn`` of the registry."""

    modalities = ("spectrum",)

    def __init__(self, epochs: int, batch_size: int, learning_rate: float, members: int):
        super().__init__(Plan(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, examples=12_000, bootstrap=members > 1))
        self._members = members

    def _network(self, standard: Standard) -> Network:
        return MatchedFilter(standard, self._members)
