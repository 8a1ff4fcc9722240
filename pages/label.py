"""Label galaxies: a redshift and its grade by hand, the star-formation rate beside it."""

import streamlit as st

from core.services import overviewing
from core.ui import label_panels, state
from core.ui.layout import nothing_yet

ws = state.workspace()
title, about, chooser = st.columns([0.5, 1.2, 2.3], vertical_alignment="bottom")
title.title("Label", anchor=False)
if not overviewing.take_census(ws).objects:
    nothing_yet("There is nothing to label yet.", "pages/data.py", "Bring galaxies in")
else:
    with chooser:
        queue = label_panels.choose(ws)
    about.caption(queue.sentence)
    if len(queue):
        label_panels.desk(ws)
    else:
        label_panels.nothing_to_label(queue)
