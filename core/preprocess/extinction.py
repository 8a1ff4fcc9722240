"""Galactic extinction: what dust of the Milky Way takes away, per unit of E(B-V)."""

import numpy as np

SFD_UGRIZ = np.array([5.155, 3.793, 2.751, 2.086, 1.479])
"""A/E(B-V) in ugriz; Schlegel, Finkbeiner & Davis 1998, Table 6; Stoughton et al. 2002, Table 22."""
R_V = 3.1
# O'Donnell 1994 (ApJ 422, 158), equation 3, powers 0..8 of x - 1.82
_A = (1.0, 0.104, -0.609, 0.701, 1.137, -1.718, -0.827, 1.647, -0.505)
_B = (0.0, 1.952, 2.908, -3.989, -7.985, 11.102, 5.491, -10.805, 3.347)


def a_lambda(wave: np.ndarray) -> np.ndarray:
    """A(lambda)/E(B-V) of diffuse dust with R_V = 3.1.

    Cardelli, Clayton & Mathis 1989 (ApJ 345, 245) in the infrared, O'Donnell 1994 (ApJ 422, 158)
    in the optical. At the ugriz effective wavelengths it stays within 2 % of `SFD_UGRIZ` (5 % in u).

    Parameters
    ----------
    wave : A, between 3030 and 33,000.

    Returns
    -------
    Magnitudes per magnitude of E(B-V), same shape. Raises ValueError outside the range.

    >>> round(float(a_lambda(np.array(5494.5))), 2)
    3.1
    """
    x = 1e4 / np.asarray(wave, dtype=float)
    if np.any((x < 0.3) | (x > 3.3)):
        raise ValueError(f"wave must lie between 3031 and 33333 A; got {np.min(wave):g} to {np.max(wave):g}")
    optical = R_V * np.polynomial.polynomial.polyval(x - 1.82, _A) + np.polynomial.polynomial.polyval(x - 1.82, _B)
    infrared = (R_V * 0.574 - 0.527) * x**1.61
    return np.where(x >= 1.1, optical, infrared)


def known(ebv_n: np.ndarray) -> np.ndarray:
    """E(B-V) with 0 where it is unknown (NaN) or negative: no correction is made there."""
    ebv = np.asarray(ebv_n, dtype=float)
    return np.where(np.isfinite(ebv) & (ebv > 0), ebv, 0.0)
