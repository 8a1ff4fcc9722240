"""Looking at the sky as a map: what stands on it, what colours it, what a lasso catches, what is near."""

from core.services.exploring.colouring import COLOURINGS, Colouring
from core.services.exploring.filters import OPEN, Filters
from core.services.exploring.further import annotator_names, batch_titles, colourings
from core.services.exploring.likeness import latent, nearest, spread_out, stacked, stamps
from core.services.exploring.maps import (
    feature_choices,
    is_first_view,
    make_map,
    map_names,
    maps_being_made,
    moved_most,
    newcomers,
    place_newcomers,
    run_names,
    target_groups,
    target_names,
)
from core.services.exploring.places import HOW, combined, points_in_polygon, rows_of
from core.services.exploring.states import CANNOT, LABELLED, STATES, UNLABELLED, WAITING, label_states, label_values, waiting
from core.services.exploring.table import UNKNOWN_CLASS, MapTable, details, facts, galaxies, map_table, values, version
from core.services.exploring.views import View, open_view, remove_view, save_view, view_names

__all__ = [
    "CANNOT",
    "COLOURINGS",
    "Colouring",
    "Filters",
    "HOW",
    "LABELLED",
    "MapTable",
    "OPEN",
    "STATES",
    "UNKNOWN_CLASS",
    "UNLABELLED",
    "View",
    "WAITING",
    "annotator_names",
    "batch_titles",
    "colourings",
    "combined",
    "details",
    "facts",
    "feature_choices",
    "galaxies",
    "is_first_view",
    "label_states",
    "label_values",
    "latent",
    "make_map",
    "map_names",
    "map_table",
    "maps_being_made",
    "moved_most",
    "nearest",
    "newcomers",
    "open_view",
    "place_newcomers",
    "points_in_polygon",
    "remove_view",
    "rows_of",
    "run_names",
    "save_view",
    "spread_out",
    "stacked",
    "stamps",
    "target_groups",
    "target_names",
    "values",
    "version",
    "view_names",
    "waiting",
]
