"""The replay of active learning: an oracle knows every label, strategies ask for them batch by batch.

`question` says what is compared, `worlds` who may be asked and what is known of them, `rounds` fits, measures
and asks, `states` keeps each round on disk, so that a replay that was killed goes on where it was.
"""

from core.jobs.replaying.question import WEIGHTS, Question, Step
from core.jobs.replaying.rounds import probe, run_rounds
from core.jobs.replaying.worlds import SkySource, TableSource, World, sky_source, table_source

__all__ = ["WEIGHTS", "Question", "SkySource", "Step", "TableSource", "World", "probe", "run_rounds", "sky_source", "table_source"]
