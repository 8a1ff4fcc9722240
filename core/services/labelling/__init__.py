"""The labelling desk: what to label next, what to show of it, what was decided.

`queue` gives an order of objects, `desk` what stands on the page for one of them, `apply_events`
writes what a person did, each event once however often it arrives.
"""

from core.services.labelling.desk import desk, desks
from core.services.labelling.events import FLAGS, SKIP_REASONS, Applied, Refused, apply_events, save_sfr, take_back, take_from_catalogue, undo
from core.services.labelling.history import history, standing_sfr
from core.services.labelling.progress import progress, recent_acts
from core.services.labelling.proposals import proposal_run, template_fit
from core.services.labelling.queue import HELD_OUT, SELECTION, SUGGESTED, UNLABELLED, Queue, default_source, find, queue, refreshed, sources, states

__all__ = [
    "FLAGS", "HELD_OUT", "SELECTION", "SKIP_REASONS", "SUGGESTED", "UNLABELLED", "Applied", "Queue", "Refused", "apply_events", "default_source", "desk", "desks",
    "find", "history", "progress", "proposal_run", "queue", "recent_acts", "refreshed", "save_sfr", "sources", "standing_sfr", "states", "take_back", "take_from_catalogue", "template_fit", "undo",
]
