"""What the next labels should buy, and when to stop: beside a batch, and after a training."""

import streamlit as st

from core.services import advising, exploring, querying
from core.services.advising import Advice
from core.store import Workspace
from core.ui import state
from core.ui.guard import guarded
from core.ui.layout import nothing_yet, section

HELP = ("Two sources. The learning curve: a power law through the errors of this model's trainings, with the same settings, against how many labels each had; its error is how far curves "
        "through the same scatter differ. What the model does not know yet: how much variance a batch would take from the galaxies that have no label, in a linear model on what the run "
        "sees in them. Errors are of held-out galaxies.")


@guarded()
def of_batch(ws: Workspace, run_id: int | None, targets: tuple[str, ...], size: int, object_ids: tuple[int, ...] | None = None) -> None:
    """What a batch should buy, before anybody labels it."""
    if run_id is not None and targets:
        with st.container(border=True, gap="xsmall"):
            st.markdown("**What it should buy**", help=HELP)
            _told(ws, run_id, targets, size, object_ids)


def after_training(ws: Workspace) -> None:
    """What more labels would buy the newest run, or another."""
    with section("What more labels would buy", HELP, fills=False):
        runs = exploring.run_names(ws)
        if not runs:
            nothing_yet("This is told once a training has finished.")
            return
        left, right = st.columns([2, 1])
        run_id = left.selectbox("Run", list(runs), format_func=runs.get, key="advice_run", persist_state="session", help="Whose next labels are asked about; runs of the same model and settings make its learning curve.")
        size = right.number_input("Labels", 1, 10_000, 50, 10, key="advice_size", persist_state="session", help="How many more labels.")
        with guarded():
            _told(ws, run_id, None, int(size), None)


def _told(ws: Workspace, run_id: int, targets: tuple[str, ...] | None, size: int, object_ids: tuple[int, ...] | None) -> None:
    minutes = querying.minutes(ws, state.annotator(), size)
    for target in advising.leading(ws, targets):
        advice = advising.advise(ws, run_id, target, size, object_ids)
        st.markdown(f"{_icon(advice)} {advising.in_words(advice, minutes)}  \n:gray[:small[{advising.sources_in_words(advice)}]]")


def _icon(advice: Advice) -> str:
    if advice.curve is not None and advice.curve.is_little:
        return ":orange[:material/front_hand:]"
    is_clear = advice.best is not None and not advice.best.is_little and advice.best.gain >= advice.best.error
    return ":green[:material/trending_down:]" if is_clear else ":gray[:material/help:]"
