"""A saved batch as a table for other tools: who was asked for, why, and what the model says of them."""

import hashlib
import json

import numpy as np
import pandas as pd

from core.services.exploring import galaxies, run_names
from core.store import Workspace, batches, objects


def export(ws: Workspace, batch_id: int) -> bytes:
    """A batch as CSV, by rank; raises `NotFound`.

    Where it comes from stands above the columns in lines that begin with ``#`` (pandas: ``comment="#"``): name, strategy, seed, run,
    who saved it and when, all parameters as JSON, and the SHA-256 of the rows below. Columns rank (from 0), key, object_id, ra, dec, reason, score, distance, control, sn, and of each
    target that was asked about ``_predicted``, ``_epistemic`` and ``_aleatoric`` (1 sigma) of the batch's run; empty = not known.
    """
    items, row = batches.items(ws, batch_id), batches.frame(ws).set_index("id").loc[batch_id]
    asked = json.loads(row["parameters"])
    rows = _rows(ws, items, None if pd.isna(row["run_id"]) else int(row["run_id"]), asked.get("targets", [])).to_csv(index=False, lineterminator="\n")
    said = {name: row[name] for name in ("name", "strategy", "seed", "run_id", "annotator", "created", "status")}
    lines = {"batch": batch_id} | said | {"parameters": json.dumps(asked), "sha256 of the rows": hashlib.sha256(rows.encode()).hexdigest()}
    return "".join(f"# {name}: {_one_line(value)}\n" for name, value in lines.items()).encode() + rows.encode()


def _rows(ws: Workspace, items: pd.DataFrame, run_id: int | None, targets: list[str]) -> pd.DataFrame:
    ids = items["object_id"].to_numpy(np.int64)
    known = objects.frame(ws, ids)
    table = pd.DataFrame({
        "rank": items["rank"], "key": known["key"], "object_id": ids, "ra": known["ra"], "dec": known["dec"], "reason": items["reason"],
        "score": items["score"], "distance": items["distance"], "control": items["control"], "sn": known["sn"],
    })
    if run_id not in run_names(ws):
        return table
    said = galaxies(ws, ids, np.zeros((len(ids), 2), np.float32), run_id=run_id)
    columns = {f"{t}_{word}": values[:, said.column(t)] for t in targets for word, values in (("predicted", said.mean), ("epistemic", said.epistemic), ("aleatoric", said.aleatoric))}
    return table.assign(**columns)


def _one_line(value: object) -> str:
    return "" if value is None or value is np.nan else " ".join(str(value).split())
