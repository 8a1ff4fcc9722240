"""Why two people read two redshifts from one spectrum: they gave one feature two names."""

from dataclasses import dataclass

import numpy as np

from core.metrics import SPEED_OF_LIGHT_KMS
from core.spectroscopy.lines import LINES, Line

WINDOW = (3550.0, 10_300.0)
"""Observed wavelengths (A) that the spectra cover."""
TOLERANCE_KMS = 300.0
"""How far apart two lines may fall and still be the same feature: half a broad narrow line."""
_BALMER = ("Halpha", "Hbeta", "Hgamma", "Hdelta")
"""Emission of gas that may sit in absorption of stars: a peak or a dip."""


@dataclass(frozen=True)
class Confusion:
    """One feature that the readings name differently.

    Attributes
    ----------
    first, second : what it is at the first and at the second redshift. wave : where it lies, A, observed.
    apart_kms : how far the two lines fall from each other.
    """

    first: Line
    second: Line
    wave: float
    apart_kms: float

    @property
    def is_likely(self) -> bool:
        """Whether both lines are strong; two random redshifts below 1 have such a pair in one case of nine."""
        return self.first.is_strong and self.second.is_strong


def confusions(z_first: float, z_second: float, tolerance_kms: float = TOLERANCE_KMS, window: tuple[float, float] = WINDOW) -> list[Confusion]:
    """Features that are one line at the first redshift and another at the second, the likeliest explanation first.

    At least one of the two lines is strong, and a peak is never taken for a dip. Even so two random redshifts
    below 1 have some such pair in three cases of ten: what is not `Confusion.is_likely` may be chance.

    Parameters
    ----------
    z_first, z_second : finite, above -1. tolerance_kms : between the two lines. window : observed wavelengths to look at, A.

    Returns
    -------
    Likeliest first: both strong, both of one kind, close together. [] where nothing falls together.

    >>> confusions(0.22045, 1.22045 * 6564.614 / 5008.24 - 1)[0].first.label
    'Hα'
    """
    rest_k = np.array([entry.wave for entry in LINES])
    seen_k, other_k = rest_k * (1 + z_first), rest_k * (1 + z_second)
    apart_kk = SPEED_OF_LIGHT_KMS * np.abs(np.log(seen_k[:, None] / other_k))
    inside_k = (seen_k >= window[0]) & (seen_k <= window[1])
    pairs = [Confusion(LINES[i], LINES[j], float(seen_k[i]), float(apart_kk[i, j]))
             for i, j in np.argwhere((apart_kk <= tolerance_kms) & inside_k[:, None]) if i != j and _could_be_one(LINES[i], LINES[j])]
    return sorted(pairs, key=lambda pair: -_worth(pair, tolerance_kms))


def sentence(pair: Confusion, first: str = "A", second: str = "B") -> str:
    """A confusion in words; ``first`` and ``second`` are who read what.

    >>> z = 8012 / 6564.614 - 1
    >>> sentence(confusions(z, 8012 / 5008.24 - 1)[0])
    'A reads Hα 6565, B reads [O III] 5008 at the same 8012 Å.'
    """
    return f"{first} reads {_named(pair.first)}, {second} reads {_named(pair.second)} at the same {pair.wave:.0f} Å."


def _named(line: Line) -> str:
    return f"{line.label} {line.wave:.0f}"


def _could_be_one(first: Line, second: Line) -> bool:
    are_peaks = first.group != "absorption" and second.group != "absorption"
    return (first.is_strong or second.is_strong) and (are_peaks or (_may_dip(first) and _may_dip(second)))


def _may_dip(line: Line) -> bool:
    return line.group == "absorption" or line.name.startswith(_BALMER)


def _worth(pair: Confusion, tolerance_kms: float) -> float:
    """Two strong lines before one, two of one kind before two kinds, then those that fall closest."""
    return 2 * (pair.first.is_strong + pair.second.is_strong) + (pair.first.group == pair.second.group) - (pair.apart_kms / tolerance_kms) ** 2
