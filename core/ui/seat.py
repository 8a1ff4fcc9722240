"""Where a person sits at the labelling desk: their queue, the object before them, what their browser was told."""

import uuid
from dataclasses import dataclass, field

import streamlit as st

from core.services import labelling
from core.services.labelling import Applied, Queue
from core.store import Workspace
from core.ui import state

_KEY = "label_seat"
_REMEMBERED = 20


@dataclass
class Seat:
    """One browser session at the desk.

    Attributes
    ----------
    queue, token : what is labelled, and a name of it that changes whenever it is made anew.
    at : the object on the page. goto : (number, object): raised to make the browser go somewhere.
    attempt, want, fit, rate, lacks_bases : the browser's last message: its number, objects it lacks, objects whose fit it
        lacks, objects and redshifts at which it lacks the measured star-formation rate, whether it lacks the templates.
    serial : number of the last answer; answers of runs side by side may overtake each other.
    kept : the annotator, queue and object last noted for their next session.
    names : who has sat here in this session; a browser may still hold what one of them did. acked, refused : what
        became of its events. client, sequence : of acts made in forms, outside the component.
    """

    queue: Queue | None = None
    token: str = ""
    at: int | None = None
    goto: tuple[int, int | None] = (0, None)
    serial: int = 0
    attempt: int = 0
    want: list[int] | None = None
    fit: list[int] = field(default_factory=list)
    rate: list[tuple[int, float]] = field(default_factory=list)
    lacks_bases: bool = True
    names: set[str] = field(default_factory=set)
    acked: dict[str, int] = field(default_factory=dict)
    refused: list[dict] = field(default_factory=list)
    kept: tuple | None = None
    client: str = field(default_factory=lambda: f"form-{uuid.uuid4().hex}")
    sequence: int = 0

    def sit(self, queue: Queue) -> None:
        """Take a queue from its beginning."""
        self.queue, self.token, self.at, self.want = queue, uuid.uuid4().hex, None, None

    def send_to(self, object_id: int) -> None:
        """Have the browser go to an object."""
        self.goto, self.at = (self.goto[0] + 1, int(object_id)), int(object_id)

    def act(self) -> tuple[str, int]:
        """Client and sequence of the next act made in a form."""
        self.sequence += 1
        return self.client, self.sequence

    def heard(self, applied: Applied) -> None:
        """Keep what became of events until the browser has been told."""
        self.acked |= {c: max(n, self.acked.get(c, 0)) for c, n in applied.acked.items()}
        self.refuse(*({"client": r.client, "sequence": r.sequence, "sentence": r.sentence} for r in applied.refused))

    def refuse(self, *refusals: dict) -> None:
        """Sentences that the browser shows, once each."""
        self.refused = [*self.refused, *refusals][-_REMEMBERED:]


def seat() -> Seat:
    """This session's seat."""
    return st.session_state.setdefault(_KEY, Seat())


def enter(ws: Workspace, where: Seat, place: tuple[str, int | None] | None = None) -> None:
    """Come to the desk: the browser has nothing yet, and the address may name an object, else the ``place`` where this person was.

    Only then is the address read. Later it is we who write it, and a run that was asked for
    before the browser had our writing would bring an older one back.
    """
    where.want, where.fit, where.rate, where.lacks_bases = None, [], [], True
    wanted = st.query_params.get("object")
    if wanted:
        where.send_to(labelling.find(ws, wanted))
    elif place and place[1] is not None:
        where.send_to(place[1])


def keep_place(ws: Workspace, where: Seat) -> None:
    """Note where this person is, for their next session; a selection of the map ends with its session."""
    now = (state.annotator(), where.queue.source, where.at)
    if now != where.kept and where.queue.source != labelling.SELECTION:
        labelling.remember(ws, *now)
        where.kept = now


def write_address(where: Seat) -> None:
    """Let the address name the queue and the object, so that a reload or a copied link comes back here."""
    wanted = {"batch": where.queue.source, "object": str(where.at)}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def hear(ws: Workspace, log: dict) -> None:
    """What the browser's log says: record its events, note where it is and what it lacks."""
    where = seat()
    where.names.add(state.annotator())
    for name in where.names:
        where.heard(labelling.apply_events(ws, name, [e for e in log["events"] if e.get("annotator") == name]))
    where.attempt, where.at = int(log["attempt"]), int(log["at"])
    where.want, where.fit = [int(i) for i in log["want"]], [int(i) for i in log["fit"]]
    where.rate = [(int(i), float(z)) for i, z in log["rate"]]
    where.lacks_bases = bool(log["bases"])
    if log["find"]:
        where.send_to(labelling.find(ws, str(log["find"]["text"])))
