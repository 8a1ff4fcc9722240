"""Where the picks lie: the map of the Query page."""

import numpy as np
import streamlit as st

from core.columns import TARGET_NAMES
from core.services import exploring, querying
from core.services.exploring import MapTable
from core.services.querying import Request
from core.store import Workspace
from core.ui import map, state
from core.ui.explore_panels import IN_LASSO
from core.ui.guard import callback, guarded
from core.ui.layout import nothing_yet
from core.ui.query import desk
from core.ui.query.desk import Desk

KEY = "query_map"
HEIGHT = 480


@st.fragment
@guarded()
def picks_on_map(ws: Workspace, request: Request, on_desk: Desk | None) -> None:
    """The map with the picks of the batch, and those of the one beside it, ringed; and what can be done with a lasso."""
    names = exploring.map_names(ws)
    if not names:
        nothing_yet("There is no map to show the picks on yet.", "pages/explore.py", "Make one")
        return
    left, middle, right = st.columns([1.4, 1.2, 1], vertical_alignment="bottom")
    name = left.selectbox("Map", names, key="query_name", persist_state="session", help="Any map of the Explore page.")
    offered = [k for k, c in exploring.COLOURINGS.items() if request.run_id is not None or not c.needs_run]
    colouring = middle.selectbox("Colour by", offered, index=min(1, len(offered) - 1) if request.run_id is not None else 0, key=f"query_colour_{request.run_id is not None}",
                                 format_func=lambda k: exploring.COLOURINGS[k].title, persist_state="session", help="  \n".join(f"**{exploring.COLOURINGS[k].title}** {exploring.COLOURINGS[k].sentence}" for k in offered))
    target = right.selectbox("Target", request.targets or TARGET_NAMES, key="query_target", persist_state="session", help="The quantity that is coloured.")
    table = map.table(ws, name, request.run_id)
    everyone = np.ones(len(table), bool)
    map.draw(table, colouring, target, everyone, KEY, marks(table, on_desk), height=HEIGHT)
    with st.container(key="on_this_map"):
        st.caption(on_this_map(table, on_desk))
    _lassoed(ws, map.caught(table, everyone, KEY), table, on_desk)


def marks(table: MapTable, on_desk: Desk | None) -> dict[str, np.ndarray]:
    """Name -> rows of the map to ring: picks and random control, or picks of the one batch, of the other and of both."""
    if on_desk is None:
        return {}
    picks = on_desk.batch.table
    parts = {"asked for": picks.loc[~picks["control"], "object_id"], "random control": picks.loc[picks["control"], "object_id"]}
    if on_desk.rival is not None:
        mine, other = on_desk.batch.ids, on_desk.rival.ids
        names = [b.request.strategy.replace("_", " ") for b in (on_desk.batch, on_desk.rival)]
        parts = {f"only {names[0]}": np.setdiff1d(mine, other), f"only {names[1]}": np.setdiff1d(other, mine), "both": np.intersect1d(mine, other)}
    rows = {name: exploring.rows_of(table.object_ids, np.asarray(ids, np.int64)) for name, ids in parts.items()}
    return {name: found[found >= 0] for name, found in rows.items()}


def on_this_map(table: MapTable, on_desk: Desk | None) -> str:
    """How many of the picks have a place on the map, and what to do about the others; a hint before there are picks."""
    if on_desk is None:
        return "Preview rings the picks. Drag to lasso, the wheel zooms, double click lets go."
    here, size = int((exploring.rows_of(table.object_ids, on_desk.batch.ids) >= 0).sum()), len(on_desk.batch.table)
    if not size:
        return "The batch holds nobody: add galaxies, fill it up, or undo."
    return f"All {size:,} picks are on this map." if here == size else f"{here:,} of {size:,} picks are on this map; the others have no place on it: place newcomers on it on the Explore page, or choose another map."


def _lassoed(ws: Workspace, rows: np.ndarray | None, table: MapTable, on_desk: Desk | None) -> None:
    count = 0 if rows is None else len(rows)
    ids = table.object_ids[rows] if count else np.empty(0, np.int64)
    with st.container(horizontal=True, gap="small"):
        if st.button(f"Ask within the {count:,} in the lasso" if count else "Ask within the lasso", key="query_within", icon=":material/gesture_select:", disabled=not count,
                     on_click=_within, args=(ids,), help="Bound the choice to what is caught on this map."):
            st.rerun()
        if st.button(f"Add the {count:,} to the batch" if count else "Add the lasso to the batch", key="query_add_caught", icon=":material/add:", disabled=not count or on_desk is None,
                     on_click=add, args=(ws, ids), help="Put what is caught at the end of the batch, by hand. What may not be asked about is left out, and you are told why."):
            st.rerun()


@callback
def _within(object_ids: np.ndarray) -> None:
    state.select(object_ids)
    st.session_state["query_region"] = IN_LASSO


@callback
def add(ws: Workspace, object_ids: np.ndarray) -> None:
    """Put objects at the end of the batch on the desk, and tell what came of it."""
    old = desk.now()
    batch, left_out = querying.with_added(ws, old.batch, object_ids, state.annotator())
    added = len(batch.table) - len(old.batch.table)
    if added:
        desk.lay(ws, batch, old.rival)
        state.tell(f"{added:,} galax{'y' if added == 1 else 'ies'} added at the end of the batch.", ":material/add:")
    if left_out:
        state.tell_problem("Not added: " + ", ".join(f"{n:,} {reason}" for reason, n in left_out.items()) + ".")
