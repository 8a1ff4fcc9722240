"""How far a queue is, and how fast this person goes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from core.store import Workspace, acts

LONGEST_PAUSE = 300.0
"""Seconds between two decisions beyond which a person was away: such gaps do not count in the pace."""
_FEWEST_GAPS = 3


def progress(ws: Workspace, annotator: str, ids: Iterable[int], states: Mapping[int, str], now: datetime | None = None) -> dict:
    """Figures of a queue and a person.

    Returns
    -------
    total, done, skipped, left : objects of the queue; done = labelled or said to be impossible; a skipped one is left too.
    today : decisions of the annotator since midnight of the server's day.
    per_hour : their pace today, from the gaps shorter than `LONGEST_PAUSE`; None before three gaps.
    """
    ids = [int(i) for i in ids]
    count = Counter(states.get(i, "") for i in ids)
    done = count["label"] + count["cannot"]
    today = acts.decisions_since(ws, annotator, _midnight(now or datetime.now().astimezone()))
    return {"total": len(ids), "done": done, "skipped": count["skip"], "left": len(ids) - done, "today": len(today), "per_hour": pace(today["created"])}


def recent_acts(ws: Workspace, annotator: str) -> list[dict]:
    """The annotator's newest acts that can be undone, newest first: client, sequence, object."""
    table = acts.recent(ws, annotator)
    return [{"client": r.client, "sequence": int(r.sequence), "object": int(r.object_id)} for r in table.itertuples()]


def pace(created: pd.Series) -> float | None:
    """Decisions an hour from their times.

    >>> pace(pd.Series(["2024-01-01T00:00:00Z", "2024-01-01T00:00:10Z", "2024-01-01T00:00:20Z", "2024-01-01T00:00:30Z"]))
    360.0
    """
    gaps = np.diff(pd.to_datetime(created, format="ISO8601").sort_values()).astype("timedelta64[ms]").astype(float) / 1000
    gaps = gaps[gaps < LONGEST_PAUSE]
    return float(round(3600 / max(gaps.mean(), 1e-3))) if len(gaps) >= _FEWEST_GAPS else None


def _midnight(now: datetime) -> str:
    return now.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
