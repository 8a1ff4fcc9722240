"""Every model of the registry on the mock sky: the same splits, the same labels, redshift and star formation.

    python -m benchmarks.first_models [--galaxies 3000] [--labels 1500] [--seed 0] [--models a,b] [--csv FILE] [--workspace DIR]

The jobs are those of the app: one draws the sky and labels random galaxies of the train split,
one trains each model. The test split, which nothing has seen, judges. A workspace that is named
is kept, and used again when it is there.
"""

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from core.jobs.foreground import follow
from core.models.registry import MODELS
from core.store import Workspace, jobs, objects, open_workspace, runs

SHOWN = {"z": ("rmse", "nmad", "eta_1000kms"), "sfr_tot_median": ("rmse", "nmad", "coverage68")}
COSTS = ("seconds", "parameters", "milliseconds_per_galaxy")


def main() -> None:
    """Print the table and write it."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        ws = open_workspace(arguments.workspace or folder)
        if not objects.count(ws):
            work(ws, "demo", {"n": arguments.galaxies, "labels": arguments.labels, "seed": arguments.seed, "models": [], "maps": False})
        table = pd.DataFrame([measure(ws, name, arguments.seed) for name in arguments.models.split(",")])
    print(table.to_string(index=False, float_format=lambda v: f"{v:.4g}"))
    if arguments.csv:
        table.to_csv(arguments.csv, index=False)
        print(f"Written to {arguments.csv}.")


def measure(ws: Workspace, model: str, seed: int) -> dict:
    """Train one model and return its row of the table."""
    run = runs.one(ws, work(ws, "train", {"model": model, "config": {}, "seed": seed})["run"])
    metrics = runs.metrics(ws, run["id"]).query("subset == 'all' and split == 'test'").set_index(["target", "name"])["value"]
    scores = {f"{target} {name}": metrics.get((target, name)) for target, names in SHOWN.items() for name in names}
    row = {"model": model, "labels": run["label_count"], **scores, **{cost: run["summary"][cost] for cost in COSTS}}
    print(pd.DataFrame([row]).to_string(index=False, float_format=lambda v: f"{v:.4g}"), flush=True)
    return row


def work(ws: Workspace, kind: str, parameters: dict) -> dict:
    """Run one job to its end and return its result."""
    job = follow(ws, jobs.enqueue(ws, kind, f"Benchmark: {kind}", parameters), say=lambda line: None)
    if job["status"] != "done":
        raise SystemExit(f"{kind} ended as {job['status']}: {job['error']}")
    return job["result"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--galaxies", type=int, default=3000)
    parser.add_argument("--labels", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", default=",".join(MODELS), help="names of the registry, separated by commas")
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--workspace", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
