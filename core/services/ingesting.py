"""Bringing survey files in: what would be read, reading it, and what came of it.

The readers are imported where they are used: the pages that only start or follow a job do not pay for them.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from core.columns import MODALITIES
from core.errors import BadInput
from core.jobs.foreground import follow
from core.store import Workspace, ingested, jobs

COUNTED = (*MODALITIES, "truth")


def start(ws: Workspace, paths: Iterable[Path | str], mapping: dict[str, str] | None = None) -> int:
    """Queue the reading of files and folders and return the job's id.

    Parameters
    ----------
    paths : files and folders; relative ones are taken from the present folder.
    mapping : {field: column} for the tables among them, fields as in `fields`; None = columns are found by name.

    Raises `BadInput` when no path is given or one does not exist; then nothing is queued.
    """
    places = [Path(p).expanduser().resolve() for p in paths]
    if not places:
        raise BadInput("paths", "name at least one file or folder", "none", "this ingest", "Choose what to read")
    for place in places:
        if not place.exists():
            raise BadInput("a path", "exist", "nothing", str(place), "Check its spelling, and that this machine can see it")
    title = f"Read {', '.join(p.name for p in places[:3])}{' ...' if len(places) > 3 else ''}"
    return jobs.enqueue(ws, "ingest", title, {"paths": [str(p) for p in places], "mapping": mapping or None})


def run_here(ws: Workspace, paths: Iterable[Path | str], mapping: dict[str, str] | None = None, say: Callable[[str], None] = print) -> dict:
    """`start`, then follow the job to its end, running it here unless a worker does; returns the job."""
    return follow(ws, start(ws, paths, mapping), say)


def ingest_from_command_line(ws: Workspace, paths: Iterable[Path | str], mapping: dict[str, str] | None = None) -> int:
    """Read, say how far it is, print what came in and what did not; 0 unless the job failed or everything was refused."""
    job = run_here(ws, paths, mapping)
    table = report(ws, job["id"])
    if len(table):
        print(summary(ws, job["id"]).to_string(index=False))
        for row in table[(table["status"] == "refused") | (table["message"] != "")].itertuples():
            print(f"{row.status}: {Path(row.path).name}: {row.message}")
        for row in gaps(ws, job["id"]).itertuples():
            print(f"{row.kind}: {Path(row.path).name}: {row.what}: {row.number:,}")
    if job["status"] != "done":
        print(f"Job {job['id']}, {job['title']}: {job['error'] or job['status']}")
    return 0 if job["status"] == "done" and (table["status"] != "refused").any() else 1


def preview(paths: Iterable[Path | str], mapping: dict[str, str] | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What an ingest would read and what it would refuse, without reading more than the heads of the files.

    Returns
    -------
    items : product (as people call it), path, files, bytes; in the order of reading.
    refusals : path, sentence.
    """
    from core.data import recognise
    from core.data.products import PRODUCTS

    plan = recognise.plan(paths, mapping)
    items = [(PRODUCTS[i.product].name, i.path, len(i.paths), i.size) for i in plan.items]
    return pd.DataFrame(items, columns=["product", "path", "files", "bytes"]), pd.DataFrame([(r.path, r.sentence) for r in plan.refusals], columns=["path", "sentence"])


def products() -> pd.DataFrame:
    """What can be read: product and the names of its files."""
    from core.data.products import PRODUCTS

    return pd.DataFrame([(p.name, p.files) for p in PRODUCTS.values()], columns=["product", "files"])


def fields() -> tuple[str, ...]:
    """What a mapping may name."""
    from core.data.table_columns import FIELDS

    return FIELDS


def columns_of(path: Path | str, mapping: dict[str, str] | None = None) -> tuple[list[str], dict[str, str]]:
    """All columns of a table, and {field: column} as they would be understood; raises `BadInput` for no table."""
    from core.data import table, table_files

    path = Path(path)
    found = table.columns_in(path, mapping)
    kind = "dered" if found.family == "dered" else "mag"
    banded = {f"{name}_{band}": column for name, part in ((kind, found.magnitudes), ("err", found.errors), ("extinction", found.extinctions)) for band, column in part.items()}
    return [str(c) for c in table_files.load(path, 1).columns], found.fields | banded


def report(ws: Workspace, job_id: int | None = None) -> pd.DataFrame:
    """One row a file: path, product, status, new, updated, known, image, spectrum, photometry, truth, missing, left_out, message.

    ``missing`` and ``left_out`` are totals over columns and reasons (`gaps` has each). None = the newest ingest; empty when there is none.
    """
    rows = [
        {"path": e.path, "product": _name(e.product), "status": e.status, "new": e.new, "updated": e.updated, "known": e.counts.get("known", 0),
         **{c: e.counts.get(c, 0) for c in COUNTED}, **{c: sum(e.counts.get(c, {}).values()) for c in ("missing", "left_out")}, "message": e.message}
        for e in _entries(ws, job_id)
    ]
    return pd.DataFrame(rows, columns=["path", "product", "status", "new", "updated", "known", *COUNTED, "missing", "left_out", "message"])


def gaps(ws: Workspace, job_id: int | None = None) -> pd.DataFrame:
    """What is missing and why: path, kind (``missing`` values of a column, or rows ``left out`` for a reason), what, number."""
    rows = [(e.path, name.replace("_", " "), what, number) for e in _entries(ws, job_id) for name in ("missing", "left_out") for what, number in e.counts.get(name, {}).items()]
    return pd.DataFrame(rows, columns=["path", "kind", "what", "number"])


def summary(ws: Workspace, job_id: int | None = None) -> pd.DataFrame:
    """The report by product, with a line for all: files read, known and refused, objects and arrays added, values missing, rows left out."""
    table = report(ws, job_id)
    states = {f"files {s}": (table["status"] == s).astype(int) for s in ("read", "known", "refused")}
    counted = ["new", "updated", *COUNTED, "missing", "left_out"]
    wide = pd.DataFrame({"product": table["product"].replace("", "not recognised"), **states, **table[counted]})
    order = [*products()["product"], "not recognised"]
    by_product = wide.groupby("product").sum().sort_index(key=lambda names: names.map(order.index))
    return pd.concat([by_product, by_product.sum().to_frame("in all").T]).rename_axis("product").reset_index()


def _entries(ws: Workspace, job_id: int | None) -> list[ingested.Entry]:
    job_id = ingested.latest_job(ws) if job_id is None else job_id
    return [] if job_id is None else ingested.entries(ws, job_id)


def _name(product: str) -> str:
    from core.data.products import PRODUCTS

    return PRODUCTS[product].name if product in PRODUCTS else ""
