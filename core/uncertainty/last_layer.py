"""The posterior of a network's last layer in closed form: what the model thinks changes with a label, without retraining.

Bayesian linear regression on latent features (MacKay 1992, Neural Computation 4, 415), one per target, with a noise
variance of its own for each label. The features below are taken as they are; a last layer says
about as much about ignorance as all layers linearised (arXiv:2605.30741), though it may be narrow (arXiv:2602.01279).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from core.errors import BadInput
from core.models.base import names_from_array, names_to_array
from core.models.percentiles import arranged
from core.models.prediction import Prediction

RIDGES = np.logspace(-4, 6, 101)
"""Prior precisions, in units of one over the labels' variance, among which the evidence chooses."""
FEWEST = 2
"""Labels of a target under which neither its centre nor its spread is known."""


@dataclass(frozen=True)
class Prior:
    """What is believed of the weights before any label, and where features and targets are measured from.

    Attributes
    ----------
    middle_d, length : features enter as (features - middle) / length, with a constant 1 behind them.
    centre_t : what is taken from each target. precision_t : of every weight, one over squared target units.
    """

    middle_d: np.ndarray
    length: float
    centre_t: np.ndarray
    precision_t: np.ndarray

    def rows(self, features_nd: np.ndarray) -> np.ndarray:
        """Inputs of the regression, float64 (n, d + 1)."""
        features_nd = np.atleast_2d(np.asarray(features_nd, float))
        return np.column_stack([(features_nd - self.middle_d) / self.length, np.ones(len(features_nd))])


@dataclass(frozen=True)
class LastLayer:
    """A Gaussian posterior of the weights of each target; `fit` makes it.

    Attributes
    ----------
    weights_te : float64 (T, e) posterior means, e = d + 1. covariance_tee : float64 (T, e, e). targets : T names.
    """

    prior: Prior
    weights_te: np.ndarray
    covariance_tee: np.ndarray
    targets: tuple[str, ...]

    def absorb(self, features_d: np.ndarray, values_t: np.ndarray, noise_t: np.ndarray) -> "LastLayer":
        """The posterior after one more galaxy, by a rank-one update: the same as a refit under the same prior.

        Parameters
        ----------
        features_d : float (d,). values_t : float (T,), NaN = not labelled. noise_t : float (T,), noise variance of each label.
        """
        values_t, noise_t = np.asarray(values_t, float), np.asarray(noise_t, float)
        _require_labels(np.atleast_2d(features_d), values_t[None], noise_t[None])
        row_e, known_t = self.prior.rows(features_d)[0], np.isfinite(values_t)
        direction_te, shrink_t = self.reach(features_d, np.where(known_t, noise_t, np.inf))
        gain_te = shrink_t[:, None] * direction_te
        surprise_t = np.where(known_t, values_t - self.prior.centre_t - self.weights_te @ row_e, 0.0)
        return replace(self, weights_te=self.weights_te + gain_te * surprise_t[:, None],
                       covariance_tee=self.covariance_tee - gain_te[:, :, None] * direction_te[:, None, :])

    def reach(self, features_d: np.ndarray, noise_t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far a label of one galaxy would reach, whatever its value.

        Parameters
        ----------
        noise_t : float (T,), noise variance of the label; inf = no label of that target.

        Returns
        -------
        direction_te, shrink_t : the covariance of each target would lose ``shrink * direction direction^T``.
        """
        row_e = self.prior.rows(features_d)[0]
        direction_te = self.covariance_tee @ row_e
        return direction_te, 1 / (noise_t + direction_te @ row_e)

    def expecting(self, features_kd: np.ndarray, noise_kt: np.ndarray) -> "LastLayer":
        """As if k galaxies had been labelled with what is thought of them: less is unknown, whatever the labels will say.

        Parameters
        ----------
        noise_kt : float (k, T), noise variance of the labels to come; inf = none of that target.
        """
        rows_ke, one_ee = self.prior.rows(features_kd), np.eye(self.covariance_tee.shape[1])
        shrunk = []
        for covariance_ee, noise_k in zip(self.covariance_tee, noise_kt.T, strict=True):
            precision_ee = cho_solve(cho_factor(covariance_ee), one_ee) + (rows_ke / noise_k[:, None]).T @ rows_ke
            shrunk.append(cho_solve(cho_factor(precision_ee), one_ee))
        return replace(self, covariance_tee=np.stack(shrunk))

    def predict(self, features_nd: np.ndarray, noise_nt: np.ndarray, draws: int = 0, rng: np.random.Generator | None = None) -> Prediction:
        """What the model thinks now.

        Parameters
        ----------
        features_nd : float (n, d). noise_nt : float (n, T), the noise variance that the network predicts; passed on as aleatoric.
        draws : how many functions to draw from the posterior with ``rng``; 0 = none.

        Returns
        -------
        Prediction without features; percentiles never cross.
        """
        if draws and rng is None:
            raise ValueError("drawing functions needs a generator")
        mean_nt, variance_nt = self.moments(features_nd)
        samples_mnt = self.draw(features_nd, draws, rng) if draws else None
        return arranged(Prediction(mean_nt, np.asarray(noise_nt, float), variance_nt, samples_mnt, None, self.targets))

    def moments(self, features_nd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mean and variance of each target, (n, T) each; percentiles as they come."""
        rows_ne = self.prior.rows(features_nd)
        return rows_ne @ self.weights_te.T + self.prior.centre_t, self.variance(rows_ne)

    def variance(self, rows_ne: np.ndarray) -> np.ndarray:
        """What is not known of galaxies whose `Prior.rows` these are, variances (n, T)."""
        spread = [np.einsum("ne,ne->n", rows_ne @ covariance_ee, rows_ne) for covariance_ee in self.covariance_tee]
        return np.maximum(np.stack(spread, axis=1), 0)

    def draw(self, features_nd: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
        """What ``draws`` functions from the posterior say, (draws, n, T); percentiles as they come."""
        roots_tee = np.linalg.cholesky(self.covariance_tee)
        weights_tem = self.weights_te[:, :, None] + roots_tee @ rng.standard_normal((*self.weights_te.shape, draws))
        return np.einsum("ne,tem->mnt", self.prior.rows(features_nd), weights_tem, optimize=True) + self.prior.centre_t

    def state(self) -> dict[str, np.ndarray]:
        """Everything it is, as arrays."""
        prior = self.prior
        numbers = {"middle_d": prior.middle_d, "length": np.array([prior.length]), "centre_t": prior.centre_t, "precision_t": prior.precision_t}
        return numbers | {"weights_te": self.weights_te, "covariance_tee": self.covariance_tee, "targets": names_to_array(self.targets)}

    @staticmethod
    def of_state(state: dict[str, np.ndarray]) -> "LastLayer":
        """The `LastLayer` whose `state` this was."""
        prior = Prior(state["middle_d"], float(state["length"][0]), state["centre_t"], state["precision_t"])
        return LastLayer(prior, state["weights_te"], state["covariance_tee"], names_from_array(state["targets"]))


def fit(features_nd: np.ndarray, values_nt: np.ndarray, noise_nt: np.ndarray, targets: tuple[str, ...], prior: Prior | None = None) -> LastLayer:
    """The posterior given n labelled galaxies.

    Parameters
    ----------
    features_nd : float (n, d) latent features. values_nt : float (n, T) labels in the targets' units, NaN = not labelled.
    noise_nt : float (n, T), noise variance of each label: what the network predicts plus the label's own.
    targets : T names. prior : by default the one of largest evidence (`prior_of`).

    Raises
    ------
    BadInput : features that are not finite, noise that is not above 0 where there is a label, under
        `FEWEST` labels of a target when no prior is given.
    """
    values_nt, noise_nt = np.asarray(values_nt, float), np.asarray(noise_nt, float)
    _require_labels(features_nd, values_nt, noise_nt)
    prior = prior or prior_of(features_nd, values_nt, noise_nt, targets)
    rows_ne = prior.rows(features_nd)
    parts = [_solved(*_normal(rows_ne, values_nt[:, t] - prior.centre_t[t], noise_nt[:, t]), prior.precision_t[t]) for t in range(len(targets))]
    weights, covariances = zip(*parts, strict=True)
    return LastLayer(prior, np.stack(weights), np.stack(covariances), tuple(targets))


def prior_of(features_nd: np.ndarray, values_nt: np.ndarray, noise_nt: np.ndarray, targets: tuple[str, ...], ridge: float | None = None) -> Prior:
    """A prior whose scales are the labelled galaxies' own.

    Parameters
    ----------
    ridge : precision of the weights times the variance of the labels, for all targets; None = for each target
        the one of `RIDGES` with the largest evidence. The rest as for `fit`.
    """
    features_nd = np.asarray(features_nd, float)
    few = [t for t, n in zip(targets, np.isfinite(values_nt).sum(axis=0), strict=True) if n < FEWEST]
    if few:
        raise BadInput("A posterior", f"rest on at least {FEWEST} labels of each target", "fewer", ", ".join(few), "Label more galaxies or leave the target out")
    length = float(np.sqrt(features_nd.var(axis=0).sum())) or 1.0
    unscaled = Prior(features_nd.mean(axis=0), length, *(np.zeros(len(targets)) for _ in range(2)))
    rows_ne, centres, precisions = unscaled.rows(features_nd), [], []
    for value_n, noise_n in zip(np.asarray(values_nt, float).T, np.asarray(noise_nt, float).T, strict=True):
        known_n = np.isfinite(value_n)
        centre = np.average(value_n[known_n], weights=1 / noise_n[known_n])
        variance = float(np.var(value_n[known_n])) or 1.0
        chosen = ridge if ridge is not None else _most_evident(*_normal(rows_ne, value_n - centre, noise_n), variance)
        centres.append(centre)
        precisions.append(chosen / variance)
    return replace(unscaled, centre_t=np.array(centres), precision_t=np.array(precisions))


def _normal(rows_ne: np.ndarray, value_n: np.ndarray, noise_n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The normal equations of the labelled rows, each divided by its noise variance: (e, e) and (e,)."""
    known_n = np.isfinite(value_n)
    weighted_ne = rows_ne[known_n] / noise_n[known_n, None]
    return weighted_ne.T @ rows_ne[known_n], weighted_ne.T @ value_n[known_n]


def _solved(gram_ee: np.ndarray, pull_e: np.ndarray, precision: float) -> tuple[np.ndarray, np.ndarray]:
    covariance_ee = cho_solve(cho_factor(gram_ee + precision * np.eye(len(gram_ee))), np.eye(len(gram_ee)))
    return covariance_ee @ pull_e, covariance_ee


def _most_evident(gram_ee: np.ndarray, pull_e: np.ndarray, variance: float) -> float:
    """The ridge under which the labels are most likely when the weights are integrated out."""
    strengths_e, basis_ee = np.linalg.eigh(gram_ee)
    strengths_e, pull_e, precisions_r = np.maximum(strengths_e, 0), basis_ee.T @ pull_e, RIDGES[:, None] / variance
    evidence_r = (pull_e**2 / (precisions_r + strengths_e) - np.log1p(strengths_e / precisions_r)).sum(axis=1) / 2
    return float(RIDGES[evidence_r.argmax()])


def _require_labels(features_nd: np.ndarray, values_nt: np.ndarray, noise_nt: np.ndarray) -> None:
    bad = np.flatnonzero(~np.isfinite(features_nd).all(axis=1))
    if len(bad):
        raise BadInput("Latent features", "be finite", f"NaN or inf for {len(bad)}", f"row {bad[0]} of the labelled first", "Leave those galaxies out")
    wrong = np.isfinite(values_nt) & ~((noise_nt > 0) & np.isfinite(noise_nt))
    if wrong.any():
        raise BadInput("The noise variance of a label", "be above 0 and finite", f"{noise_nt[wrong][0]:g}", f"{int(wrong.sum())} labels", "Choose a model that predicts its noise")
