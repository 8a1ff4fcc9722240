"""What is to be looked at again as queues of the labelling desk."""

import numpy as np

from core.services.labelling.queue import DISAGREEMENTS, RELOOK, Queue
from core.services.reviewing.disagreements import disagreements
from core.services.reviewing.relook import relook
from core.store import Workspace, labels

SOURCES = {DISAGREEMENTS: "Disagreements between people, to adjudicate", RELOOK: "Past labels to look at again"}
"""Source of a queue -> its title."""


def queue(ws: Workspace, source: str) -> Queue:
    """The queue of one of `SOURCES`; an object is done in it when it is decided after the queue was made."""
    mark = labels.high_water(ws)
    if source == DISAGREEMENTS:
        found, said = {d.object_id: d.explanation for d in disagreements(ws)}, "What you decide here is an adjudication: it beats what others said, and trains the models."
    else:
        table = relook(ws)
        found, said = dict(zip(table["object_id"], table["hint"], strict=True)), "Past labels that something speaks against. Your value stands beside the old one; where they differ, the two wait among the disagreements."
    empty = {DISAGREEMENTS: "Nobody disagrees about a redshift.", RELOOK: "No past label stands out."}[source]
    return Queue(source, SOURCES[source], said if found else empty, np.array(list(found), np.int64), None, found, since=mark)
