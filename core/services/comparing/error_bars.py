"""Whether a run's error bars mean what they say."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core import metrics

BINS = 20
LEVELS = np.linspace(0.05, 0.95, 19)
FEWEST = 30
"""Galaxies under which nothing is said about calibration."""
LEAST = 0.02
"""Tilt or width of the PIT that nobody would notice, however many galaxies show it."""
UNIFORM_SIGMA = 0.2887
"""Standard deviation of a uniform variable: 1 / sqrt(12)."""
FAR, FAR_SHARE = 3.0, 0.01
"""Truths beyond 3 sigma are 0.3 % of a Gaussian; from 1 % on they are worth a word."""


@dataclass(frozen=True)
class Calibration:
    """What the PIT of a run says.

    Attributes
    ----------
    galaxies : with a truth and an error bar. edges, density : PIT histogram, float (k + 1,) and (k,); 1 is calibrated.
    wobble : half-width of the band that holds 95 % of a calibrated model's bins. levels, covered : reliability curve.
    stretched : level -> share covered by the interval stretched as the calibration split asks; empty where it was not.
    verdict : too narrow, too wide, biased, in words. is_fine : nothing of it.
    """

    galaxies: int
    edges: np.ndarray
    density: np.ndarray
    wobble: float
    levels: np.ndarray
    covered: np.ndarray
    stretched: dict[float, float]
    verdict: str
    is_fine: bool


def calibration(table: pd.DataFrame, stretch: Mapping[str, float] | None = None) -> Calibration | None:
    """Calibration of `predicted_and_true` rows; None when no galaxy has an error bar.

    Parameters
    ----------
    stretch : level in percent -> half-width in sigma that the calibration split asks for (see `core.uncertainty.conformal`).
    """
    kept = table[np.isfinite(table["sigma"])]
    if kept.empty:
        return None
    truth, mean, sigma = (kept[c].to_numpy(float) for c in ("truth", "mean", "sigma"))
    density, edges = metrics.pit_histogram(truth, mean, sigma, BINS)
    stretched = {int(level) / 100: metrics.coverage(truth, mean, sigma, width) for level, width in (stretch or {}).items()}
    said = _diagnosis(truth, mean, sigma)
    return Calibration(len(kept), edges, density, 1.96 * float(np.sqrt((BINS - 1) / len(kept))), LEVELS, metrics.reliability(truth, mean, sigma, LEVELS),
                       stretched, " ".join(said) or f"Calibrated, as far as {len(kept):,} galaxies can tell.", not said)  # fmt: skip


def _diagnosis(truth: np.ndarray, mean: np.ndarray, sigma: np.ndarray) -> list[str]:
    """What is wrong, a sentence each."""
    if len(truth) < FEWEST:
        return [f"Only {len(truth)} galaxies: too few to judge the error bars."]
    tolerance = max(LEAST, 3 * UNIFORM_SIGMA / np.sqrt(len(truth)))
    tilt, width = metrics.pit_tilt(truth, mean, sigma), metrics.pit_width(truth, mean, sigma)
    far = 1 - metrics.coverage(truth, mean, sigma, FAR)
    inside = [metrics.coverage(truth, mean, sigma, z) for z in (metrics.Z68, metrics.Z95)]
    holds = f"68 % intervals hold {inside[0]:.0%} of the galaxies, 95 % intervals {inside[1]:.0%}."
    said = [f"Too {'narrow' if width < 0 else 'wide'}: {holds}"] if abs(width) > tolerance else []
    if abs(tilt) > tolerance:
        above = np.mean(truth > mean)
        said.append(f"Biased: it predicts too {'low' if tilt > 0 else 'high'} for {above if tilt > 0 else 1 - above:.0%} of the galaxies.")
    if far > FAR_SHARE and width > -tolerance:
        said.append(f"Heavy tails: {far:.1%} of the galaxies lie beyond 3 σ, where a Gaussian has 0.3 %.")
    return said
