"""Lookback in the browser: the router over the pages, and nothing else."""

import streamlit as st

from core.ui import frame
from core.ui.guard import guarded

st.set_page_config(page_title="Lookback", page_icon=frame.MARK, layout="wide", menu_items={"About": frame.ABOUT})
page = st.navigation([
    st.Page("pages/overview.py", title="Overview", icon=":material/space_dashboard:", default=True),
    st.Page("pages/explore.py", title="Explore", icon=":material/bubble_chart:"),
    st.Page("pages/uncertainty.py", title="Uncertainty", icon=":material/help_center:"),
    st.Page("pages/query.py", title="Query", icon=":material/travel_explore:"),
    st.Page("pages/label.py", title="Label", icon=":material/edit_note:"),
    st.Page("pages/review.py", title="Review", icon=":material/rule:"),
    st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
    st.Page("pages/compare.py", title="Compare", icon=":material/compare_arrows:"),
    st.Page("pages/data.py", title="Data", icon=":material/database:"),
])
frame.draw()
with guarded():
    page.run()
