"""What runs say of galaxies: of which targets, and where a run of images contradicts one of spectra."""

import json
from collections.abc import Mapping

import numpy as np

from core.columns import Target
from core.errors import NotFound
from core.services.exploring import rows_of, run_names
from core.services.querying.pool import reads
from core.store import Workspace, arrays, runs

VIEWS = ("image", "spectrum")
Saved = dict[str, np.ndarray]
"""The arrays ``predictions`` of a run, as `core.store.runs.save_arrays` describes them."""


def view_runs(ws: Workspace, run_id: int | None) -> tuple[int, ...]:
    """A finished run that looks at nothing but images and one that looks at nothing but spectra, in that order.

    The newest of each, but ``run_id`` where it is such a run. Empty when one of the two is missing.
    """
    table = runs.frame(ws).set_index("id")
    newest_last = sorted(run_names(ws), key=lambda i: (i == run_id, i))
    found = {reads(table.loc[i, "model"], json.loads(table.loc[i, "config"])): i for i in newest_last}
    return tuple(found[(view,)] for view in VIEWS) if all((view,) in found for view in VIEWS) else ()


def foretold(saved: Mapping[int, Saved], targets: tuple[Target, ...]) -> tuple[Target, ...]:
    """Those of the targets that every one of the runs predicts; raises `NotFound` when none is left."""
    for run_id, said in saved.items():
        names = said["targets"].tolist()
        left = tuple(t for t in targets if t.name in names)
        if not left:
            raise NotFound(f"Run {run_id} predicts none of {', '.join(t.name for t in targets)}. Choose another run or other targets.")
        targets = left
    return targets


def answers(saved: Saved, targets: tuple[Target, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ids (n,) of the galaxies of which a run predicts all the targets, and their mean, aleatoric and epistemic variance, each (n, T)."""
    names = saved["targets"].tolist()
    columns = [names.index(t.name) for t in targets]
    mean, aleatoric, epistemic = (saved[name][:, columns].astype(float) for name in ("mean", "aleatoric", "epistemic"))
    finite = np.isfinite(mean + aleatoric + epistemic).all(axis=1)
    return saved["object_ids"].astype(np.int64)[finite], mean[finite], aleatoric[finite], epistemic[finite]


def contradiction(ws: Workspace, first: Saved, second: Saved, targets: tuple[Target, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Where a run of images contradicts a run of spectra.

    Returns
    -------
    ids (n,) of the galaxies that have both and that both predict; the squared difference of the two
    answers over the sum of their variances, (n, T): 1 is what noise alone would give.
    """
    ids, known = arrays.having(ws, VIEWS), [answers(saved, targets) for saved in (first, second)]
    ids = ids[np.isin(ids, known[0][0]) & np.isin(ids, known[1][0])]
    (mean_a, *of_a), (mean_b, *of_b) = ([part[rows_of(there, ids)] for part in parts] for there, *parts in known)
    return ids, (mean_a - mean_b) ** 2 / np.maximum(sum(of_a) + sum(of_b), np.finfo(float).tiny)
