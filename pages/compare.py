"""Which model to trust, and where."""

from core.services import comparing
from core.ui import compare, state
from core.ui.layout import header, nothing_yet

ws = state.workspace()
header("Compare", "Which model to trust, and where. Every number is measured on held-out galaxies that no strategy may choose.")
everything = comparing.comparison(ws)
if everything.is_empty:
    nothing_yet("There is nothing to compare before the first run has finished.", "pages/train.py", "Train a model")
else:
    asked = compare.choose(ws, everything)
    if asked.shown.is_empty:
        nothing_yet("No finished run passes the filter. Choose more models or modalities, or none of them to see all.")
    else:
        compare.table(asked)
        compare.closer(ws, asked, compare.pair(asked))
