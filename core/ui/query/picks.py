"""The picks one by one, each with its reason: taken out, put in, put in order, and taken back."""

from pathlib import Path

import numpy as np
import streamlit as st

from core.services import exploring, querying
from core.services.querying import MOVES, ORDERS, Edits
from core.store import Workspace
from core.ui import state, thumbnails
from core.ui.explore_panels import pictures
from core.ui.guard import callback, guarded
from core.ui.layout import plain
from core.ui.query import desk
from core.ui.query.desk import Desk
from core.ui.query.drawn import add

_PICTURES = 60
MOST_PICTURED, ROW_HEIGHT, _MIDDLE = 200, 44, slice(16, 48)
"""Rows up to which the table bears pictures, how high they are in pixels, and which part of a stamp they show."""


@st.fragment
@guarded()
def picks(ws: Workspace, on_desk: Desk) -> None:
    """The batch as a table that can be edited, and as pictures."""
    with st.container(key="query_picks"):
        _tabs(ws, on_desk)


def _tabs(ws: Workspace, on_desk: Desk) -> None:
    table, gallery = st.tabs(["Why each", "Pictures"], key="query_seen", on_change="rerun")
    if table.open:
        with table:
            tools = st.container()
            rows = _table(ws, on_desk)
            with tools:
                _tools(ws, on_desk, rows)
    if gallery.open:
        with gallery:
            _gallery(ws, on_desk)


def _gallery(ws: Workspace, on_desk: Desk) -> None:
    first = on_desk.facts.head(_PICTURES)
    pictures(ws, first, on_desk.batch.request.targets[0], [f"#{r.place} {'random control' if r.control else ''}" for r in first.itertuples()])
    if len(on_desk.facts) > _PICTURES:
        st.caption(f"The first {_PICTURES} of {len(on_desk.facts):,}.")


def _tools(ws: Workspace, on_desk: Desk, rows: list[int]) -> None:
    batch = on_desk.batch
    ids = batch.ids[rows]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        _act(f"Remove {len(ids)}" if len(ids) else "Remove", _remove, ws, ids, key="query_remove", icon=":material/delete:", disabled=not len(ids), help="Take the ticked galaxies out of the batch.")
        for where in MOVES:
            _act(where.capitalize(), _move, ws, ids, where, key=f"query_move_{where}", disabled=not len(ids), help=f"Move the ticked galaxies {'to the ' + where if where in ('top', 'bottom') else where}.")
        with st.popover("Order", icon=":material/sort:", help="In which order the batch is labelled"):
            for by, words in ORDERS.items():
                _act(words[0].upper() + words[1:], _order, ws, by, key=f"query_order_{by}", type="tertiary", help=_ORDER_HELP[by])
        with st.popover("Add", icon=":material/add:", key="query_add", help="Put galaxies in by hand"):
            text = st.text_area("Galaxies to add", key="query_add_text", height=68, placeholder="keys or numbers", help="Keys or numbers of objects, one a line or with commas between. A lasso on the map can be added below the map.")
            _act("Add them", _add_named, ws, text, key="query_add_named", icon=":material/add:", disabled=not text.strip())
        lacking = batch.request.size - len(batch.table)
        _act(f"Fill up to {batch.request.size:,}", _fill, ws, key="query_fill", icon=":material/playlist_add:", disabled=lacking < 1, help="As many further picks as are lacking: the next best by the strategy, without what was taken out.")
        _act("Undo", desk.undo, key="query_undo", icon=":material/undo:", disabled=not on_desk.before, help="Take the last change back.")
    st.caption(f"{_ticked(on_desk, rows)}  \n{_changed(batch.edits)}")


def _act(label: str, do, *args, **button) -> None:
    """A button whose deed changes the whole page, not only the fragment it stands in."""
    if st.button(label, on_click=callback(do), args=args, **button):
        st.rerun()


def _ticked(on_desk: Desk, rows: list[int]) -> str:
    """What is to be said of the ticked rows: that the random control is among them, why one was chosen, or how to tick."""
    control = int(on_desk.batch.table["control"].to_numpy()[rows].sum())
    if control:
        return f":orange[:material/warning: {control} of what you have ticked {'is' if control == 1 else 'are'} the random control: taken out by hand, the honest baseline of the learning curve is no longer drawn at random.]"
    if len(rows) == 1:
        row = on_desk.facts.iloc[rows[0]]
        return f"#{row['place']} {plain(row['key'])}: {plain(row['reason'])}."
    return "Tick rows to take them out or to move them; click a heading to look at them in another order."


def _changed(edits: Edits) -> str:
    """What was changed by hand so far."""
    parts = [f"{len(edits.removed):,} taken out" if edits.removed else "", f"{len(edits.added):,} put in" if edits.added else "", "" if edits.order == Edits().order else f"ordered {edits.order}"]
    said = ", ".join(filter(None, parts))
    lost = f" {edits.removed_control} of the random control {'was' if edits.removed_control == 1 else 'were'} taken out, which biases the baseline." if edits.removed_control else ""
    return f"Changed by hand: {said}.{lost}" if said else "As the strategy chose them."


def _table(ws: Workspace, on_desk: Desk) -> list[int]:
    """Draw it; places of the rows that are ticked. What was moved stays ticked, so that it can be moved on."""
    turn, ticked = st.session_state.get("query_ticked", ("", []))
    has_pictures = len(on_desk.facts) <= MOST_PICTURED
    shown = on_desk.facts.assign(picture=_thumbnails(ws.path, ws, tuple(on_desk.batch.ids.tolist()))) if has_pictures else on_desk.facts
    chosen = st.dataframe(
        shown, key=f"query_table_{on_desk.turn}", hide_index=True, height=420, row_height=ROW_HEIGHT if has_pictures else None, column_order=["place", "picture", "key", "reason", "score", "distance", "sn", "chance", "prediction", "control"],
        on_select="rerun", selection_mode="multi-row", placeholder="–", selection_default={"selection": {"rows": ticked if turn == on_desk.turn else []}},
        column_config={
            "place": st.column_config.NumberColumn("#", width=45, help="In this order the batch is labelled."), "picture": st.column_config.ImageColumn("", width=50, help="The galaxy's middle in i, r and g, 13 arcsec wide; the Pictures tab shows more of it."),
            "reason": st.column_config.TextColumn("why", width=225, help="Why the strategy chose it, or who put it in."),
            "score": st.column_config.NumberColumn("score", width=65, format="%.3g", help="What the strategy scored; the random control and what was added by hand have none."),
            "distance": st.column_config.NumberColumn("to label", width=75, format="%.3g", help="Distance to the nearest label. 1 = the pool's typical distance from its own middle."),
            "sn": st.column_config.NumberColumn("S/N", width=55, format="%.1f", help="Median signal-to-noise per pixel of the spectrum."),
            "chance": st.column_config.NumberColumn("can be told", width=90, format="%.2f", help="The chance, 0 to 1, that somebody can tell, as past decisions teach."),
            "control": st.column_config.CheckboxColumn("random", width=65, help="Of the random control slice."),
            "prediction": st.column_config.NumberColumn(f"predicted {on_desk.batch.request.targets[0]}", format="%.4g", help="By the model run that the batch was composed with."),
        },
    )
    return list(chosen.selection.rows)


@st.cache_data(max_entries=32, show_spinner=False)
def _thumbnails(path: Path, _ws: Workspace, ids: tuple[int, ...]) -> list[str | None]:
    images, has_image = exploring.stamps(_ws, np.array(ids, np.int64))
    return [thumbnails.address(image[:, _MIDDLE, _MIDDLE]) if has else None for image, has in zip(images, has_image, strict=True)]


_ORDER_HELP = {
    "score": "What the strategy scored highest first; the random control keeps its places, so that a batch left half done still holds its share.",
    "sn": "The clearest spectra first.", "prediction": "The largest prediction of the first target first.", "sky": "Neighbours on the sky follow each other.",
}


def _remove(ws: Workspace, ids: np.ndarray) -> None:
    old = desk.now()
    desk.lay(ws, querying.without(old.batch, ids), old.rival)


def _move(ws: Workspace, ids: np.ndarray, where: str) -> None:
    old = desk.now()
    batch = querying.moved(old.batch, ids, where)
    desk.lay(ws, batch, old.rival)
    st.session_state["query_ticked"] = (desk.now().turn, np.flatnonzero(np.isin(batch.ids, ids)).tolist())


def _order(ws: Workspace, by: str) -> None:
    old = desk.now()
    desk.lay(ws, querying.ordered(ws, old.batch, by), old.rival)


def _fill(ws: Workspace) -> None:
    old = desk.now()
    batch = querying.filled(old.batch)
    desk.lay(ws, batch, old.rival)
    state.tell(f"{len(batch.table) - len(old.batch.table):,} further picks stand at the end of the batch.", ":material/playlist_add:")


def _add_named(ws: Workspace, text: str) -> None:
    add(ws, np.array(querying.named(ws, text), np.int64))
