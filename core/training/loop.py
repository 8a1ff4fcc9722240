"""The one training loop: every network of Lookback is fitted here."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from core.models.prediction import Labels
from core.training import checkpoint
from core.training.losses import loss, per_galaxy
from core.training.machine import Machine
from core.training.network import Batch, Network, Targets
from core.training.plan import Plan, one_cycle
from core.training.session import Session
from core.training.standard import Standard

VALIDATION_BATCH = PREPARE_ROWS = 256
Arrays = np.ndarray | Mapping[str, np.ndarray]
"""Model inputs of n galaxies: of one modality, or an array for each by name; the first axis is the galaxies."""


@dataclass(frozen=True)
class Data:
    """Labelled galaxies on the device.

    Attributes
    ----------
    inputs : what the network's ``prepare`` made of the model inputs, (n, ...) each.
    targets : their labels in standard units.
    fit_rows, held_rows : int64; which rows are fitted and which choose the epoch. A lone galaxy is
        fitted twice a step, because batch normalisation needs two.
    """

    inputs: Batch
    targets: Targets

    fit_rows: torch.Tensor
    held_rows: torch.Tensor

    def batch(self, rows: torch.Tensor) -> Batch:
        """The inputs of some galaxies."""
        return {name: tensor[rows] for name, tensor in self.inputs.items()}


def fit(network: Network, inputs_n: Arrays, labels: Labels, standard: Standard, plan: Plan, session: Session, machine: Machine) -> None:
    """Fit a network to labelled galaxies, going on from the session's checkpoint if there is one.

    The same seed gives the same weights bit by bit on the same machine, interrupted or not. Call it
    inside `core.training.machine.settled`, with the network made there too.

    Parameters
    ----------
    network : fresh; it holds the best weights afterwards, on the device.
    inputs_n : (n, ...) model inputs of its modality; for a network of several, an array each by name. labels : of the same galaxies.
    standard : `core.training.standard.standard_of` the labels.
    """
    held = plan.held(labels.group_n, session.seed)
    machine.place_network(network)
    data = data_of(network, inputs_n, labels, standard, held, plan, session.seed, machine)
    _kind_of(network)(network, data, standard, plan, session, machine, checkpoint.fingerprint(labels, session.seed, repr((plan, machine)))).run()


def _kind_of(network: Network) -> type["Fit"]:
    """What fits a network; imported when asked for, because it is made from `Fit`."""
    if not len(network.streams):
        return Fit
    from core.training.balance.fit import BalancedFit

    return BalancedFit


def targets_of(labels: Labels, standard: Standard, weight_mn: np.ndarray, machine: Machine) -> Targets:
    """Labels in standard units on the device; missing ones are 0 and masked."""
    has = np.isfinite(labels.values_nt)
    value = np.where(has, (labels.values_nt - standard.centre_t) / standard.scale_t, 0.0)
    stated = has & (labels.sigma_nt > 0)
    sigma = np.where(stated, labels.sigma_nt / standard.scale_t, 0.0).clip(max=1e3)
    return Targets(*(machine.place(torch.from_numpy(np.asarray(a, dtype=np.float32))) for a in (value, has, np.where(stated, sigma.clip(min=1e-6), 0), stated, weight_mn)))


def prepared(network: Network, inputs_n: Arrays, machine: Machine) -> Batch:
    """What a network reads, on the device, in the layout that is fast there; prepared `PREPARE_ROWS` at a time."""
    parts = []
    for start in range(0, _count(inputs_n), PREPARE_ROWS):
        part = _chunk(inputs_n, slice(start, start + PREPARE_ROWS), machine)
        parts.append({name: machine.place(tensor) for name, tensor in network.prepare(part).items()})
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _count(inputs_n: Arrays) -> int:
    return len(inputs_n) if isinstance(inputs_n, np.ndarray) else len(next(iter(inputs_n.values())))


def _chunk(inputs_n: Arrays, rows: slice, machine: Machine) -> torch.Tensor | Batch:
    if isinstance(inputs_n, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(inputs_n[rows])).to(machine.device)
    return {name: _chunk(array, rows, machine) for name, array in inputs_n.items()}


def data_of(network: Network, inputs_n: Arrays, labels: Labels, standard: Standard, held: np.ndarray, plan: Plan, seed: int, machine: Machine) -> Data:
    """Labelled galaxies on the device; ``held`` (n,) bool says which choose the epoch."""
    weight = labels.weight_n / labels.weight_n.mean()
    shape = (network.members, len(weight))
    draws = np.random.default_rng(seed).exponential(size=shape) if plan.bootstrap else np.ones(shape)
    draws[:, held] = 1.0
    rows = [torch.from_numpy(np.flatnonzero(mask)).to(machine.device) for mask in (~held, held)]
    if len(rows[0]) == 1:
        rows[0] = rows[0].repeat(2)
    return Data(prepared(network, inputs_n, machine), targets_of(labels, standard, weight * draws, machine), *rows)


class Fit:
    """One fit while it goes on."""

    def __init__(self, network: Network, data: Data, standard: Standard, plan: Plan, session: Session, machine: Machine, mark: np.ndarray):
        self.network, self.data, self.plan, self.session, self.machine, self.mark = network, data, plan, session, machine, mark
        self.weight_t = torch.from_numpy(standard.weight_t).to(machine.device, torch.float32)
        n = len(data.fit_rows)
        self.epochs, self.batch = plan.epochs_for(n), plan.batch_of(n)
        self.steps_per_epoch = max(n // self.batch, 1)
        self.steps = self.epochs * self.steps_per_epoch
        self.optimiser = torch.optim.AdamW(_decayed(network, plan.weight_decay), lr=plan.learning_rate, fused=machine.device != "mps")
        self.best: dict[str, torch.Tensor] = {}
        self.numbers = {"epoch": 0.0, "best_epoch": 0.0}

    def run(self) -> None:
        """All epochs that are left; then the best weights are the network's.

        The schedule ends where weights are best, unless they overfit: earlier ones are taken only
        when the held-out galaxies like them better by more than their standard error.
        """
        self._resume()
        while self.numbers["epoch"] < self.epochs and not self._has_lost_patience():
            self._epoch(int(self.numbers["epoch"]))
        if self.best and self._is_worse_than_best(self._held_losses(warm=False)):
            self.network.load_state_dict(self._best_weights())
        self.network.eval()

    def _resume(self) -> None:
        state = self.session.restore()
        if state is not None and np.array_equal(state.get("mark"), self.mark):
            self.best, self.numbers = checkpoint.unpack(state, self.network, self.optimiser)

    def _epoch(self, epoch: int) -> None:
        started = time.perf_counter()
        train_loss, rate = self.train_epoch(epoch)
        seconds = time.perf_counter() - started
        values = {"train_loss": train_loss, "learning_rate": rate, "images_per_second": self.steps_per_epoch * self.batch / seconds}
        self.numbers["epoch"] = epoch + 1
        if len(self.data.held_rows):
            values["validation_loss"] = self._validate(epoch)
        values |= self._diagnosis(epoch)
        self.session.save(checkpoint.pack(self.network, self.optimiser, self.best, self.numbers) | {"mark": self.mark})
        self.session.report(epoch, self.epochs, values)

    def train_epoch(self, epoch: int) -> tuple[float, float]:
        """One pass over the galaxies that are fitted; returns the mean loss and the last learning rate."""
        self.network.train()
        rows = self.data.fit_rows[torch.randperm(len(self.data.fit_rows)).to(self.data.fit_rows.device)]
        total, rate = torch.zeros((), device=self.machine.device), 0.0
        for k in range(self.steps_per_epoch):
            step = epoch * self.steps_per_epoch + k
            rate = one_cycle(step, self.steps, self.plan.learning_rate)
            total += self._step(rows[k * self.batch : (k + 1) * self.batch], rate, self._is_warm(step))
            self.session.check()
        return float(total) / self.steps_per_epoch, rate

    def _step(self, rows: torch.Tensor, rate: float, warm: bool) -> torch.Tensor:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        batch = self.network.augment(self.data.batch(rows))
        self.optimiser.zero_grad(set_to_none=True)
        value = self._backward(batch, self.data.targets.at(rows), warm)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.clip)
        self.optimiser.step()
        return value

    def _backward(self, batch: Batch, targets: Targets, warm: bool) -> torch.Tensor:
        """Leave the gradients of a batch in the parameters; returns its loss."""
        with self.machine.autocast():
            outputs = self.network(batch)
        value = loss(self.network, outputs, targets, self.weight_t, self.plan.beta, warm)
        value.backward()
        return value.detach()

    def _diagnosis(self, epoch: int) -> dict[str, float]:
        """What else an epoch has to tell."""
        return {}

    def _validate(self, epoch: int) -> float:
        """Loss of the held-out galaxies; keeps the weights when they are the best since the warm-up."""
        warm = self._is_warm((epoch + 1) * self.steps_per_epoch - 1)
        losses = self._held_losses(warm)
        if not warm and (not self.best or losses.mean() < self.best["losses"].mean()):
            self.numbers["best_epoch"] = epoch
            self.best = {f"weights/{k}": v.detach().clone() for k, v in self.network.state_dict().items()} | {"losses": losses}
        elif not warm and not self._is_worse_than_best(losses):
            self.numbers["best_epoch"] = epoch
        return float(losses.mean())

    @torch.no_grad()
    def _held_losses(self, warm: bool) -> torch.Tensor:
        """Loss of each held-out galaxy, all members together."""
        self.network.eval()
        losses = []
        for rows in self.data.held_rows.split(VALIDATION_BATCH):
            with self.machine.autocast():
                outputs = self.network(self.data.batch(rows)).joined()
            losses.append(per_galaxy(self.network, outputs, self.data.targets.at(rows).joined(), self.weight_t, 0.0, warm)[0])
            self.session.check()
        return torch.cat(losses)

    def _is_worse_than_best(self, losses: torch.Tensor) -> bool:
        difference = losses - self.best["losses"].to(losses.device)
        return float(difference.mean()) > float(difference.std()) / len(difference) ** 0.5

    def _best_weights(self) -> dict[str, torch.Tensor]:
        return {k.removeprefix("weights/"): v for k, v in self.best.items() if k.startswith("weights/")}

    def _is_warm(self, step: int) -> bool:
        return step < self.plan.warmup * self.steps

    def _has_lost_patience(self) -> bool:
        return bool(self.best) and self.numbers["epoch"] - self.numbers["best_epoch"] > max(self.plan.patience * self.epochs, 3)


def _decayed(network: Network, weight_decay: float) -> list[dict]:
    """Weights decay, biases and scales do not: they have nothing to overfit with."""
    flat = [p for p in network.parameters() if p.dim() < 2]
    return [{"params": [p for p in network.parameters() if p.dim() >= 2], "weight_decay": weight_decay}, {"params": flat, "weight_decay": 0.0}]
