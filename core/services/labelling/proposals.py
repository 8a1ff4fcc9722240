"""What machines say of an object: the newest model that sees spectra, and the template fit."""

from functools import lru_cache

import numpy as np

from core.jobs.fitted import stretches_in
from core.models.registry import MODELS
from core.store import Workspace, arrays, objects, runs
from core.uncertainty.conformal import Stretches

_SHOWN = {"z": "z", "sfr": "sfr_tot_median"}
_NO_SPECTRUM = {"candidates": [], "confidence": None, "warning": "There is no spectrum of this object.", "curve": None}


def proposal_run(ws: Workspace) -> int | None:
    """The newest finished run, with predictions, of a model that reads spectra, else of any model but the mean; None without one."""
    table = runs.frame(ws).query("status == 'done'")
    table = table[np.array([(runs.folder(ws, i) / "predictions.npz").exists() for i in table["id"]], bool)]
    reads = [MODELS[m].modalities if m in MODELS else () for m in table["model"]]
    with_spectra = table[np.array(["spectrum" in modalities for modalities in reads], bool)]
    best = with_spectra if len(with_spectra) else table[np.array([len(modalities) > 0 for modalities in reads], bool)]
    return None if best.empty else int(best["id"].iloc[0])


def proposal(ws: Workspace, run_id: int | None, object_id: int) -> dict | None:
    """What a run predicts of one object: run, model, and for ``z`` and ``sfr`` value, noise and ignorance (1 sigma).

    ``sigma`` joins the two, and is calibrated: stretched as far as the run's calibration galaxies of like S/N ask for.
    None where the run predicts no z; ``sfr`` is None where it predicts none.
    """
    if run_id is None:
        return None
    table = _predictions(ws, run_id)
    at = table["place"].get(int(object_id))
    if at is None:
        return None
    sn = objects.one(ws, object_id)["sn"]
    said = {name: _said(table[name][at], _stretch(table["stretches"], target, sn)) for name, target in _SHOWN.items()}
    return None if said["z"] is None else {"run": run_id, "model": table["model"], **said}


def uncertainty(ws: Workspace, run_id: int, ids: np.ndarray) -> np.ndarray:
    """Epistemic standard deviation of z and of SFR, each over its median, averaged; 0 where nothing is predicted; (n,)."""
    table = _predictions(ws, run_id)
    at = np.array([table["place"].get(int(i), -1) for i in ids], dtype=int)
    score = np.zeros(len(ids))
    for name in _SHOWN:
        ignorance = np.nan_to_num(table[name][:, 2])
        score += np.where(at >= 0, ignorance[at] / max(float(np.median(ignorance)), 1e-12), 0)
    return score / len(_SHOWN)


def _said(values: np.ndarray, stretch: float) -> dict | None:
    if not np.isfinite(values).all():
        return None
    value, noise, ignorance = values.tolist()
    told = {"value": value, "noise": noise, "ignorance": ignorance, "sigma": max(stretch * float(np.hypot(noise, ignorance)), 1e-6)}
    return {name: round(number, 6) for name, number in told.items()}


def _stretch(stretches: Stretches, target: str, sn: float | None) -> float:
    """How many predicted sigma a sigma is, by the wider of the 68 % and 95 % intervals; 1 where a run has not measured it."""
    sn_n = np.array([np.nan if sn is None else sn], float)
    asked = max(float(stretches.half_width(target, level, sn_n)[0]) / sigmas for level, sigmas in (("68", 1), ("95", 2)))
    return asked if np.isfinite(asked) else 1.0


@lru_cache(maxsize=8192)
def template_fit(ws: Workspace, object_id: int) -> dict:
    """The redshift that the spectrum alone suggests, by template fit; kept, for a spectrum never changes.

    Returns
    -------
    candidates : best first, each z, error, delta_chi2 and name (its class); [] without a spectrum.
    confidence : probability that the first is right, or None. warning : a sentence, or "".
    curve : `core.spectroscopy.curve.Chi2Curve` of few points, or None without a redshift.
    """
    from core.spectroscopy.redshift import fit_redshift

    spectrum, present = arrays.read(ws, "spectrum", [object_id])
    if not present[0]:
        return _NO_SPECTRUM
    fit = fit_redshift(spectrum[0])
    candidates = [dict(z=round(c.z, 6), error=round(c.z_err, 7), delta_chi2=round(c.delta_chi2, 1), name=c.spectral_class) for c in fit.candidates]
    curve = fit.curve.decimated() if candidates else None
    return {"candidates": candidates, "confidence": round(fit.confidence, 3), "warning": fit.warning, "curve": curve}


@lru_cache(maxsize=4)
def _predictions(ws: Workspace, run_id: int) -> dict:
    """A finished run's predictions never change: kept, by run, as place of each object and (n, 3) value, noise, ignorance."""
    saved = runs.load_arrays(ws, run_id, "predictions")
    names = saved["targets"].tolist()
    columns = {k: names.index(t) for k, t in _SHOWN.items()}
    spread = {k: (saved["mean"][:, c], np.sqrt(saved["aleatoric"][:, c]), np.sqrt(saved["epistemic"][:, c])) for k, c in columns.items()}
    place = {int(i): n for n, i in enumerate(saved["object_ids"])}
    run = runs.one(ws, run_id)
    return {"place": place, "model": run["model"], "stretches": stretches_in(run["summary"])} | {k: np.column_stack(v) for k, v in spread.items()}
