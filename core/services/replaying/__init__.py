"""Replaying active learning: what labels would have been worth, had somebody else chosen them.

`in_workspace` and `on_table` run a replay, `write` tells it as curves, a summary and a plot; `growing` is the curves of a job that still runs.
"""

from core.jobs.replaying import WEIGHTS, Question
from core.services.replaying.asking import growing, in_workspace, of_table, on_table, question_of, start
from core.services.replaying.curves import curves
from core.services.replaying.folder import told, write
from core.services.replaying.plot import drawn
from core.services.replaying.summary import summary

__all__ = ["WEIGHTS", "Question", "curves", "drawn", "growing", "in_workspace", "of_table", "on_table", "question_of", "start", "summary", "told", "write"]
