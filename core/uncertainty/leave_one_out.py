"""What a model would say of a galaxy it has learned from, had it not."""

import numpy as np

from core.uncertainty import last_layer

MOST = 0.95
"""Leverage beyond which a label is its own only witness; the residual is stretched no further."""


def leverage(features_nd: np.ndarray, values_nt: np.ndarray, noise_nt: np.ndarray, targets: tuple[str, ...]) -> np.ndarray:
    """How strongly each label pulls its own prediction towards itself, from the last layer's posterior.

    A linear last layer without the label would be off by residual / (1 - leverage): the leave-one-out residual
    (Allen 1974, Technometrics 16, 125), without a refit. The features below were learned with the label all the same, so
    what is left of the pull is a lower bound.

    Parameters
    ----------
    features_nd : float (n, d) of the galaxies that were learned from. values_nt : float (n, T) labels, NaN = not labelled.
    noise_nt : float (n, T), noise variance of each label. targets : T names.

    Returns
    -------
    float (n, T), 0 to `MOST`; 0 where there is no label. Raises `BadInput` as `last_layer.fit` does.
    """
    posterior = last_layer.fit(features_nd, values_nt, noise_nt, targets)
    rows_ne = posterior.prior.rows(features_nd)
    variance_nt = np.stack([np.einsum("ne,ne->n", rows_ne @ covariance_ee, rows_ne) for covariance_ee in posterior.covariance_tee], axis=1)
    return np.where(np.isfinite(values_nt), np.clip(variance_nt / noise_nt, 0, MOST), 0.0)
