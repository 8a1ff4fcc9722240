"""What is here, what runs, how far learning has come, and what to do next."""

import streamlit as st

from core.services import overviewing
from core.ui import jobs_panel, overview_panels, state
from core.ui.layout import header

ws = state.workspace()
header("Overview", "Label the galaxies that teach the model most.")
here = overviewing.take_census(ws)
if not here.objects or overviewing.is_filling(ws):
    overview_panels.first_run()
if here.objects:
    overview_panels.figures(ws, here)
    if not overviewing.is_filling(ws):
        jobs_panel.in_page()
    jobs_panel.failures()
    left, right = st.columns([1.9, 1])
    with left:
        overview_panels.learning_curve(ws)
    with right:
        overview_panels.next_steps(overviewing.checklist(ws, here))
    overview_panels.whats_here(here)
