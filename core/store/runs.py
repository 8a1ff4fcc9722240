"""Training runs: configuration, the labels they saw, history, metrics, predictions."""

import json
import os
import uuid
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from core.errors import NotFound
from core.store.objects import as_json
from core.store.workspace import Workspace

RANDOM_LABELS = "random"
"""What a run's ``config["labels"]`` says when it learnt from randomly chosen labels only: the baseline of the learning curve."""


def create(ws: Workspace, name: str, model: str, config: dict, seed: int, labels: dict, job_id: int | None = None) -> int:
    """Start a run; the run of a resumed job is the one it had.

    ``labels`` holds high_water, count and hash (see `core.store.labels`).
    """
    with ws.write() as db:
        db.conn.execute(
            "INSERT OR IGNORE INTO runs (name, model, config, seed, job_id, label_high_water, label_count, label_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (name, model, json.dumps(config), int(seed), job_id, labels["high_water"], labels["count"], labels["hash"]),
        )
        clause, value = ("job_id = ?", job_id) if job_id is not None else ("id = last_insert_rowid() AND 0 <= ?", 0)
        run_id = db.conn.execute(f"SELECT id FROM runs WHERE {clause}", (value,)).fetchone()[0]
    folder(ws, run_id).mkdir(parents=True, exist_ok=True)
    _write_text(folder(ws, run_id) / "config.json", json.dumps({"model": model, "seed": seed, **config, "labels": labels}, indent=1))
    return run_id


def finish(ws: Workspace, run_id: int, status: str, summary: dict | None = None) -> None:
    """Mark a run ``done``, ``failed`` or ``cancelled``; summary holds seconds, parameters, epochs and so on."""
    with ws.write() as db:
        db.conn.execute(
            "UPDATE runs SET status = ?, summary = ?, finished = strftime('%Y-%m-%dT%H:%M:%fZ') WHERE id = ?",
            (status, json.dumps(summary or {}), int(run_id)),
        )


def frame(ws: Workspace) -> pd.DataFrame:
    """All runs, newest first. ``stale`` counts labels a run saw that have been undone since; ``is_control`` says that it is a baseline (`RANDOM_LABELS`).

    A run whose job was killed could not say so: it ends as its job did.
    """
    return ws.frame("""SELECT runs.*, (SELECT COUNT(*) FROM labels l JOIN labels u ON u.id = l.supersedes AND u.action IN ('label', 'cannot')
        WHERE l.action = 'retract' AND u.id <= runs.label_high_water AND l.id > runs.label_high_water) AS stale,
        COALESCE(json_extract(runs.config, '$.labels'), '') = ? AS is_control,
        CASE WHEN runs.status = 'running' AND jobs.status IN ('failed', 'cancelled') THEN jobs.status ELSE runs.status END AS state
        FROM runs LEFT JOIN jobs ON jobs.id = runs.job_id ORDER BY runs.id DESC""", (RANDOM_LABELS,)).drop(columns="status").rename(columns={"state": "status"}).astype({"is_control": bool})


def one(ws: Workspace, run_id: int) -> dict:
    """One run as a mapping, config and summary decoded; raises `NotFound`."""
    table = frame(ws).query("id == @run_id")
    if table.empty:
        raise NotFound(f"There is no run {run_id} in this workspace. Train a model on the Train page.")
    row = table.iloc[0].to_dict()
    return row | {"config": json.loads(row["config"]), "summary": json.loads(row["summary"])}


def of_job(ws: Workspace, job_id: int) -> dict | None:
    """The run that a job has begun, or None."""
    table = ws.frame("SELECT * FROM runs WHERE job_id = ?", (int(job_id),))
    return None if table.empty else table.iloc[0].to_dict()


def latest(ws: Workspace, model: str | None = None) -> int | None:
    """Id of the newest finished run (of ``model``) that is no baseline, or None."""
    table = frame(ws).query("status == 'done' and not is_control")
    table = table if model is None else table[table["model"] == model]
    return None if table.empty else int(table["id"].iloc[0])


def put_history(ws: Workspace, run_id: int, epoch: int, values: dict[str, float]) -> None:
    """Record one epoch's curve values; an epoch done again after a resume replaces itself."""
    with ws.write() as db:
        db.conn.executemany(
            "INSERT OR REPLACE INTO history (run_id, epoch, name, value) VALUES (?, ?, ?, ?)",
            [(int(run_id), int(epoch), name, float(value)) for name, value in values.items()],
        )


def history(ws: Workspace, run_id: int) -> pd.DataFrame:
    """epoch, name, value of one run."""
    return ws.frame("SELECT epoch, name, value FROM history WHERE run_id = ? ORDER BY epoch, name", (int(run_id),))


def histories(ws: Workspace, run_ids: Iterable[int]) -> pd.DataFrame:
    """run_id, epoch, name, value of several runs."""
    return ws.frame("SELECT * FROM history WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY run_id, epoch, name", (as_json(run_ids),))


def put_metrics(ws: Workspace, run_id: int, table: pd.DataFrame) -> None:
    """Record rows of split, target, subset, name, value."""
    with ws.write() as db:
        db.conn.executemany(
            "INSERT OR REPLACE INTO metrics (run_id, split, target, subset, name, value) VALUES (?, ?, ?, ?, ?, ?)",
            [(int(run_id), *row) for row in table[["split", "target", "subset", "name", "value"]].itertuples(index=False)],
        )


def metrics(ws: Workspace, run_id: int | None = None) -> pd.DataFrame:
    """run_id, split, target, subset, name, value; of one run or of all."""
    return ws.frame("SELECT * FROM metrics WHERE run_id = COALESCE(?, run_id)", (run_id,))


def save_arrays(ws: Workspace, run_id: int, name: str, **arrays: np.ndarray) -> None:
    """Write ``runs/<id>/<name>.npz``, whole or not at all. ``predictions`` holds object_ids, targets, mean,
    aleatoric, epistemic (n, T), novelty (n,) and features (n, d)."""
    path = folder(ws, run_id) / f"{name}.npz"
    temporary = path.with_name(f".{name}.{uuid.uuid4().hex[:8]}.npz")
    np.savez(temporary, **arrays)
    os.replace(temporary, path)


def load_arrays(ws: Workspace, run_id: int, name: str) -> dict[str, np.ndarray]:
    """What `save_arrays` wrote; raises `NotFound`."""
    path = folder(ws, run_id) / f"{name}.npz"
    if not path.exists():
        raise NotFound(f"Run {run_id} has no {name} yet. Wait until it is done, or choose another run.")
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def folder(ws: Workspace, run_id: int) -> Path:
    """Where a run keeps its files."""
    return ws.runs / str(int(run_id))


def _write_text(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    temporary.write_text(text)
    os.replace(temporary, path)
