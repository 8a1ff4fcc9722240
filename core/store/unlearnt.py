"""What models have yet to learn: galaxies labelled since a training last read the log, and trainings that are queued for them, each once."""

import sqlite3

from core.store import jobs
from core.store.consensus import TRAINING_GRADE
from core.store.runs import RANDOM_LABELS
from core.store.workspace import Workspace

_FRESH = f"""SELECT COUNT(DISTINCT l.object_id) FROM labels l JOIN objects o ON o.id = l.object_id WHERE l.id > :mark AND o.split = 'train' AND (
    (l.action = 'label' AND COALESCE(l.grade, {TRAINING_GRADE}) >= {TRAINING_GRADE} AND NOT EXISTS (SELECT 1 FROM labels r WHERE r.action = 'retract' AND r.supersedes = l.id))
    OR (l.action = 'retract' AND l.supersedes <= :mark AND EXISTS (SELECT 1 FROM labels u WHERE u.id = l.supersedes AND u.action = 'label')))"""
"""A label counts that training takes and that still stands, and so does the undoing of one that was there before: both change what is learnt."""
_OF_MODEL = f"kind = 'train' AND json_extract(parameters, '$.model') = :model AND COALESCE(json_extract(parameters, '$.labels'), '') <> '{RANDOM_LABELS}'"
_SEEN = f"""SELECT COALESCE(MAX(mark), 0) FROM (
    SELECT label_high_water AS mark FROM runs WHERE model = :model AND COALESCE(json_extract(config, '$.labels'), '') <> '{RANDOM_LABELS}'
    UNION ALL SELECT json_extract(parameters, '$.up_to') FROM jobs WHERE {_OF_MODEL})"""
"""What was tried counts like what succeeded: a training that failed or was cancelled is not begun again for the same labels."""
_IS_BUSY = f"SELECT EXISTS (SELECT 1 FROM jobs WHERE status IN ('queued', 'running') AND {_OF_MODEL})"


def galaxies_since(ws: Workspace, mark: int) -> int:
    """How many galaxies of the train split have got a label, or lost one, since the log stood at row ``mark``."""
    with ws.read() as db:
        return _one(db.conn, _FRESH, mark=int(mark))


def enqueue(ws: Workspace, model: str, title: str, parameters: dict, least: int = 0) -> int | None:
    """Queue a training of a model on the log as it stands, and return the job's id; None, and nothing done, when it is not due.

    It is due when no training of the model runs or waits and ``least`` galaxies or more have been labelled since the newest
    mark that one of its trainings has read or was queued for. Asked and queued in one transaction: whoever asks at the
    same time, one job is queued. Its parameter ``up_to`` is the mark. Trainings on random labels only have no part in this.
    """
    with ws.read() as db:
        if not _is_due(db.conn, model, least):
            return None
    with ws.write() as db:
        if not _is_due(db.conn, model, least):
            return None
        return jobs.insert(db, "train", title, parameters | {"model": model, "up_to": _one(db.conn, "SELECT COALESCE(MAX(id), 0) FROM labels")})


def _is_due(connection: sqlite3.Connection, model: str, least: int) -> bool:
    if _one(connection, _IS_BUSY, model=model):
        return False
    return least == 0 or _one(connection, _FRESH, mark=_one(connection, _SEEN, model=model)) >= least


def _one(connection: sqlite3.Connection, sql: str, **values: object) -> int:
    return int(connection.execute(sql, values).fetchone()[0])
