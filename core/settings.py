"""Frozen settings, read once from the environment."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """What a deployment may choose.

    Attributes
    ----------
    workspace : folder with lookback.db, arrays/, runs/ (``WORKSPACE``).
    port : where the app answers (``PORT``).
    lease_seconds : how long a silent worker keeps its job (``LOOKBACK_LEASE_SECONDS``).
    threads : threads a model may use; 0 means as many as the machine has (``LOOKBACK_THREADS``).
    scheduler : address of a Dask scheduler, empty for none (``LOOKBACK_DASK``).
    tasks : a module of this site whose ``TASKS`` the worker can run too, empty for none (``LOOKBACK_TASKS``).
    """

    workspace: Path
    port: int
    lease_seconds: float
    threads: int
    scheduler: str
    tasks: str = ""


@cache
def settings() -> Settings:
    """The settings of this process; the environment is read on the first call only."""
    env = os.environ.get
    return Settings(
        workspace=Path(env("WORKSPACE") or ROOT / "data" / "workspaces" / "demo").expanduser().resolve(),
        port=int(env("PORT") or 8501),
        lease_seconds=float(env("LOOKBACK_LEASE_SECONDS") or 30),
        threads=int(env("LOOKBACK_THREADS") or 0),
        scheduler=env("LOOKBACK_DASK") or "",
        tasks=env("LOOKBACK_TASKS") or "",
    )
