"""Where people read different redshifts: which, why, and the keys that settle it."""

import uuid

import numpy as np
import pandas as pd
import streamlit as st

from core.services import labelling, reviewing
from core.services.labelling import DISAGREEMENTS
from core.services.reviewing import Disagreement
from core.store import Workspace
from core.ui import charts, state
from core.ui.guard import callback
from core.ui.layout import cards, nothing_yet, plain
from core.ui.review import figures

LIST, CLIENT, SEQUENCE, LAST = "review_list", "review_client", "review_sequence", "review_last"
_MOST_KEYS = 9


TOGETHER = (
    ("group_add", "Share", "A batch is shared out: each object to as many people as you like, known answers mixed in if you wish."),
    ("visibility_off", "Label blind", "Nobody sees what others, or a model, said of an object before their own decision stands."),
    ("balance", "Settle", "Where two read different redshifts, the confusion that explains it is named, and one key decides. Nothing is trained on until then."),
    ("verified", "Know your grades", "How often each person's certain, probable and possible redshifts turn out right, and who agrees with whom."),
)


def disagreements(ws: Workspace) -> None:
    """The list, and the disagreement that is picked with a way to settle it."""
    found = reviewing.disagreements(ws)
    if not found:
        _nobody_disagrees(ws)
        return
    _summary(ws, found)
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        picked = found[_picked(found)]
    with right, st.container(border=True):
        _case(ws, picked)


def _summary(ws: Workspace, found: tuple[Disagreement, ...]) -> None:
    held = sum(d.is_held_back for d in found)
    st.markdown(f"**{len(found):,}** object{'s' * (len(found) != 1)} on which people disagree by more than 1,000 km/s; **{held:,}** held back from training until settled.",
                help="When two people grade different redshifts 3 or 4 and no majority carries one of them, none of the values is trained on. "
                     "An adjudication beats everything; what each person said stays in the log as it was.")


def _nobody_disagrees(ws: Workspace) -> None:
    several = len(reviewing.people(ws)) > 1
    said = ("Everybody agrees: no two people read redshifts more than 1,000 km/s apart." if several else
            "Only when two people label the same object can they disagree. Share a batch out so that each object goes to two of them.")
    nothing_yet(f":material/handshake: {said}")
    if not several:
        cards(TOGETHER)
    _undo_last(ws)


def _picked(found: tuple[Disagreement, ...]) -> int:
    """The list; returns which is picked, the first until somebody picks."""
    table = pd.DataFrame({
        "key": [d.key for d in found], "apart": [d.apart_kms for d in found], "held": [d.is_held_back for d in found],
        "who": [f"{d.rivals[0].annotator}, {d.rivals[1].annotator}" for d in found], "why": [d.explanation for d in found],
    })
    picked = st.dataframe(
        table, key=LIST, hide_index=True, height=min(38 + 35 * len(table), 640), on_select="rerun", selection_mode="single-row", row_height=35,
        column_order=["apart", "who", "held", "key", "why"],
        column_config={
            "key": st.column_config.TextColumn("object", width="medium"), "apart": st.column_config.NumberColumn("km/s apart", format="%,.0f", width="small", help="c |ln((1 + z₁) / (1 + z₂))|; empty where one of the two says that it cannot be told."),
            "held": st.column_config.CheckboxColumn("held", width="small", help="No redshift of this object is trained on until somebody settles it."),
            "who": st.column_config.TextColumn("between", width="small"), "why": st.column_config.TextColumn("why", width="medium"),
        },
    )
    rows = picked.selection.rows
    return min(rows[0], len(found) - 1) if rows else 0


def _case(ws: Workspace, case: Disagreement) -> None:
    here = labelling.desks(ws, [case.object_id], state.annotator())[0]
    _heading(case, here)
    if here["spectrum"] is None:
        st.caption("There is no spectrum of this object.")
    else:
        _spectra(case, here["spectrum"])
    _verdicts(ws, case)


def _spectra(case: Disagreement, spectrum: np.ndarray) -> None:
    """The feature that two people name differently, and the whole spectrum with the lines of both."""
    named = [(r.annotator, r.z) for r in case.rivals if r.z is not None]
    near, whole = st.columns([1, 1.8]) if case.wave is not None else (None, st.container())
    if near is not None:
        with near:
            charts.show(figures.spectrum(spectrum, named, case.wave), f"near_{case.object_id}", f"The feature at {case.wave:.0f} Å that is named differently", is_still=True)
    with whole:
        charts.show(figures.spectrum(spectrum, named), f"whole_{case.object_id}", "The spectrum with the lines of both readings")


def _heading(case: Disagreement, here: dict) -> None:
    words, picture = st.columns([7, 1], vertical_alignment="center")
    apart = f" · {case.apart_kms:,.0f} km/s apart" if case.apart_kms == case.apart_kms else ""
    held = " :orange-badge[held back from training]" if case.is_held_back else ""
    words.markdown(f"**{plain(case.key)}** :gray[S/N {here['sn'] or 0:.1f}{apart}]{held}")
    words.markdown(f":material/compare_arrows: {plain(case.explanation)}")
    if here["composite"] is not None:
        picture.image(here["composite"], width=76, alt=f"Colour image of {case.key}")


def _verdicts(ws: Workspace, case: Disagreement) -> None:
    """One button and key a reading, one for "nobody can tell", and the way to the desk for a third value."""
    for number, reading in enumerate(case.readings, start=1):
        name, take = st.columns([3, 2], vertical_alignment="center")
        name.markdown(f"**{plain(reading.annotator)}** &nbsp; {reading.told}")
        if reading.z is not None:
            key = str(number) if number <= _MOST_KEYS else None
            take.button(f"Take {reading.annotator}'s", key=f"take_{reading.label_id}", shortcut=key, on_click=_take, args=(ws, case, reading.label_id), width="stretch")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Nobody can tell", key=f"nobody_{case.object_id}", icon=":material/help:", shortcut="0", on_click=_nobody, args=(ws, case), help="The object leaves the training set.")
        st.page_link("pages/label.py", label="Another value: on the desk", icon=":material/edit_note:", query_params={"batch": DISAGREEMENTS, "object": str(case.object_id)})
        _undo_last(ws)


def _undo_last(ws: Workspace) -> None:
    if LAST in st.session_state:
        st.button("Undo the last verdict", key="review_undo", type="tertiary", icon=":material/undo:", shortcut="Backspace", on_click=_undo, args=(ws,))


def _act() -> tuple[str, int]:
    """Client and sequence of the next act of this session on this page."""
    st.session_state[SEQUENCE] = st.session_state.get(SEQUENCE, 0) + 1
    return st.session_state.setdefault(CLIENT, f"review-{uuid.uuid4().hex}"), st.session_state[SEQUENCE]


@callback
def _undo(ws: Workspace) -> None:
    labelling.undo(ws, state.annotator(), *_act(), act=st.session_state.pop(LAST))
    state.tell("Taken back: it is open again.", ":material/undo:")


@callback
def _take(ws: Workspace, case: Disagreement, label_id: int) -> None:
    st.session_state[LAST] = _act()
    reviewing.adjudicate(ws, case, label_id, state.annotator(), *st.session_state[LAST])
    state.tell(f"{case.key} is settled: this redshift is trained on.", ":material/gavel:")


@callback
def _nobody(ws: Workspace, case: Disagreement) -> None:
    st.session_state[LAST] = _act()
    reviewing.nobody_can_tell(ws, case, state.annotator(), *st.session_state[LAST])
    state.tell(f"{case.key} is settled: no redshift of it is trained on.", ":material/gavel:")
