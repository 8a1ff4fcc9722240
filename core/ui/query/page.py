"""The batch composer: ask, look, change, keep."""

import streamlit as st

from core.store import Workspace
from core.ui import advice_panels
from core.ui.query import asking, desk, drawn, picks, saving, worth


def compose(ws: Workspace) -> None:
    """What to ask beside the map; below, what the batch buys, the picks, and the batches there are."""
    left, right = st.columns([1, 2.4], gap="medium")
    with left:
        request, against = asking.ask(ws)
    on_desk = desk.now()
    with right:
        drawn.picks_on_map(ws, request, on_desk)
        if on_desk is not None and on_desk.batch.request not in (request, against and desk.rival_of(request, against)):
            st.caption(":orange[:material/history: The settings have changed since this preview.]")
        if on_desk is None:
            advice_panels.of_batch(ws, request.run_id, request.targets, request.size)
        elif len(on_desk.batch.table):
            batch = on_desk.batch
            advice_panels.of_batch(ws, batch.request.run_id, batch.request.targets, len(batch.table), tuple(batch.ids.tolist()))
    worth.bought(ws, request, against, on_desk)
    if on_desk is not None:
        saving.save(ws, on_desk)
        picks.picks(ws, on_desk)
    saving.saved(ws)
