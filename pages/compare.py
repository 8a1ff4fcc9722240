"""Which model to trust, and where."""

from core.services import comparing, overviewing
from core.ui import compare_panels, frame, state
from core.ui.layout import header, nothing_yet

ws = state.workspace()
header("Compare", "Which model to trust, and where. Every number is measured on held-out galaxies that no strategy may choose.")
if overviewing.is_simulated(ws):
    frame.simulated_badge()
if comparing.finished(ws).empty:
    nothing_yet("There is nothing to compare before the first run has finished.", "pages/train.py", "Train a model")
else:
    target, subset, runs, metrics = compare_panels.choices(ws)
    run_ids = runs["id"].tolist()
    compare_panels.table(ws, target, subset, run_ids, metrics)
    first, second = compare_panels.truth(ws, target, run_ids)
    compare_panels.by_subset(ws, target, run_ids, metrics)
    compare_panels.differences(ws, target, first, second)
