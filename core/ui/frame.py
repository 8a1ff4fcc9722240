"""What stands around every page: the sidebar, what runs, and what was left to be told."""

from pathlib import Path

import streamlit as st

from core.services import overviewing
from core.ui import sidebar, state
from core.ui.guard import callback, guarded
from core.ui.layout import simulated_badge

HERE = Path(__file__).parent
LOGO, MARK, STYLE = HERE / "logo.svg", HERE / "mark.svg", HERE / "style.css"
ABOUT = "**Lookback**: label the galaxies that teach the model most. An active-learning desk for redshifts and star-formation rates."


def draw() -> None:
    """The sidebar; then, above the page, what callbacks of the last run had to say."""
    st.html(STYLE)
    st.logo(LOGO, size="large", icon_image=MARK)
    with st.sidebar, guarded():
        _workspace()
        _annotator()
        sidebar.live()
    state.remember_annotator()
    state.show_told()


def _workspace() -> None:
    ws = state.workspace()
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":material/folder_open: **{ws.path.name}**", help=f"Workspace: {ws.path}", width="content")
        if overviewing.is_simulated(ws):
            simulated_badge()


def _annotator() -> None:
    if state.signed_in():
        st.caption(f"Signed in as **{state.annotator()}**")
        return
    known = "" if state.annotator() == state.NAMELESS else state.annotator()
    st.session_state.setdefault("annotator_box", known)
    st.text_input("Your name", key="annotator_box", placeholder=state.NAMELESS, icon=":material/person:", on_change=_rename, max_chars=60,
                  help="Every label records who gave it. The name is self-declared, and remembered in this browser.")


@callback
def _rename() -> None:
    state.declare_annotator(st.session_state["annotator_box"])
