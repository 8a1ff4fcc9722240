"""The labelling desk: what to label next, what to show of it, what was decided.

`queue` gives an order of objects, `desk` what stands on the page for one of them, `apply_events`
writes what a person did, each event once however often it arrives.
"""

from core.services.labelling.desk import desk, desks
from core.services.labelling.events import COMMENTS, FLAGS, SKIP_REASONS, Applied, Refused, apply_events, take_back, take_from_catalogue, undo
from core.services.labelling.history import history, is_blind
from core.services.labelling.progress import progress, recent_acts
from core.services.labelling.proposals import proposal_run, template_fit
from core.services.labelling.queue import (
    DECIDED,
    DISAGREEMENTS,
    HELD_OUT,
    SELECTION,
    SKIPPED,
    SUGGESTED,
    UNLABELLED,
    Queue,
    default_source,
    find,
    queue,
    refreshed,
    sources,
    states,
)
from core.services.labelling.rates import measured_sfr
from core.services.labelling.resuming import guidelines, remember, resume

__all__ = [
    "COMMENTS", "DECIDED", "DISAGREEMENTS", "FLAGS", "HELD_OUT", "SELECTION", "SKIPPED", "SKIP_REASONS", "SUGGESTED", "UNLABELLED", "Applied", "Queue", "Refused",
    "apply_events", "default_source", "desk", "desks", "find", "guidelines", "history", "is_blind", "measured_sfr", "progress", "proposal_run", "queue", "recent_acts",
    "refreshed", "remember", "resume", "sources", "states", "take_back", "take_from_catalogue", "template_fit", "undo",
]
