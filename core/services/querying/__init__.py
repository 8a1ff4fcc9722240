"""Choosing which galaxies to ask about next.

`pool` says who may be asked, `preview` composes a batch with reasons and worth and saves nothing, `without`, `with_added`, `moved`, `ordered` and `filled` change it by hand,
`submit` saves it, `export` gives it to other tools.
"""

from core.services.querying.composing import batch_list, has_spectra, heeded, minutes, preview, submit
from core.services.querying.editing import MOVES, ORDERS, filled, moved, ordered, with_added, without
from core.services.querying.exporting import export
from core.services.querying.pool import named, pool
from core.services.querying.previewed import Edits, Preview
from core.services.querying.request import LEAST_CHANCE, LEAST_GOOD, LEAST_SN, NEVER_FLAGGED, Pool, Request

__all__ = [
    "Edits",
    "LEAST_CHANCE",
    "LEAST_GOOD",
    "LEAST_SN",
    "MOVES",
    "NEVER_FLAGGED",
    "ORDERS",
    "Pool",
    "Preview",
    "Request",
    "batch_list",
    "export",
    "filled",
    "has_spectra",
    "heeded",
    "minutes",
    "moved",
    "named",
    "ordered",
    "pool",
    "preview",
    "submit",
    "with_added",
    "without",
]
