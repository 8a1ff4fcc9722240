"""The only room that knows SQL: objects, truth, labels, batches, runs, jobs, array shards.

`open_workspace(path)` gives a `Workspace`; every function of this room takes it first.
Reads open their own short-lived connection; writes go through ``with ws.write() as db``.
"""

from core.store.workspace import Workspace, open_workspace

__all__ = ["Workspace", "open_workspace"]
