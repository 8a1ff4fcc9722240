"""Who may be asked about."""

from collections.abc import Iterable

import numpy as np

from core.services.exploring import waiting
from core.services.querying.request import Pool, Request
from core.store import Workspace, labels, objects


def pool(ws: Workspace, request: Request) -> Pool:
    """The train-split galaxies of the region that nobody has decided on, gated by S/N; the rest is counted by reason."""
    table = objects.frame(ws)
    if request.region is not None:
        table = table[table["id"].isin(request.region)]
    ids, sn = table["id"].to_numpy(np.int64), table["sn"].to_numpy(float)
    decided, valued = decisions(ws, request.targets)
    is_train = table["split"].eq("train").to_numpy(bool)
    allowed, counts = np.ones(len(table), bool), {}
    for reason, is_refused in _refusals(ws, request, ids, sn, is_train, decided).items():
        counts[reason] = int((allowed & is_refused).sum())
        allowed &= ~is_refused
    return Pool(ids[allowed], sn[allowed], valued, int((np.isin(ids, valued) & is_train).sum()), counts)


def decisions(ws: Workspace, targets: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Ids with a standing decision on any of the targets, and ids with a standing value; int64."""
    current = labels.current(ws)
    current = current[current["target"].isin(list(targets))]
    valued = current[current["action"] == "label"]
    return np.unique(current["object_id"].to_numpy(np.int64)), np.unique(valued["object_id"].to_numpy(np.int64))


def _refusals(ws: Workspace, request: Request, ids: np.ndarray, sn: np.ndarray, is_train: np.ndarray, decided: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "kept for calibration and test": ~is_train,
        "already decided on": np.isin(ids, decided),
        "waiting in an open batch": np.isin(ids, waiting(ws)) & request.skip_waiting,
        f"below S/N {request.least_sn:g}": sn < request.least_sn,
        "of unknown S/N": np.isnan(sn) & (not request.with_unknown_sn),
    }
