"""Replaying active learning: what labels would have been worth, had somebody else chosen them.

`in_workspace` and `on_table` run a replay, `write` tells it as curves, a summary and a plot; `growing` is the curves of a job that still runs.
`replays` are those of a workspace, `told_so_far` their curves, `conclusion` what they say in a sentence.
"""

from core.jobs.replaying import WEIGHTS, Question
from core.services.replaying.asking import TABLE_MODEL, growing, in_workspace, of_table, on_table, question_of, start
from core.services.replaying.curves import curves
from core.services.replaying.folder import told, write
from core.services.replaying.plot import bands, drawn, words_of
from core.services.replaying.summary import NOT_ERRORS, name_of, summary
from core.services.replaying.verdict import conclusion
from core.services.replaying.watching import Replay, models, replays, seconds, told_so_far

__all__ = [
    "NOT_ERRORS", "TABLE_MODEL", "WEIGHTS", "Question", "Replay", "bands", "conclusion", "curves", "drawn", "growing", "in_workspace", "models", "name_of", "of_table", "on_table",
    "question_of", "replays", "seconds", "start", "summary", "told", "told_so_far", "words_of", "write",
]
