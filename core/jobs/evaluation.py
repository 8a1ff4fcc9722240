"""How good a run is, measured on test galaxies that neither training nor acquisition chose."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from astropy.cosmology import FlatLambdaCDM

from core import metrics
from core.columns import MODALITIES
from core.jobs.inputs import wide
from core.store import Workspace, arrays, objects, truth
from core.uncertainty.conformal import stretches

LABEL_SPLIT, CALIBRATION_SPLIT = "test", "calibration"
SN_NAMES = ("sn low", "sn mid", "sn high")
QUIESCENT = -11.0
"""log10 of specific SFR (1/yr) that parts star-forming from passive galaxies; the valley of Brinchmann et al. 2004, figure 24."""
SOLAR_R, MASS_TO_LIGHT = 4.65, 0.35
"""Absolute r magnitude of the Sun (Willmer 2018), and log10 of a typical stellar mass over r light in solar units."""


def evaluate(ws: Workspace, object_ids: np.ndarray, mean_nt: np.ndarray, sigma_nt: np.ndarray, targets: Sequence[str]) -> pd.DataFrame:
    """Metrics of predictions on the test split, for `core.store.runs.put_metrics`.

    Parameters
    ----------
    object_ids : (n,) all objects predicted; mean_nt, sigma_nt : (n, T), NaN where nothing is said.

    Returns
    -------
    split, target, subset, name, value. Subsets: all, thirds of S/N of the spectrum, star-forming and
    passive, complete (with every modality: there, no model is spared or favoured by a gap). Stars, quasars and artefacts have no say in how well galaxies are predicted.
    """
    held = held_out(ws, object_ids, LABEL_SPLIT)
    values = wide(truth.frame(ws, held["id"]), held["id"].to_numpy(np.int64), targets)
    at = pd.Index(object_ids).get_indexer(held["id"])
    table = metrics.evaluate(values, mean_nt[at], sigma_nt[at], tuple(targets), subsets(ws, held, values, targets))
    return table.assign(split=LABEL_SPLIT)


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


def calibrate(ws: Workspace, object_ids: np.ndarray, mean_nt: np.ndarray, sigma_nt: np.ndarray, targets: Sequence[str]) -> dict[str, dict[str, float]]:
    """How far intervals must be stretched to hold what they claim, on the calibration split; see `core.uncertainty.conformal.stretches`."""
    held = held_out(ws, object_ids, CALIBRATION_SPLIT)
    values = wide(truth.frame(ws, held["id"]), held["id"].to_numpy(np.int64), targets)
    at = pd.Index(object_ids).get_indexer(held["id"])
    return stretches(values, mean_nt[at], sigma_nt[at], tuple(targets))


def held_out(ws: Workspace, object_ids: np.ndarray, split: str = LABEL_SPLIT) -> pd.DataFrame:
    """The galaxies among objects that a split holds, as `core.store.objects.frame` shows them."""
    table = objects.frame(ws, object_ids)
    return table[(table["split"] == split) & table["class"].fillna("GALAXY").isin(["GALAXY"])].reset_index(drop=True)


def _distance_mpc(z: np.ndarray) -> np.ndarray:
    grid = np.geomspace(1e-3, 8, 2000)
    return np.interp(z, grid, FlatLambdaCDM(H0=70, Om0=0.3).luminosity_distance(grid).value)
