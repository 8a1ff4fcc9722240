"""The batch composer on the Query page."""

from core.ui.query.page import compose

__all__ = ["compose"]
