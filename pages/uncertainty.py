"""Where a model is unsure, why, about whom, whether it says so honestly, and what the last batch changed."""

from core.services import exploring, overviewing
from core.ui import jobs_panel, state, uncertainty
from core.ui.layout import header, nothing_yet

ws = state.workspace()
header("Uncertainty", "Where the model is unsure, whether labels could help, whether its error bars can be believed, and what the last batch changed.")
if overviewing.is_empty(ws):
    nothing_yet("There is no galaxy here yet, and nothing to be unsure about.", "pages/data.py", "Bring galaxies in")
    jobs_panel.in_page(("demo", "ingest"))
elif not exploring.run_names(ws):
    nothing_yet("No model has finished yet: only a trained model can say what it does not know.", "pages/train.py", "Train a model")
    jobs_panel.in_page(("train",))
else:
    asked = uncertainty.choose(ws)
    uncertainty.glance(ws, asked)
    uncertainty.closer(ws, asked)
