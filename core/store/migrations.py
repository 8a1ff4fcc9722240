"""The schema, one migration after another. Never edit one that has landed: add the next.

Reads go in column order of this file; what a column means stands beside it.
"""

import json
import sqlite3

import sqlite_utils
from sqlite_utils import Migrations

migrate_set = Migrations("lookback")


def migrate(db: sqlite_utils.Database) -> None:
    """Bring the schema up to date; does nothing when it already is."""
    migrate_set.apply(db)


@migrate_set()
def objects_and_arrays(db: sqlite_utils.Database) -> None:
    _script(db, """
    CREATE TABLE objects (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,          -- identity in its survey
        ra REAL, dec REAL,                 -- deg, J2000
        specobjid TEXT, objid TEXT, plate INTEGER, mjd INTEGER, fiberid INTEGER,
        class TEXT, zwarning INTEGER, sn REAL, ebv REAL,
        source TEXT, simulated INTEGER NOT NULL DEFAULT 0,
        sky_group INTEGER NOT NULL,        -- objects of one group share one split
        split TEXT NOT NULL CHECK (split IN ('train', 'calibration', 'test')),
        metadata TEXT NOT NULL DEFAULT '{}',
        created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')));
    CREATE INDEX objects_by_position ON objects (dec, ra);
    CREATE INDEX objects_by_plate ON objects (plate, mjd, fiberid);
    CREATE TABLE shards (
        modality TEXT NOT NULL, number INTEGER NOT NULL, file TEXT NOT NULL UNIQUE, rows INTEGER NOT NULL,
        PRIMARY KEY (modality, number));
    CREATE TABLE arrays (
        object_id INTEGER NOT NULL REFERENCES objects, modality TEXT NOT NULL, row INTEGER NOT NULL,
        PRIMARY KEY (object_id, modality)) WITHOUT ROWID;
    CREATE TABLE targets (                 -- further numeric targets, declared by data
        name TEXT PRIMARY KEY, unit TEXT NOT NULL, task_group TEXT NOT NULL,
        low REAL NOT NULL, high REAL NOT NULL, sentence TEXT NOT NULL);
    CREATE TABLE truth (                   -- catalogue values an oracle may reveal
        object_id INTEGER NOT NULL REFERENCES objects, target TEXT NOT NULL,
        value REAL NOT NULL, sigma REAL, source TEXT NOT NULL,
        PRIMARY KEY (object_id, target)) WITHOUT ROWID;
    """)


@migrate_set()
def labels_and_batches(db: sqlite_utils.Database) -> None:
    _script(db, """
    CREATE TABLE batches (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, strategy TEXT NOT NULL,
        parameters TEXT NOT NULL DEFAULT '{}', seed INTEGER NOT NULL, run_id INTEGER,
        status TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
        annotator TEXT, created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')));
    CREATE TABLE batch_items (
        batch_id INTEGER NOT NULL REFERENCES batches, object_id INTEGER NOT NULL REFERENCES objects,
        rank INTEGER NOT NULL, score REAL, reason TEXT NOT NULL, distance REAL,   -- to the nearest label
        control INTEGER NOT NULL DEFAULT 0,                                       -- the random slice
        PRIMARY KEY (batch_id, object_id)) WITHOUT ROWID;
    CREATE TABLE labels (                  -- append-only: no UPDATE, no DELETE
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        object_id INTEGER NOT NULL REFERENCES objects, target TEXT NOT NULL,
        action TEXT NOT NULL CHECK (action IN ('label', 'cannot', 'skip', 'flag', 'retract')),
        value REAL, sigma REAL, grade INTEGER, flags TEXT NOT NULL DEFAULT '', comment TEXT NOT NULL DEFAULT '',
        annotator TEXT NOT NULL, source TEXT NOT NULL, batch_id INTEGER REFERENCES batches,
        shown TEXT NOT NULL DEFAULT '{}',  -- what the annotator had on screen
        milliseconds INTEGER, client TEXT NOT NULL, sequence INTEGER NOT NULL,
        supersedes INTEGER REFERENCES labels,
        created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
        UNIQUE (annotator, client, sequence, target));
    CREATE INDEX labels_by_object ON labels (object_id, target);
    CREATE INDEX labels_by_supersedes ON labels (supersedes);
    CREATE TRIGGER labels_are_never_changed BEFORE UPDATE ON labels
        BEGIN SELECT RAISE(ABORT, 'labels are append-only'); END;
    CREATE TRIGGER labels_are_never_deleted BEFORE DELETE ON labels
        BEGIN SELECT RAISE(ABORT, 'labels are append-only'); END;
    """)


@migrate_set()
def runs_and_jobs(db: sqlite_utils.Database) -> None:
    _script(db, """
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, parameters TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'queued'
            CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
        fraction REAL NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT '',
        error TEXT, result TEXT, checkpoint TEXT,            -- a file name, current only by a fenced UPDATE
        worker TEXT, fence INTEGER NOT NULL DEFAULT 0, lease_until REAL, attempts INTEGER NOT NULL DEFAULT 0,
        cancel_requested INTEGER NOT NULL DEFAULT 0,
        created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')), started TEXT, finished TEXT);
    CREATE INDEX jobs_by_status ON jobs (status, id);
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, model TEXT NOT NULL, config TEXT NOT NULL, seed INTEGER NOT NULL,
        job_id INTEGER UNIQUE REFERENCES jobs, status TEXT NOT NULL DEFAULT 'running',
        label_high_water INTEGER NOT NULL,  -- ids of labels up to this one were seen
        label_count INTEGER NOT NULL, label_hash TEXT NOT NULL, summary TEXT NOT NULL DEFAULT '{}',
        created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')), finished TEXT);
    CREATE TABLE metrics (
        run_id INTEGER NOT NULL REFERENCES runs, split TEXT NOT NULL, target TEXT NOT NULL, subset TEXT NOT NULL,
        name TEXT NOT NULL, value REAL, PRIMARY KEY (run_id, split, target, subset, name)) WITHOUT ROWID;
    CREATE TABLE history (
        run_id INTEGER NOT NULL REFERENCES runs, epoch INTEGER NOT NULL, name TEXT NOT NULL, value REAL,
        PRIMARY KEY (run_id, epoch, name)) WITHOUT ROWID;
    CREATE TABLE embeddings (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, method TEXT NOT NULL, features TEXT NOT NULL,
        run_id INTEGER REFERENCES runs, parameters TEXT NOT NULL DEFAULT '{}', file TEXT NOT NULL,
        created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')));
    CREATE TABLE ingest_report (           -- one row a file and an ingest job
        job_id INTEGER NOT NULL REFERENCES jobs, path TEXT NOT NULL, product TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('read', 'known', 'refused')),
        new INTEGER NOT NULL DEFAULT 0, updated INTEGER NOT NULL DEFAULT 0,
        counts TEXT NOT NULL DEFAULT '{}',  -- images, spectra, photometry, truth, missing values by column
        message TEXT NOT NULL DEFAULT '', PRIMARY KEY (job_id, path)) WITHOUT ROWID;
    """)


@migrate_set()
def stretches_by_bin(db: sqlite_utils.Database) -> None:
    """Runs that know one stretch a target and level keep it as that of all galaxies."""
    for run_id, text in db.conn.execute("SELECT id, summary FROM runs").fetchall():
        summary = json.loads(text)
        if summary.get("conformal"):
            summary["conformal"] = {"widths": {target: {"all": by_level} for target, by_level in summary["conformal"].items()}}
            db.conn.execute("UPDATE runs SET summary = ? WHERE id = ?", (json.dumps(summary), run_id))


@migrate_set()
def places(db: sqlite_utils.Database) -> None:
    _script(db, """
    CREATE TABLE places (                  -- where each annotator sat last: a new session goes on there
        annotator TEXT PRIMARY KEY, source TEXT NOT NULL, object_id INTEGER NOT NULL REFERENCES objects,
        updated TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))) WITHOUT ROWID;
    """)


@migrate_set()
def assignments(db: sqlite_utils.Database) -> None:
    _script(db, """
    CREATE TABLE assignments (              -- a batch shared out among people
        batch_id INTEGER PRIMARY KEY REFERENCES batches, overlap INTEGER NOT NULL, seed INTEGER NOT NULL,
        gold_share REAL NOT NULL DEFAULT 0, tells_gold INTEGER NOT NULL DEFAULT 0,   -- said after the grade
        assigned_by TEXT NOT NULL, created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')));
    CREATE TABLE assignment_items (
        batch_id INTEGER NOT NULL REFERENCES assignments ON DELETE CASCADE, annotator TEXT NOT NULL,
        object_id INTEGER NOT NULL REFERENCES objects, place INTEGER NOT NULL,      -- in this person's order
        gold REAL,                          -- the known redshift; empty for what the batch asks about
        PRIMARY KEY (batch_id, annotator, object_id)) WITHOUT ROWID;
    CREATE INDEX assignment_items_by_object ON assignment_items (object_id, annotator);
    """)


@migrate_set()
def saved_views(db: sqlite_utils.Database) -> None:
    _script(db, """
    CREATE TABLE views (                    -- a way of looking at a map, to be opened again or sent to somebody
        name TEXT PRIMARY KEY, settings TEXT NOT NULL, annotator TEXT NOT NULL,
        created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))) WITHOUT ROWID;
    """)


@migrate_set()
def preferences(db: sqlite_utils.Database) -> None:
    _script(db, """
    CREATE TABLE preferences (              -- what a workspace has been told to do, for everybody who works in it
        name TEXT PRIMARY KEY, value TEXT NOT NULL, annotator TEXT NOT NULL,
        updated TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))) WITHOUT ROWID;
    """)


def _script(db: sqlite_utils.Database, sql: str) -> None:
    """Run statements one by one: ``executescript`` would commit the open transaction."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if statement.strip() and sqlite3.complete_statement(statement):
            db.conn.execute(statement)
            statement = ""

