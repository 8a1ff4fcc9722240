"""Read survey files into the workspace.

Parameters of the job: ``paths`` (files and folders) and ``mapping`` ({field: column} for tables, or null).
Rows are stored in transactions of about `ROWS` objects together with the report of the files
they came from: a job that is killed goes on with the file it was at, and a file that was read before adds nothing.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from core.columns import MODALITIES
from core.data import products, recognise
from core.data.products import PRODUCTS, Item, Options
from core.data.records import Chunk
from core.engine import map_chunks
from core.errors import Cancelled, LookbackError, StaleFence
from core.jobs.context import TaskContext
from core.jobs.storing import Gain, Storing, combined
from core.store import ingested
from core.store.ingested import Entry

ROWS = 256
POOL_FROM = 4
"""Groups of files from which on a pool of processes is worth its start."""
Outcome = tuple[Item, list[Chunk], str]


def run(ctx: TaskContext) -> dict:
    """Read everything that is recognised; returns what came in, in all."""
    started = time.monotonic()
    ctx.report(0, "Looking at the files")
    plan = recognise.plan(ctx.parameters["paths"], ctx.parameters.get("mapping"))
    ledger = Ledger(ctx, plan)
    storing = Storing(ctx.ws)
    for product in PRODUCTS:
        items = [i for i in plan.items if i.product == product and not ledger.is_complete(i)]
        batch = Batch(storing, ledger)
        for item, chunks, refusal in _outcomes(product, items, _options(ctx, product, storing)):
            batch.add(item, chunks, refusal)
            ledger.report(item)
        batch.flush()
    totals = ledger.totals()
    ctx.report(1.0, f"{totals['new']:,} new objects, {totals['updated']:,} that gained something, {totals['files']['refused']:,} files refused")
    return totals | {"seconds": round(time.monotonic() - started, 2)}


@dataclass
class Batch:
    """Chunks that wait for one transaction."""

    storing: Storing
    ledger: "Ledger"
    pending: list[tuple[Entry, Chunk]] = field(default_factory=list)
    done: list[Entry] = field(default_factory=list)

    def add(self, item: Item, chunks: list[Chunk], refusal: str) -> None:
        """Take in what was read of an item; an empty list without refusal says that it was read to its end."""
        entry = self.ledger.entry(item)
        for chunk in chunks:
            self.ledger.note(entry, chunk)
            self.pending.append((entry, chunk))
            if sum(len(c.objects) for _, c in self.pending) >= ROWS:
                self.flush()
        if refusal:
            self.flush()
            self.ledger.refuse(entry, refusal)
        if refusal or not chunks:
            self.ledger.reach(entry, 1.0)
            self.done.append(entry)

    def flush(self) -> None:
        """Store what waits, with the report of the files it came from."""
        done, self.done = self.done, []
        pending, self.pending = [(e, c) for e, c in self.pending if len(c.objects)], []
        for entry in done:
            entry.counts["complete"] = 1
        if not pending:
            self.ledger.write(done)
            return
        owners = [e for e, c in pending for _ in range(len(c.objects))]
        touched = {id(e): e for e in [*owners, *done]}.values()
        self.storing.store(combined(c for _, c in pending), lambda db, gain: self._book(db, gain, owners, touched))

    def _book(self, db, gain: Gain, owners: list[Entry], touched: Iterable[Entry]) -> None:
        is_updated = gain.is_updated
        for i, entry in enumerate(owners):
            entry.new += int(gain.is_new[i])
            entry.updated += int(is_updated[i])
            _count(entry.counts, "known", int(not gain.is_new[i] and not is_updated[i]))
            for modality in MODALITIES:
                _count(entry.counts, modality, int(gain.stored[modality][i]))
            _count(entry.counts, "truth", int(gain.truth[i]))
            self.ledger.new += int(gain.is_new[i])
            if entry.status == "known" and (gain.is_new[i] or is_updated[i]):
                entry.status = "read"
        ingested.put(db, self.ledger.job_id, touched)


class Ledger:
    """The report of the job as it grows: one entry an item, resumed from what an earlier attempt wrote."""

    def __init__(self, ctx: TaskContext, plan: recognise.Plan):
        self._ctx = ctx
        self.job_id = ctx.job_id
        self._entries = {e.path: e for e in ingested.entries(ctx.ws, ctx.job_id)}
        self._fresh: set[str] = set()
        self._size = {i.path: max(i.size, 1) for i in plan.items}
        self._share = dict.fromkeys(self._size, 0.0)
        self._bytes, self._total = 0.0, sum(self._size.values())
        self.new = 0
        self.write([Entry(r.path, "", "refused", message=r.sentence, counts={"complete": 1}) for r in plan.refusals])

    def is_complete(self, item: Item) -> bool:
        """Whether an earlier attempt of this job was through with an item."""
        return bool(item.path in self._entries and self._entries[item.path].counts.get("complete"))

    def entry(self, item: Item) -> Entry:
        """The entry of an item; what an earlier attempt stored of it stays counted, what is counted by reading begins anew."""
        entry = self._entries.setdefault(item.path, Entry(item.path, item.product))
        if item.path not in self._fresh:
            self._fresh.add(item.path)
            entry.message = ""
            entry.counts = {k: v for k, v in entry.counts.items() if k not in ("missing", "left_out", "known")}
        return entry

    def note(self, entry: Entry, chunk: Chunk) -> None:
        """Add a chunk's counts and sentences to its file's entry."""
        for name, counts in (("missing", chunk.missing), ("left_out", chunk.left_out)):
            for key, number in counts.items():
                _count(entry.counts.setdefault(name, {}), key, number)
        entry.message = " ".join([entry.message, *chunk.notes]).strip()
        if chunk.total:
            self.reach(entry, self._share[entry.path] + len(chunk.objects) / chunk.total)

    def reach(self, entry: Entry, share: float) -> None:
        """Say how much of an item was read, 0 to 1."""
        share = min(share, 1.0)
        self._bytes += (share - self._share[entry.path]) * self._size[entry.path]
        self._share[entry.path] = share

    def refuse(self, entry: Entry, sentence: str) -> None:
        """Mark an item as refused; rows that were stored before the fault stay."""
        kept = entry.new + entry.updated
        entry.status = "refused"
        entry.message = f"{sentence} {kept} objects read before are kept." if kept else sentence

    def write(self, entries: Iterable[Entry]) -> None:
        """Write entries in a transaction of their own."""
        entries = list(entries)
        self._entries.update({e.path: e for e in entries})
        if entries:
            with self._ctx.ws.write() as db:
                ingested.put(db, self.job_id, entries)

    def report(self, item: Item) -> None:
        """Say how far the job is, by bytes."""
        self._ctx.report(min(self._bytes / self._total, 0.99), f"{PRODUCTS[item.product].name}: {self.new} new objects so far")

    def totals(self) -> dict:
        """What came in, in all."""
        entries = self._entries.values()
        states = {s: sum(e.status == s for e in entries) for s in ("read", "known", "refused")}
        arrays = {m: sum(e.counts.get(m, 0) for e in entries) for m in (*MODALITIES, "truth")}
        return {"files": states, "new": self._sum("new"), "updated": self._sum("updated"), **arrays}

    def _sum(self, name: str) -> int:
        return sum(getattr(e, name) for e in self._entries.values())


def _options(ctx: TaskContext, product: str, storing: Storing) -> Options:
    mapping = ctx.parameters.get("mapping")
    if product == "sdss frames":
        return Options(mapping, positions=storing.positions())
    return Options(mapping, fibres=storing.fibres) if product == "mpa-jhu" else Options(mapping)


def _outcomes(product: str, items: list[Item], options: Options) -> Iterator[Outcome]:
    """What was read, in order: an item's chunks, then its end, or the sentence of its fault."""
    size = PRODUCTS[product].group
    if not size:
        for item in items:
            yield from _streamed(item, options)
        return
    groups = [items[i : i + size] for i in range(0, len(items), size)]
    for outcomes in map_chunks(partial(read_group, options=options), groups, workers=None if len(groups) >= POOL_FROM else 1):
        yield from outcomes


def read_group(items: list[Item], options: Options) -> list[Outcome]:
    """Read some items whole; one that is broken gives its sentence and leaves the others alone."""
    return [outcome for item in items for outcome in _streamed(item, options)]


def _streamed(item: Item, options: Options) -> Iterator[Outcome]:
    try:
        for chunk in products.read(item, options):
            yield item, [chunk], ""
    except (Cancelled, StaleFence):
        raise
    except (LookbackError, OSError, MemoryError) as error:
        yield item, [], str(error) or type(error).__name__
    except Exception as error:
        yield item, [], recognise.unexpected(item.path, error)
    else:
        yield item, [], ""


def _count(counts: dict, key: str, number: int) -> None:
    if number:
        counts[key] = counts.get(key, 0) + int(number)
