"""Galaxies: one row an object, found by key, plate or position."""

import json
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import sqlite_utils

from core.columns import OBJECT_COLUMN_NAMES
from core.errors import NotFound
from core.store.workspace import Workspace

BRIEF_ALL = 2000
"""From so many objects on, reading all of them is quicker than looking each up."""
_FILLABLE = tuple(c for c in OBJECT_COLUMN_NAMES if c != "key")


def upsert(db: sqlite_utils.Database, rows: Iterable[Mapping]) -> list[int]:
    """Add objects, or fill what is still empty of those whose key is known.

    Parameters
    ----------
    db : inside ``ws.write()``.
    rows : mappings with ``key``, ``sky_group``, ``split``, any of `OBJECT_COLUMNS` and a
        ``metadata`` mapping. A value that is there already is never overwritten;
        metadata keys are merged, older values win.

    Returns
    -------
    One id a row, in the order given.
    """
    columns = ("key", "sky_group", "split", *_FILLABLE, "metadata")
    fill = ", ".join(f"{_q(c)} = COALESCE(objects.{_q(c)}, excluded.{_q(c)})" for c in _FILLABLE if c != "simulated")
    sql = (
        f"INSERT INTO objects ({', '.join(map(_q, columns))}) VALUES ({', '.join('?' * len(columns))}) "
        f"ON CONFLICT (key) DO UPDATE SET {fill}, metadata = json_patch(excluded.metadata, objects.metadata) RETURNING id"
    )
    return [db.conn.execute(sql, [_plain(row, c) for c in columns]).fetchone()[0] for row in rows]


def frame(ws: Workspace, ids: Iterable[int] | None = None) -> pd.DataFrame:
    """Objects with their columns, ``split``, ``sky_group`` and a bool column per modality.

    ``ids`` keeps the order given; without it, all objects by id. ``metadata`` stays JSON text
    (see `metadata`). Missing numbers are NaN, missing text is None.
    """
    where, parameters = ("", ()) if ids is None else ("WHERE o.id IN (SELECT value FROM json_each(?))", (as_json(ids),))
    table = ws.frame(
        f"""SELECT o.*, COALESCE(m.image, 0) AS image, COALESCE(m.spectrum, 0) AS spectrum, COALESCE(m.photometry, 0) AS photometry
        FROM objects o LEFT JOIN (SELECT object_id, MAX(modality = 'image') AS image, MAX(modality = 'spectrum') AS spectrum,
            MAX(modality = 'photometry') AS photometry FROM arrays GROUP BY object_id) m ON m.object_id = o.id {where} ORDER BY o.id""",
        parameters,
    )
    for column in ("ra", "dec", "sn", "ebv"):
        table[column] = pd.to_numeric(table[column])
    table = table.astype({"image": bool, "spectrum": bool, "photometry": bool})
    return table if ids is None else table.set_index("id").loc[[int(i) for i in ids]].reset_index()


def brief(ws: Workspace, ids: np.ndarray) -> pd.DataFrame:
    """``key``, ``class``, ``split`` and ``sn`` of objects in the order given: what a map of all of them needs, in a seventh of `frame`'s time."""
    few, columns = len(ids) < BRIEF_ALL, "id, key, class, split, sn"
    where, parameters = ("WHERE id IN (SELECT value FROM json_each(?))", (as_json(ids),)) if few else ("", ())
    table = ws.frame(f"SELECT {columns} FROM objects {where}", parameters).set_index("id").loc[np.asarray(ids, np.int64)].reset_index()
    table["sn"] = pd.to_numeric(table["sn"])
    return table


def metadata(ws: Workspace, object_id: int) -> dict:
    """The free columns that came with one object."""
    return json.loads(one(ws, object_id)["metadata"])


def columns(ws: Workspace) -> dict[str, bool]:
    """Free columns that came with objects, by name, and whether they are numbers throughout."""
    table = ws.frame("""SELECT m.key AS name, MIN(m.type IN ('integer', 'real')) AS numeric FROM objects o, json_each(o.metadata) m
        WHERE m.type <> 'null' GROUP BY m.key ORDER BY m.key""")
    return {name: bool(numeric) for name, numeric in zip(table["name"], table["numeric"], strict=True)}


def values(ws: Workspace, ids: np.ndarray, column: str) -> pd.Series:
    """One column of `OBJECT_COLUMN_NAMES`, or one free column, of objects in the order given; missing is None or NaN."""
    source = f"o.{_q(column)}" if column in OBJECT_COLUMN_NAMES else "(SELECT value FROM json_each(o.metadata) WHERE key = :column)"
    table = ws.frame(f"SELECT o.id, {source} AS value FROM objects o WHERE o.id IN (SELECT value FROM json_each(:ids))", {"column": column, "ids": as_json(ids)})
    return table.set_index("id")["value"].reindex(np.asarray(ids, np.int64)).reset_index(drop=True)


def one(ws: Workspace, object_id: int) -> dict:
    """One object as a mapping; raises `NotFound`."""
    with ws.read() as db:
        rows = list(db.query("SELECT * FROM objects WHERE id = ?", [int(object_id)]))
    if not rows:
        raise NotFound(f"There is no object {object_id} in this workspace. Pick one from the Explore page.")
    return rows[0]


def find(ws: Workspace, text: str) -> list[int]:
    """Ids of objects whose key, specobjid or objid is ``text``, or whose key contains it; at most 50."""
    table = ws.frame(
        "SELECT id FROM objects WHERE key = ?1 OR specobjid = ?1 OR objid = ?1 OR key LIKE '%' || ?1 || '%' "
        "ORDER BY key = ?1 DESC, id LIMIT 50", (text.strip(),)
    )
    return [int(i) for i in table["id"]]


def count(ws: Workspace) -> int:
    """How many objects there are."""
    return int(ws.frame("SELECT COUNT(*) AS n FROM objects")["n"].iloc[0])


def as_json(ids: Iterable[int]) -> str:
    """Ids as one parameter for json_each: SQLite bounds the number of ``?``."""
    return json.dumps([int(i) for i in ids])


def _plain(row: Mapping, column: str) -> object:
    value = row.get(column)
    if column == "metadata":
        return json.dumps({k: v for k, v in (value or {}).items() if not _is_missing(v)}, default=_number)
    if column == "simulated":
        return int(value or 0)
    return None if _is_missing(value) else _number(value)


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, (float, np.floating)) and not np.isfinite(value))


def _number(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _q(column: str) -> str:
    return f'"{column}"'
