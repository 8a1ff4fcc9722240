"""The Compare page: what is asked, the table of all runs, and a closer look in tabs."""

import streamlit as st

from core.store import Workspace
from core.ui.compare import panels
from core.ui.compare.choices import Asked, Pair, choose, pair
from core.ui.compare.table import table
from core.ui.layout import nothing_yet

__all__ = ["Asked", "Pair", "choose", "closer", "pair", "table"]

NEED_A_PAIR = {"Predictions": panels.predictions, "Error bars": panels.error_bars, "Two runs": panels.two_runs}
VIEWS = {"Predictions": panels.predictions, "Error bars": panels.error_bars, "Kinds of galaxies": panels.kinds, "Cost": panels.cost, "Modalities": panels.modalities, "Two runs": panels.two_runs}


def closer(ws: Workspace, asked: Asked, two: Pair | None) -> None:
    """The tabs; only the open one is drawn."""
    for (name, panel), tab in zip(VIEWS.items(), st.tabs(list(VIEWS), key="view", bind="query-params"), strict=True):
        with tab:
            if tab.open and two is None and name in NEED_A_PAIR:
                nothing_yet("None of the runs that are shown has kept its predictions.", "pages/train.py", "Train a model")
            elif tab.open:
                panel(ws, asked, two)
