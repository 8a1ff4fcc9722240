"""The workspace's rule of when to retrain by itself: a switch in the sidebar, all of it on the Train page."""

import streamlit as st

from core.jobs.retraining import FEWEST, MOST
from core.models.registry import MODELS
from core.services import training
from core.services.training import Rule
from core.store import Workspace
from core.ui import state
from core.ui.guard import callback
from core.ui.layout import section

SENTENCE = ("A rule of this workspace, for everybody: once so many galaxies have been labelled since a model learnt, whoever labelled them, it learns anew in the background, "
            "with the settings of its newest run. A training that failed or was cancelled is not begun again for the same labels.")


def switch(ws: Workspace) -> None:
    """Whether the workspace retrains by itself, as one switch."""
    kept = training.rule(ws)
    st.session_state["sidebar_by_itself"] = kept.is_on
    st.toggle("By itself, every label" if kept.after == 1 else f"By itself, every {kept.after:,} labels", key="sidebar_by_itself", on_change=_switch, args=(ws, "sidebar_by_itself"), help=f"{SENTENCE} How many, and which models, is set on the Train page.")


def rule(ws: Workspace) -> None:
    """The whole rule."""
    kept = training.rule(ws)
    st.session_state.update({"rule_is_on": kept.is_on, "rule_after": kept.after, "rule_models": [m for m in kept.models if m in MODELS]})
    with section("Retrain by itself", SENTENCE, key="retrain_by_itself", fills=False):
        st.toggle("Retrain when enough new labels are in", key="rule_is_on", on_change=_switch, args=(ws, "rule_is_on"))
        st.number_input("New labels", FEWEST, MOST, step=10, key="rule_after", on_change=_set, args=(ws,), help="Galaxies of the train split that have got, or lost, a label that training takes.")
        st.multiselect("Models", list(MODELS), key="rule_models", on_change=_set, args=(ws,), placeholder="all that have a finished run", help="A model without a finished run is left out: train it once by hand.")


@callback
def _switch(ws: Workspace, key: str) -> None:
    kept = training.rule(ws)
    training.set_rule(ws, Rule(bool(st.session_state[key]), kept.after, kept.models), state.annotator())


@callback
def _set(ws: Workspace) -> None:
    training.set_rule(ws, Rule(training.rule(ws).is_on, int(st.session_state["rule_after"]), tuple(st.session_state["rule_models"])), state.annotator())
