"""From here to other pages, with some galaxies in hand."""

import numpy as np
import streamlit as st

from core.ui import map, state
from core.ui.explore_panels import IN_LASSO
from core.ui.explore_panels.page import KEY as EXPLORE_MAP
from core.ui.uncertainty.choices import Asked


def ask_within(object_ids: np.ndarray) -> None:
    """Go to the Query page, to compose a batch from these galaxies only."""
    state.select(object_ids)
    st.session_state["query_region"] = IN_LASSO
    st.switch_page("pages/query.py", query_params={})


def show_on_map(asked: Asked, object_ids: np.ndarray) -> None:
    """Go to the Explore page, these galaxies caught on its map and coloured by the ignorance of the run that is looked at."""
    state.select(object_ids)
    map.keep(EXPLORE_MAP, object_ids)
    st.session_state.update({"explore_run": asked.run_id, "explore_target": asked.target, "explore_colour": "epistemic"})
    st.switch_page("pages/explore.py", query_params={})
