"""Bayesian ridge regression on physical features: a closed form, so fast, and sure of what it does not know."""

import numpy as np
from scipy.special import gammaln

from core.metrics import Z68
from core.models.base import Model, names_from_array, names_to_array, require_labels
from core.models.classical import Physical, blank, chosen, label_groups, quantile, weighted_moments
from core.models.prediction import Inputs, Labels, Prediction
from core.training.session import Session

ITERATIONS = 50
TINY = 1e-6
"""Hyperprior on both precisions: keeps them finite when a handful of labels is fitted exactly."""
FREEDOMS = np.array([2.0, 4.0, 8.0, 16.0, 64.0])
"""Degrees of freedom that the noise's t distribution may have; 64 is a Gaussian, near enough."""
ROUNDS = 6


class Linear(Model):
    """One ridge regression per target; strength of the prior and noise found by maximising the evidence.

    MacKay 1992, Neural Computation 4, 415; with Student-t noise, so that a quasar among galaxies does
    not bend the line. Epistemic variance is that of the weights' posterior, aleatoric the noise it
    finds, the same for every galaxy. Each label counts ``weight_n``.

    Parameters
    ----------
    modalities : ``all``, ``image``, ``spectrum`` or ``photometry``.
    """

    def __init__(self, modalities: str) -> None:
        self.modalities = chosen(modalities)
        self._targets: tuple[str, ...] = ()
        self._physical = Physical(self.modalities)
        self._fitted: dict[str, np.ndarray] = {}

    def fit(self, inputs: Inputs, labels: Labels, session: Session) -> None:
        require_labels(labels)
        raw = self._physical.fit(inputs)
        self._targets = labels.targets
        x, t = self._physical.scaling.apply(raw).astype(float), len(labels.targets)
        d = x.shape[1]
        self._fitted = {
            "coefficient_td": np.full((t, d), np.nan), "intercept_t": np.full(t, np.nan), "middle_td": np.zeros((t, d)),
            "root_tdd": np.zeros((t, d, d), dtype=np.float32), "noise_t": np.full(t, np.nan), "intercept_variance_t": np.full(t, np.nan),
        }  # fmt: skip
        for columns, rows in label_groups(labels):
            session.check()
            self._fit_group(x[rows], labels.values_nt[np.ix_(rows, columns)], labels.weight_n[rows], columns)

    def _fit_group(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray, columns: np.ndarray) -> None:
        weight = weight / weight.mean()
        centre, variance = weighted_moments(y, weight)
        spread = np.where(variance > 0, np.sqrt(variance), 1.0)
        for k, t in enumerate(columns):
            fit = _robust(x, (y[:, k] - centre[k]) / spread[k], weight)
            self._fitted["coefficient_td"][t] = fit["coefficient"] * spread[k]
            self._fitted["root_tdd"][t] = fit["root"] * spread[k]
            self._fitted["middle_td"][t] = fit["middle"]
            self._fitted["intercept_t"][t] = centre[k] + fit["intercept"] * spread[k]
            self._fitted["noise_t"][t] = fit["noise"] * spread[k] ** 2
            self._fitted["intercept_variance_t"][t] = fit["noise"] * spread[k] ** 2 / len(y)

    def _predict(self, inputs: Inputs, rng: np.random.Generator) -> Prediction:
        x = self._physical.scaled(inputs)
        mean, aleatoric, epistemic = blank(len(x), self._targets)
        for t in np.flatnonzero(np.isfinite(self._fitted["intercept_t"])):
            centred = x - self._fitted["middle_td"][t]
            mean[:, t] = centred @ self._fitted["coefficient_td"][t] + self._fitted["intercept_t"][t]
            aleatoric[:, t] = self._fitted["noise_t"][t]
            epistemic[:, t] = ((centred @ self._fitted["root_tdd"][t]) ** 2).sum(axis=1) + self._fitted["intercept_variance_t"][t]
        return Prediction(mean, aleatoric, epistemic, features_nd=x, targets=self._targets)

    def state(self) -> dict[str, np.ndarray]:
        return {"targets": names_to_array(self._targets), **self._physical.state(), **self._fitted}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        arrays = dict(state)
        self._targets = names_from_array(arrays.pop("targets"))
        self._physical.load_state(arrays)
        self._fitted = {name: array for name, array in arrays.items() if name not in self._physical.state()}


def _robust(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
    """Ridge under Student-t noise: refitted with less weight on what the last fit missed by far.

    Lange, Little & Taylor 1989, JASA 84, 881; degrees of freedom as in Liu & Rubin 1995, Statistica Sinica 5, 19.
    ``noise`` is the variance whose 68 % interval holds 68 % of the residuals, enlarged by the degrees of freedom used.
    """
    trust = weight
    for _ in range(ROUNDS):
        middle, intercept = np.average(x, axis=0, weights=trust), np.average(y, weights=trust)
        centred, target = (x - middle) * np.sqrt(trust)[:, None], (y - intercept) * np.sqrt(trust)
        eigenvalues, basis = np.linalg.eigh(centred.T @ centred)
        eigenvalues = np.maximum(eigenvalues, 0)
        solution, alpha, beta = _evidence(eigenvalues, basis.T @ (centred.T @ target), target @ target, len(y))
        squares = (y - intercept - (x - middle) @ (basis @ solution)) ** 2
        freedom = _freedom(beta * squares, weight)
        trust = weight * (freedom + 1) / (freedom + beta * squares)
    used = min((beta * eigenvalues / (beta * eigenvalues + alpha)).sum(), 0.9 * len(y))
    noise = max(quantile(squares, weight, 0.68) / Z68**2, TINY / beta) / (1 - used / len(y))
    root = basis / np.sqrt(beta * eigenvalues + alpha)
    return {"coefficient": basis @ solution, "intercept": intercept, "middle": middle, "root": root, "noise": noise}


def _freedom(squares_n: np.ndarray, weight_n: np.ndarray) -> float:
    """The most likely of `FREEDOMS` for squared residuals in units of the noise's squared scale."""
    v = FREEDOMS[:, None]
    likelihood = gammaln((v + 1) / 2) - gammaln(v / 2) - 0.5 * np.log(v) - (v + 1) / 2 * np.log1p(squares_n / v)
    return float(FREEDOMS[np.argmax(likelihood @ weight_n)])


def _evidence(eigenvalues: np.ndarray, projected: np.ndarray, total: float, n: int) -> tuple[np.ndarray, float, float]:
    """Weights in the eigenbasis, their prior precision and the noise precision, for a target of unit variance."""
    alpha, beta = 1.0, 1.0
    for _ in range(ITERATIONS):
        solution = beta * projected / (beta * eigenvalues + alpha)
        effective = (beta * eigenvalues / (beta * eigenvalues + alpha)).sum()
        residual = max(total - 2 * solution @ projected + solution @ (eigenvalues * solution), 0.0)
        alpha = (effective + TINY) / (solution @ solution + TINY)
        beta = (max(n - effective, 0.0) + TINY) / (residual + TINY)
    return beta * projected / (beta * eigenvalues + alpha), alpha, beta
