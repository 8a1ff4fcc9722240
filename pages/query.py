"""Compose a batch of galaxies to label: by what strategy, from where, why each, and what it buys."""

import streamlit as st

from core.services import overviewing
from core.ui import query, replay_panels, state
from core.ui.layout import header, nothing_yet

ws = state.workspace()
header("Query", "Ask for the labels that teach the model most, and see why each galaxy was chosen before you agree.")
if overviewing.is_empty(ws):
    nothing_yet("There is no galaxy to ask about yet.", "pages/data.py", "Bring galaxies in")
else:
    compose, replay = st.tabs(["Compose a batch", "Which strategy pays here?"], key="part", bind="query-params", on_change="rerun")
    if compose.open:
        with compose:
            query.compose(ws)
    if replay.open:
        with replay:
            replay_panels.replay(ws)
