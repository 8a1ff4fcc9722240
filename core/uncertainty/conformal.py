"""How far predicted intervals must be stretched to hold what they claim: by bin of S/N, for each target and for several at once.

Split-conformal prediction with normalised residuals (Lei et al. 2018, arXiv:1604.04173), bin by bin (Mondrian: Vovk et al. 2003):
galaxies drawn like those it was calibrated on lie inside an interval as often as it says, in every bin. What few galaxies say
of a bin is itself uncertain, so a bin leans on all galaxies the more the fewer it has.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

LEVELS = {**{f"{k}": k / 100 for k in range(10, 100, 10)}, "68": 0.6827, "95": 0.9545}
"""Percent as it is called -> share; 68 and 95 are what one and two sigma of a Gaussian hold."""
FEWEST = 30
"""Calibration galaxies under which nothing is claimed: the 95 % point would hang on one of them."""
LEAN = 100
"""Galaxies that the stretch of all counts for in each bin. Measured on four models of the mock sky, root mean square miss of the
68 % interval in thirds of S/N, points: with 300 calibration galaxies 4.3 with one stretch for all, 4.8 with bins by themselves, 3.9 so; with 1500
3.7, 2.4, 2.3; with 90 6.2, 8.0, 5.8."""
ALL, THIRDS, UNKNOWN = "all", ("sn low", "sn mid", "sn high"), "sn unknown"
BINS = (*THIRDS, UNKNOWN)


@dataclass(frozen=True)
class Stretches:
    """What a calibration split asks of a model's intervals; `calibrated` makes it, ``Stretches(**asdict(it))`` reads it back.

    Attributes
    ----------
    edges : the two S/N that part `THIRDS`, ascending; empty where hardly any calibration galaxy has an S/N.
    widths : target -> `ALL` or one of `BINS` -> level of `LEVELS` -> half-width in predicted sigma; bins with under
        `FEWEST` galaxies are not there, nor are targets.
    counts : target -> `ALL` or one of `BINS` -> calibration galaxies.
    together : the targets that the joint region holds; its widths stand under `joint_name`, in units of each target's own half-width.
    """

    edges: Sequence[float] = ()
    widths: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    together: Sequence[str] = ()

    @property
    def joint_name(self) -> str:
        """What the joint region is called, ``z + sfr_tot_median`` say."""
        return " + ".join(self.together)

    def half_width(self, target: str, level: str, sn_n: np.ndarray) -> np.ndarray:
        """Half-width in predicted sigma of the interval of each galaxy, (n,); NaN where the target was not calibrated.

        ``sn_n`` : (n,), NaN = unknown. A bin that had too few calibration galaxies takes the stretch of all.
        """
        known = self.widths.get(target, {})
        width_b = np.array([known.get(name, known.get(ALL, {})).get(level, np.nan) for name in BINS])
        return width_b[_bins(sn_n, self.edges)]

    def joint_half_width(self, target: str, level: str, sn_n: np.ndarray) -> np.ndarray:
        """The same of the box that holds all targets of ``together`` at once."""
        return self.half_width(self.joint_name, level, sn_n) * self.half_width(target, level, sn_n)

    def fallbacks(self, target: str) -> list[str]:
        """Bins that have galaxies of the target, too few of them, and so take the stretch of all."""
        return [name for name in BINS if 0 < self.counts.get(target, {}).get(name, 0) < FEWEST]


def stretch(ratio_n: np.ndarray, level: float) -> float:
    """The half-width in sigma that holds at least ``level`` of galaxies like these, given |truth - mean| / sigma of each; NaN with under `FEWEST`.

    >>> round(stretch(np.linspace(0, 2, 99), 0.5), 2)
    1.0
    """
    known = np.sort(ratio_n[np.isfinite(ratio_n)])
    rank = min(math.ceil((len(known) + 1) * level), len(known))
    return float(known[rank - 1]) if len(known) >= FEWEST else float("nan")


def calibrated(truth_nt: np.ndarray, mean_nt: np.ndarray, sigma_nt: np.ndarray, sn_n: np.ndarray, targets: Sequence[str], together: Sequence[str] = ()) -> Stretches:
    """What n galaxies that no model has seen, and that nobody has chosen, ask of the intervals.

    The joint region is a box: the largest of the targets' residuals, each in units of its own stretched interval, is
    conformalised in turn, so that a target with bad error bars does not widen the others.

    Parameters
    ----------
    truth_nt, mean_nt, sigma_nt : float (n, T), NaN = missing: such values are left out. sigma is one standard deviation.
    sn_n : float (n,), S/N or whatever else error bars may depend on; NaN = unknown, a bin of its own.
    targets : T names. together : those of the joint region; none without any of them.
    """
    ratio_tn = np.divide(np.abs(truth_nt - mean_nt), sigma_nt, out=np.full(np.shape(mean_nt), np.nan), where=sigma_nt > 0).T
    known = np.isfinite(sn_n) & np.isfinite(ratio_tn).any(axis=0)
    edges = np.percentile(sn_n[known], [100 / 3, 200 / 3]).tolist() if known.sum() >= len(THIRDS) else []
    alone = _found(edges, {target: {level: ratio_n for level in LEVELS} for target, ratio_n in zip(targets, ratio_tn, strict=True)}, sn_n)
    if not together or not set(together) <= set(alone.widths):
        return alone
    ratio_of = dict(zip(targets, ratio_tn, strict=True))
    largest = {level: np.max([ratio_of[t] / alone.half_width(t, level, sn_n) for t in together], axis=0) for level in LEVELS}
    joint = _found(edges, {" + ".join(together): largest}, sn_n)
    return Stretches(edges, {**alone.widths, **joint.widths}, {**alone.counts, **joint.counts}, tuple(together))


def _found(edges: Sequence[float], ratios: Mapping[str, Mapping[str, np.ndarray]], sn_n: np.ndarray) -> Stretches:
    """Stretches of residuals in sigma, target -> level -> (n,), NaN = missing."""
    bin_n, widths, counts = _bins(sn_n, edges), {}, {}
    masks = {ALL: np.ones(len(bin_n), bool), **{name: bin_n == k for k, name in enumerate(BINS)}}
    for target, by_level in ratios.items():
        has = np.isfinite(next(iter(by_level.values())))
        counts[target] = {name: int((mask & has).sum()) for name, mask in masks.items()}
        if counts[target][ALL] >= FEWEST:
            own = {name: {level: stretch(by_level[level][mask], share) for level, share in LEVELS.items()} for name, mask in masks.items() if counts[target][name] >= FEWEST}
            widths[target] = {name: {level: round(_leaning(width, own[ALL][level], counts[target][name]), 5) for level, width in by.items()} for name, by in own.items()}
    return Stretches(edges, widths, counts)


def _leaning(width: float, of_all: float, galaxies: int) -> float:
    """The stretch of a bin, drawn to that of all galaxies as if `LEAN` more had asked for it; in the mean of the logarithms."""
    share = galaxies / (galaxies + LEAN)
    return float(width**share * of_all ** (1 - share))


def _bins(sn_n: np.ndarray, edges: Sequence[float]) -> np.ndarray:
    """Place in `BINS` of each galaxy, int (n,)."""
    sn_n = np.asarray(sn_n, float)
    return np.where(np.isfinite(sn_n), np.searchsorted(np.asarray(edges, float), sn_n), BINS.index(UNKNOWN))
