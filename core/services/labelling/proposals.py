"""What machines say of an object: the newest model that sees spectra, and the template fit."""

from functools import lru_cache

import numpy as np

from core.models.registry import MODELS
from core.store import Workspace, arrays, runs

_SHOWN = {"z": "z", "sfr": "sfr_tot_median"}
_NO_SPECTRUM = {"candidates": [], "confidence": None, "warning": "There is no spectrum of this object."}


def proposal_run(ws: Workspace) -> int | None:
    """The newest finished run, with predictions, of a model that reads spectra, else of any model but the mean; None without one."""
    table = runs.frame(ws).query("status == 'done'")
    table = table[[(runs.folder(ws, i) / "predictions.npz").exists() for i in table["id"]]]
    reads = [MODELS[m].modalities if m in MODELS else () for m in table["model"]]
    with_spectra = table[["spectrum" in modalities for modalities in reads]]
    best = with_spectra if len(with_spectra) else table[[len(modalities) > 0 for modalities in reads]]
    return None if best.empty else int(best["id"].iloc[0])


def proposal(ws: Workspace, run_id: int | None, object_id: int) -> dict | None:
    """What a run predicts of one object: run, model, and for ``z`` and ``sfr`` value, noise and ignorance (1 sigma).

    None where the run predicts no z; ``sfr`` is None where it predicts none.
    """
    if run_id is None:
        return None
    table = _predictions(ws, run_id)
    at = table["place"].get(int(object_id))
    if at is None:
        return None
    said = {name: _said(table[name][at]) for name in _SHOWN}
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


def _said(values: np.ndarray) -> dict | None:
    names = ("value", "noise", "ignorance")
    return dict(zip(names, values.round(6).tolist(), strict=True)) if np.isfinite(values).all() else None


@lru_cache(maxsize=8192)
def template_fit(ws: Workspace, object_id: int) -> dict:
    """The redshift that the spectrum alone suggests, by template fit; kept, for a spectrum never changes.

    Returns
    -------
    candidates : best first, each z, error, delta_chi2 and name (its class); [] without a spectrum.
    confidence : probability that the first is right, or None. warning : a sentence, or "".
    """
    from core.spectroscopy.redshift import fit_redshift

    spectrum, present = arrays.read(ws, "spectrum", [object_id])
    if not present[0]:
        return _NO_SPECTRUM
    fit = fit_redshift(spectrum[0])
    candidates = [dict(z=round(c.z, 6), error=round(c.z_err, 7), delta_chi2=round(c.delta_chi2, 1), name=c.spectral_class) for c in fit.candidates]
    return {"candidates": candidates, "confidence": round(fit.confidence, 3), "warning": fit.warning}


@lru_cache(maxsize=4)
def _predictions(ws: Workspace, run_id: int) -> dict:
    """A finished run's predictions never change: kept, by run, as place of each object and (n, 3) value, noise, ignorance."""
    saved = runs.load_arrays(ws, run_id, "predictions")
    names = saved["targets"].tolist()
    columns = {k: names.index(t) for k, t in _SHOWN.items()}
    spread = {k: (saved["mean"][:, c], np.sqrt(saved["aleatoric"][:, c]), np.sqrt(saved["epistemic"][:, c])) for k, c in columns.items()}
    place = {int(i): n for n, i in enumerate(saved["object_ids"])}
    return {"place": place, "model": runs.one(ws, run_id)["model"]} | {k: np.column_stack(v) for k, v in spread.items()}
