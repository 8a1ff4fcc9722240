"""What a network leaves over, learnt by the posterior of its last layer: a correction of its means, and its ignorance.

The prior of the last layer's weights is as wide as the labels ask for (`prior_of`) and centred on the weights that the network
was fitted to, so it is the residuals that are regressed on the latent features. That serves networks whose answer is more than a linear
function of one set of features, too. The posterior's width is taken as it is: stretched by what galaxies ask for that the
network was not fitted to, it collapsed on the mock sky (factor 0.001 for eight targets of nine), because the predicted noise
covers the errors of galaxies like the labelled ones already, and ignorance is wanted for the others.
"""

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from core.models.prediction import Prediction
from core.uncertainty.last_layer import FEWEST, LastLayer, fit, prior_of


def of_residuals(said: Prediction, values_nt: np.ndarray, without: Collection[int] = ()) -> LastLayer | None:
    """The posterior given labelled galaxies.

    Parameters
    ----------
    said : of n galaxies, by the network alone. values_nt : their labels, NaN = none.
    without : columns whose answer does not come from the latent features.

    Returns
    -------
    LastLayer of the targets with labels enough (`core.uncertainty.last_layer.FEWEST`); None where no target has.
    """
    at = [t for t in np.flatnonzero(np.isfinite(values_nt).sum(axis=0) >= FEWEST) if t not in without]
    if not at:
        return None
    values, noise, names = values_nt[:, at], said.aleatoric[:, at], tuple(said.targets[t] for t in at)
    prior = replace(prior_of(said.features_nd, values, noise, names), centre_t=np.zeros(len(at)))
    return fit(said.features_nd, values - said.mean[:, at], noise, names, prior)


def absorbed(posterior: LastLayer, said: Prediction, values_nt: np.ndarray) -> LastLayer:
    """The posterior after more labelled galaxies, by rank-one updates; arguments as for `of_residuals`."""
    at = [said.targets.index(t) for t in posterior.targets]
    for features_d, left_t, noise_t in zip(said.features_nd, (values_nt - said.mean)[:, at], said.aleatoric[:, at], strict=True):
        posterior = posterior.absorb(features_d, left_t, noise_t)
    return posterior


def refined(posterior: LastLayer, said: Prediction, draws: int, rng: np.random.Generator) -> Prediction:
    """What the network and the posterior say together.

    Parameters
    ----------
    said : of n galaxies, by the network alone, with features and samples. draws : functions to draw as samples.

    Returns
    -------
    Prediction; targets that the posterior does not know stay as they are.
    """
    at = [said.targets.index(t) for t in posterior.targets]
    mean, epistemic = said.mean.copy(), said.epistemic.copy()
    samples = said.samples_mnt[np.arange(draws) % len(said.samples_mnt)]
    shift_nt, epistemic[:, at] = posterior.moments(said.features_nd)
    samples[..., at] = said.mean[:, at] + posterior.draw(said.features_nd, draws, rng)
    mean[:, at] += shift_nt
    return replace(said, mean=mean, epistemic=epistemic, samples_mnt=samples)
