"""Redshifts and star-formation rates of a catalogue as truth: only what can be right."""

import numpy as np
import pandas as pd

from core.columns import PERCENTILES, SFR_TARGETS, TARGETS
from core.data.records import Chunk
from core.data.sdss_spectrum import USABLE_ZWARNING
from core.data.table_columns import Cleaner, Columns

FAILED_APERTURE = 1.3
"""dex between mode and mean of the posterior beyond which the correction for light outside the fibre has failed."""
_LIMITS = {t.name: (t.low, t.high) for t in TARGETS}


def truth_of(cleaner: Cleaner, columns: Columns, objects: pd.DataFrame, left_out: dict[str, int], notes: list[str]) -> pd.DataFrame:
    """Truth rows (row, target, value, sigma) of a table's redshifts and SFR columns; doubtful ones go to notes and ``left_out``."""
    f = columns.fields
    parts = []
    if "z" in f:
        z, z_err = cleaner.numbers(f["z"], *_LIMITS["z"]), cleaner.numbers(f.get("z_err"), 0, np.inf, is_open=True)
        doubtful = ~(objects["class"].isin(["GALAXY"]) | objects["class"].isna()) | ~(objects["zwarning"].isin(USABLE_ZWARNING) | objects["zwarning"].isna())
        if (doubtful & np.isfinite(z)).any():
            notes.append(f"The redshift of {int((doubtful & np.isfinite(z)).sum())} rows is no truth: they are no galaxies, or their ZWARNING is neither 0 nor 16.")
        parts.append(long_truth("z", np.where(doubtful, np.nan, z), z_err))
    sfr = {t: cleaner.numbers(f[t], *_LIMITS[t]) for t in SFR_TARGETS if t in f}
    if sfr:
        parts += sfr_truth(sfr, cleaner.numbers(f.get("sfr_tot_flag")), left_out)
    return pd.concat(parts, ignore_index=True) if parts else Chunk(objects).truth


def sfr_truth(sfr: dict[str, np.ndarray], flag: np.ndarray, left_out: dict[str, int]) -> list[pd.DataFrame]:
    """Truth rows of SFR statistics; rows that cannot be right are counted in ``left_out`` by reason.

    The posterior's own width, (P84 - P16)/2, is the 1-sigma noise of every statistic in dex; the entropy's is not known.

    Parameters
    ----------
    sfr : target -> (n,) values, NaN = missing. flag : (n,) the catalogue's FLAG, NaN = none; only 0 is clean.
    """
    there = np.any([np.isfinite(v) for v in sfr.values()], axis=0)
    bad = np.zeros(len(flag), dtype=bool)
    for reason, wrong in (("the SFR's FLAG is not 0", np.isfinite(flag) & (flag != 0)), ("SFR percentiles cross", _crossing(sfr)),
                          (f"|mode - mean| of the SFR is above {FAILED_APERTURE} dex: its aperture correction failed", _failed(sfr))):
        fresh = wrong & there & ~bad
        if fresh.any():
            left_out[f"SFR values only: {reason}"] = int(fresh.sum())
        bad |= wrong
    has_width = {"sfr_tot_p16", "sfr_tot_p84"} <= set(sfr)
    sigma = (sfr["sfr_tot_p84"] - sfr["sfr_tot_p16"]) / 2 if has_width else np.full(len(bad), np.nan)
    sigma = np.where(sigma > 0, sigma, np.nan)
    return [long_truth(t, np.where(bad, np.nan, v), np.full(len(v), np.nan) if t == "sfr_tot_entropy" else sigma) for t, v in sfr.items()]


def _crossing(sfr: dict[str, np.ndarray]) -> np.ndarray:
    """Rows whose percentiles do not ascend, as far as they are there."""
    present = [sfr[p] for p in PERCENTILES if p in sfr]
    pairs = [low > high + 1e-6 for i, low in enumerate(present) for high in present[i + 1 :]]
    return np.any(pairs, axis=0) if pairs else np.zeros(len(next(iter(sfr.values()))), dtype=bool)


def _failed(sfr: dict[str, np.ndarray]) -> np.ndarray:
    if not {"sfr_tot_mode", "sfr_tot_avg"} <= set(sfr):
        return np.zeros(len(next(iter(sfr.values()))), dtype=bool)
    return np.abs(sfr["sfr_tot_mode"] - sfr["sfr_tot_avg"]) > FAILED_APERTURE


def long_truth(target: str, value: np.ndarray, sigma: np.ndarray) -> pd.DataFrame:
    """Truth rows of the finite values of one target."""
    rows = np.flatnonzero(np.isfinite(value))
    return pd.DataFrame({"row": rows, "target": target, "value": value[rows], "sigma": sigma[rows]})
