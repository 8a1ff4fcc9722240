"""A network as a `Model`: standardise, fit, answer in units, keep as arrays."""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from core.errors import BadInput
from core.models.base import Model, require_labels
from core.models.prediction import Inputs, Labels, Prediction
from core.training import checkpoint
from core.training.loop import Arrays, fit, prepared
from core.training.losses import log_share, variance
from core.training.machine import settled, this_machine
from core.training.network import Batch, Network, Outputs
from core.training.plan import Plan
from core.training.session import Session, Stages, under
from core.training.standard import Standard, standard_of
from core.uncertainty.kinds import Kind
from core.uncertainty.last_layer import LastLayer
from core.uncertainty.leftover import absorbed, of_residuals, refined
from core.uncertainty.mc_dropout import dropout_passes

PREDICT_BATCH = 256
SEEDS_APART = 7919
"""Between the networks of an ensemble, so that those of two neighbouring seeds have none in common."""
Ask = Callable[[Network, Batch], Outputs]


class NetworkModel(Model):
    """What the networks share; subclasses name the modalities and build the network.

    A galaxy without any of the modalities is answered with the labelled galaxies' mean and variance, and their mean features.

    Parameters
    ----------
    plan : of the fit. kind : where ignorance comes from; by default the network's own members.

    Attributes
    ----------
    networks : how many are fitted, each from its own first weights and in its own order of galaxies.
    held_n : bool (n,), which galaxies of the last fit were held out to choose the epoch.
    """

    def __init__(self, plan: Plan, kind: Kind = Kind()):
        self.plan, self.kind, self.networks = plan, kind, kind.networks
        self._machine = this_machine(plan.half)
        self.device, self.precision = self._machine.device, self._machine.precision
        self._standard: Standard | None = None
        self._nets: list[Network] = []
        self._posterior: LastLayer | None = None
        self._typical_d = np.zeros(1, dtype=np.float32)
        self.held_n = np.zeros(0, dtype=bool)

    @abstractmethod
    def _network(self, standard: Standard) -> Network:
        """A fresh network for the targets of ``standard``."""

    def fit(self, inputs: Inputs, labels: Labels, session: Session) -> None:
        require_labels(labels)
        rows = np.flatnonzero(self._present(inputs) & np.isfinite(labels.values_nt).any(axis=1))
        if not len(rows):
            known = " or ".join(self.modalities)
            raise BadInput("labels", f"cover a galaxy with {known}", "none", f"{len(inputs)} galaxies", f"Label galaxies that have {known}")
        self._standard = standard_of(labels[rows])
        self._nets = self._fitted(inputs[rows], labels[rows], session)
        self.held_n = np.zeros(len(inputs), dtype=bool)
        self.held_n[rows[self.plan.held(labels.group_n[rows], session.seed)]] = True
        self._typical_d = self._said(inputs[rows[:PREDICT_BATCH]], session.seed, lambda net, batch: net(batch)).features_nd.mean(axis=0)
        self._posterior = self._last_layer(inputs[rows], labels[rows]) if self.kind.draws else None

    def _fitted(self, inputs: Inputs, labels: Labels, session: Session) -> list[Network]:
        """The networks, one after another; a fit that was interrupted goes on with the one it was at."""
        nets, arrays = [], self._arrays(inputs)
        stages = Stages(session, self.networks) if self.networks > 1 else None
        for k in range(self.networks):
            with settled(session.seed + k * SEEDS_APART, session.threads):
                net = self._network(self._standard)
                learn = partial(self._learn, net, arrays, labels)
                if stages is None:
                    learn(session)
                else:
                    stages.run(str(k), learn, partial(checkpoint.weights, net), partial(self._recall, net))
            nets.append(net)
        return nets

    def _learn(self, net: Network, arrays: Arrays, labels: Labels, session: Session) -> None:
        fit(net, arrays, labels, self._standard, self.plan, session, self._machine)

    def _recall(self, net: Network, weights: dict[str, np.ndarray]) -> None:
        net.load_state_dict(checkpoint.tensors(weights, ""))
        self._machine.place_network(net).eval()

    def _last_layer(self, inputs: Inputs, labels: Labels) -> LastLayer | None:
        values = (labels.values_nt - self._standard.centre_t) / self._standard.scale_t
        return of_residuals(self._said(inputs, 0, self._ask), values, self._nets[0].own_targets)

    def absorb(self, inputs: Inputs, labels: Labels) -> None:
        """Take in newly labelled galaxies without retraining: the last layer's posterior learns, by rank-one updates.

        Galaxies without the modality are passed over. Raises `BadInput` where there is no such posterior.
        """
        if self._posterior is None:
            raise BadInput("uncertainty", "be last_layer to learn without retraining", self.kind.word, type(self).__name__, "Train with last_layer first")
        seen = self._present(inputs)
        values = (labels.values_nt - self._standard.centre_t) / self._standard.scale_t
        self._posterior = absorbed(self._posterior, self._said(inputs[seen], 0, self._ask), values[seen]) if seen.any() else self._posterior

    def _predict(self, inputs: Inputs, rng: np.random.Generator) -> Prediction:
        return self._asked(inputs, rng, self._ask)

    def _ask(self, net: Network, batch: Batch) -> Outputs:
        return dropout_passes(net, batch, self.kind.passes)

    def _asked(self, inputs: Inputs, rng: np.random.Generator, ask: Ask, is_whole: bool = True) -> Prediction:
        """What the networks say of galaxies when they are asked in a certain way, in the targets' units.

        A part of a network that is asked alone (not ``is_whole``) has features of its own: no posterior and no typical galaxy are known of them.
        """
        standard, present = self._standard, self._present(inputs)
        said = self._said(inputs[present], int(rng.integers(2**31)), ask) if present.any() else self._said_of_none()
        if self._posterior is not None and is_whole:
            said = refined(self._posterior, said, self.kind.draws, rng)
        scale2 = standard.scale_t**2
        blank = np.where(standard.is_labelled_t, 0.0, np.nan)
        filled = lambda there, else_: _filled(there, else_ + blank, present)  # noqa: E731
        typical_d = self._typical_d if is_whole else np.zeros(said.features_nd.shape[1], dtype=np.float32)
        return Prediction(
            filled(said.mean * standard.scale_t + standard.centre_t + blank, standard.centre_t),
            filled(said.aleatoric * scale2 + blank, scale2),
            filled(said.epistemic * scale2 + blank, scale2),
            np.stack([filled(m * standard.scale_t + standard.centre_t + blank, standard.centre_t) for m in said.samples_mnt]),
            _filled(said.features_nd, typical_d, present),
            standard.targets,
        )

    def state(self) -> dict[str, np.ndarray]:
        networks = {f"{_place(k)}{name}": v for k, net in enumerate(self._nets) for name, v in checkpoint.weights(net).items()}
        posterior = {f"posterior/{name}": v for name, v in self._posterior.state().items()} if self._posterior else {}
        return self._standard.state() | networks | posterior | {"typical_d": self._typical_d}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        self._standard = Standard.of_state(state)
        with settled(0):
            self._nets = [self._network(self._standard) for _ in range(self.networks)]
        for k, net in enumerate(self._nets):
            self._recall(net, under(state, _place(k)))
        posterior = under(state, "posterior/")
        self._posterior = LastLayer.of_state(posterior) if posterior else None
        self._typical_d = np.asarray(state["typical_d"], dtype=np.float32)

    def _present(self, inputs: Inputs) -> np.ndarray:
        """Which galaxies have any of the modalities, bool (n,)."""
        return np.any([inputs.present.get(m, np.zeros(len(inputs), dtype=bool)) for m in self.modalities], axis=0)

    def _arrays(self, inputs: Inputs) -> Arrays:
        """What the network's ``prepare`` gets; see `Network.prepare`."""
        if len(self.modalities) == 1:
            return inputs.arrays[self.modalities[0]]
        known = inputs.only(self.modalities)
        return {**known.arrays, **{f"has/{m}": known.present[m] for m in known.arrays}}

    @torch.no_grad()
    def _said(self, inputs: Inputs, seed: int, ask: Ask) -> Prediction:
        """What the networks say of galaxies that have a modality, in standard units."""
        parts: list[list[np.ndarray]] = []
        with settled(seed):
            for start in range(0, len(inputs), PREDICT_BATCH):
                batch = prepared(self._nets[0], self._arrays(inputs[start : start + PREDICT_BATCH]), self._machine)
                with self._machine.autocast():
                    outputs = _together(self._nets, [ask(net, batch) for net in self._nets])
                found = outputs.mean_mbt, variance(self._nets[0], outputs), outputs.features_bd
                parts.append([tensor.float().cpu().numpy().astype(np.float64 if i < 2 else np.float32) for i, tensor in enumerate(found)])
        mean_mnt, variance_mnt, features_nd = (np.concatenate(pieces, axis=axis) for pieces, axis in zip(zip(*parts, strict=True), (1, 1, 0), strict=True))
        return Prediction(mean_mnt.mean(axis=0), variance_mnt.mean(axis=0), mean_mnt.var(axis=0), mean_mnt, features_nd, self._standard.targets)

    def _said_of_none(self) -> Prediction:
        count = len(self._standard.targets)
        return Prediction(*np.zeros((3, 0, count)), np.zeros((1, 0, count)), np.zeros((0, len(self._typical_d)), dtype=np.float32), self._standard.targets)


def _place(k: int) -> str:
    """Where a network's weights stand in a state."""
    return f"network{k or ''}/"


def _together(nets: list[Network], answers: list[Outputs]) -> Outputs:
    """The answers of several networks as the first one's; each has fitted its own share of the labels' stated noise."""
    if len(nets) == 1:
        return answers[0]
    own = [replace(a, lognoise_mbt=a.lognoise_mbt + log_share(net) - log_share(nets[0])) for net, a in zip(nets, answers, strict=True)]
    return nets[0].together(own)


def _filled(there: np.ndarray, otherwise: np.ndarray, present_n: np.ndarray) -> np.ndarray:
    """Rows of the galaxies that have the modality, ``otherwise`` for the rest; (n, ...)."""
    out = np.tile(np.nan_to_num(otherwise, nan=0.0) if there.dtype == np.float32 else otherwise, (len(present_n), 1)).astype(there.dtype)
    out[present_n] = there
    return out
