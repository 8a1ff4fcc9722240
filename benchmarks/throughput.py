"""How many images a second our loop fits and asks about, against the plain loop of the same network.

    python -m benchmarks.throughput [--rounds 5] [--threads 0]

Both run in this process, in turns, so that a busy machine slows both. The plain loop is what a
textbook writes: a Dataset that stretches and turns each image when it is asked for, a DataLoader,
float32, NCHW, all of the network in every step, and for Monte-Carlo dropout all of it in every pass.
The third column, its steps alone, has its images ready in memory: what is left then is arithmetic.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from core.models.networks.image import BayesianCNN
from core.models.networks.model import PREDICT_BATCH
from core.models.prediction import Labels
from core.preprocess.image import model_input
from core.training.loop import Fit, data_of, prepared
from core.training.losses import loss
from core.training.machine import Machine, settled, this_machine
from core.training.network import Batch, Outputs
from core.training.plan import Plan
from core.training.session import Session
from core.training.standard import standard_of
from core.uncertainty.mc_dropout import dropout_passes

GALAXIES, BATCH, TARGETS, PASSES = 512, 64, 9, 12
MATRIX = ("aten::convolution_backward", "aten::mkldnn_convolution", "aten::cudnn_convolution", "aten::mm", "aten::bmm", "aten::addmm", "aten::baddbmm")


def galaxies(rng: np.random.Generator) -> tuple[np.ndarray, Labels]:
    """Images in nanomaggies and labels, of no meaning; the time does not depend on it."""
    values = rng.standard_normal((GALAXIES, TARGETS))
    targets = tuple(f"target {t}" for t in range(TARGETS))
    return rng.standard_normal((GALAXIES, 5, 64, 64), dtype=np.float32), Labels(values, np.full_like(values, np.nan), np.ones(GALAXIES), np.arange(GALAXIES), targets)


class Ours:
    """The training loop and the prediction of the app, every galaxy fitted, none held out."""

    def __init__(self, images: np.ndarray, labels: Labels):
        standard, plan, machine = standard_of(labels), Plan(epochs=1000, batch_size=BATCH, half=True), this_machine(half=True)
        network = machine.place_network(BayesianCNN(standard))
        self.inputs, self.machine = model_input(images, np.full(GALAXIES, np.nan)), machine
        data = data_of(network, self.inputs, labels, standard, np.zeros(GALAXIES, dtype=bool), plan, 0, machine)
        self.loop, self.epochs = Fit(network, data, standard, plan, Session(), machine, np.zeros(1)), 0

    def epoch(self) -> None:
        """One pass over the galaxies."""
        self.loop.train_epoch(self.epochs)
        self.epochs += 1

    @torch.no_grad()
    def ask(self) -> None:
        """Means and variances of all galaxies, by `PASSES` passes."""
        network = self.loop.network.eval()
        for start in range(0, GALAXIES, PREDICT_BATCH):
            batch = prepared(network, self.inputs[start : start + PREDICT_BATCH], self.machine)
            with self.machine.autocast():
                dropout_passes(network, batch, PASSES)


class Stamps(Dataset):
    """Images as a textbook serves them: one at a time, stretched and turned when asked for."""

    def __init__(self, images: np.ndarray):
        self.images, self.unknown = images, np.full(1, np.nan)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        image = torch.from_numpy(model_input(self.images[i : i + 1], self.unknown)[0])
        turned = torch.rot90(image, int(torch.randint(4, ())), (1, 2))
        return (turned.flip(2) if torch.rand(()) < 0.5 else turned), i


class Whole(BayesianCNN):
    """All of the network in every pass, whatever dropout reaches."""

    def asking(self, batch: Batch) -> Callable[[], Outputs]:
        return lambda: BayesianCNN.asking(self, batch)()


class Plain:
    """The same network and loss, fitted and asked as a textbook does."""

    def __init__(self, images: np.ndarray, labels: Labels):
        standard, machine = standard_of(labels), Machine()
        self.network = Whole(standard)
        self.stamps = Stamps(images)
        self.ready = [(torch.stack([self.stamps[i][0] for i in rows]), rows) for rows in torch.arange(GALAXIES).split(BATCH)]
        self.targets = data_of(self.network, images, labels, standard, np.zeros(GALAXIES, dtype=bool), Plan(), 0, machine).targets
        self.weight_t = torch.from_numpy(standard.weight_t).float()
        self.optimiser = torch.optim.AdamW(self.network.parameters())

    def epoch(self) -> None:
        """One pass over the galaxies."""
        self._steps(DataLoader(self.stamps, BATCH, shuffle=True))

    def steps_alone(self) -> None:
        """The same with the images in memory, stretched, turned and stacked."""
        self._steps(self.ready)

    @torch.no_grad()
    def ask(self) -> None:
        """Means and variances of all galaxies, by `PASSES` passes of the whole network."""
        self.network.eval()
        for batch, _ in DataLoader(self.stamps, BATCH):
            dropout_passes(self.network, self.network.prepare(batch), PASSES)

    def _steps(self, batches: DataLoader | list) -> None:
        self.network.train()
        for batch, rows in batches:
            value = loss(self.network, self.network(self.network.prepare(batch)), self.targets.at(rows), self.weight_t, 0.5, warm=False)
            self.optimiser.zero_grad()
            value.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimiser.step()


def images_per_second(work: Callable[[], None]) -> float:
    """Of one pass over the galaxies."""
    started = time.perf_counter()
    work()
    return GALAXIES / (time.perf_counter() - started)


def not_matrix_work(epoch: Callable[[], None]) -> float:
    """Share of an epoch's processor time outside convolutions and matrix products."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        epoch()
    spent = {event.key: event.self_cpu_time_total for event in profile.key_averages()}
    return 1 - sum(spent.get(name, 0.0) for name in MATRIX) / sum(spent.values())


def main() -> None:
    """Print a line a round and the ratios of the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0 = as many as torch chooses")
    arguments = parser.parse_args()
    images, labels = galaxies(np.random.default_rng(0))
    with settled(0, arguments.threads):
        ours, plain = Ours(images, labels), Plain(images, labels)
        works = {"fit: ours": ours.epoch, "plain": plain.epoch, "its steps alone": plain.steps_alone, "ask: ours": ours.ask, "plain ": plain.ask}
        print(f"{sum(p.numel() for p in plain.network.parameters()):,} weights, {torch.get_num_threads()} threads, ours in {ours.machine.precision} on {ours.machine.device}; images/s")
        for work in works.values():
            work()
        rates = np.median([_round(k, works) for k in range(arguments.rounds)], axis=0)
        shares = not_matrix_work(ours.epoch), not_matrix_work(plain.epoch)
    print(f"fitting {rates[0]:,.0f} against {rates[1]:,.0f}: {rates[0] / rates[1]:.2f} times (its steps alone {rates[2]:,.0f}: {rates[0] / rates[2]:.2f} times)")
    print(f"asking {PASSES} passes {rates[3]:,.0f} against {rates[4]:,.0f}: {rates[3] / rates[4]:.2f} times")
    print(f"not matrix work: {100 * shares[0]:.0f} % of our fitting, {100 * shares[1]:.0f} % of the plain loop")


def _round(k: int, works: dict[str, Callable[[], None]]) -> list[float]:
    rates = [images_per_second(work) for work in works.values()]
    print(f"round {k + 1}: " + ", ".join(f"{name.strip()} {rate:,.0f}" for name, rate in zip(works, rates, strict=True)))
    return rates


if __name__ == "__main__":
    main()
