"""What every reader hands over: a chunk of checked objects with their arrays and catalogue values."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Chunk:
    """Some objects of one product, ready to be stored.

    Attributes
    ----------
    objects : one row an object; ``key`` and any of `core.columns.OBJECT_COLUMNS`, missing = NaN/None;
        a column ``metadata`` may hold a mapping of further catalogue columns.
    arrays : modality -> (rows, values): ``rows`` (k,) index into ``objects``; ``values`` (k, *shape)
        as `core.store.arrays.SHAPES` says.
    truth : columns row (into ``objects``), target, value, sigma (NaN = unknown).
    missing : catalogue column -> how many values are missing: empty, or a sentinel that was turned into a missing value.
    matches : True when the rows only add to objects that are there already (found by plate-mjd-fiber),
        as the MPA-JHU catalogue does; rows that find none are counted, not stored.
    notes : sentences a person should read about the whole file (something was done, and why).
    left_out : reason -> how many rows of the file were not taken.
    total : rows in the whole file, for progress; 0 = not known before the end.
    """

    objects: pd.DataFrame
    arrays: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    truth: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"row": [], "target": [], "value": [], "sigma": []}))
    missing: dict[str, int] = field(default_factory=dict)
    matches: bool = False
    notes: tuple[str, ...] = ()
    left_out: dict[str, int] = field(default_factory=dict)
    total: int = 0
