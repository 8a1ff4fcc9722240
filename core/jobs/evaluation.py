"""How good a run is, measured on test galaxies that neither training nor acquisition chose."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from astropy.cosmology import FlatLambdaCDM

from core import metrics
from core.columns import MODALITIES
from core.jobs.inputs import wide
from core.store import Workspace, arrays, objects, truth
from core.uncertainty.conformal import THIRDS, Stretches, calibrated

LABEL_SPLIT, CALIBRATION_SPLIT = "test", "calibration"
SN_NAMES = THIRDS
TOGETHER = ("z", "sfr_tot_median")
"""What the joint region holds."""
STATED = ("68", "95")
"""Levels of `core.uncertainty.conformal.LEVELS` whose coverage is measured and shown."""
QUIESCENT = -11.0
"""log10 of specific SFR (1/yr) that parts star-forming from passive galaxies; the valley of Brinchmann et al. 2004, figure 24."""
SOLAR_R, MASS_TO_LIGHT = 4.65, 0.35
"""Absolute r magnitude of the Sun (Willmer 2018), and log10 of a typical stellar mass over r light in solar units."""


def evaluate(
    ws: Workspace, object_ids: np.ndarray, mean_nt: np.ndarray, sigma_nt: np.ndarray, targets: Sequence[str], stretches: Stretches | None = None
) -> pd.DataFrame:
    """Metrics of predictions on the test split, for `core.store.runs.put_metrics`.

    Parameters
    ----------
    object_ids : (n,) all objects predicted; mean_nt, sigma_nt : (n, T), NaN where nothing is said.
    stretches : of the intervals, by `calibrate`; without them nothing is said of stretched intervals.

    Returns
    -------
    split, target, subset, name, value. Subsets: all, thirds of S/N of the spectrum, star-forming and
    passive, complete (with every modality: there, no model is spared or favoured by a gap). Stars, quasars and artefacts have no say in how well galaxies are predicted.
    """
    held, values, said = _known(ws, object_ids, LABEL_SPLIT, (mean_nt, sigma_nt), targets)
    masks, sn, stretches = subsets(ws, held, values, targets), held["sn"].to_numpy(float), stretches or Stretches()
    widths = {f"conformal{level}": np.column_stack([stretches.half_width(t, level, sn) for t in targets]) for level in STATED}
    table = metrics.evaluate(values, *said, tuple(targets), masks, widths)
    return pd.concat([table, _joint(stretches, values, *said, targets, sn, masks)], ignore_index=True).assign(split=LABEL_SPLIT)


def _joint(stretches: Stretches, truth_nt: np.ndarray, mean_nt: np.ndarray, sigma_nt: np.ndarray, targets: Sequence[str], sn_n: np.ndarray, masks: dict[str, np.ndarray]) -> pd.DataFrame:
    """How often the joint region holds all its targets: a row for each of them, in every subset."""
    at, rows = [list(targets).index(t) for t in stretches.together], []
    for level in STATED if at else ():
        reach_nt = sigma_nt[:, at] * np.column_stack([stretches.joint_half_width(t, level, sn_n) for t in stretches.together])
        for name, mask in ({"all": np.ones(len(sn_n), bool)} | masks).items():
            share = metrics.joint_coverage(truth_nt[mask][:, at], mean_nt[mask][:, at], reach_nt[mask])
            rows += [(target, name, f"joint{level}", share) for target in stretches.together if np.isfinite(share)]
    return pd.DataFrame(rows, columns=["target", "subset", "name", "value"])


def subsets(ws: Workspace, table: pd.DataFrame, truth_nt: np.ndarray, targets: Sequence[str]) -> dict[str, np.ndarray]:
    """Bool masks (n,) over the rows of an object table with their true values; unknown belongs to neither side."""
    masks: dict[str, np.ndarray] = {}
    sn = table["sn"].to_numpy(float)
    if np.isfinite(sn).sum() >= len(SN_NAMES):
        edges = np.nanpercentile(sn, [100 / 3, 200 / 3])
        masks = {name: np.isfinite(sn) & (np.searchsorted(edges, sn) == k) for k, name in enumerate(SN_NAMES)}
    specific = specific_sfr(ws, table["id"].to_numpy(np.int64), truth_nt, targets)
    complete = table[list(MODALITIES)].all(axis=1).to_numpy(bool)
    return masks | {"star-forming": specific > QUIESCENT, "passive": specific <= QUIESCENT, "complete": complete}


def specific_sfr(ws: Workspace, ids: np.ndarray, truth_nt: np.ndarray, targets: Sequence[str]) -> np.ndarray:
    """log10 of SFR over stellar mass (1/yr) from true values, the mass from r light; (n,), NaN where z, SFR or r is missing."""
    names = list(targets)
    if "z" not in names or "sfr_tot_median" not in names or not len(ids):
        return np.full(len(ids), np.nan)
    z, sfr = truth_nt[:, names.index("z")], truth_nt[:, names.index("sfr_tot_median")]
    magnitude = arrays.read(ws, "photometry", ids)[0][:, 0, 2]
    known = np.where(z > 1e-3, z, np.nan)
    absolute = magnitude - 5 * np.log10(_distance_mpc(known)) - 25
    return sfr - (0.4 * (SOLAR_R - absolute) + MASS_TO_LIGHT)


def calibrate(ws: Workspace, object_ids: np.ndarray, mean_nt: np.ndarray, sigma_nt: np.ndarray, targets: Sequence[str]) -> Stretches:
    """How far intervals must be stretched to hold what they claim, by S/N and for z and SFR together, on the calibration split: random galaxies with
    the catalogue's values, none of them fitted, none chosen by a strategy."""
    held, values, said = _known(ws, object_ids, CALIBRATION_SPLIT, (mean_nt, sigma_nt), targets)
    return calibrated(values, *said, held["sn"].to_numpy(float), targets, TOGETHER)


def _known(ws: Workspace, object_ids: np.ndarray, split: str, said: Sequence[np.ndarray], targets: Sequence[str]) -> tuple[pd.DataFrame, np.ndarray, list[np.ndarray]]:
    """The galaxies of a split, their true values (n, T), and what was said of them."""
    held = held_out(ws, object_ids, split)
    at = pd.Index(object_ids).get_indexer(held["id"])
    return held, wide(truth.frame(ws, held["id"]), held["id"].to_numpy(np.int64), targets), [a[at] for a in said]


def held_out(ws: Workspace, object_ids: np.ndarray, split: str = LABEL_SPLIT) -> pd.DataFrame:
    """The galaxies among objects that a split holds, as `core.store.objects.frame` shows them."""
    table = objects.frame(ws, object_ids)
    return table[(table["split"] == split) & table["class"].fillna("GALAXY").isin(["GALAXY"])].reset_index(drop=True)


def _distance_mpc(z: np.ndarray) -> np.ndarray:
    grid = np.geomspace(1e-3, 8, 2000)
    return np.interp(z, grid, FlatLambdaCDM(H0=70, Om0=0.3).luminosity_distance(grid).value)
