"""Keeping the data in order: what is listed, what is missing, what leaves the house and with which checksum."""

import hashlib
import io
import json
import os
import shutil
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from core.columns import OBJECT_COLUMN_NAMES
from core.data.splits import CALIBRATION_SHARE, TEST_SHARE
from core.errors import BadInput
from core.metrics import AGREE_KMS
from core.store import Workspace, batches, census, labels, objects, truth

LABELS, TABLE, PROVENANCE, METHODS = "labels.csv", "training_set.csv", "provenance.json", "methods.txt"
HOW = ["blind", "model_run", "sfr_method", "sfr_z", "sfr_bpt", "sfr_measured"]
"""Columns of the labels' table that say how a value came about: whether the model's word was unknown then, the run whose word it would
have been; for a rate taken from the spectrum the method and its version, the redshift, the BPT class and the value as measured."""
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
"""A fixed time for the files of an archive: the same content gives the same bytes."""


@dataclass(frozen=True)
class Export:
    """A training set that can be handed on.

    Attributes
    ----------
    files : name -> bytes. ``labels.csv`` has a row per standing value with its origin, ``training_set.csv`` a row per
        galaxy, ``provenance.json`` says how it came about, ``methods.txt`` says it in a paragraph.
    checksums : name -> SHA-256 of the two tables; they depend on the labels only, not on when or by whom they are exported.
    provenance : what provenance.json holds. methods : the paragraph.
    """

    files: dict[str, bytes]
    checksums: dict[str, str]
    provenance: dict
    methods: str

    def archive(self) -> bytes:
        """All files in one zip."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
            for name, content in self.files.items():
                target.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), content, zipfile.ZIP_DEFLATED)
        return buffer.getvalue()


def export(ws: Workspace, annotator: str, now: datetime | None = None) -> Export:
    """The labels as they stand, each with its origin, and how they came about.

    Raises `BadInput` when there is no label.
    """
    mark = labels.high_water(ws)
    values = labels.training(ws, up_to=mark)
    if values.empty:
        raise BadInput("labels", "hold at least one standing value", 0, "this export", "Label a batch first")
    rows = _label_rows(ws, values, mark)
    tables = {LABELS: _csv(rows), TABLE: _csv(_wide(ws, rows))}
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in tables.items()}
    provenance = _provenance(ws, rows, mark, labels.snapshot_hash(values)) | {
        "exported": (now or datetime.now(UTC)).isoformat(timespec="seconds"), "exported_by": annotator, "sha256": checksums,
    }
    paragraph = methods(provenance)
    document = json.dumps(provenance | {"methods": paragraph}, indent=2).encode()
    return Export(tables | {PROVENANCE: document, METHODS: paragraph.encode()}, checksums, provenance, paragraph)


def methods(provenance: dict) -> str:
    """What a paper says about the training set, in one paragraph."""
    p, splits = provenance, provenance["splits"]
    counted = _each(p["values_by_target"])
    share = ", ".join(f"{n:,} {name}" for name, n in splits["galaxies"].items() if n)
    origin = ", ".join(f"{n:,} {source}" for source, n in p["values_by_source"].items())
    simulated = " The galaxies are simulated." if p["simulated_galaxies"] == p["galaxies"] else ""
    return (
        f"The training set holds {p['values']:,} values for {p['galaxies']:,} galaxies ({counted}), of which {share}.{simulated} "
        f"Splits were drawn by sky group ({splits['test_share']:.0%} test, {splits['calibration_share']:.0%} calibration), so that no galaxy stands in two of them; "
        f"test and calibration galaxies are random and never chosen by acquisition. Values by origin: {origin}; {_plural(len(p['annotators']), 'annotator')} gave them. "
        f"Redshifts graded below {p['least_grade']} were left out; where several annotators labelled a galaxy, an adjudication precedes, "
        f"then a redshift that they agree on within {AGREE_KMS:,.0f} km/s, then the catalogue's; {_plural(p['held_back'], 'redshift')} on which they disagree "
        f"{'is' if p['held_back'] == 1 else 'are'} left out. {_asked(p['batches'])} "
        f"The labels were made with Lookback; the snapshot has SHA-256 {p['snapshot_sha256']}."
    )


def keep_uploads(ws: Workspace, files: Sequence[tuple[str, BinaryIO]]) -> Path:
    """Store files that were uploaded together in a folder of the workspace and return it.

    Files that belong together (five bands, a pair of catalogues) stay side by side; the same upload twice is one folder.
    Of a name only its last part is used, so that no upload can leave the folder. Raises `BadInput` when two files share a name.
    """
    names = [_safe(name) for name, _ in files]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise BadInput("files uploaded together", "have different names", f"{twice[0]} twice", "this upload", "Rename one, or upload it by itself")
    digests = "".join(f"{name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n" for name, (_, file) in zip(names, files, strict=True))
    folder = ws.path / "uploads" / hashlib.sha256(digests.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    for name, (_, file) in zip(names, files, strict=True):
        _store(folder / name, file)
    return folder


def listing(ws: Workspace, wanted: census.Filter, limit: int = 1000) -> tuple[pd.DataFrame, int]:
    """Objects that pass a filter, a bool column per modality and ``is_labelled`` with them; and how many pass in all."""
    table, total = census.listing(ws, wanted, limit)
    present = objects.frame(ws, table["id"])[["image", "spectrum", "photometry"]].reset_index(drop=True)
    return pd.concat([table.reset_index(drop=True), present], axis=1), total


def details(ws: Workspace, object_id: int) -> pd.DataFrame:
    """Everything known about one object but its truth: ``name`` and ``value``, catalogue columns first, then metadata."""
    row = objects.one(ws, object_id)
    known = {c: row[c] for c in (*OBJECT_COLUMN_NAMES, "split", "sky_group", "created")} | json.loads(row["metadata"])
    return pd.DataFrame({"name": list(known), "value": ["" if v is None else str(v) for v in known.values()]})


def label_counts(ws: Workspace) -> pd.DataFrame:
    """One row a target: target, unit, galaxies with a standing value, and how many of them lie in each split."""
    split = census.split_by_object(ws)
    values = labels.training(ws)
    counts = pd.crosstab(values["target"], values["object_id"].map(split)).reindex(columns=census.SPLITS, fill_value=0)
    known = {t.name: t.unit for t in truth.targets(ws)}
    counts = counts.reindex(list(known), fill_value=0).astype(int)
    return counts.assign(galaxies=counts.sum(axis=1), unit=pd.Series(known)).rename_axis("target").reset_index()[["target", "unit", "galaxies", *census.SPLITS]]


def _safe(name: str) -> str:
    return Path(name.replace("\\", "/")).name.lstrip(".") or "upload"


def _store(path: Path, file: BinaryIO) -> None:
    """Copy a file so that it is there whole or not at all."""
    file.seek(0)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    with open(temporary, "wb") as target:
        shutil.copyfileobj(file, target)
    os.replace(temporary, path)


def _label_rows(ws: Workspace, values: pd.DataFrame, mark: int) -> pd.DataFrame:
    """Standing values with the galaxy they belong to, who gave them, and why it was asked for."""
    log = labels.current(ws, up_to=mark)[["id", "grade", "flags", "annotator", "source", "batch_id", "created", "shown"]].rename(columns={"id": "label_id", "created": "labelled"})
    log = log.drop(columns="shown").join(_how(log["shown"]))
    here = objects.frame(ws)[["id", "key", "specobjid", "objid", "ra", "dec", "sn", "split", "simulated"]].rename(columns={"id": "object_id"})
    rows = values.merge(log, on="label_id").merge(here, on="object_id").merge(_asked_for(ws), on=["batch_id", "object_id"], how="left")
    order = ["key", "specobjid", "objid", "ra", "dec", "sn", "split", "simulated", "target", "value", "sigma", "grade", "flags", "annotator", "source",
             *HOW, "labelled", "label_id", "batch", "strategy", "reason", "control"]
    return rows.sort_values(["object_id", "target"])[order].reset_index(drop=True)


def _how(shown: pd.Series) -> pd.DataFrame:
    """`HOW` of each row, from what was on screen; empty where it was not so."""
    rows = [json.loads(text) for text in shown]
    known = [{"blind": not row["revealed"] if "revealed" in row else None, "model_run": row.get("run"), **_measured(row.get("sfr"))} for row in rows]
    return pd.DataFrame(known, columns=HOW, index=shown.index).astype({"model_run": "Int64", "blind": "boolean"})


def _measured(sfr: dict | None) -> dict:
    if sfr is None:
        return {}
    return {"sfr_method": f"{sfr['method']} {sfr['version']}", "sfr_z": sfr["z"], "sfr_bpt": sfr["bpt"], "sfr_measured": sfr["measured"]}


def _asked_for(ws: Workspace) -> pd.DataFrame:
    known = batches.frame(ws)
    empty = pd.DataFrame(columns=["batch_id", "object_id", "batch", "strategy", "reason", "control"])
    parts = [batches.items(ws, b.id).assign(batch=b.name, strategy=b.strategy) for b in known.query("size > 0").itertuples()]
    table = pd.concat(parts)[list(empty.columns)] if parts else empty
    return table.astype({"batch_id": float, "object_id": int})


def _wide(ws: Workspace, rows: pd.DataFrame) -> pd.DataFrame:
    """One row a galaxy: its identity, then value and sigma of each target."""
    targets = [t.name for t in truth.targets(ws) if t.name in set(rows["target"])]
    wide = rows.pivot(index="key", columns="target", values=["value", "sigma"])
    columns = {f"{t}{end}": wide[part, t] for t in targets for part, end in (("value", ""), ("sigma", "_sigma"))}
    identity = rows.drop_duplicates("key").set_index("key")[["specobjid", "objid", "ra", "dec", "sn", "split", "simulated"]]
    return identity.join(pd.DataFrame(columns)).reset_index()


def _provenance(ws: Workspace, rows: pd.DataFrame, mark: int, snapshot: str) -> dict:
    galaxies = rows.drop_duplicates("key")
    return {
        "software": "Lookback", "workspace": ws.path.name, "label_high_water": mark, "snapshot_sha256": snapshot,
        "values": len(rows), "galaxies": len(galaxies), "simulated_galaxies": int(galaxies["simulated"].sum()),
        "least_grade": labels.TRAINING_GRADE, "held_back": len(labels.held_back(ws, mark)), "values_by_target": _by_target(ws, rows["target"]), "values_by_source": _tally(rows["source"]),
        "annotators": _tally(rows["annotator"]),
        "splits": {"test_share": TEST_SHARE, "calibration_share": CALIBRATION_SHARE, "galaxies": _tally(galaxies["split"])},
        "targets": [asdict(t) for t in truth.targets(ws)], "batches": _batches(ws),
    }


def _batches(ws: Workspace) -> list[dict]:
    table = batches.frame(ws).sort_values("id")
    controls = {b: int(batches.items(ws, b)["control"].sum()) for b in table.query("size > 0")["id"]}
    return [{"name": b.name, "strategy": b.strategy, "parameters": json.loads(b.parameters), "seed": int(b.seed),
             "run": None if pd.isna(b.run_id) else int(b.run_id), "size": int(b.size), "labelled": int(b.done or 0),
             "random_control": controls.get(b.id, 0), "created": b.created} for b in table.itertuples()]


def _asked(made: list[dict]) -> str:
    if not made:
        return "No query batch was composed: the galaxies were labelled outside active learning."
    strategies = ", ".join(sorted({b["strategy"] for b in made}))
    size, control = sum(b["size"] for b in made), sum(b["random_control"] for b in made)
    return f"{_plural(len(made), 'query batch', 'query batches')} asked for {size:,} galaxies ({strategies}), {control:,} of them a random control slice."


def _each(counts: dict[str, int]) -> str:
    """Counts by name; those that are equal are said once."""
    by_count: dict[int, list[str]] = {}
    for name, n in counts.items():
        by_count.setdefault(n, []).append(name)
    return "; ".join(f"{n:,} {'each ' if len(names) > 1 else ''}of {', '.join(names)}" for n, names in sorted(by_count.items(), reverse=True))


def _plural(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def _by_target(ws: Workspace, column: pd.Series) -> dict[str, int]:
    """Counts in the order in which targets are listed everywhere."""
    counts = _tally(column)
    return {t.name: counts[t.name] for t in truth.targets(ws) if t.name in counts}


def _tally(column: pd.Series) -> dict[str, int]:
    return {str(k): int(n) for k, n in column.value_counts().sort_index().items()}


def _csv(table: pd.DataFrame) -> bytes:
    """Comma-separated, full precision, missing = empty, the same bytes on every machine."""
    return table.to_csv(index=False, lineterminator="\n").encode()
