"""The panels of the Label page."""

import time
from collections.abc import Iterable
from dataclasses import asdict
from hashlib import blake2b

import numpy as np
import streamlit as st

from core.columns import SFR_TARGETS, TARGETS
from core.errors import NotFound
from core.services import assigning, labelling, reviewing
from core.services.labelling import Queue
from core.spectroscopy.basis import galaxy_basis, quasar_basis
from core.spectroscopy.lines import LINE_GROUPS, LINES
from core.spectroscopy.sky import SKY
from core.store import Workspace
from core.ui import keys, spectrum, state
from core.ui.guard import callback, guarded, sentence
from core.ui.layout import nothing_yet, plain
from core.ui.seat import Seat, enter, hear, keep_place, seat, write_address
from core.ui.spectrum.packing import Packer, pack_basis, pack_fit, pack_object
from core.ui.spectrum.viewers import VIEWERS

DESK = "desk"
_CHOICE = "label_source"
_AT_ONCE = 16
_FIT_SECONDS = 0.3
"""How long one run may fit templates, and how long it may measure rates; what is left over is asked for again by the browser."""


def choose(ws: Workspace) -> Queue:
    """The chooser of what to label, and a way to the Query page while no batch waits; returns the queue, which may be empty."""
    where, is_entering = seat(), DESK not in st.session_state
    titles = labelling.sources(ws, len(state.selection()), state.annotator()) | reviewing.SOURCES
    place = _place(ws) if is_entering else None
    wanted = _wanted(ws, where, is_entering, place)
    if wanted not in titles:
        titles[wanted] = f"Batch {wanted}, closed" if wanted.isdigit() else "Nothing left of this queue"
    st.session_state[_CHOICE] = wanted
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("What to label", list(titles), format_func=titles.get, key=_CHOICE, label_visibility="collapsed", on_change=_choose)
        st.button("", icon=":material/refresh:", help="Make this queue anew: what has been decided drops out", on_click=_again, args=(ws,))
        with st.popover("", icon=":material/menu_book:", help="Guidelines: what the grades mean, and when to skip, flag or take a rate", width="content"):
            st.markdown(labelling.guidelines(ws))
        if not any(source.isdigit() for source in titles):
            st.page_link("pages/query.py", label="Compose a batch", icon=":material/travel_explore:")
    if _is_other(where, wanted):
        where.sit(_queue(ws, wanted))
    if is_entering:
        with guarded():
            enter(ws, where, place)
    return where.queue


@st.fragment
@guarded()
def desk(ws: Workspace) -> None:
    """The desk itself, and under it what belongs to the object on it."""
    where = seat()
    spectrum.mount(_payload(ws, where), DESK, callback(lambda: hear_log(ws)))
    state.show_told()
    write_address(where)
    if state.annotator() != state.NAMELESS:
        keep_place(ws, where)
    _history(ws, where)


def hear_log(ws: Workspace) -> None:
    """Callback of the component: a search that finds nothing is answered in the component itself."""
    log, where = st.session_state[DESK]["log"], seat()
    news = [e for e in log["events"] if e["sequence"] > where.acked.get(e["client"], 0)]
    try:
        hear(ws, log)
    except NotFound as error:
        where.refuse({"client": "find", "sequence": int(log["attempt"]), "sentence": sentence(error)})
    for said in assigning.told(ws, state.annotator(), news):
        state.tell(said, ":material/verified:")


def nothing_to_label(queue: Queue) -> None:
    """An empty queue: why, and where to go."""
    if queue.source == labelling.SELECTION:
        nothing_yet("Nothing is selected. Catch galaxies on the map first.", "pages/explore.py", "Explore")
    elif queue.source == labelling.SUGGESTED:
        nothing_yet(queue.sentence, "pages/train.py", "Train")
    elif queue.source in reviewing.SOURCES or queue.share_of:
        nothing_yet(queue.sentence, "pages/review.py", "Review")
    else:
        nothing_yet(f"{queue.sentence} There is nothing left to label here.", "pages/query.py", "Compose a batch")


def _choose() -> None:
    st.query_params.from_dict({"batch": st.session_state[_CHOICE]})


def _queue(ws: Workspace, source: str) -> Queue:
    return reviewing.queue(ws, source) if source in reviewing.SOURCES else labelling.queue(ws, source, state.selection(), state.annotator())


def _is_other(where: Seat, wanted: str) -> bool:
    """Whether the queue at hand is not the wanted one; a selection may have changed on the map, and the name of who has a share."""
    if where.queue is None or where.queue.source != wanted or where.queue.share_of not in ("", state.annotator()):
        return True
    return wanted == labelling.SELECTION and not np.array_equal(where.queue.ids, state.selection())


def _place(ws: Workspace) -> tuple[str, int | None] | None:
    """Where this person was when they left; an address that names a place goes before it, and nobody in particular was nowhere."""
    is_told = "batch" in st.query_params or "object" in st.query_params
    return None if is_told or state.annotator() == state.NAMELESS else labelling.resume(ws, state.annotator())


def _wanted(ws: Workspace, where: Seat, is_entering: bool, place: tuple[str, int | None] | None) -> str:
    """The source to label: on coming in the address's, or that of one's last place; then the chooser's."""
    now = where.queue.source if where.queue else place[0] if place else labelling.default_source(ws, state.annotator())
    return (st.query_params.get("batch") or now) if is_entering else st.session_state.get(_CHOICE, now)


@callback
def _again(ws: Workspace) -> None:
    where = seat()
    where.sit(_queue(ws, where.queue.source))


def _payload(ws: Workspace, where: Seat) -> bytes:
    """Everything the browser needs now: the queue and its states, the objects it lacks, fits as far as time allows.

    What is acknowledged is read before the states: an event must never be forgotten by the
    browser that the states do not hold yet, and another run may be recording meanwhile.
    """
    where.serial += 1
    where.queue = labelling.refreshed(ws, where.queue, state.annotator(), where.at)
    serial, acked, queue, who = where.serial, dict(where.acked), where.queue, state.annotator()
    states = labelling.states(ws, queue, who)
    if where.at is None:
        where.at = next((i for i in queue.ids.tolist() if states.get(i) not in ("label", "cannot", "skip")), int(queue.ids[0]))
    figures = labelling.progress(ws, who, queue.ids, states)
    lacking = _first(queue, where.at, states) if where.want is None else where.want
    packer = Packer()
    shown = labelling.desks(ws, lacking[:_AT_ONCE], who, labelling.proposal_run(ws))
    objects = [pack_object(packer, d) | {"reason": queue.reasons.get(d["id"], "")} for d in shown]
    bases = {"bases": [pack_basis(packer, basis) for basis in (galaxy_basis(), quasar_basis())]} if where.lacks_bases else {}
    return packer.bytes(_constants(ws, who) | bases | {
        "token": where.token, "at": where.at, "goto": {"nonce": where.goto[0], "object": where.goto[1]}, "attempt": where.attempt, "serial": serial,
        "ids": queue.ids.tolist(), "states": states, "batch": queue.batch_id, "source": queue.source,
        "objects": objects, "fits": _fits(ws, where.fit, packer), "rates": _rates(ws, where.rate), "acked": acked, "refused": where.refused,
        "recent": labelling.recent_acts(ws, who), "today": figures["today"], "per_hour": figures["per_hour"],
    })


def _constants(ws: Workspace, who: str) -> dict:
    low, high = next((t.low, t.high) for t in TARGETS if t.name == "z")
    table = keys.table(ws.path)
    return {
        "annotator": who, "workspace": blake2b(f"{ws.path} {ws.born}".encode(), digest_size=8).hexdigest(), "z_range": [low, high], "loglam": [3.55, 1e-4, 4620],
        "lines": [{"name": e.name, "label": e.label, "wave": e.wave, "group": e.group, "strong": e.is_strong} for e in LINES],
        "sky": [{"name": s.name, "low": s.low, "high": s.high} for s in SKY], "flags": labelling.FLAGS, "skip_reasons": labelling.SKIP_REASONS,
        "comments": labelling.COMMENTS, "statistics": {t.name: t.sentence for t in TARGETS if t.name in SFR_TARGETS},
        "line_groups": [asdict(g) for g in LINE_GROUPS], "viewers": [asdict(v) for v in VIEWERS],
        "bindings": keys.bindings(table), "groups": keys.groups(table), "repeats": [k.action for k in table if k.repeats], "keys_file": str(ws.path / keys.FILE),
    }


def _first(queue: Queue, at: int, states: dict[int, str]) -> list[int]:
    """What a browser that has nothing is given: the object, and the next ones."""
    ids = queue.ids.tolist()
    place = ids.index(at) if at in ids else -1
    return list(dict.fromkeys([at, *(i for i in ids[place + 1 :] if states.get(i) not in ("label", "cannot", "skip"))]))[:_AT_ONCE]


def _fits(ws: Workspace, ids: Iterable[int], packer: Packer) -> dict[int, dict]:
    """Template fits in order, until the time is used up; at least one."""
    found, started = {}, time.monotonic()
    for object_id in ids:
        found[object_id] = pack_fit(packer, labelling.template_fit(ws, object_id))
        if time.monotonic() - started > _FIT_SECONDS:
            break
    return found


def _rates(ws: Workspace, wanted: Iterable[tuple[int, float]]) -> list[tuple[int, dict]]:
    """Measured star-formation rates in order, until the time is used up; at least one."""
    found, started = [], time.monotonic()
    for object_id, z in wanted:
        found.append((object_id, labelling.measured_sfr(ws, object_id, z)))
        if time.monotonic() - started > _FIT_SECONDS:
            break
    return found


def _history(ws: Workspace, where: Seat) -> None:
    """What has been decided about this object, each act with a way to take it back."""
    is_blind = where.queue.source != labelling.DISAGREEMENTS and labelling.is_blind(ws, where.at, state.annotator())
    table = labelling.history(ws, where.at, state.annotator() if is_blind else None)
    with st.container(border=True, height=270 if len(table) > 5 else "stretch"):
        st.markdown("**History of this object**" if len(table) else "**History of this object** :gray[nothing yet]")
        if is_blind:
            st.caption("You decide blind: what others say of this object, if anything, is shown after your own decision.")
        for act in table.itertuples():
            left, right = st.columns([6, 1], vertical_alignment="center", gap="small")
            left.markdown(_told(act))
            if act.standing:
                right.button("", key=f"undo_{act.ids[0]}", icon=":material/undo:", type="tertiary", help="Take this back, under your name", on_click=_undo, args=(ws, act.ids))


def _told(act) -> str:
    """One act in one line of markdown."""
    said = {"cannot": "no redshift", "skip": "skipped", "flag": "flagged"}.get(act.action) or _values(act)
    if not act.standing:
        return f"~~{said}~~ :small[:gray[taken back · {plain(act.annotator)}]]"
    if act.replaced:
        return f":gray[{said}] :small[:gray[replaced since · {plain(act.annotator)}, {act.created[5:16].replace('T', ' ')}]]"
    has_z = act.z == act.z
    marks = (f"grade {act.grade:.0f}" if act.grade == act.grade else "", plain(act.words), _origin(act),
             "revealed" if act.revealed else "blind" if has_z and "catalogue" not in act.source else "")
    return f"{said} :gray[{' · '.join(filter(None, marks))}] :small[:gray[{plain(act.annotator)}, {act.created[5:16].replace('T', ' ')}]]"


def _origin(act) -> str:
    """Where the values came from, unless a person gave them all."""
    origins = {"catalogue": "catalogue", "model-assisted": "the model's redshift", "measured": "rate as measured", "adjudication": "adjudication"}
    return " · ".join(origins[s] for s in act.source.split(", ") if s in origins)


def _values(act) -> str:
    z = f"z **{act.z:.5f}**" if act.z == act.z else ""
    sfr = f"SFR **{act.sfr:.2f}**" if act.sfr == act.sfr else ""
    more = act.values - bool(z) - bool(sfr)
    return " · ".join(filter(None, (z, sfr, f"{more} {'more ' if z or sfr else ''}SFR value{'s' * (more != 1)}" if more else "")))


@callback
def _undo(ws: Workspace, label_ids: list[int]) -> None:
    where = seat()
    labelling.take_back(ws, label_ids, state.annotator(), *where.act())
    where.want = [where.at]
    state.tell("Taken back.", icon=":material/undo:")
