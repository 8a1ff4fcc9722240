"""What stands around every page: the sidebar and what was left to be told."""

from pathlib import Path

import streamlit as st

from core.services import overviewing
from core.ui import state
from core.ui.guard import callback, guarded

LOGO = Path(__file__).with_name("logo.svg")
MARK = Path(__file__).with_name("mark.svg")


def draw() -> None:
    """The sidebar; then, above the page, what callbacks of the last run had to say."""
    st.logo(LOGO, size="large", icon_image=MARK)
    with st.sidebar, guarded():
        _workspace()
        _annotator()
    state.remember_annotator()
    state.show_told()


def _workspace() -> None:
    ws = state.workspace()
    st.caption("Workspace")
    st.markdown(f"**{ws.path.name}**", help=str(ws.path))
    if overviewing.is_simulated(ws):
        st.badge("simulated", icon=":material/science:", color="orange", help="These galaxies come from the mock sky: their truth is known, and they are not observations.")


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
