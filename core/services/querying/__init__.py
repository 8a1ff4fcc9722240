"""Choosing which galaxies to ask about next.

`pool` says who may be asked, `preview` composes a batch with reasons and worth and saves nothing,
`submit` saves a previewed batch.
"""

from core.services.querying.composing import batch_list, has_spectra, minutes, preview, submit
from core.services.querying.pool import named, pool
from core.services.querying.request import LEAST_CHANCE, LEAST_GOOD, LEAST_SN, NEVER_FLAGGED, Pool, Preview, Request

__all__ = ["LEAST_CHANCE", "LEAST_GOOD", "LEAST_SN", "NEVER_FLAGGED", "Pool", "Preview", "Request", "batch_list", "has_spectra", "minutes", "named", "pool", "preview", "submit"]
