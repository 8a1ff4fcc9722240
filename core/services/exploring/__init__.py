"""Looking at the sky as a map: what stands on it, what colours it, what a lasso catches, what is near."""

from core.services.exploring.colouring import COLOURINGS, Colouring
from core.services.exploring.likeness import latent, nearest, stamps
from core.services.exploring.maps import feature_choices, make_map, map_names, maps_being_made, run_names, target_groups
from core.services.exploring.places import HOW, combined, points_in_polygon, rows_of
from core.services.exploring.states import CANNOT, LABELLED, STATES, UNLABELLED, WAITING, label_states, label_values, waiting
from core.services.exploring.table import UNKNOWN_CLASS, MapTable, details, facts, galaxies, map_table, version

__all__ = [
    "CANNOT",
    "COLOURINGS",
    "Colouring",
    "HOW",
    "LABELLED",
    "MapTable",
    "STATES",
    "UNKNOWN_CLASS",
    "UNLABELLED",
    "WAITING",
    "combined",
    "details",
    "facts",
    "feature_choices",
    "galaxies",
    "label_states",
    "label_values",
    "latent",
    "make_map",
    "map_names",
    "map_table",
    "maps_being_made",
    "nearest",
    "points_in_polygon",
    "rows_of",
    "run_names",
    "stamps",
    "target_groups",
    "version",
    "waiting",
]
