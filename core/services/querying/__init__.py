"""Choosing which galaxies to ask about next.

`pool` says who may be asked, `preview` composes a batch with reasons and worth and saves nothing,
`submit` saves a previewed batch.
"""

from core.services.querying.composing import batch_list, has_spectra, minutes, preview, submit
from core.services.querying.pool import pool
from core.services.querying.request import LEAST_SN, Pool, Preview, Request

__all__ = ["LEAST_SN", "Pool", "Preview", "Request", "batch_list", "has_spectra", "minutes", "pool", "preview", "submit"]
