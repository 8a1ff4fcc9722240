"""Everything the page shows of an object."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from core.preprocess import image
from core.services.labelling.history import remembered
from core.services.labelling.neighbours import neighbours
from core.services.labelling.proposals import proposal, template_fit
from core.store import Workspace, arrays, labels, objects, truth

FIRST_BOSS_PLATE = 3510
FIBRE_ARCSEC = {"legacy": 3.0, "boss": 2.0}
"""Diameters; York et al. 2000 (AJ 120, 1579) and Smee et al. 2013 (AJ 146, 32)."""
_BAND_FLOOR, _BAND_TOP = -1.0, 4.0


def desk(ws: Workspace, object_id: int, annotator: str, run_id: int | None = None) -> dict:
    """`desks` for one object, with its `template_fit`; raises `NotFound`."""
    objects.one(ws, object_id)
    return desks(ws, [object_id], annotator, run_id)[0] | template_fit(ws, object_id)


def desks(ws: Workspace, object_ids: Iterable[int], annotator: str, run_id: int | None = None) -> list[dict]:
    """What is shown of objects, one mapping each, in order.

    Parameters
    ----------
    object_ids : present in the workspace.
    annotator : whose earlier decision is given back.
    run_id : the model whose prediction is proposed; None = no proposal.

    Returns
    -------
    Mappings of catalogue columns (key, ra, dec, sn, ebv, class, split, simulated ...) and
    spectrum : float32 (2, 4620) or None. composite : uint8 (64, 64, 3) or None. bands : uint8 (5, 64, 64) or None.
    proposal : see `proposals.proposal`, or None.
    own : this annotator's standing redshift decision {action, z, grade, source, words}, or None.
    told : whether they know the model's word on it from an earlier decision. rate : their standing SFR statistics.
    has_truth : whether the catalogue knows values. neighbours : see `neighbours.neighbours`. fibre_arcsec : diameter of the fibre.
    """
    ids = [int(i) for i in object_ids]
    table = objects.frame(ws, ids)
    log = labels.histories(ws, ids)
    known = set(truth.frame(ws, ids)["object_id"].tolist())
    spectra, has_spectrum = arrays.read(ws, "spectrum", ids)
    images, has_image = arrays.read(ws, "image", ids)
    near = neighbours(ws, ids, run_id)
    return [
        _facts(row)
        | {"spectrum": spectra[n] if has_spectrum[n] else None}
        | _pictures(images[n] if has_image[n] else None)
        | {"proposal": proposal(ws, run_id, row["id"]), "has_truth": row["id"] in known, "neighbours": near[row["id"]]}
        | remembered(log[log["object_id"] == row["id"]], annotator)
        for n, row in enumerate(table.to_dict("records"))
    ]


def fibre_arcsec(known: Mapping) -> float:
    """Diameter of the fibre that took an object's spectrum; the mock sky has those of the legacy survey."""
    is_boss = not known["simulated"] and pd.notna(known["plate"]) and known["plate"] >= FIRST_BOSS_PLATE
    return FIBRE_ARCSEC["boss" if is_boss else "legacy"]


def _facts(row: dict) -> dict:
    numbers = {c: None if row[c] != row[c] else round(float(row[c]), 6) for c in ("ra", "dec", "sn", "ebv")}
    text = {c: row[c] or "" for c in ("key", "class", "split", "source")}
    return {"id": int(row["id"]), "simulated": bool(row["simulated"]), "fibre_arcsec": fibre_arcsec(row)} | text | numbers


def _pictures(stamp: np.ndarray | None) -> dict:
    """Colour composite and the five bands in grey, the model's own stretch."""
    if stamp is None:
        return {"composite": None, "bands": None}
    stretched = image.model_input(stamp[None], np.array([np.nan]))[0]
    top = np.maximum(np.percentile(stretched, 99.8, axis=(1, 2), keepdims=True), _BAND_TOP)
    grey = np.clip((stretched - _BAND_FLOOR) / (top - _BAND_FLOOR), 0, 1)
    return {"composite": image.composite(stamp), "bands": (255 * grey).astype(np.uint8)}
