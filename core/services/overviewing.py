"""What is in a workspace, what runs, how far learning has come, and what to do next."""

from core.store import Workspace


def is_simulated(ws: Workspace) -> bool:
    """Whether any object comes from the mock sky."""
    return bool(ws.frame("SELECT EXISTS (SELECT 1 FROM objects WHERE simulated = 1) AS n")["n"].iloc[0])
