"""The Explore page: the map with its controls, and beside it what was caught."""

import numpy as np
import streamlit as st

from core.services import exploring
from core.services.exploring import MapTable, View
from core.store import Workspace
from core.ui import map, state
from core.ui.explore_panels import controls
from core.ui.explore_panels.controls import KEY
from core.ui.explore_panels.gallery import gallery, pictures, table
from core.ui.explore_panels.one import one
from core.ui.explore_panels.spread import spread
from core.ui.guard import callback, guarded

SECOND = "explore_map_2"
EVERYWHERE, IN_LASSO = "everywhere", "in my lasso"
PARTS = ("Pictures", "Table", "Against the rest", "Moved most")
TWO_HEIGHT = 520
THE_ONE_BEFORE = "the map before"


@st.fragment
@guarded()
def explore(ws: Workspace) -> None:
    """The map with its controls, and beside it what was caught."""
    controls.from_address(ws)
    view, colourings = controls.view(ws)
    shown = map.table(ws, view.name, view.run_id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        filters = controls.filters(ws, shown, view.target)
        controls.saved_views(ws, View(view.name, view.run_id, view.colouring, view.target, filters, map.caught_ids(KEY)))
        has_two = st.toggle("Two maps", key="explore_two", persist_state="session", help="A second map beside the first; both share what is caught.")
    visible_n = filters.visible(ws, shown, view.target)
    if has_two:
        _two(ws, shown, view, colourings, visible_n, filters)
        _picked(ws, shown, view)
        _beside(ws, shown, view, visible_n)
        return
    left, right = st.columns([1.45, 1], gap="medium")
    with left:
        map.draw(shown, view.colouring, view.target, visible_n, KEY, colourings=colourings)
        _below(ws, shown, visible_n)
        _picked(ws, shown, view)
    with right:
        _beside(ws, shown, view, visible_n)


def _two(ws: Workspace, shown: MapTable, view: View, colourings: dict, visible_n: np.ndarray, filters: exploring.Filters) -> None:
    left, right = st.columns(2, gap="medium")
    others = [n for n in exploring.map_names(ws) if n != view.name]
    with left:
        st.selectbox("First map", [view.name], disabled=True, label_visibility="collapsed", key="explore_first", help="Chosen above")
        map.draw(shown, view.colouring, view.target, visible_n, KEY, height=TWO_HEIGHT, colourings=colourings)
    with right:
        if not others:
            st.caption("There is no second map yet. Make one with Maps, above.")
            return
        name = st.selectbox("Second map", others, key="explore_second", label_visibility="collapsed", persist_state="session")
        second = map.table(ws, name, view.run_id)
        map.draw(second, view.colouring, view.target, filters.visible(ws, second, view.target), SECOND, height=TWO_HEIGHT, shares=KEY, colourings=colourings)


def _below(ws: Workspace, shown: MapTable, visible_n: np.ndarray) -> None:
    hidden = len(shown) - int(visible_n.sum())
    first = " A first view by PCA; the map itself is on its way." if exploring.is_first_view(ws, shown.name) else ""
    dense = " Drawn as density; zoom in to see each." if len(shown) - hidden > map.DENSE else ""
    st.caption(f"{len(shown):,} galaxies{f', {hidden:,} hidden by filters' if hidden else ''}.{dense} Drag to lasso, click for one galaxy; Shift adds, Alt takes away; the wheel zooms; double click lets go.{first}")


def _picked(ws: Workspace, shown: MapTable, view: View) -> None:
    """The galaxy clicked last, below the map, where it moves nothing else."""
    picked = map.picked(KEY)
    if picked is not None:
        one(ws, shown, picked, view.target, KEY)
        st.button("Close", key="explore_unpick", icon=":material/close:", type="tertiary", on_click=map.unpick, args=(KEY,))


def _beside(ws: Workspace, shown: MapTable, view: View, visible_n: np.ndarray) -> None:
    rows = map.caught(shown, visible_n, KEY)
    if rows is None:
        _nothing_caught(ws, shown, view)
    else:
        _caught(ws, shown, rows, view, visible_n)


def _nothing_caught(ws: Workspace, shown: MapTable, view: View) -> None:
    with st.container(border=True, horizontal_alignment="center", vertical_alignment="center", height=240):
        st.markdown(":gray[:material/gesture_select:]", text_alignment="center")
        st.markdown(":gray[Draw a lasso around some galaxies:  \ntheir pictures, values and spread appear here.]", text_alignment="center")
    _moved(ws, shown, view)


def _caught(ws: Workspace, shown: MapTable, rows: np.ndarray, view: View, visible_n: np.ndarray) -> None:
    state.select(shown.object_ids[rows])
    st.markdown(f"**{len(rows):,} galaxies**, {int((shown.state[rows] == exploring.LABELLED).sum()):,} labelled")
    _actions(ws, shown, rows, view)
    if not len(rows):
        st.caption("The lasso holds no galaxy that the filters show.")
        return
    part = st.segmented_control("Part", PARTS, default=PARTS[0], required=True, key="explore_part", label_visibility="collapsed", persist_state="session")
    if part == PARTS[0]:
        gallery(ws, shown, rows, view.target, "explore")
    elif part == PARTS[1]:
        chosen = table(ws, shown, rows, view.target, "explore")
        if chosen is not None:
            one(ws, shown, chosen, view.target, f"{KEY}_row")
    elif part == PARTS[2]:
        spread(ws, shown, rows, visible_n, view.target)
    else:
        _moved(ws, shown, view)


def _actions(ws: Workspace, shown: MapTable, rows: np.ndarray, view: View) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("Ask within", key="explore_query", icon=":material/travel_explore:", disabled=not len(rows), type="primary", help="Compose a query batch from these galaxies only."):
            st.session_state["query_region"] = IN_LASSO
            st.switch_page("pages/query.py")
        if st.button("Label", key="explore_label", icon=":material/edit_note:", disabled=not len(rows), help="Label these galaxies one after another."):
            st.switch_page("pages/label.py", query_params={"batch": "selection"})
        with st.popover("Thin out", icon=":material/grain:", disabled=not len(rows), help="Keep a spread-out part of what is caught"):
            size = st.number_input("Galaxies to keep", 1, 1000, 24, key="explore_thin_size", help="As many clusters are made of what is caught.")
            st.caption("The typical galaxy of each of as many clusters: all kinds that you caught, none twice. Only galaxies that may be asked about take part.")
            st.button("Thin out", key="explore_thin", type="primary", on_click=_thin_out, args=(ws, shown.object_ids[rows], int(size), view))
        st.button("", key="explore_forget", icon=":material/close:", type="tertiary", help="Let all go", on_click=map.forget, args=(KEY,))


@callback
def _thin_out(ws: Workspace, object_ids: np.ndarray, size: int, view: View) -> None:
    kept = exploring.spread_out(ws, object_ids, size, view.run_id)
    map.keep(KEY, kept)
    state.tell(f"{len(kept):,} of {len(object_ids):,} galaxies are kept, spread over all that you caught.", ":material/grain:")


def _moved(ws: Workspace, shown: MapTable, view: View) -> None:
    """Who stands elsewhere than before, once the maps are turned onto each other."""
    others = [THE_ONE_BEFORE, *(n for n in exploring.map_names(ws) if n != shown.name)]
    with st.container(border=True):
        st.markdown("**Moved most**", help="Galaxies whose neighbours have changed most between two maps, after the one was turned, mirrored and scaled onto the other. "
                                           "Between rounds they are those about which the model has changed its mind.")
        against = st.selectbox("Compared with", others, key="explore_moved", persist_state="session", help="The map of the same name from the round before, or any other map.")
        ids, far = exploring.moved_most(ws, shown, None if against == THE_ONE_BEFORE else against)
        if not len(ids):
            st.caption("There is no earlier map of this name: make it again after the next round, or compare it with another map.")
            return
        pictures(ws, exploring.details(shown, ids, view.target), view.target, [f"{100 * f:.0f} % of the map" for f in far])
        st.button("Catch them", key="explore_moved_catch", icon=":material/gesture_select:", on_click=map.keep, args=(KEY, ids))
