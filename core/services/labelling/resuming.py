"""Going on where one was: the last place of an annotator, and the guidelines they work by."""

from core.services.labelling.queue import SKIPPED, sources
from core.settings import ROOT
from core.store import Workspace, acts, places

GUIDELINES = "guidelines.md"
"""In the folder of a workspace: its own guidelines, shown instead of `HOUSE_GUIDELINES`."""
HOUSE_GUIDELINES = ROOT / "core" / "services" / "labelling" / GUIDELINES
_LONGEST = 50_000


def remember(ws: Workspace, annotator: str, source: str, object_id: int) -> None:
    """Keep where an annotator is for their next session."""
    places.put(ws, annotator, source, object_id)


def resume(ws: Workspace, annotator: str) -> tuple[str, int | None] | None:
    """Where an annotator's new session begins: the queue, and the object unless it is decided or put off by now.

    None for somebody new, and when what they were labelling is no longer on offer.
    """
    place = places.get(ws, annotator)
    if place is None or place[0] not in sources(ws, annotator=annotator):
        return None
    source, object_id = place
    done = ("label", "cannot") if source == SKIPPED else ("label", "cannot", "skip")
    return source, None if acts.states(ws, [object_id], annotator).get(object_id) in done else object_id


def guidelines(ws: Workspace) -> str:
    """How to grade, in markdown: the workspace's own file where it has one."""
    own = ws.path / GUIDELINES
    path = own if own.is_file() else HOUSE_GUIDELINES
    return path.read_text(encoding="utf-8", errors="replace")[:_LONGEST]
