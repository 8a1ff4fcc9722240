"""An annotator at the labelling desk, without the page."""

from core.services import labelling

WHO = "Annie"


def event(sequence, object_id, kind="grade", **more):
    """An event as the component sends it."""
    return {"client": "c1", "sequence": sequence, "kind": kind, "object": object_id, "z": 0.1, "grade": 4, "batch": None, "milliseconds": 900, "revealed": False} | more


def standing_rate(ws, object_id) -> dict[str, float]:
    """The SFR statistics that stand for `WHO`."""
    return labelling.desks(ws, [object_id], WHO)[0]["rate"]
