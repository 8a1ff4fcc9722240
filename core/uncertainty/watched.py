"""A posterior that learns label by label, and what it still does not know of galaxies that are watched all the while."""

from dataclasses import dataclass, replace

import numpy as np

from core.uncertainty.last_layer import LastLayer


@dataclass(frozen=True)
class Watched:
    """A last layer's posterior with the variances of p galaxies kept beside it; `watch` makes it.

    Attributes
    ----------
    posterior : what is known. rows_pe : float64 (p, e), the galaxies as its `Prior.rows` gives them.
    epistemic_pt : float64 (p, T), what is not known of them, squared target units.
    """

    posterior: LastLayer
    rows_pe: np.ndarray
    epistemic_pt: np.ndarray

    @property
    def mean_pt(self) -> np.ndarray:
        """What is thought of the galaxies now, (p, T); percentiles may cross."""
        return self.rows_pe @ self.posterior.weights_te.T + self.posterior.prior.centre_t

    def absorb(self, features_d: np.ndarray, values_t: np.ndarray, noise_t: np.ndarray) -> "Watched":
        """After one more label, as `LastLayer.absorb`: the variances follow by one product of (p, e) with (e, T)."""
        direction_te, shrink_t = self.posterior.reach(features_d, np.where(np.isfinite(values_t), noise_t, np.inf))
        lost_pt = shrink_t * (self.rows_pe @ direction_te.T) ** 2
        return replace(self, posterior=self.posterior.absorb(features_d, values_t, noise_t), epistemic_pt=np.maximum(self.epistemic_pt - lost_pt, 0))

    def expect(self, features_d: np.ndarray, noise_t: np.ndarray) -> "Watched":
        """As if a galaxy had been labelled with what is thought of it: variances shrink as they will, whatever the label says.

        Parameters
        ----------
        noise_t : float (T,), noise variance of the label to come; inf = none of that target.
        """
        thought_t = self.posterior.prior.rows(features_d)[0] @ self.posterior.weights_te.T + self.posterior.prior.centre_t
        return self.absorb(features_d, np.where(np.isfinite(noise_t), thought_t, np.nan), noise_t)


def watch(posterior: LastLayer, features_pd: np.ndarray) -> Watched:
    """Keep an eye on galaxies, given by their latent features (p, d)."""
    rows_pe = posterior.prior.rows(features_pd)
    return Watched(posterior, rows_pe, posterior.variance(rows_pe))
