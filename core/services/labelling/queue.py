"""Which objects a person labels, and in what order. The order is fixed when the queue is made: a label moves only suggestions that nobody has seen."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from core.errors import BadInput, NotFound
from core.services import suggesting
from core.services.labelling.proposals import proposal_run, uncertainty
from core.services.querying.request import LEAST_SN
from core.store import Workspace, acts, assignments, batches, objects

UNLABELLED, HELD_OUT, SELECTION, SUGGESTED = "unlabelled", "held-out", "selection", "suggested"
SKIPPED, DECIDED = "skipped", "decided"
DISAGREEMENTS, RELOOK = "disagreements", "re-look"
"""Sources of queues to look again; `core.services.reviewing.queue` makes them."""
LIMIT = 500
"""Objects in a queue that is not a batch; how many more there are is said in its sentence."""
_ORDER_SEED = 20_240_101


@dataclass(frozen=True)
class Queue:
    """An order of objects to label.

    Attributes
    ----------
    source : a batch's id as text, or one of `UNLABELLED`, `HELD_OUT`, `SELECTION`, `SUGGESTED`, `SKIPPED`, `DECIDED`.
    title : for a person. sentence : how the order came about.
    ids : object ids, int64 (n,).
    batch_id : the batch that labels are counted for, or None.
    reasons : object id -> why it was asked for.
    share_of : the person whose share of an assigned batch this is; empty = the same for everybody.
    offered : object id -> what a batch will keep of a suggestion that has not come to the desk yet.
    since : rows of the log up to this one do not make an object of this queue done: it is here to be looked at again.
    """

    source: str
    title: str
    sentence: str
    ids: np.ndarray
    batch_id: int | None = None
    reasons: dict[int, str] = field(default_factory=dict)
    share_of: str = ""
    offered: dict[int, dict] = field(default_factory=dict)
    since: int = 0

    def __len__(self) -> int:
        return len(self.ids)


def sources(ws: Workspace, selected: int = 0, annotator: str = "") -> dict[str, str]:
    """What can be labelled: source -> title, in the order to offer. ``selected`` is how many objects are caught on the map.

    What the annotator skipped or decided is offered once there is some.
    """
    table = batches.frame(ws)
    waiting = table[(table["status"] == "open") & (table["size"] > 0)]
    shares = assignments.progress(ws).query("annotator == @annotator").set_index("batch_id")["share"]
    found = {str(b.id): f"Batch {b.id} · {b.name} · {f'your {shares[b.id]}' if b.id in shares else int(b.size)} objects" for b in waiting.itertuples()}
    if selected:
        found[SELECTION] = f"Selection from the map · {selected} objects"
    return found | {SUGGESTED: "Suggested one by one", UNLABELLED: "Unlabelled, most uncertain first",
                    HELD_OUT: "Held out for calibration and test, in random order"} | _own_sources(ws, annotator)


def _own_sources(ws: Workspace, annotator: str) -> dict[str, str]:
    counts = {SKIPPED: len(acts.skipped(ws, annotator)), DECIDED: len(acts.decided_by(ws, annotator))}
    titles = {SKIPPED: "Skipped, to look at again", DECIDED: "What I have decided, newest first"}
    return {source: f"{titles[source]} · {n} object{'s' * (n != 1)}" for source, n in counts.items() if n}


def default_source(ws: Workspace, annotator: str = "") -> str:
    """The newest open batch that still has something to do for the annotator, else `UNLABELLED`."""
    table, shares = batches.frame(ws), assignments.progress(ws)
    mine = shares[(shares["annotator"] == annotator) & (shares["done"] < shares["share"])]
    is_mine = table["id"].isin(mine["batch_id"]) | (~table["id"].isin(shares["batch_id"]) & (table["done"] < table["size"]))
    waiting = table[(table["status"] == "open") & is_mine]
    return UNLABELLED if waiting.empty else str(int(waiting["id"].iloc[0]))


def queue(ws: Workspace, source: str, selection: Iterable[int] = (), annotator: str = "") -> Queue:
    """The objects of a source in order.

    Parameters
    ----------
    source : a batch's id, or one of `UNLABELLED`, `HELD_OUT`, `SELECTION`, `SUGGESTED`, `SKIPPED`, `DECIDED`.
    selection : object ids for `SELECTION`, kept in order.
    annotator : whose skips and decisions `SKIPPED` and `DECIDED` are, and whose share of a batch that is shared out among people; empty = the whole batch.

    Raises
    ------
    NotFound for a batch that is not there, BadInput for a source of no known kind.
    """
    if source.isdigit():
        return _batch(ws, int(source), annotator)
    if source == SELECTION:
        ids = np.array(list(selection), np.int64)
        return Queue(source, "Selection from the map", f"{len(ids)} objects caught on the map.", ids)
    if source == SUGGESTED:
        return refreshed(ws, Queue(source, suggesting.NAME, "", np.empty(0, np.int64)), annotator, None)
    if source == UNLABELLED:
        return _unlabelled(ws)
    if source == HELD_OUT:
        return _held_out(ws)
    if source == SKIPPED:
        return _skipped(ws, annotator)
    if source == DECIDED:
        ids = np.array(acts.decided_by(ws, annotator)[:LIMIT], np.int64)
        return Queue(source, "Decided", "Your own decisions, newest first: a new grade takes the place of the old one, which stays in the history.", ids)
    kinds = ", ".join((SUGGESTED, UNLABELLED, HELD_OUT, SKIPPED, DECIDED))
    raise BadInput("queue", f"be a batch's number, {kinds} or {SELECTION}", source, "the Label page", "Choose one from the list")


def refreshed(ws: Workspace, of: Queue, annotator: str, at: int | None) -> Queue:
    """A queue of suggestions with those ahead chosen anew, every label up to now learnt; any other queue as it is.

    What the annotator has touched stays in its place, and so do the object on the page (``at``) and the one
    after it, which the browser may go to at any moment: these are written down as asked for, with why.
    """
    if of.source != SUGGESTED:
        return of
    touched, ids = acts.states(ws, of.ids, annotator), of.ids.tolist()
    on_desk = ids[ids.index(at) :][:2] if at in ids else []
    kept = [i for i in ids if i in touched or i in on_desk]
    found = suggesting.suggest(ws, on_desk, kept, annotator=annotator)
    ids, offered = [*kept, *found.ids.tolist()], of.offered | {item["object_id"]: item for item in found.items}
    asked = [offered[i] for i in kept or ids[:2] if i in offered]
    left = {i: offered[i] for i in ids if i in offered and offered[i] not in asked}
    reasons = of.reasons | {i: item["reason"] for i, item in offered.items()}
    return replace(of, sentence=found.sentence, ids=np.array(ids, np.int64), batch_id=suggesting.keep(ws, asked) if asked else of.batch_id, reasons=reasons, offered=left)


def states(ws: Workspace, of: Queue, annotator: str) -> dict[int, str]:
    """``label``, ``cannot``, ``skip`` or ``flag`` for each object of a queue that is not untouched; in a share, only by the person's own acts."""
    return acts.states(ws, of.ids, annotator, None if of.share_of else of.batch_id, of.since)


def find(ws: Workspace, text: str) -> int:
    """The object a person means: a number is its id, else its key, specobjid or objid; raises `NotFound`."""
    text = text.strip()
    if text.isdigit() and len(text) < 10:
        return int(objects.one(ws, int(text))["id"])
    found = objects.find(ws, text) if text else []
    if not found:
        raise NotFound(f"No object's key, specobjid or objid is or contains {text!r}. Try a part of its key.")
    return found[0]


def _batch(ws: Workspace, batch_id: int, annotator: str) -> Queue:
    items = batches.items(ws, batch_id)
    row = batches.frame(ws).set_index("id").loc[batch_id]
    made = assignments.of(ws, batch_id) if annotator else None
    if made is not None:
        return _share(ws, made, row["name"], annotator)
    reasons = {int(o): r for o, r in zip(items["object_id"], items["reason"], strict=True) if r}
    return Queue(str(batch_id), row["name"], f"{row['strategy']}, seed {row['seed']}.", items["object_id"].to_numpy(np.int64), batch_id, reasons)


def _share(ws: Workspace, made: assignments.Assignment, name: str, annotator: str) -> Queue:
    """One person's objects of a batch. No object bears its reason: it may tell what a model thinks, and a known answer has none."""
    ids = assignments.items(ws, made.batch_id, annotator)["object_id"].to_numpy(np.int64)
    others = [n for n in assignments.items(ws, made.batch_id)["annotator"].unique() if n != annotator]
    if len(ids):
        said = f"Your share; {_people(made.overlap)}, blind: what others say of an object is shown after your own decision."
    else:
        said = f"This batch is shared out among {', '.join(others)}, and nothing of it is yours, {annotator}. Your name stands in the sidebar; shares are dealt on the Review page."
    return Queue(str(made.batch_id), name, said, ids, made.batch_id, share_of=annotator)


def _people(overlap: int) -> str:
    return "one person an object" if overlap == 1 else f"{overlap} people an object"


def _unlabelled(ws: Workspace) -> Queue:
    ids = _undecided(ws, {"train"})
    run_id = proposal_run(ws)
    if run_id is None:
        return Queue(UNLABELLED, "Unlabelled", _counted("No model yet: in random order", ids), _shuffled(ids)[:LIMIT])
    table = objects.frame(ws, ids)
    is_hard = ~table["spectrum"].to_numpy(bool) | (table["sn"] < LEAST_SN).to_numpy(bool)
    order = np.lexsort((-uncertainty(ws, run_id, ids), is_hard))
    last = ", faint spectra and none last" if is_hard.any() else ""
    return Queue(UNLABELLED, "Unlabelled", _counted(f"Most ignorance of run {run_id} first{last}", ids), ids[order][:LIMIT])


def _held_out(ws: Workspace) -> Queue:
    """Never by uncertainty: calibration and test would no longer be a fair sample."""
    ids = _undecided(ws, {"calibration", "test"})
    return Queue(HELD_OUT, "Held out", _counted("Random order, so that what is measured on them is fair", ids), _shuffled(ids)[:LIMIT])


def _skipped(ws: Workspace, annotator: str) -> Queue:
    table = acts.skipped(ws, annotator).head(LIMIT)
    reasons = {int(i): f"skipped {when[:10]}{': ' + why if why else ''}" for i, when, why in zip(table["object_id"], table["created"], table["comment"], strict=True)}
    return Queue(SKIPPED, "Skipped", "What you skipped, the longest ago first.", table["object_id"].to_numpy(np.int64), reasons=reasons)


def _undecided(ws: Workspace, splits: set[str]) -> np.ndarray:
    table = objects.frame(ws)
    ids = table.loc[table["split"].isin(splits) & (table["image"] | table["spectrum"]), "id"].to_numpy(np.int64)
    return ids[~np.isin(ids, list(acts.decided(ws)))]


def _shuffled(ids: np.ndarray) -> np.ndarray:
    return np.random.default_rng(_ORDER_SEED).permutation(ids)


def _counted(sentence: str, ids: np.ndarray) -> str:
    more = f", the first {LIMIT} of {len(ids):,}" if len(ids) > LIMIT else f", {len(ids):,} objects"
    return f"{sentence}{more}."
