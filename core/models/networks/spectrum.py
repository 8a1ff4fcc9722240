"""Redshift and star formation from a spectrum: a learned matched filter, then a look at the rest frame."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.fft import next_fast_len
from torch import nn
from torch.nn import functional

from core.models.networks.heads import LOGVAR_RANGE, Heads
from core.models.networks.model import NetworkModel
from core.preprocess.spectrum import LEVEL_FLUX, LOGLAM, STEP
from core.spectroscopy.lines import line
from core.training.network import Batch, Network, Outputs, Targets
from core.training.plan import Plan
from core.training.standard import Standard
from core.uncertainty.kinds import Kind, kind_of

STRIDE = 2
BIN = STRIDE * STEP
"""log10(1+z) of one bin of the redshift grid: 138 km/s; the redshift is refined inside the bin."""
PIXELS = len(LOGLAM) // STRIDE
NEAR = 3
"""Bins on either side of the peak that the refinement averages over."""
SUB_BIN = 0.1
"""How well a redshift inside a bin can be told at best, in bins: 14 km/s, an SDSS pixel's share that calibration leaves."""
Z68_SHARE, SHARPEST = 0.6827, 0.999
"""Of Gaussian errors, the share within one sigma; a peak that must give more than `SHARPEST` of itself for it has no sigma of its own."""
FILTERS = 4
"""Members: matched filters, mixes and heads on features that they share."""
BLINDNESS = 0.1
"""See `MatchedFilter`; where dropout is what says how unsure the network is."""
SIGNIFICANCE_LIMIT = 5.0
MEASURED = ("[OII] 3727", "Hbeta 4863", "[OIII] 5008", "Halpha 6565", "[NII] 6585", "[SII] 6718", "Ca K 3935", "Mg b 5177")
CORE, SIDES = 0.0017, ((0.988, 0.994), (1.008, 1.014))
"""Half-width of a line (500 km/s), and its continuum windows, in units of its wavelength."""
FLUX_UNIT, LUMINOSITY_UNIT, WIDTH_UNIT = 2.0, 4.0, 3.0
"""Where line fluxes (1e-17 erg/s/cm2), the same at z = 0.1, and equivalent widths (A) turn from linear to logarithmic."""


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
        lags = torch.fft.irfft(_conjugate_product(spectrum, template), self.fft)[..., : self.shifts].flip(-1)
        score = (lags + self.bias_k1).unflatten(1, (self.members, self.kinds)).logsumexp(dim=2)
        return score.log_softmax(dim=-1).transpose(0, 1)


def _conjugate_product(a_bcf: torch.Tensor, b_kcf: torch.Tensor) -> torch.Tensor:
    """sum over c of conj(a) b, (b, k, f), as one real matrix product a frequency: 1.7 times as fast as the complex one."""
    kinds = len(b_kcf)
    left = torch.view_as_real(a_bcf).permute(2, 0, 3, 1).flatten(2)
    real, imaginary = b_kcf.real.permute(2, 1, 0), b_kcf.imag.permute(2, 1, 0)
    right = torch.cat([torch.cat([real, imaginary], dim=2), torch.cat([imaginary, -real], dim=2)], dim=1)
    product = torch.bmm(left, right)
    return torch.complex(product[..., :kinds], product[..., kinds:]).permute(1, 2, 0)


class Lines(nn.Module):
    """Fluxes, luminosities and equivalent widths of lines at a given redshift. Nothing to learn.

    Parameters
    ----------
    first : log10 wavelength of the first rest-frame bin. length : bins.
    """

    def __init__(self, first: float, length: int):
        super().__init__()
        wave = 10 ** (first + BIN * torch.arange(length))
        centres = torch.tensor([line(name).wave for name in MEASURED])
        ratio = wave[:, None] / centres
        core = ((ratio - 1).abs() <= CORE).float()
        side = sum(((ratio > a) & (ratio < b)).float() for a, b in SIDES)
        self.register_buffer("core_lk", core, persistent=False)
        self.register_buffer("side_lk", side, persistent=False)
        self.register_buffer("step_l1", (wave * BIN * math.log(10))[:, None], persistent=False)
        self.norm = nn.BatchNorm1d(4 * len(MEASURED), affine=False)

    def forward(self, flux_bl: torch.Tensor, covered_bl: torch.Tensor, z_b1: torch.Tensor) -> torch.Tensor:
        """Flux density and coverage by rest wavelength, redshift -> (b, 4 k), about standardised; 0 where a line is not covered."""
        continuum = (flux_bl @ self.side_lk) / (covered_bl @ self.side_lk).clamp(min=1)
        inside = covered_bl @ (self.core_lk * self.step_l1)
        flux = (flux_bl @ (self.core_lk * self.step_l1) - continuum * inside) * (1 + z_b1)
        seen = ((covered_bl @ self.core_lk) / self.core_lk.sum(dim=0) > 0.8).float()
        luminosity = flux * (z_b1 / 0.1) ** 2 * (1 + z_b1 / 2) ** 2
        width = flux / continuum.clamp(min=0.1)
        measured = [(flux / FLUX_UNIT).asinh(), (luminosity / LUMINOSITY_UNIT).asinh(), (width / WIDTH_UNIT).asinh()]
        return self.norm(torch.cat([m * seen for m in measured] + [seen], dim=1)).clamp(-5, 5)


@dataclass
class Sight:
    """What a `MatchedFilter` sees: learned features, those and all others (b, ``hidden``), log p of the redshift bins by each member."""

    latent_bd: torch.Tensor
    seen_bd: torch.Tensor
    log_p_mbs: torch.Tensor

    def detached(self) -> "Sight":
        """The same, cut off from what it was made by."""
        return Sight(self.latent_bd.detach(), self.seen_bd.detach(), self.log_p_mbs.detach())


class MatchedFilter(Network):
    """Features, matched filter, spectrum in the rest frame of the likeliest redshift, heads.

    Parameters
    ----------
    standard : of the targets; the redshift grid spans its labels with a margin.
    members : matched filters and heads, each fitted to its own bootstrap weights.
    kinds : templates of each member. channels : features that are compared with templates, besides significance.
    blindness : share of them that is left out at random, pixel by pixel, for a redshift that dropout makes unsure.
    """

    def __init__(self, standard: Standard, members: int = 4, kinds: int = 2, channels: int = 8, hidden: int = 64, dropout: float = 0.3, blindness: float = 0.0):
        super().__init__(len(standard.targets))
        self.members = members
        self.z_column = _labelled_z(standard)
        self.own_targets = () if self.z_column is None else (self.z_column,)
        self.shifts, self.first = _grid(standard, self.z_column)
        self._centre, self._scale = (0.0, 1.0) if self.z_column is None else (float(standard.centre_t[self.z_column]), float(standard.scale_t[self.z_column]))
        self.features = nn.Sequential(nn.Conv1d(3, channels, 9, padding=4), nn.GELU(), nn.Conv1d(channels, channels, 5, padding=2))
        self.blindness = nn.Dropout(blindness)
        self.templates = Templates(channels + 1, self.shifts, members, kinds)
        self.lines = Lines(float(LOGLAM[0]) + STEP / 2 - self.first - BIN * (self.shifts - 1), self.templates.length)
        self.rest = nn.Sequential(
            nn.Conv1d(3, 12, 7, 3, 3), nn.GELU(), nn.Conv1d(12, 16, 7, 3, 3), nn.GELU(), nn.Conv1d(16, 12, 7, 3, 3), nn.GELU(), nn.Flatten(), nn.Dropout(dropout)
        )
        with torch.no_grad():
            width = self.rest(torch.zeros(1, 3, self.templates.length)).shape[1]
        self.look, self.dropout = nn.Linear(width, hidden), nn.Dropout(0.05)
        seen = hidden + 4 * len(MEASURED) + SCALARS
        self.mix_mdh = nn.Parameter(torch.randn(members, seen, hidden) / seen**0.5)
        self.heads = Heads(hidden, standard, members)
        self.register_buffer("loglam1z_s", self.first + BIN * torch.arange(self.shifts), persistent=False)

    def prepare(self, inputs: torch.Tensor) -> Batch:
        return {"views": _views(inputs.float())}

    @property
    def hidden(self) -> int:
        """Width of what `encode` returns."""
        return self.mix_mdh.shape[1]

    def forward(self, batch: Batch) -> Outputs:
        return self.answer(self.see(batch))

    def encode(self, batch: Batch) -> torch.Tensor:
        """What is seen in the rest frame of the likeliest redshift, (b, `hidden`)."""
        return self.see(batch).seen_bd

    def see(self, batch: Batch) -> "Sight":
        """Find the redshift, then look at the spectrum in the rest frame of the likeliest."""
        views = batch["views"]
        log_p = self.templates(self.blindness(torch.cat([views[:, :1], self.features(views[:, :3])], dim=1)) / PIXELS**0.5)
        shift = log_p.detach().logsumexp(dim=0).argmax(dim=-1) if self.own_targets else torch.zeros(len(views), dtype=torch.long, device=views.device)
        z = (10 ** self.loglam1z_s[shift] - 1).clamp(min=1e-3)[:, None]
        significance, level, covered, flux = self._rest_frame(views, shift)
        luminous = (level + 2 * (z * (1 + z / 2)).log() + 5) / 3 * covered
        latent = functional.gelu(self.look(self.rest(torch.stack([significance, luminous, covered], dim=1))))
        return Sight(latent, torch.cat([latent, self.lines(flux, covered, z), _scalars(views, log_p, z)], dim=1), log_p)

    def answer(self, sight: "Sight") -> Outputs:
        """What the members make of what was seen; the redshift comes from the matched filters alone."""
        outputs = self.heads(functional.gelu(torch.matmul(self.dropout(sight.seen_bd), self.mix_mdh)), sight.latent_bd)
        outputs.extra["log_p"] = sight.log_p_mbs
        return outputs.with_target(self.z_column, *self.redshift(sight.log_p_mbs)) if self.own_targets else outputs

    def together(self, answers: Sequence[Outputs]) -> Outputs:
        """One redshift from the mixture of all answers' distributions, as the members of one answer find it."""
        outputs = super().together(answers)
        return outputs.with_target(self.z_column, *self.redshift(outputs.extra["log_p"])) if self.own_targets else outputs

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

    @property
    def standard_z_s(self) -> torch.Tensor:
        """Redshift of each bin in standard units, (s,)."""
        return (10**self.loglam1z_s - 1 - self._centre) / self._scale

    @torch.no_grad()
    def redshift(self, log_p_mbs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log variance of the redshift, (m, b) in standard units, from the members' distributions over the grid; nothing learns by it.

        The estimate is the peak of the members' mixture, refined over its neighbours. Members differ from it as
        their expectations differ from each other; that is the ignorance. A peak with 1 % of the probability elsewhere is no
        less sharp for it, so sigma is what holds 68 % of the mixture, where the peak alone does; else its standard deviation.
        """
        z_s = 10**self.loglam1z_s - 1
        p = log_p_mbs.exp()
        mixture, expected = p.mean(dim=0), (p * z_s).sum(-1)
        near = (torch.arange(self.shifts, device=p.device) - mixture.argmax(-1, keepdim=True)).abs() <= NEAR
        peak = torch.where(near, mixture, 0)
        point = (peak * z_s).sum(-1) / peak.sum(-1)
        variance = ((p * z_s**2).sum(-1) - expected**2).clamp(min=0) + (expected.mean(dim=0) - point) ** 2
        away = expected - expected.mean(dim=0)
        share = (self._sharp(peak, z_s, point) / (variance.mean(dim=0) + (away**2).mean(dim=0))).nan_to_num(nan=1.0).clamp(max=1)
        mean, variance = point + away * share.sqrt(), torch.maximum(variance * share, self._finest(point))
        return (mean - self._centre) / self._scale, (variance / self._scale**2).clamp(min=math.exp(2 * LOGVAR_RANGE[0])).log()

    def _finest(self, point_b: torch.Tensor) -> torch.Tensor:
        """Variance of the best redshift that there can be."""
        return (SUB_BIN * BIN * math.log(10) * (1 + point_b)) ** 2

    def _sharp(self, peak_bs: torch.Tensor, z_s: torch.Tensor, point_b: torch.Tensor) -> torch.Tensor:
        """Squared half-width that holds 68 % of the whole when the peak is Gaussian; inf where it holds less than that itself.

        Sharing a redshift between two bins is no uncertainty and is taken out.
        """
        mass = peak_bs.sum(-1)
        part = (point_b.add(1).log10() - self.first) / BIN % 1
        between = part * (1 - part) * (BIN * math.log(10) * (1 + point_b)) ** 2
        variance = torch.maximum((peak_bs * (z_s - point_b[:, None]) ** 2).sum(-1) / mass - between, self._finest(point_b))
        held = Z68_SHARE / mass
        return torch.where(held < SHARPEST, variance * 2 * torch.erfinv(held.clamp(max=SHARPEST)) ** 2, torch.inf)

    def _rest_frame(self, views: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        """The views by rest wavelength, 0 where they do not reach; (4, b, length)."""
        padded = functional.pad(views, (self.shifts - 1, self.shifts - 1))
        index = torch.arange(self.templates.length, device=shift.device) + shift[:, None]
        return padded.gather(2, index[:, None].expand(-1, views.shape[1], -1)).transpose(0, 1)


def _views(batch: torch.Tensor) -> torch.Tensor:
    """Two pixels in one: significance, level, coverage, flux density; (b, 2, 4620) -> (b, 4, 2310)."""
    significance = batch[:, 0].clamp(-SIGNIFICANCE_LIMIT, SIGNIFICANCE_LIMIT)
    covered = (batch[:, 1] != 0).float()
    views = torch.stack([significance, batch[:, 1], covered, LEVEL_FLUX * batch[:, 1].sinh()], dim=1)
    return functional.avg_pool1d(views, STRIDE)


SCALARS = 11


def _scalars(views: torch.Tensor, log_p: torch.Tensor, z_b1: torch.Tensor) -> torch.Tensor:
    """Redshift twice, how sure it is, brightness in eight parts of the spectrum; (b, `SCALARS`)."""
    level = functional.adaptive_avg_pool1d(views[:, 1:2], SCALARS - 3)[:, 0] / 3
    sure = log_p.detach().exp().mean(dim=0).max(dim=-1, keepdim=True).values
    return torch.cat([z_b1.log() + 2.5, 5 * z_b1, sure, level], dim=1)


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

    def __init__(self, epochs: int, batch_size: int, learning_rate: float, uncertainty: str, members: int):
        kind = kind_of(uncertainty, members, "spectrum_cnn", FILTERS)
        self._members = members_of(kind)
        plan = Plan(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, examples=12_000, fewest=20, weight_decay=0.05, bootstrap=self._members > 1)
        super().__init__(plan, kind)

    def _network(self, standard: Standard) -> Network:
        return MatchedFilter(standard, self._members, blindness=BLINDNESS * (self.kind.passes > 0))


def members_of(kind: Kind) -> int:
    """Matched filters of one network: the posterior of a last layer knows nothing of the redshift, so there they differ, too."""
    return FILTERS if kind.draws else kind.heads
