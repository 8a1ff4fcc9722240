"""Latent fusion: a stream for each modality, their latent features joined, one set of heads."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from core.columns import MODALITIES
from core.models.networks.heads import LOGVAR_RANGE, Heads
from core.models.networks.image import BayesianCNN
from core.models.networks.model import NetworkModel
from core.models.networks.photometry import Perceptrons
from core.models.networks.spectrum import BLINDNESS, FILTERS, MatchedFilter, members_of
from core.models.networks.streams import Join, Joint
from core.models.options import option
from core.models.percentiles import arranged
from core.models.prediction import Inputs, Prediction
from core.training.losses import log_share
from core.training.network import Batch, Network, Outputs, Targets
from core.training.plan import Plan
from core.training.standard import Standard
from core.uncertainty.kinds import kind_of

DOUBT = -3.0
"""First log-odds that the other streams' redshift says nothing about this galaxy."""


class Expectation(nn.Module):
    """The redshift that the streams without a spectrum expect, as a Gaussian; what of it to believe is learned.

    Parameters
    ----------
    widths : of those streams' messages. hidden : h. members : m.
    """

    def __init__(self, widths: dict[str, int], hidden: int, members: int):
        super().__init__()
        self.join = Join(widths, hidden, members)
        self.weight_mh2 = nn.Parameter(torch.randn(members, hidden, 2) * 0.1 / hidden**0.5)
        self.bias_m12 = nn.Parameter(torch.tensor([0.0, -1.0]).expand(members, 1, 2).clone())
        self.doubt = nn.Parameter(torch.tensor(DOUBT))

    def forward(self, messages: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log variance in standard units, (m, b) each."""
        mean, logvar = torch.baddbmm(self.bias_m12, functional.gelu(self.join(messages)), self.weight_mh2).unbind(dim=-1)
        return mean, logvar.clamp(*LOGVAR_RANGE)

    def believed(self, mean_mb: torch.Tensor, logvar_mb: torch.Tensor, z_s: torch.Tensor) -> torch.Tensor:
        """log p over a grid of redshifts, (m, b, s): the Gaussian, and with the probability of doubt anything."""
        gaussian = (-0.5 * (z_s - mean_mb[..., None]) ** 2 / logvar_mb.exp()[..., None]).log_softmax(dim=-1)
        anything = torch.full_like(gaussian, -float(torch.tensor(float(len(z_s))).log()))
        return torch.logaddexp(gaussian + functional.logsigmoid(-self.doubt), anything + functional.logsigmoid(self.doubt))


class LatentFusion(Joint):
    """Image, spectrum and photometry, each read by the network that reads it alone; their latent features joined.

    The redshift stays the spectrum's own distribution over log(1+z), multiplied by what the other streams
    expect; without a spectrum it is what they expect. Everything else comes from the joined features.
    A galaxy with one modality alone is answered as that stream says by itself, where the streams learn to (``auxiliary``).

    Parameters
    ----------
    standard : of the targets. join : see `core.models.options`. modality_dropout, auxiliary : see `Joint` and `Network`.
    members : matched filters, mixes and heads, each fitted to its own bootstrap weights. hidden : of a mix.
    is_dropping : whether dropout is to say how unsure the network is, and so reaches every part.
    """

    def __init__(
        self, standard: Standard, join: str = "gated", modality_dropout: float = 0.2, auxiliary: float = 0.5, members: int = 4, hidden: int = 96, is_dropping: bool = False
    ):
        spectrum = MatchedFilter(standard, members, blindness=BLINDNESS * is_dropping)
        streams = {"image": BayesianCNN(standard, everywhere=is_dropping), "spectrum": spectrum, "photometry": Perceptrons(standard, 1, 96)}
        super().__init__(len(standard.targets), streams, modality_dropout)
        self.members, self.auxiliary = members, auxiliary
        self.join = Join(self.widths, hidden, members, join == "gated")
        self.dropout = nn.Dropout(0.05)
        self.heads = Heads(hidden, standard, members)
        self.own_targets = self.streams["spectrum"].own_targets
        self.expectation = Expectation({n: w for n, w in self.widths.items() if n != "spectrum"}, 48, members) if self.own_targets else None

    def forward(self, batch: Batch, without: Collection[str] = (), held: Collection[str] = ()) -> Outputs:
        sent, shown, own = self.messages(batch, without, held)
        with torch.autocast(sent["spectrum"].device.type, enabled=False):
            latent = functional.gelu(self.join({name: self.dropout(message) for name, message in sent.items()}, self.gate_held))
            outputs = self.heads(latent, latent.mean(dim=0))
            outputs.own = own
            outputs = self._with_redshift(outputs, sent, shown["spectrum"] * ("spectrum" not in held)) if self.own_targets else outputs
            return self._with_lone_streams(outputs, shown) if self.auxiliary and not self.training else outputs

    def look(self, name: str, batch: Batch) -> tuple[torch.Tensor, Outputs]:
        stream = self.streams[name]
        if name == "image":
            latent = stream.encode(batch).float()
            return latent, self._own(name, latent)
        with torch.autocast(next(iter(batch.values())).device.type, enabled=False):
            if name == "spectrum":
                sight = stream.see(batch)
                said = stream.answer(sight.detached() if self.probing else sight)
                said.extra["seen_log_p"] = sight.log_p_mbs
                return sight.seen_bd, said
            latent = stream.encode(batch)
            return latent, self._own(name, latent)

    def _own(self, name: str, latent: torch.Tensor) -> Outputs:
        read = latent.detach() if self.probing else latent
        return self.streams[name].heads(read[None], read)

    def own_loss(self, outputs: Outputs, targets: Targets) -> torch.Tensor:
        """Of the redshift over the grid where there is a spectrum, and of what the other streams expect; (m, b, 1)."""
        mean, logvar, shown = (outputs.extra[name] for name in ("expected", "expected_logvar", "shown"))
        wanted = targets.value_bt[:, self.own_targets[0]]
        likelihood = logvar.exp().detach() ** 0.5 * 0.5 * (logvar + (wanted - mean) ** 2 / logvar.exp())
        if len(outputs.mean_mbt) < len(likelihood):
            likelihood = likelihood.mean(dim=0, keepdim=True)
        return self.streams["spectrum"].own_loss(outputs, targets) * shown[:1, :, None] + likelihood[..., None]

    def together(self, answers: Sequence[Outputs]) -> Outputs:
        """One redshift from the mixture of all answers' distributions where the spectrum has a say and others, too."""
        outputs = super().together(answers)
        if "mixed" not in outputs.extra:
            return outputs
        here = self.own_targets[0]
        said = outputs.mean_mbt[..., here], outputs.logvar_mbt[..., here]
        found = self.streams["spectrum"].redshift(outputs.extra["log_p"])
        return outputs.with_target(here, *(torch.where(outputs.extra["mixed"] > 0, ours, as_said) for ours, as_said in zip(found, said, strict=True)))

    def cross_parameters(self, name: str) -> list[nn.Parameter]:
        return list(self.join.gate[name].parameters()) if len(self.join.gate) else []

    def _with_redshift(self, outputs: Outputs, sent: dict[str, torch.Tensor], shown_b: torch.Tensor) -> Outputs:
        spectrum = self.streams["spectrum"]
        mean, logvar = self.expectation({name: message for name, message in sent.items() if name != "spectrum"})
        log_p = self.expectation.believed(mean.detach(), logvar.detach(), spectrum.standard_z_s)
        if "spectrum" in outputs.own:
            rows, said = outputs.own["spectrum"]
            log_p = log_p.index_add(1, rows, said.extra["seen_log_p"]).log_softmax(dim=-1)
        found = (torch.where(shown_b > 0, ours, theirs) for ours, theirs in zip(spectrum.redshift(log_p), (mean, logvar), strict=True))
        shown = shown_b.expand_as(mean)
        outputs.extra |= {"log_p": log_p, "expected": mean, "expected_logvar": logvar, "shown": shown, "mixed": shown}
        return outputs.with_target(self.own_targets[0], *found)

    def _with_lone_streams(self, outputs: Outputs, shown: dict[str, torch.Tensor]) -> Outputs:
        """The stream's own answer for galaxies that have one modality; the members still differ as they do together."""
        count, mean = sum(shown.values()), outputs.mean_mbt.mean(dim=0)
        for name, (rows, said) in outputs.own.items():
            lone = ((count == 1) & (shown[name] > 0))[:, None]
            scatter = log_share(self.streams[name]) - log_share(self)
            moved = said.mean_mbt.mean(dim=0) - mean[rows], said.logvar_mbt.exp().mean(dim=0).log(), said.lognoise_mbt.mean(dim=0) + scatter
            shift, logvar, lognoise = (torch.zeros_like(mean).index_copy(0, rows, part) for part in moved)
            outputs = replace(
                outputs,
                mean_mbt=torch.where(lone, outputs.mean_mbt + shift, outputs.mean_mbt),
                logvar_mbt=torch.where(lone, logvar, outputs.logvar_mbt),
                lognoise_mbt=torch.where(lone, lognoise, outputs.lognoise_mbt),
            )
        if "mixed" in outputs.extra:
            outputs.extra["mixed"] = outputs.extra["mixed"] * (count > 1)
        return outputs


class FusionLatent(NetworkModel):
    """The model ``fusion_latent`` of the registry."""

    modalities = MODALITIES

    def __init__(
        self, epochs: int, batch_size: int, learning_rate: float, join: str, balance: str, modality_dropout: float, auxiliary: float, uncertainty: str, members: int
    ):
        kind = kind_of(uncertainty, members, "fusion_latent", FILTERS)
        count = members_of(kind)
        plan = Plan(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, fewest=20, weight_decay=0.03, bootstrap=count > 1, half=True, balance=balance)
        super().__init__(plan, kind)
        join = option("join", join, "model fusion_latent")
        self._settings = {"join": join, "modality_dropout": modality_dropout, "auxiliary": auxiliary, "members": count, "is_dropping": kind.passes > 0}

    def _network(self, standard: Standard) -> Network:
        return LatentFusion(standard, **self._settings)

    def predict_without(self, inputs: Inputs, names: Collection[str]) -> Prediction:
        """As `predict`, but what some streams say is replaced by its mean over the galaxies that were fitted."""
        return arranged(self._asked(inputs, np.random.default_rng(0), lambda net, batch: net(batch, held=names)))

    def predict_alone(self, inputs: Inputs, name: str) -> Prediction:
        """What one stream says by itself; NaN for galaxies that lack its modality."""
        seen = inputs.present.get(name, np.zeros(len(inputs), dtype=bool))
        answer = arranged(self._asked(inputs.only((name,)), np.random.default_rng(0), lambda net, batch: net(batch).own[name][1], is_whole=False))
        return replace(answer, mean=np.where(seen[:, None], answer.mean, np.nan))
