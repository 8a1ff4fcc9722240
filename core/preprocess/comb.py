"""The redshift at which the line list fits a spectrum best, found by sliding a comb of lines along it.

A quick feature for models, not a measured redshift: no template, no chi-square, no warning bits. On
SDSS galaxies it agrees with the pipeline within 1000 km/s for nearly all with S/N above 2 a pixel.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from core.preprocess.spectrum import CHANNELS, LOGLAM, STEP
from core.spectroscopy.lines import line

FIRST_SHIFT, SHIFTS = -20, 3500
"""Trial redshifts, in pixels of 1e-4 dex: -0.0046 to 1.228."""
LIMIT_KMS_PIXELS = 15
"""1000 km/s in pixels: a second peak nearer than that is the same redshift."""


@dataclass(frozen=True)
class Comb:
    """Lines that are looked for together.

    Attributes
    ----------
    weights : line name -> weight, roughly its usual strength. sign : +1 emission, -1 absorption.
    width : the spectrum is smoothed by a Gaussian of so many pixels, the width of such lines.
    """

    weights: dict[str, float]
    sign: int
    width: float


EMISSION = Comb(
    {
        "[OII] 3727": 0.7, "[OII] 3730": 0.7, "Hgamma 4342": 0.2, "Hbeta 4863": 0.6, "[OIII] 4960": 0.4, "[OIII] 5008": 1.0,
        "[NII] 6550": 0.3, "Halpha 6565": 1.3, "[NII] 6585": 0.7, "[SII] 6718": 0.5, "[SII] 6733": 0.5,
    },
    sign=1, width=2,
)  # fmt: skip
ABSORPTION = Comb(
    {"Ca K 3935": 1.0, "Ca H 3970": 1.0, "Hdelta 4103": 0.3, "G band 4306": 0.7, "Mg b 5177": 0.8, "Na D 5896": 0.5},
    sign=-1, width=8,
)  # fmt: skip
COLUMNS = ("log_shift", "log_z", "height", "margin", "emission", "absorption")
"""log10(1 + z) and log10(z) of the best redshift, its score, by how much it beats the next one, and its two parts."""


def score(inputs_n2p: np.ndarray, comb: Comb) -> np.ndarray:
    """How well a comb fits at every trial shift, in units of noise: float32 (n, SHIFTS).

    Weighted sum of the smoothed significance at the lines that lie inside the coverage, over the
    root of the sum of their squared weights.
    """
    x = inputs_n2p[:, CHANNELS.index("significance")].astype(np.float32)
    smooth = comb.sign * gaussian_filter1d(x, comb.width, axis=1, truncate=3)
    good = gaussian_filter1d((x != 0).astype(np.float32), comb.width, axis=1, truncate=3)
    total, weight = np.zeros((2, len(x), SHIFTS), dtype=np.float32)
    for name, w in comb.weights.items():
        first = round((np.log10(line(name).wave) - LOGLAM[0]) / STEP) + FIRST_SHIFT
        start, stop = max(first, 0), min(first + SHIFTS, x.shape[1])
        total[:, start - first : stop - first] += w * smooth[:, start:stop]
        weight[:, start - first : stop - first] += w**2 * good[:, start:stop]
    # A single weak line at the edge must not win by being divided by next to nothing.
    return total / np.sqrt(np.maximum(weight, 0.3)) * np.float32(comb.width**0.5)


def features(inputs_n2p: np.ndarray) -> np.ndarray:
    """`COLUMNS` of each spectrum, float32 (n, 6); a spectrum without data has height 0."""
    parts = np.stack([np.maximum(score(inputs_n2p, comb), 0) for comb in (EMISSION, ABSORPTION)])
    total = (parts**2).sum(axis=0)
    best = total.argmax(axis=1)
    row = np.arange(len(total))
    height = np.sqrt(total[row, best])
    shift = (best + _vertex(total, best) + FIRST_SHIFT) * STEP
    near = np.abs(np.arange(SHIFTS) - best[:, None]) <= LIMIT_KMS_PIXELS
    second = np.sqrt(np.where(near, 0, total).max(axis=1, initial=0))
    log_z = np.log10(np.maximum(10**shift - 1, 1e-3))
    return np.column_stack([shift, log_z, height, height - second, parts[0, row, best], parts[1, row, best]]).astype(np.float32)


def redshift(inputs_n2p: np.ndarray) -> np.ndarray:
    """The best redshift of each spectrum, float (n,)."""
    return 10 ** features(inputs_n2p)[:, COLUMNS.index("log_shift")].astype(float) - 1


def _vertex(total: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Where between pixels the parabola through a peak and its neighbours has its top, -0.5 to 0.5."""
    row, at = np.arange(len(total)), np.clip(best, 1, total.shape[1] - 2)
    left, middle, right = total[row, at - 1], total[row, at], total[row, at + 1]
    bend = 2 * middle - left - right
    return np.clip(np.divide(right - left, 2 * bend, out=np.zeros_like(bend), where=bend > 0), -0.5, 0.5)
