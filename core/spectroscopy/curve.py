"""chi-square against redshift, the classes of object joined, and the probability of each redshift."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.preprocess.spectrum import STEP

POINTS = 600
"""As many as a curve is drawn with."""


@dataclass(frozen=True)
class Chi2Curve:
    """The lowest chi-square that any class reaches at each redshift.

    Attributes
    ----------
    z_s : ascending, (S,). delta_chi2_s : above the lowest of all, (S,).
    posterior_s : probability of each of ``z_s``, sum 1, (S,). class_s : the class that is lowest there, (S,).
    """

    z_s: np.ndarray
    delta_chi2_s: np.ndarray
    posterior_s: np.ndarray
    class_s: np.ndarray

    def decimated(self, count: int = POINTS) -> "Chi2Curve":
        """At most ``count`` points that keep every deep minimum where it is.

        Bins of equal width in the root of log(1 + z), so that low redshifts have room; each is shown by its
        lowest point and holds the probability of all of its points.
        """
        if not len(self.z_s):
            return self
        place = np.sqrt(np.log10((1 + self.z_s) / (1 + self.z_s[0])))
        bins = np.minimum((place / max(place[-1], 1e-12) * count).astype(int), count - 1)
        first = np.flatnonzero(np.diff(bins, prepend=-1))
        lowest = np.lexsort((self.delta_chi2_s, bins))[first]
        return Chi2Curve(self.z_s[lowest], self.delta_chi2_s[lowest], np.add.reduceat(self.posterior_s, first), self.class_s[lowest])


NO_CURVE = Chi2Curve(np.empty(0), np.empty(0), np.empty(0), np.empty(0, "<U6"))


def joined(curves: Sequence[tuple[str, np.ndarray, np.ndarray]], sure: float, same_dex: float) -> Chi2Curve:
    """The curves of several bases as one.

    Parameters
    ----------
    curves : of each basis its class, its trial redshifts as whole pixels of log(1 + z) and chi-square as it competes with other classes.
    sure : probability that the best redshift is right: the posterior's share within ``same_dex`` of it.
    """
    shifts = np.arange(min(s[0] for _, s, _ in curves), max(s[-1] for _, s, _ in curves) + 1)
    chi2_cs = np.stack([np.interp(shifts, s, chi2, np.inf, np.inf) for _, s, chi2 in curves])
    rise = chi2_cs.min(axis=0) - chi2_cs.min()
    known = np.isfinite(rise)
    shifts, rise, lowest = shifts[known], rise[known], chi2_cs.argmin(axis=0)[known]
    near = np.abs(shifts - shifts[rise.argmin()]) * STEP < same_dex
    return Chi2Curve(10 ** (shifts * STEP) - 1, rise, _posterior(rise, near, sure), np.array([name for name, *_ in curves])[lowest])


def _posterior(rise: np.ndarray, near: np.ndarray, sure: float) -> np.ndarray:
    """exp(-chi2 / 2), with ``sure`` as the share of what is ``near`` the best redshift and the rest for all others."""
    out = np.zeros(len(rise))
    for part, share in ((near, sure), (~near, 1 - sure)):
        if part.any():
            likelihood = np.exp(-0.5 * (rise[part] - rise[part].min()))
            out[part] = share * likelihood / likelihood.sum()
    return out
