"""Which galaxies: a lasso, a filter, a saved view, a list. For who may be asked about, and for whom predictions should serve."""

import numpy as np
import streamlit as st

from core.services import exploring, querying
from core.store import Workspace
from core.ui import map, state
from core.ui.explore_panels import EVERYWHERE, IN_LASSO
from core.ui.explore_panels.controls import filters

FILTERED = "by filter"
ALL, LASSOED, VIEWED, LISTED = "all of the pool", "my lasso", "a saved view", "a list"
Chosen = tuple[tuple[int, ...] | None, str]
"""Object ids, None for no bound, and what they are called."""


def region(ws: Workspace, run_id: int | None, target: str) -> Chosen:
    """Among whom is chosen."""
    caught = state.selection()
    offered = [EVERYWHERE, *([IN_LASSO] if len(caught) else []), FILTERED]
    if st.session_state.get("query_region") not in offered:
        st.session_state["query_region"] = EVERYWHERE
    where = st.segmented_control("Where", offered, required=True, key="query_region", persist_state="session",
                                 help="A lasso drawn on the map here or on the Explore page, or Explore's filters and saved views, can bound the choice.")
    if where == IN_LASSO:
        st.caption(f"{len(caught):,} galaxies caught on the map.")
        return tuple(caught.tolist()), IN_LASSO
    return _filtered(ws, run_id, target) if where == FILTERED else (None, EVERYWHERE)


def population(ws: Workspace, strategy: str, heeds: bool, run_id: int | None, target: str) -> Chosen:
    """Whom predictions should serve; for strategies that can heed it. The filters are one set: where they bound the region, they are not offered again."""
    caught, views = state.selection(), exploring.view_names(ws)
    has_filters = bool(exploring.map_names(ws)) and st.session_state["query_region"] != FILTERED
    offered = [ALL, *([LASSOED] if len(caught) else []), *([FILTERED] if has_filters else []), *([VIEWED] if views else []), LISTED]
    if st.session_state.get("query_population") not in offered:
        st.session_state["query_population"] = ALL
    whom = st.segmented_control("Predictions should serve", offered, required=True, key="query_population", persist_state="session", disabled=not heeds,
                                help="Whose predictions the labels should improve, asked about or not. Only bait chooses for others than the pool. Lassoes and saved views of the Explore page are offered once there are any.")
    if not heeds or whom == ALL:
        st.caption("" if heeds else f"{strategy.replace('_', ' ')} serves the whole pool; bait can serve others.")
        return None, ALL
    if whom == LASSOED:
        return tuple(caught.tolist()), LASSOED
    if whom == FILTERED:
        return _filtered(ws, run_id, target)
    if whom == VIEWED:
        name = st.selectbox("View to serve", views, key="query_population_view", persist_state="session", help="Galaxies that this saved view of the Explore page shows.")
        return tuple(_shown_by(ws, name).tolist()), f"view {name}"
    named = st.text_area("Galaxies to serve", key="query_population_list", persist_state="session", height=68, placeholder="keys or numbers", help="One a line or with commas between.")
    return querying.named(ws, named), "my list"


def _filtered(ws: Workspace, run_id: int | None, target: str) -> Chosen:
    names, views = exploring.map_names(ws), exploring.view_names(ws)
    if not names:
        st.caption("Filters look at a map, and there is none yet: make one on the Explore page.")
        return None, EVERYWHERE
    view = st.selectbox("Saved view", views, index=None, key="query_view", persist_state="session", placeholder="the filters below",
                        disabled=not views, help="A view that was kept on the Explore page chooses whom it shows; without one, the filters below do. They are the same as on Explore.")
    if view is not None:
        ids = _shown_by(ws, view)
        st.caption(f"{len(ids):,} galaxies are shown by {view}.")
        return tuple(ids.tolist()), f"view {view}"
    shown = map.table(ws, names[0], run_id)
    chosen = filters(ws, shown, target)
    ids = shown.object_ids[chosen.visible(ws, shown, target)]
    st.caption(f"{len(ids):,} of {len(shown):,} galaxies of {names[0]} meet the filters.")
    return tuple(ids.tolist()), "filtered"


def _shown_by(ws: Workspace, name: str) -> np.ndarray:
    view = exploring.open_view(ws, name)
    shown = map.table(ws, view.name, view.run_id)
    return shown.object_ids[view.filters.visible(ws, shown, view.target)]
