"""A network as a `Model`: standardise, fit, answer in units, keep as arrays."""

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
import torch

from core.errors import BadInput
from core.models.base import Model, require_labels
from core.models.prediction import Inputs, Labels, Prediction
from core.training import checkpoint
from core.training.loop import Arrays, fit, prepared
from core.training.losses import variance
from core.training.machine import settled, this_machine
from core.training.network import Batch, Network, Outputs
from core.training.plan import Plan
from core.training.session import Session
from core.training.standard import Standard, standard_of

PREDICT_BATCH = 256


class NetworkModel(Model):
    """What the networks share; subclasses name the modalities and build the network.

    A galaxy without any of the modalities is answered with the labelled galaxies' mean and variance, and their mean features.

    Attributes
    ----------
    held_n : bool (n,), which galaxies of the last fit were held out to choose the epoch.
    """

    def __init__(self, plan: Plan, passes: int = 1):
        self.plan, self._passes = plan, passes
        self._machine = this_machine(plan.half)
        self.device, self.precision = self._machine.device, self._machine.precision
        self._standard: Standard | None = None
        self._net: Network | None = None
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
        with settled(session.seed, session.threads):
            self._net = self._network(self._standard)
            held = fit(self._net, self._arrays(inputs[rows]), labels[rows], self._standard, self.plan, session, self._machine)
        self.held_n = np.zeros(len(inputs), dtype=bool)
        self.held_n[rows[held]] = True
        self._typical_d = self._answers(inputs[rows[:PREDICT_BATCH]], session.seed, self._net)[2].mean(axis=0)

    def _predict(self, inputs: Inputs, rng: np.random.Generator) -> Prediction:
        return self._asked(inputs, rng, lambda batch: self._net.passes(batch, self._passes))

    def _asked(self, inputs: Inputs, rng: np.random.Generator, ask: Callable[[Batch], Outputs]) -> Prediction:
        """What the network says of galaxies when it is asked in a certain way."""
        standard, present = self._standard, self._present(inputs)
        answers = self._answers(inputs[present], int(rng.integers(2**31)), ask) if present.any() else self._answers_of_none()
        scale2 = standard.scale_t**2
        blank = np.where(standard.is_labelled_t, 0.0, np.nan)
        mean_mnt, variance_mnt, features = answers
        mean_mnt = mean_mnt * standard.scale_t + standard.centre_t + blank
        filled = lambda there, else_: _filled(there, else_ + blank, present)  # noqa: E731
        # A stream that is asked alone has features of its own, of which no typical galaxy was kept.
        typical_d = self._typical_d if features.shape[1] == len(self._typical_d) else np.zeros(features.shape[1], dtype=np.float32)
        return Prediction(
            filled(mean_mnt.mean(axis=0), standard.centre_t),
            filled(variance_mnt.mean(axis=0) * scale2 + blank, scale2),
            filled(mean_mnt.var(axis=0), scale2),
            np.stack([filled(m, standard.centre_t) for m in mean_mnt]),
            _filled(features, typical_d, present),
            standard.targets,
        )

    def state(self) -> dict[str, np.ndarray]:
        network = {f"network/{k}": v for k, v in checkpoint.weights(self._net).items()}
        return self._standard.state() | network | {"typical_d": self._typical_d}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        self._standard = Standard.of_state(state)
        with settled(0):
            self._net = self._network(self._standard)
        self._net.load_state_dict(checkpoint.tensors(state, "network/"))
        self._machine.place_network(self._net).eval()
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
    def _answers(self, inputs: Inputs, seed: int, ask: Callable[[Batch], Outputs]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Means and variances (m, n, T) and features (n, d) in standard units."""
        parts: list[list[np.ndarray]] = []
        with settled(seed):
            for start in range(0, len(inputs), PREDICT_BATCH):
                batch = prepared(self._net, self._arrays(inputs[start : start + PREDICT_BATCH]), self._machine)
                with self._machine.autocast():
                    outputs = ask(batch)
                found = outputs.mean_mbt, variance(self._net, outputs), outputs.features_bd
                parts.append([tensor.float().cpu().numpy().astype(np.float64 if i < 2 else np.float32) for i, tensor in enumerate(found)])
        return tuple(np.concatenate(pieces, axis=axis) for pieces, axis in zip(zip(*parts, strict=True), (1, 1, 0), strict=True))

    def _answers_of_none(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return *np.zeros((2, 1, 0, len(self._standard.targets))), np.zeros((0, len(self._typical_d)), dtype=np.float32)


def _filled(there: np.ndarray, otherwise: np.ndarray, present_n: np.ndarray) -> np.ndarray:
    """Rows of the galaxies that have the modality, ``otherwise`` for the rest; (n, ...)."""
    out = np.tile(np.nan_to_num(otherwise, nan=0.0) if there.dtype == np.float32 else otherwise, (len(present_n), 1)).astype(there.dtype)
    out[present_n] = there
    return out
