"""What lies on this person's desk while a batch is composed: the batch, another one beside it, and what it was before."""

import hashlib
from dataclasses import dataclass, field, replace

import pandas as pd
import streamlit as st

from core.errors import LookbackError
from core.services import exploring, querying
from core.services.querying import Preview, Request
from core.store import Workspace
from core.ui import state

KEY = "query_desk"
MOST_REMEMBERED = 50


@dataclass(frozen=True)
class Desk:
    """A batch, one that was composed beside it to compare, facts of the batch's galaxies row by row, and the desks before, newest last."""

    batch: Preview
    rival: Preview | None
    facts: pd.DataFrame
    before: tuple["Desk", ...] = field(default=(), repr=False)

    @property
    def turn(self) -> str:
        """Differs for every batch and every order of it: what shows rows is keyed by it."""
        return hashlib.sha256(self.batch.ids.tobytes()).hexdigest()[:12]


def now() -> Desk | None:
    """What lies there; None before the first preview."""
    return st.session_state.get(KEY)


def clear() -> None:
    """Take everything off the desk."""
    st.session_state.pop(KEY, None)


def preview(ws: Workspace, request: Request, against: str | None) -> None:
    """Compose a batch, and one by another strategy beside it; a rival that cannot be composed is told and left out."""
    clear()
    pool = querying.pool(ws, request)
    batch, rival = querying.preview(ws, request, pool), None
    try:
        rival = querying.preview(ws, rival_of(request, against), pool) if against else None
    except LookbackError as error:
        state.tell_problem(f"Nothing to compare with: {error}")
    st.session_state[KEY] = Desk(batch, rival, facts(ws, batch))


def rival_of(request: Request, against: str) -> Request:
    """The same request by another strategy, less what that one cannot heed."""
    return querying.heeded(replace(request, strategy=against))


def lay(ws: Workspace, batch: Preview, rival: Preview | None = None) -> None:
    """Put another batch down, the desk as it was kept for `undo`."""
    old = now()
    before = (*old.before, Desk(old.batch, old.rival, old.facts))[-MOST_REMEMBERED:]
    st.session_state[KEY] = Desk(batch, rival, facts(ws, batch), before)


def undo() -> None:
    """The desk as it was before."""
    old = now()
    last = old.before[-1]
    st.session_state[KEY] = Desk(last.batch, last.rival, last.facts, old.before[:-1])


def facts(ws: Workspace, batch: Preview) -> pd.DataFrame:
    """The rows of a batch with their places, counted from 1, and what a person reads of its galaxies, see `exploring.details`."""
    known = exploring.facts(ws, batch.ids, batch.request.targets[0], batch.request.run_id)
    return batch.table.assign(place=batch.table["rank"] + 1).merge(known, on="object_id")
