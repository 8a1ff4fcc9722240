"""What came in, what is here, what is missing, and what leaves the house."""

import streamlit as st

from core.services import overviewing
from core.ui import data_panels, ingest_panels, state
from core.ui.layout import header, nothing_yet

ws = state.workspace()
header("Data", "Bring in survey files, look at what came of them, and export what was labelled with a checksum.")
panels = {"Bring in": ingest_panels.bring_in, "Objects": data_panels.objects, "Splits and gaps": data_panels.splits, "Export": data_panels.export}
for (name, panel), tab in zip(panels.items(), st.tabs(list(panels), key="tab", bind="query-params"), strict=True):
    with tab:
        if not tab.open:
            continue
        if name == "Bring in" or not overviewing.is_empty(ws):
            panel(ws)
        else:
            nothing_yet("Nothing is here yet. Read your own files in the first tab, or build the demo sky.", "pages/overview.py", "Build the demo sky")
