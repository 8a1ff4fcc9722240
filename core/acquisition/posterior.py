"""Strategies that ask what a batch would leave unknown, in a linear model on the features.

The features are taken for the inputs of a network's last layer and its weights for all that is to be learnt:
a Gaussian prior, Gaussian noise, so the posterior variance after a label is known before the label is.
Features are divided by the predicted noise; variances are then in units of it, and no label value enters.
"""

from collections.abc import Callable

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh

from core.acquisition.candidates import Candidates, Picks
from core.acquisition.distances import BLOCK, squared_lengths
from core.acquisition.noise import noise_normalised, noise_normalised_population

PRIOR = 0.01
"""Noise variance over the variance that features of typical length explain before anything is labelled:
about what redshifts (0.1 of spread, 0.01 of noise) have; a larger value makes the first labels of a direction worth less."""


def max_det(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """Again and again the galaxy of largest posterior variance: the batch that tells most about the model as a whole.

    Greedy maximum of the log determinant of the kernel of labels and picks, which is BatchBALD
    (Kirsch et al. 2019, arXiv:1906.08158) for a Gaussian likelihood; MaxDet in Holzmueller et al. 2023, JMLR 24.
    It likes outliers. Score: nats that the label adds to those of the labels and the picks before it.
    """
    posterior = _Posterior(*noise_normalised(candidates))
    rows, nats = _greedy(candidates, size, lambda: 0.5 * np.log1p(posterior.variance_p), posterior.learn)
    reasons = [f"Ignorance of {np.expm1(2 * n):.2g} times the noise after all labels and the picks before it: {n:.2g} nat" for n in nats]
    return Picks(rows, nats, reasons)


def bait(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """Again and again the galaxy whose label lowers the posterior variance of the galaxies to be served most.

    The forward pass of BAIT (Ash et al. 2021, arXiv:2106.09675), which is V-optimal design; serving a named
    population instead of the pool is the idea of EPIG (Bickford Smith et al. 2023, arXiv:2304.08151).
    Unlike `max_det` it passes by outliers that stand for nobody. Score: share of their summed variance, before the batch, that the label takes away.
    """
    served = _Served(_Posterior(*noise_normalised(candidates)), noise_normalised_population(candidates))
    rows, shares = _greedy(candidates, size, served.gain, served.learn)
    whom = "the pool" if candidates.population_md is None else "the population to be served"
    return Picks(rows, shares, [f"Its label would take away {100 * s:.2g} % of the posterior variance over {whom}" for s in shares])


def _greedy(candidates: Candidates, size: int, gain: Callable[[], np.ndarray], learn: Callable[[int], object]) -> tuple[np.ndarray, np.ndarray]:
    """``size`` rows, each the best when those before it are known, and what they gained then."""
    rows: list[int] = []
    gains: list[float] = []
    for _ in range(size):
        gain_p = gain()
        worth_p = np.array(candidates.per_cost(gain_p))
        worth_p[rows] = -1
        rows.append(int(worth_p.argmax()))
        gains.append(float(gain_p[rows[-1]]))
        learn(rows[-1])
    return np.array(rows), np.array(gains)


class _Posterior:
    """Posterior of the weights given the labelled galaxies, kept up as picks are added.

    Attributes
    ----------
    points_pd : float32 pool features over their root mean square length. covariance_dd : float64 of the weights.
    variance_p : float32 of what the model says, in units of the noise variance.
    """

    def __init__(self, points_pd: np.ndarray, labelled_ld: np.ndarray):
        self.scale = float(np.sqrt(np.mean(squared_lengths(np.asarray(points_pd, float))))) or 1.0
        self.points_pd = np.asarray(points_pd / self.scale, np.float32)
        labelled_ld = np.asarray(labelled_ld, float) / self.scale
        precision_dd = labelled_ld.T @ labelled_ld + PRIOR * np.eye(points_pd.shape[1])
        self.covariance_dd = cho_solve(cho_factor(precision_dd), np.eye(len(precision_dd)))
        self.variance_p = self.lengths_through(np.linalg.cholesky(self.covariance_dd))

    def lengths_through(self, matrix_de: np.ndarray) -> np.ndarray:
        """Squared length of each point's image, (p,), in blocks."""
        matrix_de = np.asarray(matrix_de, np.float32)
        return np.concatenate([squared_lengths(self.points_pd[s : s + BLOCK] @ matrix_de) for s in range(0, len(self.points_pd), BLOCK)])

    def along(self, direction_d: np.ndarray) -> np.ndarray:
        return self.points_pd @ np.asarray(direction_d, np.float32)

    def learn(self, row: int) -> tuple[np.ndarray, float, np.ndarray]:
        """Take the pool's ``row`` as labelled, by a rank-one update.

        Returns
        -------
        direction_d, shrink : the covariance lost ``shrink * direction direction^T``. along_p : points on that direction.
        """
        point_d = self.points_pd[row].astype(float)
        direction_d = self.covariance_dd @ point_d
        shrink = float(1 / (1 + point_d @ direction_d))
        along_p = self.along(direction_d)
        self.covariance_dd -= shrink * np.outer(direction_d, direction_d)
        self.variance_p = np.maximum(self.variance_p - np.float32(shrink) * along_p**2, 0)
        return direction_d, shrink, along_p


class _Served:
    """How far a label at each point of the pool reaches into the galaxies to be served.

    With covariance C and M the mean of x x^T over those galaxies, a label at x takes
    x C M C x / (1 + x C x) from their mean variance, trace(C M); both terms follow a pick by rank-one updates.
    """

    def __init__(self, posterior: _Posterior, population_md: np.ndarray):
        self.posterior = posterior
        self.moment_dd = _moment(population_md / posterior.scale)
        self.before = float(np.sum(posterior.covariance_dd * self.moment_dd))
        values_e, basis_de = eigh(self.moment_dd)
        self.reach_p = posterior.lengths_through(posterior.covariance_dd @ (basis_de * np.sqrt(np.maximum(values_e, 0))))

    def gain(self) -> np.ndarray:
        return self.reach_p / (1 + self.posterior.variance_p) / (self.before or 1.0)

    def learn(self, row: int) -> None:
        direction_d, shrink, along_p = self.posterior.learn(row)
        pull_d = self.moment_dd @ direction_d
        beside_p = self.posterior.along(self.posterior.covariance_dd @ pull_d)
        lost_p = 2 * shrink * along_p * beside_p + shrink**2 * float(direction_d @ pull_d) * along_p**2
        self.reach_p = np.maximum(self.reach_p - lost_p, 0)


def _moment(points_md: np.ndarray) -> np.ndarray:
    """Mean of x x^T, float64 (d, d), in blocks."""
    total_dd = np.zeros((points_md.shape[1],) * 2)
    for start in range(0, len(points_md), BLOCK):
        block = np.asarray(points_md[start : start + BLOCK], float)
        total_dd += block.T @ block
    return total_dd / max(len(points_md), 1)
