"""Whether a run's error bars mean what they say."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core import metrics
from core.services.comparing.finished import Comparison
from core.services.comparing.stretched import stretched_scores
from core.uncertainty.conformal import ALL, Stretches
from core.uncertainty.conformal import BINS as SN_BINS
from core.uncertainty.conformal import LEVELS as STRETCHED

BINS = 20
LEVELS = np.linspace(0.05, 0.95, 19)
FEWEST = 30
"""Galaxies under which nothing is said about calibration."""
LEAST = 0.02
"""Tilt or width of the PIT that nobody would notice, however many galaxies show it."""
UNIFORM_SIGMA = 0.2887
"""Standard deviation of a uniform variable: 1 / sqrt(12)."""
END = 0.05
"""Share of the truths that each end of a calibrated prediction holds."""
FAR, FAR_GAUSSIAN, FAR_SHARE = 3.0, 0.0027, 0.01
"""Truths beyond 3 sigma are 0.27 % of a Gaussian; from 1 % on they are worth a word."""


@dataclass(frozen=True)
class Calibration:
    """What the PIT of a run says.

    Attributes
    ----------
    galaxies : with a truth and an error bar. edges, density : PIT histogram, float (k + 1,) and (k,); 1 is calibrated.
    wobble : half-width of the band that holds 95 % of a calibrated model's bins. levels, covered : reliability curve.
    stretched : share that an interval claims -> share it holds when stretched as the calibration split asks; empty where it was not asked.
    density_after : the PIT histogram of the stretched prediction; empty where it was not asked.
    verdict : too narrow, too wide, biased, in words. is_fine : nothing of it. after : what stretching does to it, in words.
    verdict_after : the same diagnosis of the stretched prediction; empty where it was not asked.
    """

    galaxies: int
    edges: np.ndarray
    density: np.ndarray
    wobble: float
    levels: np.ndarray
    covered: np.ndarray
    stretched: dict[float, float]
    density_after: np.ndarray
    verdict: str
    is_fine: bool
    after: str
    verdict_after: str


def calibration(table: pd.DataFrame, stretches: Stretches, target: str) -> Calibration | None:
    """Calibration of `predicted_and_true` rows before and after stretching; None when no galaxy has an error bar."""
    kept = table[np.isfinite(table["sigma"])]
    if kept.empty:
        return None
    said = _said(kept)
    density, edges = metrics.pit_histogram(*said, BINS)
    stretched = {share: metrics.coverage(*said, stretches.half_width(target, level, kept["sn"])) for level, share in sorted(STRETCHED.items(), key=lambda item: item[1])}
    stretched = {share: held for share, held in stretched.items() if np.isfinite(held)}
    density_after, verdict_after = _stretched_pit(kept, stretches, target)
    faults = _diagnosis(*said)
    return Calibration(len(kept), edges, density, 1.96 * float(np.sqrt((BINS - 1) / len(kept))), LEVELS, metrics.reliability(*said, LEVELS), stretched, density_after,
                       " ".join(faults) or _calibrated(len(kept)), not faults, _after(stretched, len(kept), stretches, target), verdict_after)  # fmt: skip


def by_sn(table: pd.DataFrame, stretches: Stretches, target: str, parts: Sequence[str] = SN_BINS) -> pd.DataFrame:
    """The same for the thirds of S/N apart, a row for each that has galaxies; ``parts`` may name `core.uncertainty.conformal.ALL` too.

    Returns
    -------
    third (of ``parts``), galaxies, verdict (in a word or two), crps, and for 68 and 95 % intervals held_68, stretched_68
    (NaN where not calibrated) and error_68, the standard error of counting so many galaxies.
    """
    kept, rows = table[np.isfinite(table["sigma"])], []
    for name in parts:
        here = kept if name == ALL else kept[kept["third"] == name]
        if len(here):
            rows.append({"third": name, "galaxies": len(here), **_in_brief(here, stretches, target)})
    return pd.DataFrame(rows)


def joint(comparison: Comparison, run_id: int, subset: str) -> str:
    """What the region for several targets at once holds on the test galaxies, in a sentence; empty where it was not calibrated."""
    together = comparison.stretches(run_id).together
    rows = comparison.measured[(comparison.measured["run_id"] == run_id) & (comparison.measured["subset"] == subset)]
    value = rows[rows["target"].isin(together)].groupby("name")["value"].min()
    if not {"joint68", "joint95"} <= set(value.index):
        return ""
    shares = [f"{level} % region holds {_share(value[f'joint{level}'], value['n'])}" for level in ("68", "95")]
    return f"{' and '.join(together)} together: the joint {shares[0]} of the galaxies, the {shares[1]}."


def _in_brief(table: pd.DataFrame, stretches: Stretches, target: str) -> dict:
    said, told = _said(table), {}
    for level, z in (("68", metrics.Z68), ("95", metrics.Z95)):
        told |= {f"held_{level}": metrics.coverage(*said, z), f"stretched_{level}": metrics.coverage(*said, stretches.half_width(target, level, table["sn"])),
                 f"error_{level}": metrics.binomial_error(STRETCHED[level], len(table))}
    faults = ", ".join(sentence.split(":")[0] for sentence in _diagnosis(*said))
    return {"verdict": faults or "Calibrated", "crps": float(np.mean(metrics.crps_gaussian(*said))), **told}


def _said(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return tuple(table[c].to_numpy(float) for c in ("truth", "mean", "sigma"))


def _stretched_pit(table: pd.DataFrame, stretches: Stretches, target: str) -> tuple[np.ndarray, str]:
    """PIT histogram and diagnosis of the stretched prediction; both empty where the target was not calibrated."""
    score_n = stretched_scores(*_said(table), stretches, target, table["sn"].to_numpy(float))
    if not np.isfinite(score_n).all():
        return np.empty(0), ""
    as_gaussian = (score_n, np.zeros(len(score_n)), np.ones(len(score_n)))
    return metrics.pit_histogram(*as_gaussian, BINS)[0], " ".join(_diagnosis(*as_gaussian)) or _calibrated(len(score_n))


def _calibrated(galaxies: int) -> str:
    return f"Calibrated, as far as {galaxies:,} galaxies can tell."


def _after(stretched: dict[float, float], galaxies: int, stretches: Stretches, target: str) -> str:
    """What stretched intervals hold, how good that can be, and where the stretch is not that of the bin."""
    if not stretched:
        return "Not stretched: too few calibration galaxies have a catalogue value."
    held = [_share(stretched[STRETCHED[level]], galaxies) for level in ("68", "95") if STRETCHED[level] in stretched]
    count, fallbacks = stretches.counts.get(target, {}).get(ALL, 0), stretches.fallbacks(target)
    doubt = f"; {count:,} calibration galaxies fix a 68 % interval to {100 * metrics.binomial_error(STRETCHED['68'], count):.1f} points" if count else ""
    note = f" Too few calibration galaxies of {' and '.join(fallbacks)}: the stretch of all serves there." if fallbacks else ""
    return f"Stretched by S/N as the calibration galaxies ask, they hold {' and '.join(held)}{doubt}.{note}"


def _share(share: float, galaxies: float) -> str:
    return f"{100 * share:.1f}\u00a0±\u00a0{100 * metrics.binomial_error(share, int(galaxies)):.1f}\u00a0%"


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
        side = "low" if tilt > 0 else "high"
        said.append(f"Biased {side}: it predicts too {side} for {above if tilt > 0 else 1 - above:.0%} of the galaxies.")
    if far > max(FAR_SHARE, FAR_GAUSSIAN + 3 * metrics.binomial_error(FAR_GAUSSIAN, len(truth))) and width > -tolerance:
        said.append(f"Heavy tails: {far:.1%} of the galaxies lie beyond 3 σ, where a Gaussian has 0.3 %.")
    return said or _long_ends(metrics.pit(truth, mean, sigma))


def _long_ends(pit: np.ndarray) -> list[str]:
    """Of error bars that are right in the middle: whether one end holds more galaxies than it should."""
    tolerance = max(LEAST, 4 * metrics.binomial_error(END, len(pit)))
    shares = {"below": np.mean(pit < END), "above": np.mean(pit > 1 - END)}
    return [f"Long tail {side}: {share:.0%} of the galaxies lie {side} what {1 - END:.0%} should stay within." for side, share in shares.items() if share - END > tolerance]
