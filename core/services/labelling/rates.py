"""The star-formation rate that the spectrum itself tells: what the desk shows of it, and what becomes of it when it is taken."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from core.errors import BadInput
from core.services.labelling.desk import fibre_arcsec
from core.spectroscopy.line_flux import TIED, LineFlux
from core.store import Workspace, arrays, objects

MEASURED = "measured"
"""The ``source`` of a rate taken from the spectrum as it was measured; one that a person changed is theirs."""
Z_DECIMALS = 4
"""Redshifts are rounded to so many places before the lines are measured: half a place is 15 km/s, a quarter of a pixel."""
_NO_SPECTRUM = "There is no spectrum of this object."


def measured_sfr(ws: Workspace, object_id: int, z: float) -> dict:
    """`core.spectroscopy.sfr.measure_sfr` of an object at a redshift, as plain values for the page; kept.

    Returns
    -------
    z : as rounded. method, reason, bpt : see `StarFormation`. version : of the method.
    values : target -> value, to three places; empty when nothing can be said.
    curve : [lowest, step, densities ...] of log10 rate, without the empty ends. lines : each name, flux, error, width (A), without
        those that are a fixed share of another; None = not covered.
    ebv : of the gas, mag, or None. aperture : [dex, its error]. has_image : whether the correction is this galaxy's own.
    """
    return _measured(ws, int(object_id), round(float(z), Z_DECIMALS))


def taken_rows(ws: Workspace, object_id: int, sfr: Mapping) -> dict[str, dict]:
    """What goes into the log for a rate from the desk: target -> ``value``, ``sigma``, ``source`` and ``shown``.

    Sigma is half the width of the 68 % that go with it, as catalogues' rates have it, so that a wide rate weighs little; entropy has none.

    Parameters
    ----------
    sfr : ``values``, target -> number, None = left empty; ``taken``, the redshift at which the measured rate was taken, or None.
        A value that is still as it was measured has the source `MEASURED`.
    """
    given = {str(t): v for t, v in dict(sfr.get("values") or {}).items() if v is not None}
    sigma = _half_width(given)
    if sfr.get("taken") is None:
        return {t: {"value": v, "sigma": sigma.get(t), "source": "human", "shown": {}} for t, v in given.items()}
    found = measured_sfr(ws, object_id, _redshift(sfr["taken"], object_id))
    how = {k: found[k] for k in ("method", "version", "z", "bpt")}
    return {t: {"sigma": sigma.get(t)} | _row(v, found["values"].get(t), how) for t, v in given.items()}


def _half_width(given: Mapping) -> dict[str, float]:
    """Target -> sigma, of the rates whose 16th and 84th percentile are given and do not cross."""
    low, high = (given.get(f"sfr_tot_{name}") for name in ("p16", "p84"))
    if not all(isinstance(v, (int, float)) for v in (low, high)) or not low <= high:
        return {}
    return {t: round((high - low) / 2, 4) for t in given if t != "sfr_tot_entropy"}


def _row(value: float, measured: float | None, how: dict) -> dict:
    is_measured = value == measured
    return {"value": value, "source": MEASURED if is_measured else "human", "shown": {"sfr": how | {"measured": measured, "edited": not is_measured}}}


def _redshift(value: object, object_id: int) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value):
        return float(value)
    raise BadInput("redshift of the measured rate", "be a number", repr(value)[:40], f"object {object_id}", "Take the rate again")


@lru_cache(maxsize=4096)
def _measured(ws: Workspace, object_id: int, z: float) -> dict:
    from core.spectroscopy.posterior import LOG_SFR_GRID
    from core.spectroscopy.sfr import VERSION, StarFormation, measure_sfr

    row = objects.one(ws, object_id)
    (spectrum, has_spectrum), (image, has_image) = (arrays.read(ws, m, [object_id]) for m in ("spectrum", "image"))
    if has_spectrum[0]:
        ebv = np.nan if row["ebv"] is None else row["ebv"]
        found = measure_sfr(spectrum[0], z, ebv, image[0][2] if has_image[0] else None, fibre_arcsec(row))
    else:
        found = StarFormation("none", _NO_SPECTRUM, "unclassified", np.zeros(len(LOG_SFR_GRID)))
    return {
        "z": z, "method": found.method, "reason": found.reason, "bpt": found.bpt, "version": VERSION, "values": {f"sfr_tot_{k}": round(v, 3) for k, v in found.values.items()},
        "curve": _curve(found.posterior, LOG_SFR_GRID), "lines": [_line(name, flux) for name, flux in found.lines.items() if name not in TIED],
        "ebv": _number(found.ebv_gas, 3), "aperture": [round(v, 3) for v in found.aperture_dex], "has_image": bool(has_image[0]),
    }


def _curve(p: np.ndarray, grid: np.ndarray) -> list[float]:
    filled = np.flatnonzero(p > 1e-3)
    if not len(filled):
        return []
    part = slice(max(filled[0] - 1, 0), filled[-1] + 2)
    step = float(grid[1] - grid[0])
    return [round(float(grid[part][0]), 3), round(step, 3), *(p[part] / step).round(5).tolist()]


def _line(name: str, found: LineFlux) -> dict:
    return {"name": name, "flux": _number(found.flux, 3), "error": _number(found.error, 3), "width": _number(found.equivalent_width, 2)}


def _number(value: float, places: int) -> float | None:
    return round(float(value), places) if np.isfinite(value) else None
