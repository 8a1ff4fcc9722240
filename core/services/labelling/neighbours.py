"""Labelled objects that resemble the one on the desk: what was decided about its like."""

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import pandas as pd

from core.preprocess import image
from core.services import exploring
from core.store import Workspace, arrays, embeddings, labels, objects

SHOWN = 6
WITHIN = 200
"""Nearest objects among which labelled ones are looked for; what is farther away resembles nothing."""
_CROP = slice(16, 48)


def neighbours(ws: Workspace, ids: Iterable[int], run_id: int | None = None) -> dict[int, list[dict]]:
    """The nearest labelled objects of each, nearest first, at most `SHOWN`.

    Likeness is distance in what the run has learnt, else on the newest map; an object that is on neither has none. The
    same galaxy observed again (one group of the sky) is left out: its label would be the answer.

    Returns
    -------
    id -> mappings of id, key, z, grade (None = not graded), source and picture, uint8 (32, 32, 3) of the middle of the image, or None.
    """
    near = _nearest(ws, list(ids), run_id)
    known = _redshifts(ws, {n for found in near.values() for n in found})
    labelled = {i: [n for n in found if n in known.index] for i, found in near.items()}
    rows = objects.frame(ws, sorted({*labelled, *(n for found in labelled.values() for n in found)})).set_index("id")[["key", "sky_group"]]
    kept = {i: [n for n in found if rows["sky_group"][n] != rows["sky_group"][i]][:SHOWN] for i, found in labelled.items()}
    told = _told(ws, sorted({n for found in kept.values() for n in found}), known, rows["key"])
    return {i: [told[n] for n in found] for i, found in kept.items()}


def _redshifts(ws: Workspace, ids: set[int]) -> pd.DataFrame:
    """The newest standing redshift of each object that has one, whoever gave it: value, grade and source by object_id."""
    current = labels.current(ws, object_ids=ids)
    newest = current[(current["target"] == "z") & (current["action"] == "label")].drop_duplicates("object_id", keep="last").set_index("object_id")
    return newest[["value", "grade", "source"]].astype({"value": float, "grade": float})


def _told(ws: Workspace, ids: list[int], known: pd.DataFrame, keys: pd.Series) -> dict[int, dict]:
    images, has_image = arrays.read(ws, "image", ids)
    pictures = [image.composite(stamp)[_CROP, _CROP] if has else None for stamp, has in zip(images, has_image, strict=True)]
    return {
        i: {"id": i, "key": keys[i], "z": float(known["value"][i]), "grade": None if np.isnan(known["grade"][i]) else int(known["grade"][i]),
            "source": known["source"][i], "picture": picture}
        for i, picture in zip(ids, pictures, strict=True)
    }


def _nearest(ws: Workspace, wanted: list[int], run_id: int | None) -> dict[int, list[int]]:
    """The `WITHIN` nearest of each object, nearest first, without itself."""
    ids, place = _space(ws, run_id)
    rows = exploring.rows_of(ids, np.array(wanted, np.int64))
    return {i: _around(ids, place, row) if row >= 0 else [] for i, row in zip(wanted, rows, strict=True)}


def _around(ids: np.ndarray, place: np.ndarray, row: int) -> list[int]:
    squared = ((place - place[row]) ** 2).sum(axis=1)
    squared[row] = np.inf
    count = min(WITHIN, len(ids) - 1)
    nearest = np.argpartition(squared, count)[:count] if count < len(ids) - 1 else np.delete(np.arange(len(ids)), row)
    return ids[nearest[np.argsort(squared[nearest], kind="stable")]].tolist()


def _space(ws: Workspace, run_id: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Ids and where they stand: in the run's latent features, else on the newest map; empty without either."""
    ids, features = _latent(ws, run_id)
    maps = embeddings.frame(ws)
    return (ids, features) if len(ids) or maps.empty else embeddings.load(ws, maps["name"].iloc[0])


@lru_cache(maxsize=2)
def _latent(ws: Workspace, run_id: int | None) -> tuple[np.ndarray, np.ndarray]:
    """`exploring.latent`, kept: a finished run never changes."""
    return exploring.latent(ws, run_id)
