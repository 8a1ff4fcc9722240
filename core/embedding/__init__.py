"""Galaxies on a plane: PCA, UMAP or t-SNE, aligned with the map before.

`features` turns model inputs into what a map should be made of; `layout` lays it out; `places` keeps a new
map from jumping away from the old one, says who moved, and finds newcomers their place.
"""

from core.embedding.features import Axes, axes_of, components, fused, scales, summary
from core.embedding.layout import FEATURES, FEWEST, METHODS, PARAMETERS, embed, first_view, method_for, title, warm
from core.embedding.places import align, displacement, place

__all__ = [
    "FEATURES", "FEWEST", "METHODS", "PARAMETERS", "Axes", "align", "axes_of", "components", "displacement", "embed", "first_view", "fused", "method_for",
    "place", "scales", "summary", "title", "warm",
]
