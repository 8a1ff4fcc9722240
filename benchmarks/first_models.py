"""Every first model on the mock sky: the same splits, the same labels, one table.

    python -m benchmarks.first_models [--galaxies 3000] [--labels 1500] [--seeds 1] [--out FILE.csv]

Builds a workspace in a temporary folder, lets the catalogue label random galaxies of the train
split, trains each model as the app does, and prints what the test split says.
"""

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from core.jobs.foreground import follow
from core.jobs.tasks.demo import FIRST_MODELS
from core.store import Workspace, jobs, open_workspace, runs

WANTED = (("z", "rmse"), ("z", "nmad"), ("z", "eta05"), ("sfr_tot_median", "rmse"), ("sfr_tot_median", "r2"), ("sfr_tot_median", "coverage68"))
SUBSETS = ("all", "star-forming", "passive")


def build(folder: Path, galaxies: int, labels: int) -> Workspace:
    """A mock sky with so many labelled galaxies and nothing trained yet."""
    ws = open_workspace(folder)
    _run(ws, "demo", {"n": galaxies, "seed": 0, "labels": labels, "models": []})
    for job in jobs.frame(ws).query("status == 'queued'")["id"]:
        jobs.cancel(ws, int(job))
    return ws


def score(ws: Workspace, model: str, seed: int) -> list[dict]:
    """One training run as rows of subset and metrics."""
    job = _run(ws, "train", {"model": model, "config": {}, "seed": seed})
    run = runs.one(ws, runs.of_job(ws, job)["id"])
    table = runs.metrics(ws, run["id"]).set_index(["subset", "target", "name"])["value"]
    costs = {"seconds": run["summary"]["seconds"], "ms a galaxy": run["summary"]["milliseconds_per_galaxy"], "labels": run["label_count"]}
    return [{"model": model, "seed": seed, "subset": s} | {f"{t} {n}": table.get((s, t, n)) for t, n in WANTED} | costs for s in SUBSETS]


def _run(ws: Workspace, kind: str, parameters: dict) -> int:
    job = jobs.enqueue(ws, kind, f"{kind} {parameters.get('model', '')}", parameters)
    ended = follow(ws, job, say=lambda line: None)
    if ended["status"] != "done":
        raise SystemExit(f"{kind} {parameters}: {ended['error']}")
    return job


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--galaxies", type=int, default=3000)
    parser.add_argument("--labels", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ws = build(Path(folder) / "sky", chosen.galaxies, chosen.labels)
        table = pd.DataFrame([row for seed in range(chosen.seeds) for model in FIRST_MODELS for row in score(ws, model, seed)])
    print(table.to_string(index=False, float_format=lambda v: f"{v:.4g}"))
    if chosen.out:
        table.to_csv(chosen.out, index=False)


if __name__ == "__main__":
    main()
