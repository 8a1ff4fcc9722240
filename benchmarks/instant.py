"""From a recorded label to an updated posterior to the next suggestion: milliseconds, and how often faster than learning everything anew.

    python -m benchmarks.instant [--pool 5000] [--labelled 1000] [--features 128] [--labels 50]

A workspace of random numbers: no arrays, one run whose latent features are random, nine targets a label. The worst label counts
everything that Python and SQLite did in between. Taking a label back is timed too: the posterior is learnt anew then.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from core.columns import TARGET_NAMES
from core.services import suggesting
from core.store import Workspace, labels, objects, open_workspace, runs


def workspace(path: Path, pool: int, labelled: int, width: int) -> tuple[Workspace, np.ndarray]:
    """Galaxies of the train split, the first of them labelled, and one run that has seen those labels."""
    rng, ws, n = np.random.default_rng(0), open_workspace(path), pool + labelled
    with ws.write() as db:
        ids = np.array(objects.upsert(db, [{"key": f"g{i}", "split": "train", "sky_group": i, "sn": 10.0, "class": "GALAXY", "simulated": 1} for i in range(n)]))
    features = rng.standard_normal((n, width)).astype(np.float32)
    values = np.sort(features @ rng.normal(0, 0.05, (width, len(TARGET_NAMES))) + rng.normal(0, 0.1, (n, len(TARGET_NAMES))), axis=1)
    record(ws, ids[:labelled], values[:labelled])
    run_id = runs.create(ws, "random features", "random features", {}, 0, {"high_water": labels.high_water(ws), "count": labelled, "hash": ""})
    noise = rng.uniform(0.05, 0.2, values.shape) ** 2
    runs.save_arrays(ws, run_id, "predictions", object_ids=ids, targets=np.array(TARGET_NAMES), mean=values, aleatoric=noise, epistemic=noise, features=features)
    runs.finish(ws, run_id, "done", {})
    return ws, values


def record(ws: Workspace, ids: np.ndarray, values_nt: np.ndarray) -> None:
    """All targets of galaxies, one act each; percentiles in their order, z inside its range."""
    for object_id, value_t in zip(ids, values_nt, strict=True):
        told = dict(zip(TARGET_NAMES, (abs(value_t[0]), *value_t[1:]), strict=True))
        told |= dict(zip(("sfr_tot_p2p5", "sfr_tot_p16", "sfr_tot_median", "sfr_tot_p84", "sfr_tot_p97p5"), np.sort(value_t)[:5].tolist(), strict=True))
        labels.record(ws, [labels.Decision(int(object_id), t, "label", "benchmark", f"g{object_id}", 1, value=float(v), sigma=0.1) for t, v in told.items()])


def timed(ws: Workspace, beside: list[int]) -> tuple[float, suggesting.Suggestions]:
    """Milliseconds of one suggestion, and what it is."""
    started = time.perf_counter()
    found = suggesting.suggest(ws, beside)
    return 1000 * (time.perf_counter() - started), found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, number in (("pool", 5000), ("labelled", 1000), ("features", 128), ("labels", 50)):
        parser.add_argument(f"--{name}", type=int, default=number)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ws, values = workspace(Path(folder) / "ws", chosen.pool, chosen.labelled, chosen.features)
        spent, (first, found) = [], timed(ws, [])
        for _ in range(chosen.labels):
            record(ws, found.ids[:1], values[found.ids[:1] - 1])
            milliseconds, found = timed(ws, found.ids[1:2].tolist())
            assert len(found.ids) == suggesting.AT_ONCE, found.sentence
            spent.append(milliseconds)
        anew = []
        for _ in range(3):
            suggesting._newest.clear()
            anew.append(timed(ws, found.ids[1:2].tolist())[0])
        labels.retract(ws, labels.high_water(ws), "benchmark", "undo", 1)
        undone, _ = timed(ws, [])
    print(f"pool {chosen.pool:,}, {chosen.features} features, {len(TARGET_NAMES)} targets, {chosen.labelled:,} labelled before; {chosen.labels} labels")
    print(f"label to next suggestion: median {np.median(spent):.0f} ms, worst {max(spent):.0f} ms")
    print(f"everything anew: {np.median(anew):.0f} ms, {np.median(anew) / np.median(spent):.1f} times as long; after an undo {undone:.0f} ms; the first of a session {first:.0f} ms")


if __name__ == "__main__":
    main()
