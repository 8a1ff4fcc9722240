"""The panels of the Review page."""

from core.ui.review.disagreements import disagreements
from core.ui.review.people import people
from core.ui.review.relook import relook
from core.ui.review.share import share

__all__ = ["disagreements", "people", "relook", "share"]
