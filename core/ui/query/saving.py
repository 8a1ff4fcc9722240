"""Keeping a batch, for whom, and the batches there are."""

from datetime import date

import pandas as pd
import streamlit as st

from core.services import assigning, querying, suggesting
from core.services.querying import Preview
from core.store import Workspace, batches
from core.ui import state
from core.ui.guard import callback
from core.ui.layout import nothing_yet, section
from core.ui.query import desk
from core.ui.query.desk import Desk


def save(ws: Workspace, on_desk: Desk) -> None:
    """The name of a batch, who shall label it, and the button that keeps it."""
    previewed = on_desk.batch
    left, middle, right = st.columns([1.7, 1.7, 1], vertical_alignment="bottom")
    suggestion = f"{previewed.request.strategy.replace('_', ' ')}, {date.today():%d %b}, {len(previewed.table)}"
    name = left.text_input("Name", suggestion, key=f"query_name_{suggestion}", max_chars=80, help="By which the team will find the batch.")
    people = middle.multiselect("For", assigning.people(ws), key="query_people", accept_new_options=True, placeholder="everybody",
                                help="Names, as people write them in the sidebar. The batch is divided among them, one person an object; Review can deal it otherwise, with second opinions and known answers. Nobody named: everybody sees all of it.")
    right.button("Save batch", key="query_save", type="primary", icon=":material/playlist_add_check:", width="stretch", on_click=_submit, args=(ws, previewed, name, people), disabled=previewed.table.empty,
                 help="Puts the galaxies on the labelling queue in this order.")


def saved(ws: Workspace) -> None:
    """Batches with how far they are, and where to go on."""
    with section("Batches", "A closed batch leaves the labelling queue; its labels stay, and it can be opened again."):
        table = querying.batch_list(ws)
        if table.empty:
            nothing_yet("No batch has been saved yet: preview one above, and save it.")
            return
        picked = st.dataframe(
            table, key="query_batches", hide_index=True, on_select="rerun", selection_mode="single-row", height="auto",
            column_order=["name", "strategy", "share", "done", "size", "run_id", "status", "people", "annotator", "created"],
            column_config={"share": st.column_config.ProgressColumn("progress", format="percent"), "run_id": st.column_config.NumberColumn("run"),
                           "created": st.column_config.DatetimeColumn("saved", format="distance"), "annotator": "by", "people": st.column_config.TextColumn("for", help="Among whom it is shared out.")},
        )
        _go_on(ws, table.iloc[picked.selection.rows[0] if picked.selection.rows else 0])


def _go_on(ws: Workspace, row: pd.Series) -> None:
    batch_id, name, is_closed = int(row["id"]), row["name"], row["status"] == "closed"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link("pages/label.py", label=f"Label {name}", icon=":material/edit_note:", query_params={"batch": str(batch_id)})
        st.page_link("pages/review.py", label="Share it out among people", icon=":material/group_add:", query_params={"tab": "Share a batch"})
        st.download_button("Download", lambda: querying.export(ws, batch_id), f"lookback_batch_{batch_id}.csv", "text/csv", key="query_export", type="tertiary", icon=":material/download:", on_click="ignore",
                           help="The batch as CSV: keys, positions, ranks, reasons, scores and what the run predicts; where it comes from stands above the columns.")
        if is_closed:
            st.button(f"Open {name} again", key="query_reopen", type="tertiary", icon=":material/unarchive:", on_click=_reopen, args=(ws, batch_id), disabled=name == suggesting.NAME,
                      help="What was suggested one by one waits for nobody." if name == suggesting.NAME else "Put it back on the labelling queue.")
        else:
            st.button(f"Close {name}", key="query_close", type="tertiary", icon=":material/archive:", on_click=_close, args=(ws, batch_id, name), help="Take it off the labelling queue; its labels stay.")


@callback
def _submit(ws: Workspace, previewed: Preview, name: str, people: list[str]) -> None:
    batch_id = querying.submit(ws, previewed, name, state.annotator())
    desk.clear()
    if people:
        assigning.assign(ws, batch_id, people, 1, state.annotator(), previewed.request.seed)
    for_whom = f" for {', '.join(people)}" if people else ""
    state.tell(f"Batch {name} is saved: {len(previewed.table)} galaxies wait to be labelled{for_whom}.", ":material/playlist_add_check:")


@callback
def _close(ws: Workspace, batch_id: int, name: str) -> None:
    batches.close(ws, batch_id)
    state.tell(f"{name} is closed. It can be opened again here.", ":material/archive:")


@callback
def _reopen(ws: Workspace, batch_id: int) -> None:
    batches.reopen(ws, batch_id)
