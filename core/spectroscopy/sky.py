"""Where the Earth's air gets into a spectrum: observed vacuum wavelengths, A."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SkyFeature:
    """A bright emission line of the night sky or an absorption band of the air; ``low`` to ``high`` in A."""

    name: str
    low: float
    high: float


SKY = (
    SkyFeature("Hg", 4358.6, 4361.0),
    SkyFeature("[O I]", 5576.5, 5581.3),
    SkyFeature("Na", 5889.0, 5900.0),
    SkyFeature("[O I]", 6300.2, 6304.0),
    SkyFeature("B", 6868.0, 6946.0),
    SkyFeature("A", 7593.0, 7700.0),
    SkyFeature("H₂O", 9290.0, 9650.0),
)
"""Hanuschik 2003 (A&A 407, 1157) for the lines, shifted to vacuum; the B and A bands of O2 and water."""


def in_sky_feature(wave: np.ndarray) -> np.ndarray:
    """Which observed wavelengths (A, vacuum) lie in one of `SKY`; bool, same shape.

    >>> in_sky_feature(np.array([5500.0, 5577.0])).tolist()
    [False, True]
    """
    wave = np.asarray(wave)
    return np.any([(wave >= f.low) & (wave <= f.high) for f in SKY], axis=0)
