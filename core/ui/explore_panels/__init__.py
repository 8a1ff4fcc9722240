"""The panels of the Explore page."""

from core.ui.explore_panels.gallery import pictures
from core.ui.explore_panels.making import make_a_map, no_map
from core.ui.explore_panels.page import EVERYWHERE, IN_LASSO, explore

__all__ = ["EVERYWHERE", "IN_LASSO", "explore", "make_a_map", "no_map", "pictures"]
