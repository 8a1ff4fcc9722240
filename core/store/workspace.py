"""A workspace: a folder with lookback.db, arrays/, runs/ and embeddings/."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import sqlite_utils

from core.errors import WorkspaceError
from core.store.migrations import migrate

BUSY_SECONDS = 30.0


@dataclass(frozen=True)
class Workspace:
    """The folder everything is kept in. Cheap to make; holds no open connection."""

    path: Path

    @property
    def database(self) -> Path:
        return self.path / "lookback.db"

    @property
    def arrays(self) -> Path:
        return self.path / "arrays"

    @property
    def runs(self) -> Path:
        return self.path / "runs"

    @property
    def embeddings(self) -> Path:
        return self.path / "embeddings"

    @property
    def born(self) -> str:
        """When the database was made: tells a workspace from an earlier one in the same folder."""
        with self.read() as db:
            return str(db.conn.execute("SELECT MIN(applied_at) FROM _sqlite_migrations").fetchone()[0])

    @contextmanager
    def read(self) -> Iterator[sqlite_utils.Database]:
        """A connection of its own, closed at the end; nothing written through it is kept."""
        connection = _connect(self.database)
        try:
            yield sqlite_utils.Database(connection)
        finally:
            connection.rollback()
            connection.close()

    @contextmanager
    def write(self) -> Iterator[sqlite_utils.Database]:
        """One transaction: all of it lands, or none.

        BEGIN IMMEDIATE takes the write lock at once and waits for it; a plain BEGIN
        (what ``db.atomic()`` opens) fails under concurrent writers instead of waiting.
        """
        connection = _connect(self.database)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield sqlite_utils.Database(connection)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            connection.close()

    def frame(self, sql: str, parameters: tuple | dict = ()) -> pd.DataFrame:
        """The rows of a query as a table with the query's own column names."""
        with self.read() as db:
            cursor = db.conn.execute(sql, parameters)
            return pd.DataFrame.from_records(cursor.fetchall(), columns=[c[0] for c in cursor.description])


def open_workspace(path: Path | str, create: bool = True) -> Workspace:
    """Open a workspace, making the folder and bringing the schema up to date.

    Raises `WorkspaceError` when the folder is missing and ``create`` is false, or cannot be written.
    """
    workspace = Workspace(Path(path).expanduser().resolve())
    if not create and not workspace.database.exists():
        raise WorkspaceError(f"There is no workspace in {workspace.path}. Name another folder, or ingest something into it first.")
    try:
        for folder in (workspace.path, workspace.arrays, workspace.runs, workspace.embeddings):
            folder.mkdir(parents=True, exist_ok=True)
        with workspace.write() as db:
            migrate(db)
    except (OSError, sqlite3.DatabaseError) as error:
        raise WorkspaceError(f"The workspace {workspace.path} cannot be opened: {error}. Check the folder's permissions and free space.") from error
    return workspace


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection
