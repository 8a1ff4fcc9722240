"""The best settings that finished searches of a workspace have found."""

import json
from collections.abc import Mapping

from core.errors import NotFound
from core.store import Workspace, jobs

TUNED = "tuned"
"""What a training job may say instead of settings: those of the model's newest search."""


def best(ws: Workspace, model: str, fixed: Mapping[str, object] | None = None) -> dict | None:
    """Settings of the newest finished search of a model, or None; ``fixed``: only of a search that held exactly these."""
    for row in jobs.frame(ws).query("kind == 'tune' and status == 'done'").itertuples():
        asked = json.loads(row.parameters)
        if asked["model"] == model and (fixed is None or dict(asked.get("config") or {}) == dict(fixed)):
            return json.loads(row.result)["best"]
    return None


def settings_of(ws: Workspace, model: str, config: Mapping[str, object] | str | None) -> dict:
    """The settings a training job means: its own, or with ``"tuned"`` the best that were found; raises `NotFound` when nobody has searched."""
    if config != TUNED:
        return dict(config or {})
    found = best(ws, model)
    if found is None:
        raise NotFound(f"No finished search has tuned {model} in this workspace. Tune it first (python -m core tune {model}), or train it with its own settings.")
    return found
