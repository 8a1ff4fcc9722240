"""What a person did at the desk becomes rows of the log, each event once however often it arrives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from core.columns import SFR_TARGETS
from core.errors import BadInput, LookbackError, NotFound
from core.services.labelling.history import standing_rows
from core.services.labelling.queue import DISAGREEMENTS
from core.services.labelling.rates import MEASURED, taken_rows
from core.store import Workspace, acts, batches, labels, objects, truth
from core.store.labels import Decision

FLAGS = ("artefact", "blend", "sky residual", "wrong image", "quasar", "interesting")
"""Standard issue words; others may be typed."""
SKIP_REASONS = ("too faint", "second look", "bad spectrum", "ambiguous")
"""Standard reasons to skip; others may be typed."""
COMMENTS = ("one line only", "broad lines", "two redshifts", "telluric or sky", "low signal", "flux calibration")
"""Standard comments on a decision; others may be typed."""
KINDS = ("grade", "cannot", "star", "rate", "skip", "flag", "catalogue", "undo")
ASSISTED = "proposal"
"""An event's ``origin`` when its redshift is the model's own, untouched."""
_SEEN = ("proposal", "run", "origin", "queue", "revealed_by", "revealed_after")
"""What an event tells of the screen: the model's redshift and run, where z came from, the source of the queue, how and when (ms) the model's word was revealed."""
_LONGEST = 500


@dataclass(frozen=True)
class Refused:
    """An event that broke a rule: nothing was written for it. ``sentence`` says why."""

    client: str
    sequence: int
    object_id: int | None
    sentence: str


@dataclass(frozen=True)
class Applied:
    """What became of events.

    Attributes
    ----------
    acked : client -> highest sequence dealt with; the sender may forget events up to it.
    refused : those that were not recorded.
    back_to : the object of the last undone act, or None.
    """

    acked: dict[str, int] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    back_to: int | None = None


def apply_events(ws: Workspace, annotator: str, events: Iterable[Mapping]) -> Applied:
    """Record events in the order of their sequence; one that is in the log already is left alone.

    Parameters
    ----------
    events : mappings with ``client`` (random, one a browser page), ``sequence`` (1, 2, ...), ``kind``
        (one of `KINDS`) and ``object``; ``z``, ``sigma``, ``grade`` for a grade; ``sfr`` (see `rates.taken_rows`) with
        a grade or by itself; ``words`` for a skip, a flag or a comment; ``undoes`` {client, sequence} for an undo, else the newest act is undone; ``batch``,
        ``milliseconds``, ``revealed``, ``proposal``, ``run``, ``origin`` (where z came from) and ``queue`` (its source) as they
        were when the key was pressed. In the queue of disagreements a decision about the redshift is an adjudication.

    Returns
    -------
    `Applied`; an event that breaks a rule is refused with a sentence and does not stop the others.
    """
    acked: dict[str, int] = {}
    refused: list[Refused] = []
    back_to = None
    for event in sorted(events, key=_place):
        client, sequence = _place(event)
        try:
            went_back = _apply(ws, annotator, event)
            back_to = went_back if event.get("kind") == "undo" else back_to
        except LookbackError as error:
            refused.append(Refused(client, sequence, _id_or_none(event.get("object")), str(error)))
        acked[client] = sequence
    return Applied(acked, tuple(refused), back_to)


def undo(ws: Workspace, annotator: str, client: str, sequence: int, act: tuple[str, int] | None = None) -> int | None:
    """Retract an act of the annotator's, all its rows together; returns the object to go back to, None with nothing to undo.

    ``act`` is its (client, sequence); None = the newest one that still stands. The same
    (client, sequence) of the undo itself undoes once.
    """
    done = acts.rows(ws, annotator, client, sequence)
    if len(done):
        return int(done["object_id"].iloc[0])
    rows = acts.rows(ws, annotator, *(act or _newest(ws, annotator)))
    ids = rows.loc[rows["standing"] & (rows["action"] != "retract"), "id"]
    if len(ids):
        acts.retract(ws, ids, annotator, client, sequence)
    return int(rows["object_id"].iloc[0]) if len(rows) else None


def take_back(ws: Workspace, label_ids: Iterable[int], annotator: str, client: str, sequence: int) -> None:
    """Retract rows of the log, anybody's, together; raises `NotFound` when one is not there."""
    acts.retract(ws, label_ids, annotator, client, sequence)


def take_from_catalogue(ws: Workspace, object_id: int, annotator: str, client: str, sequence: int, **context) -> list[int]:
    """Label an object with every value that the catalogue knows of it, as an oracle would; returns the ids of the rows.

    ``context`` are further fields of `Decision` (batch_id, milliseconds, shown). Raises `NotFound` when it knows none.
    """
    known = truth.frame(ws, [object_id])
    if known.empty:
        raise NotFound(f"The catalogue knows no value of object {object_id}. Label it by hand, or ingest a catalogue that covers it.")
    return labels.record(ws, [
        Decision(int(object_id), r.target, "label", annotator, client, sequence, value=float(r.value), source="catalogue",
                 sigma=None if r.sigma is None or r.sigma != r.sigma else float(r.sigma), **context)
        for r in known.itertuples()
    ])


def sfr_decisions(ws: Workspace, object_id: int, sfr: Mapping, annotator: str, client: str, sequence: int, grade: int | None = None, **context) -> list[Decision]:
    """The rows of a star-formation rate from the desk, for `labels.record`.

    What stands already is not written again, so that what came from the catalogue stays the
    catalogue's; a measured rate is, when its grade has changed. Raises `BadInput` for a statistic
    of another name, and when percentiles cross, those that stand included.
    """
    given = taken_rows(ws, object_id, sfr)
    unknown = sorted(set(given) - set(SFR_TARGETS))
    if unknown:
        raise BadInput("SFR label", f"be of {', '.join(SFR_TARGETS)}", unknown[0], f"object {object_id}", "Reload the page")
    table = standing_rows(ws, object_id, annotator).set_index("target")
    standing = table["value"].to_dict()
    new = {t: row for t, row in given.items() if row["value"] != standing.get(t) or (row["source"] == MEASURED and _number_or_none(table["grade"][t]) != grade)}
    labels.check_order(object_id, standing | {t: row["value"] for t, row in new.items()})
    shown = context.pop("shown", {})
    return [Decision(int(object_id), t, "label", annotator, client, sequence, value=row["value"], sigma=row["sigma"], source=row["source"], grade=grade, shown=shown | row["shown"], **context)
            for t, row in new.items()]


def _apply(ws: Workspace, annotator: str, event: Mapping) -> int | None:
    kind = event.get("kind")
    if kind not in KINDS:
        raise BadInput("event", f"be one of {', '.join(KINDS)}", repr(kind), "the labelling desk", "Reload the page")
    client, sequence = _place(event)
    if kind == "undo":
        named = event.get("undoes")
        return undo(ws, annotator, client, sequence, (str(named["client"]), int(named["sequence"])) if named else None)
    object_id, context = _checked_object(ws, event), _context(ws, event)
    if kind == "catalogue":
        take_from_catalogue(ws, object_id, annotator, client, sequence, **context)
    else:
        labels.record(ws, _decisions(ws, object_id, annotator, event, context))
    return None


def _decisions(ws: Workspace, object_id: int, annotator: str, event: Mapping, context: dict) -> list[Decision]:
    """The rows of one key press: the redshift's, and the rate's where one goes with it."""
    (client, sequence), kind = _place(event), event["kind"]
    fields = {"grade": _optional_grade(event)} if kind == "rate" else _FIELDS[kind](event)
    rows = [] if kind == "rate" else [Decision(object_id, "z", annotator=annotator, client=client, sequence=sequence, **fields, **context)]
    if kind in ("grade", "rate") and event.get("sfr"):
        rows += sfr_decisions(ws, object_id, event["sfr"], annotator, client, sequence, fields["grade"], **context)
    if not rows:
        raise BadInput("SFR label", "have at least one new value", "none", f"object {object_id}", "Enter what is known; the rest may stay empty")
    return rows


def _grade(event: Mapping) -> dict:
    grade = _optional_grade(event)
    if grade is None:
        raise BadInput("grade", "be 1, 2, 3 or 4", None, f"object {event.get('object')}", "Press one of these keys")
    source = "model-assisted" if event.get("origin") == ASSISTED and _source(event) == "human" else _source(event)
    return {"action": "label", "value": _number(event, "z"), "sigma": _number(event, "sigma"), "grade": grade, "source": source, "comment": _words(event)}


def _optional_grade(event: Mapping) -> int | None:
    grade = _number(event, "grade")
    if grade not in (None, 1, 2, 3, 4):
        raise BadInput("grade", "be 1, 2, 3 or 4", event.get("grade"), f"object {event.get('object')}", "Press one of these keys")
    return None if grade is None else int(grade)


def _source(event: Mapping) -> str:
    """Who is behind a decision; one made in the queue of disagreements decides between others."""
    return labels.ADJUDICATION if event.get("queue") == DISAGREEMENTS else "human"


_FIELDS = {
    "grade": _grade,
    "cannot": lambda event: {"action": "cannot", "source": _source(event), "comment": _words(event)},
    "star": lambda event: {"action": "cannot", "flags": "star", "source": _source(event), "comment": _words(event)},
    "skip": lambda event: {"action": "skip", "comment": _words(event)},
    "flag": lambda event: {"action": "flag", "flags": _words(event)},
}


def _context(ws: Workspace, event: Mapping) -> dict:
    """The fields that every kind has: batch, time spent, what was on screen."""
    batch = event.get("batch")
    if batch is not None:
        batches.items(ws, int(batch))
    spent = _number(event, "milliseconds")
    shown = {"revealed": bool(event.get("revealed"))} | {k: event[k] for k in _SEEN if event.get(k) is not None}
    return {"batch_id": None if batch is None else int(batch), "milliseconds": None if spent is None else int(spent), "shown": shown}


def _checked_object(ws: Workspace, event: Mapping) -> int:
    object_id = _id_or_none(event.get("object"))
    if object_id is None:
        raise BadInput("object", "be a number", repr(event.get("object")), "an event of the labelling desk", "Reload the page")
    return int(objects.one(ws, object_id)["id"])


def _newest(ws: Workspace, annotator: str) -> tuple[str, int]:
    table = acts.recent(ws, annotator, 1)
    return ("", 0) if table.empty else (table["client"].iloc[0], int(table["sequence"].iloc[0]))


def _place(event: Mapping) -> tuple[str, int]:
    return str(event["client"])[:64], int(event["sequence"])


def _number(event: Mapping, name: str) -> float | None:
    value = event.get(name)
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    raise BadInput(name, "be a number", repr(value)[:40], f"object {event.get('object')}", "Correct it")


def _number_or_none(value: float | None) -> float | None:
    return None if value is None or value != value else float(value)


def _words(event: Mapping) -> str:
    return str(event.get("words") or "")[:_LONGEST]


def _id_or_none(value: object) -> int | None:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None
