"""Look again: where people disagree, what a model disputes, how good each annotator is, who labels what."""

import streamlit as st

from core.services import overviewing
from core.ui import review, state
from core.ui.layout import header, nothing_yet

ws = state.workspace()
header("Review", "Several people, one truth: settle what they disagree on, look again at what stands out, and see how far a grade can be believed.")
panels = {"Disagreements": review.disagreements, "Look again": review.relook, "People": review.people, "Share a batch": review.share}
if overviewing.is_empty(ws):
    nothing_yet("There is no galaxy here yet, and nothing to review.", "pages/data.py", "Bring galaxies in")
else:
    for panel, tab in zip(panels.values(), st.tabs(list(panels), key="tab", bind="query-params"), strict=True):
        with tab:
            if tab.open:
                panel(ws)
