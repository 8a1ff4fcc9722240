"""What runs now, live: looked at every second while something runs, and not at all otherwise."""

import pandas as pd
import streamlit as st

from core.services import overviewing
from core.store import Workspace, jobs
from core.ui import state
from core.ui.guard import callback, guarded

EVERY_SECONDS = 1.0


def in_page(kinds: tuple[str, ...] | None = None) -> None:
    """Active jobs (of some kinds) as cards with progress, what is left, and a way to stop them."""
    st.fragment(cards, run_every=interval())(kinds)


def stages(parts: list[overviewing.Stage]) -> None:
    """The parts of the demo sky with a bar each."""
    for part in parts:
        icon = {"done": ":green[:material/check_circle:]", "running": ":blue[:material/progress_activity:]", "waiting": ":gray[:material/radio_button_unchecked:]",
                "failed": ":red[:material/error:]"}[part.state]
        left, right = st.columns([1, 3], vertical_alignment="center")
        left.markdown(f"{icon} &nbsp;**{part.title}**")
        right.progress(part.fraction, text=part.sentence or {"done": "ready", "waiting": "waits for its turn", "running": "at work", "failed": ""}[part.state])


def failures() -> None:
    """One line when jobs have failed, and where to read why."""
    failed = overviewing.failures(state.workspace())
    if failed:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f":red[:material/error: {failed} of the newest jobs failed.] The Train page says why, and starts them again.", width="stretch")
            st.page_link("pages/train.py", label="Read why", icon=":material/arrow_forward:", icon_position="right")


def interval() -> float | None:
    """The ``run_every`` of a fragment that follows jobs: None when nothing runs or waits."""
    return EVERY_SECONDS if len(jobs.active(state.workspace())) else None


@guarded()
def cards(kinds: tuple[str, ...] | None = None) -> None:
    """The cards themselves, for callers that are a fragment already."""
    active = jobs.active(state.workspace())
    active = active if kinds is None else active[active["kind"].isin(kinds)]
    for job in active.query("status == 'running'").itertuples():
        _card(job)
    _waiting(active.query("status == 'queued'"))


def _card(job) -> None:
    with st.container(border=True, key=f"job_{job.id}"):
        left, middle, right = st.columns([3, 4.6, 1.5], vertical_alignment="center")
        left.markdown(f"**{job.title}**  \n:gray[:small[{where(job)}]]")
        middle.progress(job.fraction, text=job.message or None)
        right.button("Cancel", key=f"cancel_{job.id}", type="tertiary", icon=":material/close:", on_click=_cancel, args=(state.workspace(), job.id),
                     disabled=bool(job.cancel_requested), width="stretch")


def _waiting(queued: pd.DataFrame) -> None:
    """Jobs that wait for their turn, in order, each with a way to take it off the queue."""
    if queued.empty:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="jobs_waiting"):
        st.markdown(":gray[:material/hourglass_empty: Waiting]", width="content")
        for job in queued.itertuples():
            st.button(job.title, key=f"cancel_{job.id}", type="secondary", icon=":material/close:", icon_position="right", on_click=_cancel, args=(state.workspace(), job.id), help="Take it off the queue")


def where(job) -> str:
    """How far a running job is, and what is left of it."""
    if overviewing.is_orphaned(job):
        return "its worker is gone; another takes over"
    left = overviewing.remaining_seconds(job)
    return f"{job.fraction:.0%}" + ("" if left is None else f" · about {overviewing.spoken(left)} left")


@callback
def _cancel(ws: Workspace, job_id: int) -> None:
    jobs.cancel(ws, int(job_id))
