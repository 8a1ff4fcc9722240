"""What is caught against the rest: histograms, and the stacked spectrum."""

import numpy as np
import streamlit as st

from core.services import exploring
from core.services.exploring import COLOURINGS, MapTable
from core.store import Workspace
from core.ui import charts

COMPARED = ("label", "prediction", "epistemic", "novelty", "sn")


def spread(ws: Workspace, shown: MapTable, rows: np.ndarray, visible_n: np.ndarray, target: str) -> None:
    """Histograms of what is caught as full bars, of the visible rest as outlines of the same area; below, both stacks."""
    is_caught = np.zeros(len(shown), bool)
    is_caught[rows] = True
    rest, column = np.flatnonzero(visible_n & ~is_caught), shown.column(target)
    for key in COMPARED:
        values, is_logarithmic = COLOURINGS[key].values(shown, column), COLOURINGS[key].scale == "logarithmic"
        title = ("log " if is_logarithmic else "") + COLOURINGS[key].title.lower() + (f" of {target}" if COLOURINGS[key].per_target else "")
        values = np.log10(np.where(values > 0, values, np.nan)) if is_logarithmic else values
        mine, others = (values[part][np.isfinite(values[part])] for part in (rows, rest))
        if len(mine) > 1:
            charts.show(charts.against(mine, others, title), f"explore_spread_{key}", f"Histogram of {title}: {len(mine)} galaxies caught against {len(others)} others", is_still=True)
    _stacks(ws, shown, rows, rest)


def _stacks(ws: Workspace, shown: MapTable, rows: np.ndarray, rest: np.ndarray) -> None:
    parts = {name: _stack(shown.version, members.tobytes(), ws, shown, members) for name, members in (("caught", rows), ("the rest", rest))}
    drawn = {f"{name} ({count:,} spectra)": (wave, percentiles) for name, (wave, percentiles, count) in parts.items() if len(wave)}
    if drawn:
        charts.show(charts.stacks(drawn), "explore_stack", "Median spectrum at rest with its spread: " + ", ".join(drawn))
        st.caption("Rest-frame median, and the middle 68 % as a band; each spectrum over its own median, at most 200 at random of each.",
                   help="The redshift is the label, else the prediction of the run. Spectra without either are left out.")


@st.cache_resource(max_entries=16, show_spinner="Stacking spectra")
def _stack(version: tuple, members: bytes, _ws: Workspace, _shown: MapTable, _rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    return exploring.stacked(_ws, _shown, _rows)
