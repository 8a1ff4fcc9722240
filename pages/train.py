"""Choose models, start them, follow them, stop them, start them again."""

import streamlit as st

from core.ui import advice_panels, retraining_panel, state, train_panels
from core.ui.layout import header

ws = state.workspace()
header("Train", "Teach the models what has been labelled. Training goes on in the background; leave the page, close the browser, come back.")
left, right = st.columns([2.1, 1])
with left:
    train_panels.choose(ws)
with right:
    train_panels.what_they_learn(ws)
    retraining_panel.rule(ws)
    advice_panels.after_training(ws)
train_panels.live()
train_panels.ended(ws)
train_panels.finished(ws)
