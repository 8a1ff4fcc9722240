"""What is under way, on every page: background work as it goes, labels that no model has seen, how the newest training ended.

Looked at every second while something runs, and every few seconds otherwise: somebody else's label, or the workspace's
own rule, may start a training while this person does nothing.
"""

import pandas as pd
import streamlit as st

from core.services import outcomes, overviewing, training
from core.services.outcomes import Outcome
from core.store import Workspace, jobs
from core.ui import jobs_panel, retraining_panel, state
from core.ui.guard import callback, guarded
from core.ui.layout import plain

IDLE_SECONDS = 5.0
MOST_TOLD = 3
"""Notices at once; more would cover the page."""


def live() -> None:
    """The part of the sidebar that follows the workspace; when a job starts or ends, the whole page is drawn anew."""
    ws = state.workspace()
    st.session_state["jobs_seen"] = _seen(jobs.active(ws))
    st.session_state.setdefault("told_until", outcomes.newest(ws))
    st.fragment(_live, run_every=jobs_panel.interval() or IDLE_SECONDS)()


@guarded()
def _live() -> None:
    ws = state.workspace()
    active = jobs.active(ws)
    _tell(ws)
    if _seen(active) != st.session_state["jobs_seen"]:
        st.rerun()
    if len(active):
        _at_work(ws, active)
    if overviewing.has_labels(ws):
        _learning(ws)
    _newest_result()


def _tell(ws: Workspace) -> None:
    """Leave a notice of each training that has ended since this session looked last, and keep the newest for the sidebar."""
    ended = outcomes.since(ws, st.session_state["told_until"])
    if not ended:
        return
    st.session_state["told_until"] = outcomes.newest(ws)
    st.session_state["newest_results"] = ended[::-1][:MOST_TOLD]
    for told in ended[-MOST_TOLD:]:
        state.tell(told.sentence, ":material/school:" if told.is_well else ":material/error:")


def _at_work(ws: Workspace, active: pd.DataFrame) -> None:
    st.caption("Background work")
    for job in active.query("status == 'running'").itertuples():
        st.progress(job.fraction, text=f"**{plain(job.title)}**  \n:small[{jobs_panel.where(job)}]  \n:gray[:small[{plain(job.message)}]]")
    waiting = int((active["status"] == "queued").sum())
    if waiting:
        st.caption(f":material/hourglass_empty: {waiting} waiting")
    if overviewing.is_waiting_in_vain(ws):
        st.caption(":orange[:material/warning: No worker takes jobs. Start one with] `python -m core worker`")


def _learning(ws: Workspace) -> None:
    """Labels that no model has seen, one button that teaches them, and whether the workspace does so by itself."""
    fresh, is_training = overviewing.fresh_labels(ws), training.is_training(ws)
    st.caption(f":material/add_circle: **{overviewing.labelled_since(fresh)}** to learn" if fresh else ":material/check: Every label is learnt",
               help="Galaxies of the train split that have got, or lost, a label that training takes: a redshift graded 3 or 4, or a star-formation rate.")
    st.button("Retrain now", key="sidebar_retrain", icon=":material/autorenew:", disabled=is_training or not fresh, on_click=_retrain, args=(ws,), width="stretch",
              help="Every model that has a finished run learns anew, with the settings of its newest, from the labels as they stand." if not is_training else "A training is under way.")
    retraining_panel.switch(ws)


def _newest_result() -> None:
    told: list[Outcome] = st.session_state.get("newest_results", [])
    if not told:
        return
    with st.container(border=True, key="sidebar_newest", gap="xsmall"):
        for outcome in told:
            st.markdown(f":small[{':green[:material/school:]' if outcome.is_well else ':red[:material/error:]'} {plain(outcome.sentence)}]")
        if any(outcome.is_well for outcome in told):
            st.page_link("pages/compare.py", label="Compare", icon=":material/compare_arrows:", query_params={"run": str(max(o.run_id or 0 for o in told))})
            st.page_link("pages/uncertainty.py", label="What it is unsure of", icon=":material/help_center:")
        if not all(outcome.is_well for outcome in told):
            st.page_link("pages/train.py", label="Read why, and try again", icon=":material/replay:")
        st.button("Close", key="sidebar_newest_close", icon=":material/close:", type="tertiary", on_click=_forget)


def _seen(active: pd.DataFrame) -> tuple:
    return tuple(zip(active["id"], active["status"], strict=True))


@callback
def _retrain(ws: Workspace) -> None:
    queued = training.retrain(ws)
    state.tell(f"{len(queued)} training{'s' * (len(queued) != 1)} queued", ":material/autorenew:")


@callback
def _forget() -> None:
    st.session_state.pop("newest_results", None)
