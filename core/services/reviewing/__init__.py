"""Looking again at what has been decided: where people disagree, what a model disputes, how good each of them is."""

from core.services.reviewing.annotators import GRADES, REFERENCES, agreement, by_grade, pairs, people
from core.services.reviewing.disagreements import Disagreement, Reading, adjudicate, disagreements, nobody_can_tell
from core.services.reviewing.queues import SOURCES, queue
from core.services.reviewing.relook import KINDS, relook

__all__ = [
    "GRADES", "KINDS", "REFERENCES", "SOURCES", "Disagreement", "Reading", "adjudicate", "agreement", "by_grade", "disagreements", "nobody_can_tell", "pairs", "people", "queue", "relook",
]
