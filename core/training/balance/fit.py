"""The fit of a network with several streams: with remedies, and telling how each modality is used while it goes on."""

import numpy as np
import torch

from core.training.balance import pareto
from core.training.balance.guided import Guide
from core.training.balance.remedies import remedies_of
from core.training.balance.speed import Speeds
from core.training.balance.utilisation import Answers, rates
from core.training.loop import Data, Fit
from core.training.losses import loss, stream_losses
from core.training.machine import Machine
from core.training.network import Batch, Network, Outputs, Targets
from core.training.plan import Plan
from core.training.session import Session
from core.training.standard import Standard

POINTS = 12
"""How often the use of the modalities is drawn in a fit."""
MOST = 256
"""Held-out galaxies that it is measured on; enough for a curve, and quick."""


class BalancedFit(Fit):
    """A `Fit` that also fits what each stream says by itself, and reports ``speed/<modality>`` and ``use/<target>/<modality>``.

    Without a remedy that says otherwise, the streams' own answers learn from what the joint loss made of the
    streams and do not steer them: they tell what a modality knows, at no cost to the network.
    """

    def __init__(self, network: Network, data: Data, standard: Standard, plan: Plan, session: Session, machine: Machine, mark: np.ndarray):
        super().__init__(network, data, standard, plan, session, machine, mark)
        self.standard, self.remedies = standard, remedies_of(plan.balance)
        self.names = tuple(name for name in network.streams if f"has/{name}" in data.inputs and bool(data.inputs[f"has/{name}"].any()))
        reached = self._reached()
        own = {name: [p for p in network.own_parameters(name) if p in reached] for name in self.names}
        self.speeds = Speeds({name: network.cross_parameters(name) for name in self.names}, own)
        self.guide = Guide(next(iter(self.remedies & {"guided", "random"}), "none"), self.names)
        self.every = max(self.epochs // POINTS, 1)
        network.probing = not self.remedies & {"auxiliary", "mmpareto"}
        network.modality_dropout = network.modality_dropout if "dropout" in self.remedies else 0.0

    def _reached(self) -> set[torch.nn.Parameter]:
        """The parameters that the joint loss steers: what only makes the streams' own answers has no part in how fast they learn."""
        seen = [self.data.fit_rows[self.data.inputs[f"has/{name}"][self.data.fit_rows] > 0][:1] for name in self.names]
        rows = torch.cat(seen).unique()
        self.network.eval()
        with self.machine.autocast():
            outputs = self.network(self.data.batch(rows))
        loss(self.network, outputs, self.data.targets.at(rows), self.weight_t, self.plan.beta, warm=True).backward()
        reached = {p for p in self.network.parameters() if p.grad is not None}
        self.optimiser.zero_grad(set_to_none=True)
        return reached

    def _resume(self) -> None:
        super()._resume()
        if self.numbers["epoch"]:
            self.speeds.take(self.numbers)
            self.guide.take(self.numbers)

    def _backward(self, batch: Batch, targets: Targets, warm: bool) -> torch.Tensor:
        held = self.network.gate_held = self.guide.held(int(self.numbers["epoch"]), self.speeds.log_ratio)
        with self.machine.autocast():
            outputs = self.network(batch)
        joint = loss(self.network, outputs, targets, self.weight_t, self.plan.beta, warm)
        own = list(stream_losses(self.network, outputs, targets, self.weight_t, self.plan.beta, warm).values())
        self._descend(joint, sum(own) * (1.0 if self.network.probing else self.network.auxiliary) if own else None)
        if held is None:
            self.speeds.add()
        return joint.detach()

    def _descend(self, joint: torch.Tensor, own: torch.Tensor | None) -> None:
        if own is None:
            joint.backward()
        elif "mmpareto" in self.remedies:
            pareto.backward(joint, own, [self.network.own_parameters(name) for name in self.names], list(self.network.parameters()))
        else:
            (joint + own).backward()

    def _diagnosis(self, epoch: int) -> dict[str, float]:
        self.numbers |= self.speeds.numbers() | self.guide.numbers()
        values = {f"speed/{name}": value for name, value in self.speeds.log_ratio.items()}
        if (epoch + 1) % self.every and epoch + 1 < self.epochs:
            return values
        return values | {f"use/{target}/{name}": rate for target, told in self._use().items() for name, rate in told.items()}

    def _use(self) -> dict[str, dict[str, float]]:
        """Conditional utilisation rates on held-out galaxies that have every modality; empty when there are too few."""
        has = torch.stack([self.data.inputs[f"has/{name}"][self.data.held_rows] > 0 for name in self.names]).all(dim=0)
        rows = self.data.held_rows[has][:MOST]
        return rates(self._answers(rows)) if len(rows) and len(self.names) > 1 else {}

    @torch.no_grad()
    def _answers(self, rows: torch.Tensor) -> Answers:
        self.network.eval()
        batch, targets = self.data.batch(rows), self.data.targets.at(rows)
        with self.machine.autocast():
            together, *without = [_mean(self.network(batch, held=held)) for held in ((), *((name,) for name in self.names))]
        truth = torch.where(targets.has_bt > 0, targets.value_bt, torch.nan).cpu().numpy()
        return Answers(self.standard.targets, truth, np.zeros(truth.shape[1]), together, dict(zip(self.names, without, strict=True)), {})


def _mean(outputs: Outputs) -> np.ndarray:
    return outputs.joined().mean_mbt[0].float().cpu().numpy()
