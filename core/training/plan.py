"""How a network is to be fitted: plain numbers, so that they can be shown, stored and compared."""

import math
from dataclasses import dataclass

import numpy as np

from core.training.holdout import SHARE, carve, held_share


@dataclass(frozen=True)
class Plan:
    """Settings of one fit.

    Attributes
    ----------
    epochs : passes over the labelled galaxies; 0 = as many as show the network about ``examples`` galaxies.
    examples, fewest, most : of the automatic number of epochs.
    batch_size, learning_rate, weight_decay : of AdamW; the rate is the peak of the one-cycle schedule.
    warmup : share of the steps that fit the mean alone; the variances learn along without a say.
    beta : of beta-NLL (Seitzer et al. 2022, arXiv:2203.09168): 0 is the likelihood, 1 weighs like squared error.
    patience : share of the epochs without a better validation loss after which the fit stops.
    clip : longest gradient that is followed.
    validation_share : of the labelled galaxies, whole sky groups, that choose the epoch and are not fitted.
    bootstrap : each member of an ensemble weighs galaxies by its own exponential draws (Bayesian bootstrap).
    half : bfloat16 and channels_last where the machine is faster with them.
    balance : of a network with several streams, remedies of `core.training.balance.remedies`, joined by ``+``.
    """

    epochs: int = 0
    examples: int = 20_000
    fewest: int = 12
    most: int = 120
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    warmup: float = 0.25
    beta: float = 0.5
    patience: float = 0.4
    clip: float = 1.0
    validation_share: float = SHARE
    bootstrap: bool = False
    half: bool = False
    balance: str = "none"

    def epochs_for(self, n: int) -> int:
        """Epochs of a fit to n galaxies.

        >>> Plan(examples=20_000).epochs_for(400), Plan(epochs=3).epochs_for(400)
        (50, 3)
        """
        return self.epochs or min(max(math.ceil(self.examples / max(n, 1)), self.fewest), self.most)

    def batch_of(self, n: int) -> int:
        """Galaxies a step: `batch_size`, fewer when there are not eight steps in an epoch of n.

        >>> Plan(batch_size=64).batch_of(1000), Plan(batch_size=64).batch_of(100)
        (64, 16)
        """
        return max(min(self.batch_size, 2 ** round(math.log2(max(n / 8, 1)) + 0.5)), min(n, 16))

    def held(self, group_n: np.ndarray, seed: int) -> np.ndarray:
        """Which of n labelled galaxies choose the epoch and are not fitted, bool (n,); `core.training.holdout.carve`."""
        return carve(group_n, held_share(len(group_n), self.validation_share), seed)


def one_cycle(step: int, steps: int, peak: float, rise: float = 0.25) -> float:
    """Learning rate of a step: a straight rise, then half a cosine to nothing (Smith & Topin 2018, arXiv:1708.07120).

    >>> one_cycle(0, 100, 1.0), one_cycle(25, 100, 1.0), round(one_cycle(99, 100, 1.0), 4)
    (0.04, 1.0, 0.0004)
    """
    place = step / steps
    if place < rise:
        return peak * max(place / rise, 1 / max(rise * steps, 1))
    return peak * 0.5 * (1 + math.cos(math.pi * (place - rise) / (1 - rise)))
