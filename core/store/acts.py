"""What annotators did, act by act. An act is one key press or one form: all rows of one (annotator, client, sequence)."""

from collections.abc import Iterable

import pandas as pd

from core.errors import NotFound
from core.store import labels
from core.store.objects import as_json
from core.store.workspace import Workspace

_STANDING = "NOT EXISTS (SELECT 1 FROM labels r WHERE r.action = 'retract' AND r.supersedes = l.id)"
_RECENT_ROWS = 400


def rows(ws: Workspace, annotator: str, client: str, sequence: int) -> pd.DataFrame:
    """The rows of one act, with ``standing`` False where one was retracted; empty when there is no such act."""
    return ws.frame(
        f"SELECT *, {_STANDING} AS standing FROM labels l WHERE annotator = ? AND client = ? AND sequence = ? ORDER BY id",
        (annotator, client, int(sequence)),
    ).astype({"standing": bool})


def recent(ws: Workspace, annotator: str, limit: int = 20) -> pd.DataFrame:
    """The annotator's newest standing acts, newest first: client, sequence, object_id, created."""
    table = ws.frame(
        f"SELECT client, sequence, object_id, created FROM labels l WHERE annotator = ? AND action <> 'retract' AND {_STANDING} ORDER BY id DESC LIMIT ?",
        (annotator, _RECENT_ROWS),
    )
    return table.drop_duplicates(["client", "sequence"]).head(limit).reset_index(drop=True)


def retract(ws: Workspace, label_ids: Iterable[int], annotator: str, client: str, sequence: int) -> list[int]:
    """Undo rows together, in one transaction, as one act of ``annotator``; returns the ids of the retract rows.

    Raises `NotFound` when a row is not there.
    """
    wanted = [int(i) for i in label_ids]
    table = ws.frame("SELECT id, object_id, target FROM labels WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", (as_json(wanted),))
    missing = sorted(set(wanted) - set(table["id"].tolist()))
    if missing:
        raise NotFound(f"There is no label {missing[0]} to undo. Reload the page to see the present log.")
    return labels.record(ws, [
        labels.Decision(int(r.object_id), r.target, "retract", annotator, client, int(sequence), supersedes=int(r.id)) for r in table.itertuples()
    ])


def states(ws: Workspace, object_ids: Iterable[int], annotator: str, batch_id: int | None = None, since: int = 0) -> dict[int, str]:
    """How far objects are for an annotator: ``label``, ``cannot``, ``skip``, ``flag``; an untouched one is left out.

    What the annotator said of the redshift anywhere counts, and what anybody said of it in the
    batch; rows up to ``since`` do not. A decision outranks a skip, a skip a flag; among equals the newest wins.
    """
    table = ws.frame(
        f"""SELECT l.object_id, l.action FROM json_each(?) j CROSS JOIN labels l ON l.object_id = j.value
        WHERE l.target = 'z' AND l.action <> 'retract' AND (l.annotator = ? OR l.batch_id = ?) AND l.id > ? AND {_STANDING}
        ORDER BY CASE l.action WHEN 'flag' THEN 0 WHEN 'skip' THEN 1 ELSE 2 END, l.id""",
        (as_json(object_ids), annotator, batch_id, int(since)),
    )
    return dict(zip(table["object_id"].tolist(), table["action"], strict=True))


def decided(ws: Workspace) -> set[int]:
    """Objects with a standing decision about the redshift, by anybody: a value, or that it cannot be told."""
    return set(ws.frame(f"SELECT DISTINCT object_id FROM labels l WHERE target = 'z' AND action IN ('label', 'cannot') AND {_STANDING}")["object_id"].tolist())


def skipped(ws: Workspace, annotator: str) -> pd.DataFrame:
    """Objects that the annotator has put off and not decided since, the longest ago first: object_id, comment, created."""
    decision = _STANDING.replace("l.id", "d.id")
    return ws.frame(
        f"""SELECT object_id, comment, created, MAX(id) AS id FROM labels l WHERE annotator = ? AND target = 'z' AND action = 'skip' AND {_STANDING}
        AND NOT EXISTS (SELECT 1 FROM labels d WHERE d.object_id = l.object_id AND d.target = 'z' AND d.annotator = l.annotator
            AND d.action IN ('label', 'cannot') AND {decision}) GROUP BY object_id ORDER BY id""",
        (annotator,),
    ).drop(columns="id")


def decided_by(ws: Workspace, annotator: str) -> list[int]:
    """Objects with a standing decision of the annotator about the redshift, the newest decision first."""
    sql = f"SELECT object_id FROM labels l WHERE annotator = ? AND target = 'z' AND action IN ('label', 'cannot') AND {_STANDING} GROUP BY object_id ORDER BY MAX(id) DESC"
    return ws.frame(sql, (annotator,))["object_id"].tolist()


def decisions_since(ws: Workspace, annotator: str, since: str) -> pd.DataFrame:
    """The annotator's standing decisions from ``since`` (ISO, UTC) on, one row an act: created, object_id, milliseconds."""
    return ws.frame(
        f"""SELECT MIN(created) AS created, MIN(object_id) AS object_id, MAX(milliseconds) AS milliseconds FROM labels l
        WHERE annotator = ? AND created >= ? AND action IN ('label', 'cannot') AND {_STANDING} GROUP BY client, sequence ORDER BY created""",
        (annotator, since),
    )


def timed(ws: Workspace) -> pd.DataFrame:
    """Every standing decision, by anybody, whose time was taken, one row an act: object_id, milliseconds."""
    return ws.frame(
        f"""SELECT MIN(object_id) AS object_id, MAX(milliseconds) AS milliseconds FROM labels l
        WHERE milliseconds IS NOT NULL AND action IN ('label', 'cannot') AND {_STANDING} GROUP BY annotator, client, sequence ORDER BY MIN(id)"""
    )


def flagged(ws: Workspace, words: Iterable[str]) -> list[int]:
    """Objects that somebody has flagged with any of the issue words, ascending; a flag that was taken back does not count."""
    table, wanted = ws.frame(f"SELECT object_id, flags FROM labels l WHERE flags <> '' AND action <> 'retract' AND {_STANDING}"), set(words)
    has_one = [bool(wanted & {word.strip() for word in flags.split(",")}) for flags in table["flags"]]
    return sorted(set(table.loc[has_one, "object_id"].tolist()))
