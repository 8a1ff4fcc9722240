"""What the next labels should buy, before anybody gives them: when to go on, and when to stop.

Two sources. The learning curve of runs of one model, a power law a n^-b + c (Hestness et al. 2017, arXiv:1712.00409; fitted
to curves of active learning by Figueroa et al. 2012, BMC Med. Inform. Decis. Mak. 12, 8), goes by what labels have bought so far.
The posterior of a last layer goes by what is still unknown: its variance after a batch is known before the labels are.
"""

from dataclasses import dataclass

import numpy as np

FEWEST_COUNTS = 3
"""Different numbers of labels under which a curve has no bend."""
SCATTER, SCATTER_RUNS = 0.03, 2
"""Relative scatter of an error between trainings that is assumed before it is measured, and how many runs that assumption is worth."""
EXPONENTS = np.linspace(0.1, 2.0, 39)
DRAWS = 400
POSTERIOR_DOUBT = 0.5
"""Relative error of what a posterior promises, from replays on real galaxies (`benchmarks/advice.py`)."""
LITTLE = 0.01
"""A batch that should lower the error by less than this share of it no longer helps much."""


@dataclass(frozen=True)
class Gain:
    """How far a batch should lower an error: ``now`` and ``gain`` in the error's unit, ``error`` the 1-sigma error of the gain."""

    now: float
    gain: float
    error: float

    @property
    def share(self) -> float:
        """Gain over the error as it is now."""
        return self.gain / self.now

    @property
    def is_little(self) -> bool:
        """Whether even a lucky batch (one sigma) would lower the error by less than `LITTLE` of it."""
        return self.gain + self.error < LITTLE * self.now


@dataclass(frozen=True)
class PowerLaw:
    """error(n) = height n^-exponent + floor; arrays where there are several."""

    height: np.ndarray
    exponent: np.ndarray
    floor: np.ndarray

    def at(self, labels: np.ndarray) -> np.ndarray:
        """The error with so many labels."""
        return self.height * np.asarray(labels, float) ** -self.exponent + self.floor


def power_law(labels_k: np.ndarray, errors_dk: np.ndarray) -> PowerLaw:
    """The curve of least squared relative distance from k errors, for each of d sets of them; it never rises, its floor is 0 or more.

    Parameters
    ----------
    labels_k : above 0. errors_dk : above 0, (d, k) or (k,).

    >>> n = np.array([100, 200, 400, 800])
    >>> law = power_law(n, 3 * n**-0.5 + 0.1)
    >>> law.exponent.round(2).tolist(), law.floor.round(3).tolist()
    ([0.5], [0.1])
    """
    errors_dk = np.atleast_2d(np.asarray(errors_dk, float))
    fits = [_line(np.asarray(labels_k, float) ** -b, errors_dk) for b in EXPONENTS]
    heights_bd, floors_bd, misses_bd = (np.stack(part) for part in zip(*fits, strict=True))
    best_d, d = misses_bd.argmin(axis=0), np.arange(len(errors_dk))
    return PowerLaw(heights_bd[best_d, d], EXPONENTS[best_d], floors_bd[best_d, d])


def power_laws(labels_k: np.ndarray, errors_k: np.ndarray, rng: np.random.Generator) -> tuple[PowerLaw, PowerLaw, float]:
    """The curve through errors, `DRAWS` curves through errors drawn anew around it, and the relative scatter they were drawn by."""
    law = power_law(labels_k, errors_k)
    fitted_k = law.at(labels_k)
    spare = max(len(labels_k) - 3, 0)
    scatter = float(np.sqrt((np.sum((errors_k / fitted_k - 1) ** 2) + SCATTER_RUNS * SCATTER**2) / (spare + SCATTER_RUNS)))
    return law, power_law(labels_k, np.maximum(fitted_k * (1 + scatter * rng.standard_normal((DRAWS, len(labels_k)))), 1e-3 * fitted_k)), scatter


def gain_by_curve(labels_k: np.ndarray, errors_k: np.ndarray, now: int, batch: int, rng: np.random.Generator) -> Gain | None:
    """What the learning curve promises of ``batch`` more labels than ``now``; None while it has no bend (`FEWEST_COUNTS`).

    Its error is the spread over curves fitted to errors drawn anew around the fitted one: by their scatter about it,
    joined with `SCATTER`, because three runs lie on a curve of three parameters whatever they are.
    """
    labels_k, errors_k = np.asarray(labels_k, float), np.asarray(errors_k, float)
    if len(np.unique(labels_k)) < FEWEST_COUNTS:
        return None
    law, drawn, _ = power_laws(labels_k, errors_k, rng)
    gain_d = drawn.at(now) - drawn.at(now + batch)
    return Gain(float(law.at(now)[0]), float((law.at(now) - law.at(now + batch))[0]), float(gain_d.std()))


def gain_by_posterior(now: float, before_p: np.ndarray, after_p: np.ndarray, noise_p: np.ndarray) -> Gain:
    """What the posterior promises: a measured error, RMSE or another width, falls as the claimed one does.

    Parameters
    ----------
    now : as measured on held-out galaxies. before_p, after_p : epistemic variance of a target over the pool, without the batch and with it.
    noise_p : its noise variance. Claimed and measured variance need not agree: only the claim's ratio before and after counts.

    >>> gain = gain_by_posterior(2.0, np.array([0.36]), np.array([0.17]), np.array([0.64]))
    >>> round(gain.gain, 3), round(gain.error, 3)
    (0.2, 0.1)
    """
    lost = float(np.mean(before_p) - np.mean(after_p)) / float(np.mean(before_p) + np.mean(noise_p))
    gain = now * float(1 - np.sqrt(1 - min(max(lost, 0.0), 1.0)))
    return Gain(now, gain, POSTERIOR_DOUBT * gain)


def _line(x_k: np.ndarray, y_dk: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slope and intercept, both 0 or more, of least squared relative distance, and that distance; each (d,)."""
    weight_dk = y_dk**-2.0
    sums = [(weight_dk * x_k**i * y_dk**j).sum(axis=1) for i, j in ((0, 0), (1, 0), (2, 0), (0, 1), (1, 1))]
    w, wx, wxx, wy, wxy = sums
    slope_d = np.maximum((w * wxy - wx * wy) / np.maximum(w * wxx - wx**2, 1e-300), 0)
    offset_d = (wy - slope_d * wx) / w
    through_zero_d = wxy / wxx
    slope_d, offset_d = np.where(offset_d < 0, through_zero_d, slope_d), np.maximum(offset_d, 0)
    miss_d = (weight_dk * (slope_d[:, None] * x_k + offset_d[:, None] - y_dk) ** 2).sum(axis=1)
    return slope_d, offset_d, miss_d
