"""Counts over the whole workspace, answered by SQLite so that pages need not load every row."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from core.columns import MODALITIES, OBJECT_COLUMN_NAMES
from core.store.workspace import Workspace

SPLITS = ("train", "calibration", "test")
_STANDING = """SELECT DISTINCT object_id FROM labels l WHERE action = 'label'
    AND NOT EXISTS (SELECT 1 FROM labels r WHERE r.action = 'retract' AND r.supersedes = l.id)"""


def objects_and_labels(ws: Workspace) -> dict[str, int]:
    """``objects``, ``simulated`` and ``labelled``: how many there are, come from the mock sky, have a standing label."""
    sql = f"""SELECT COUNT(*) AS objects, COALESCE(SUM(simulated), 0) AS simulated,
        (SELECT COUNT(*) FROM ({_STANDING})) AS labelled FROM objects"""
    return {name: int(n) for name, n in ws.frame(sql).iloc[0].items()}


def has_simulated(ws: Workspace) -> bool:
    """Whether any object comes from the mock sky."""
    return bool(ws.frame("SELECT EXISTS (SELECT 1 FROM objects WHERE simulated = 1) AS n")["n"].iloc[0])


def modalities(ws: Workspace) -> dict[str, int]:
    """How many objects have each modality, in the order of `MODALITIES`; 0 where none has it."""
    found = ws.frame("SELECT modality, COUNT(*) AS n FROM arrays GROUP BY modality").set_index("modality")["n"]
    return {m: int(found.get(m, 0)) for m in MODALITIES}


def combinations(ws: Workspace) -> pd.DataFrame:
    """How many objects have which modalities together: ``modalities`` ("image + spectrum", "none") and ``n``, most first."""
    return ws.frame("""
        SELECT modalities, COUNT(*) AS n FROM (
            SELECT GROUP_CONCAT(modality, ' + ') AS modalities FROM (SELECT object_id, modality FROM arrays ORDER BY object_id, modality) GROUP BY object_id)
        GROUP BY modalities
        UNION ALL SELECT * FROM (SELECT 'none', (SELECT COUNT(*) FROM objects) - (SELECT COUNT(DISTINCT object_id) FROM arrays) AS n) WHERE n > 0
        ORDER BY n DESC, modalities""")


def by_split(ws: Workspace) -> pd.DataFrame:
    """One row a split, in the order of `SPLITS`: ``objects``, sky ``groups`` and ``labelled`` objects."""
    table = ws.frame(f"""SELECT split, COUNT(*) AS objects, COUNT(DISTINCT sky_group) AS groups, COUNT(l.object_id) AS labelled
        FROM objects o LEFT JOIN ({_STANDING}) l ON l.object_id = o.id GROUP BY split""")
    return table.set_index("split").reindex(SPLITS, fill_value=0).astype(int).reset_index()


def split_by_object(ws: Workspace) -> pd.Series:
    """The split of each object, indexed by object id."""
    return ws.frame("SELECT id, split FROM objects").set_index("id")["split"]


def signal_to_noise(ws: Workspace) -> np.ndarray:
    """S/N per pixel of every object that has one, float (n,)."""
    return ws.frame("SELECT sn FROM objects WHERE sn IS NOT NULL")["sn"].to_numpy(float)


def missing(ws: Workspace) -> pd.DataFrame:
    """``column``, ``missing`` and ``share`` of each catalogue column: how many objects have no value there."""
    parts = ", ".join(f'SUM("{c}" IS NULL) AS "{c}"' for c in OBJECT_COLUMN_NAMES)
    counts = ws.frame(f"SELECT COUNT(*) AS n_objects, {parts} FROM objects").iloc[0].fillna(0).astype(int)
    table = counts.drop("n_objects").rename_axis("column").reset_index(name="missing")
    return table.assign(share=table["missing"] / max(int(counts["n_objects"]), 1))


@dataclass(frozen=True)
class Filter:
    """Which objects to list; the defaults list all.

    Attributes
    ----------
    text : part of key, specobjid or objid. split, object_class, modality : one of them, empty = any.
    is_labelled : True, False, or None for both. least_sn : S/N per pixel; objects without one are left out when it is above 0.
    """

    text: str = ""
    split: str = ""
    object_class: str = ""
    modality: str = ""
    is_labelled: bool | None = None
    least_sn: float = 0.0


_LISTED = f"""FROM objects o LEFT JOIN ({_STANDING}) l ON l.object_id = o.id
    WHERE (:text = '' OR instr(lower(key), lower(:text)) OR instr(COALESCE(specobjid, ''), :text) OR instr(COALESCE(objid, ''), :text))
    AND (:split = '' OR split = :split) AND (:object_class = '' OR class = :object_class) AND (:least_sn <= 0 OR sn >= :least_sn)
    AND (:modality = '' OR EXISTS (SELECT 1 FROM arrays a WHERE a.object_id = o.id AND a.modality = :modality))
    AND (:is_labelled IS NULL OR (l.object_id IS NOT NULL) = :is_labelled)"""


def listing(ws: Workspace, wanted: Filter, limit: int = 1000) -> tuple[pd.DataFrame, int]:
    """The first ``limit`` objects that pass, by id, with ``is_labelled``; and how many pass in all."""
    parameters = asdict(wanted) | {"text": wanted.text.strip()}
    total = int(ws.frame(f"SELECT COUNT(*) AS n {_LISTED}", parameters)["n"].iloc[0])
    table = ws.frame(f"SELECT o.*, l.object_id IS NOT NULL AS is_labelled {_LISTED} ORDER BY o.id LIMIT :limit", parameters | {"limit": limit})
    return table.astype({"is_labelled": bool}), total


def classes(ws: Workspace) -> list[str]:
    """The classes that occur, most frequent first."""
    return ws.frame("SELECT class FROM objects WHERE class <> '' GROUP BY class ORDER BY COUNT(*) DESC, class")["class"].tolist()
