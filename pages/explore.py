"""Galaxies on a map: what is alike, what is unsure, what is labelled; a lasso catches them."""

from core.services import exploring, overviewing
from core.ui import explore_panels, jobs_panel, state
from core.ui.layout import header, nothing_yet

ws = state.workspace()
header("Explore", "Galaxies that are alike lie together. Colour shows what is known and what is not; a lasso catches what you want to see.")
if overviewing.is_empty(ws):
    nothing_yet("There is no galaxy here yet.", "pages/data.py", "Bring galaxies in")
    jobs_panel.in_page(("demo", "ingest"))
elif not exploring.map_names(ws):
    explore_panels.no_map(ws)
else:
    jobs_panel.in_page(("embed",))
    explore_panels.explore(ws)
