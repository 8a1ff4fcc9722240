"""Sharing a batch out among people."""

import streamlit as st

from core.services import assigning
from core.store import Workspace, batches
from core.ui import state
from core.ui.guard import callback
from core.ui.layout import nothing_yet, section


def share(ws: Workspace) -> None:
    """The form that deals a batch, and how far everybody's share is."""
    table = batches.frame(ws).query("status == 'open' and size > 0")
    if table.empty:
        nothing_yet("There is no open batch to share out.", "pages/query.py", "Compose a batch")
        return
    left, right = st.columns([1, 1.5], gap="medium")
    with left, section("Share a batch out", "Each object goes to as many people as you say, no share more than one object larger than another. The same seed deals the same shares."):
        _form(ws, {int(b.id): f"{b.name} · {int(b.size)} objects" for b in table.itertuples()})
    with right, section("Shares", "A person finds their share on the Label page under their own name. What others say of an object is kept from them until they have decided."):
        _shares(ws)


def _form(ws: Workspace, titles: dict[int, str]) -> None:
    batch = st.selectbox("Batch", list(titles), format_func=titles.get, key="share_batch")
    people = st.multiselect("People", assigning.people(ws), key="share_people", accept_new_options=True, placeholder="names, as they write them in the sidebar",
                            help="Pick names or type new ones. A name must be the one under which the person labels.")
    overlap = st.number_input("People an object", 1, max(len(people), 1), min(2, max(len(people), 1)), key=f"share_overlap_{len(people)}",
                              help="2 gives every object a blind second opinion, at twice the work; 1 divides the batch.")
    with st.expander("Known answers, seed", icon=":material/tune:"):
        percent = st.slider("Known answers mixed in, %", 0, 30, 0, 1, key="share_gold", help="Galaxies outside the batch whose redshift is adjudicated or in the catalogue, so that people can be measured. They look like any other; 5 % is plenty.")
        tells = st.checkbox("say how far off it was after the grade", False, key="share_tells", disabled=not percent)
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, 1, key="share_seed")
    st.button("Share it out", type="primary", icon=":material/group_add:", width="stretch", disabled=not people, key="share_go",
              on_click=_assign, args=(ws, batch, people, int(overlap), int(seed), percent / 100, tells and percent > 0))


def _shares(ws: Workspace) -> None:
    table = assigning.shares(ws)
    if table.empty:
        nothing_yet(":material/group: No batch is shared out: everybody sees the whole of each.")
        return
    st.dataframe(
        table.assign(progress=table["done"] / table["share"]), hide_index=True, key="share_table", column_order=["batch", "annotator", "progress", "done", "share"],
        column_config={"annotator": "person", "progress": st.column_config.ProgressColumn(format="percent"), "share": st.column_config.NumberColumn("objects", help="Known answers that were mixed in are counted.")},
    )
    dealt = table.drop_duplicates("batch_id")
    with st.container(horizontal=True, vertical_alignment="center"):
        for row in dealt.itertuples():
            if state.annotator() in set(table.loc[table["batch_id"] == row.batch_id, "annotator"]):
                st.page_link("pages/label.py", label=f"Your share of {row.batch}", icon=":material/edit_note:", query_params={"batch": str(row.batch_id)})
            st.button(f"Give {row.batch} back to everybody", key=f"unshare_{row.batch_id}", type="tertiary", icon=":material/group_off:", on_click=_unshare, args=(ws, int(row.batch_id)),
                      help="The labels stay.")


@callback
def _assign(ws: Workspace, batch: int, people: list[str], overlap: int, seed: int, gold: float, tells: bool) -> None:
    assigning.assign(ws, batch, people, overlap, state.annotator(), seed, gold, tells)
    state.tell(f"Shared out among {', '.join(people)}: each object to {overlap}.", ":material/group_add:")


@callback
def _unshare(ws: Workspace, batch: int) -> None:
    assigning.withdraw(ws, batch)
    state.tell("The batch is everybody's again.", ":material/group_off:")
