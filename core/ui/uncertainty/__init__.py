"""The Uncertainty page: what is asked, a glance at it, and a closer look in tabs."""

import streamlit as st

from core.store import Workspace
from core.ui.uncertainty.calibrated import calibrated
from core.ui.uncertainty.changed import changed
from core.ui.uncertainty.choices import Asked, choose
from core.ui.uncertainty.corners import corners
from core.ui.uncertainty.galaxy import galaxy
from core.ui.uncertainty.glance import glance
from core.ui.uncertainty.where import where

__all__ = ["Asked", "choose", "closer", "glance"]

VIEWS = {"Where": where, "Noise or ignorance": corners, "One galaxy": galaxy, "Can it be believed": calibrated, "Since the last batch": changed}


def closer(ws: Workspace, asked: Asked) -> None:
    """The tabs; only the open one is drawn."""
    for panel, tab in zip(VIEWS.values(), st.tabs(list(VIEWS), key="view", bind="query-params", on_change="rerun"), strict=True):
        with tab:
            if tab.open:
                panel(ws, asked)
