"""How many images a second our loop fits, against the plain loop of the same network.

    python -m benchmarks.throughput [--rounds 5] [--threads 0]

Both loops run in this process, in turns, so that a busy machine slows both. The plain loop is
what a textbook writes: float32, NCHW, each image turned by itself, all of the network in every step.
"""

import argparse
import time

import numpy as np
import torch

from core.models.networks.image import BayesianCNN
from core.models.prediction import Labels
from core.training.loop import Fit, data_of
from core.training.losses import loss
from core.training.machine import Machine, settled, this_machine
from core.training.plan import Plan
from core.training.session import Session
from core.training.standard import standard_of

GALAXIES, BATCH, TARGETS = 512, 64, 9


def galaxies(rng: np.random.Generator) -> tuple[np.ndarray, Labels]:
    """Images and labels of no meaning; the time does not depend on it."""
    values = rng.standard_normal((GALAXIES, TARGETS))
    targets = tuple(f"target {t}" for t in range(TARGETS))
    return rng.standard_normal((GALAXIES, 5, 64, 64), dtype=np.float32), Labels(values, np.full_like(values, np.nan), np.ones(GALAXIES), np.arange(GALAXIES), targets)


def ours(images: np.ndarray, labels: Labels) -> Fit:
    """A fit by the training loop, every galaxy fitted, none held out."""
    standard, plan, machine = standard_of(labels), Plan(epochs=1000, batch_size=BATCH, half=True), this_machine(half=True)
    network = machine.place_network(BayesianCNN(standard))
    data = data_of(network, images, labels, standard, np.zeros(GALAXIES, dtype=bool), plan, 0, machine)
    return Fit(network, data, standard, plan, Session(), machine, np.zeros(1))


class Plain:
    """The same network and loss, fitted as a textbook does."""

    def __init__(self, images: np.ndarray, labels: Labels):
        standard, machine = standard_of(labels), Machine()
        self.network = BayesianCNN(standard).train()
        self.images = torch.from_numpy(images)
        self.targets = data_of(self.network, images, labels, standard, np.zeros(GALAXIES, dtype=bool), Plan(), 0, machine).targets
        self.weight_t = torch.from_numpy(standard.weight_t).float()
        self.optimiser = torch.optim.AdamW(self.network.parameters())

    def epoch(self) -> None:
        """One pass over the galaxies."""
        for rows in torch.randperm(GALAXIES).split(BATCH):
            batch = torch.stack([self._turned(self.images[i]) for i in rows.tolist()])
            value = loss(self.network, self.network(self.network.prepare(batch)), self.targets.at(rows), self.weight_t, 0.5, warm=False)
            self.optimiser.zero_grad()
            value.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimiser.step()

    @staticmethod
    def _turned(image: torch.Tensor) -> torch.Tensor:
        turned = torch.rot90(image, int(torch.randint(4, ())), (1, 2))
        return turned.flip(2) if torch.rand(()) < 0.5 else turned


def images_per_second(epoch: callable) -> float:
    """Of one epoch."""
    started = time.perf_counter()
    epoch()
    return GALAXIES / (time.perf_counter() - started)


def main() -> None:
    """Print a line a round and the ratio of the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0, help="0 = as many as torch chooses")
    arguments = parser.parse_args()
    images, labels = galaxies(np.random.default_rng(0))
    with settled(0, arguments.threads):
        fit, plain = ours(images, labels), Plain(images, labels)
        print(f"{sum(p.numel() for p in plain.network.parameters()):,} weights, {torch.get_num_threads()} threads, ours in {fit.machine.precision} on {fit.machine.device}")
        fit.train_epoch(0)
        plain.epoch()
        rates = np.array([_round(k, fit, plain) for k in range(arguments.rounds)])
    mine, theirs = np.median(rates, axis=0)
    print(f"ours {mine:,.0f} images/s, plain float32 NCHW {theirs:,.0f} images/s: {mine / theirs:.2f} times")


def _round(k: int, fit: Fit, plain: Plain) -> tuple[float, float]:
    rates = images_per_second(lambda: fit.train_epoch(k + 1)), images_per_second(plain.epoch)
    print(f"round {k + 1}: ours {rates[0]:,.0f}, plain {rates[1]:,.0f} images/s")
    return rates


if __name__ == "__main__":
    main()
