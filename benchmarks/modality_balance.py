"""Latent fusion under each remedy for neglected modalities, on the mock sky: the same splits, the same labels, one table.

    python -m benchmarks.modality_balance [--galaxies 3000] [--labels 1500] [--seeds 1] [--epochs 0] [--remedies none mmpareto ...] [--out FILE.csv]

Prints what the test split says of each remedy, how much of the skill goes with each modality (the conditional utilisation
rate), the seconds of the fit, and for the last seed what each run concludes about its modalities.
"""

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.first_models import build
from core.columns import MODALITIES
from core.jobs.foreground import follow
from core.store import Workspace, jobs, runs
from core.training.balance.remedies import REMEDIES

WANTED = (("z", "nmad"), ("z", "rmse"), ("sfr_tot_median", "rmse"))
USED = ("z", "sfr_tot_median")
BOTH = "auxiliary+dropout"
"""The default of fusion_latent."""


def score(ws: Workspace, balance: str, seed: int, epochs: int) -> tuple[dict, list[str]]:
    """One run as a row of the table, and its verdicts."""
    config = {"balance": balance} | ({"epochs": epochs} if epochs else {})
    job = jobs.enqueue(ws, "train", f"train fusion_latent {balance}", {"model": "fusion_latent", "config": config, "seed": seed})
    ended = follow(ws, job, say=lambda line: None)
    if ended["status"] != "done":
        raise SystemExit(f"{balance}: {ended['error']}")
    run = runs.one(ws, runs.of_job(ws, job)["id"])
    table = runs.metrics(ws, run["id"]).query("subset == 'all'").set_index(["target", "name"])["value"]
    use = run["summary"].get("modality_use", {})
    rates = {f"use {t} {m}": use.get(t, {}).get(m) for t in USED for m in MODALITIES}
    row = {"balance": balance, "seed": seed} | {f"{t} {n}": table.get((t, n)) for t, n in WANTED} | rates | {"seconds": run["summary"]["seconds"]}
    return row, [said for said in run["summary"].get("modality_verdicts", []) if said.split(":")[0] in USED]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--galaxies", type=int, default=3000)
    parser.add_argument("--labels", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=0, help="0 = the model's own")
    parser.add_argument("--remedies", nargs="+", default=[*REMEDIES, BOTH])
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    rows, said = [], {}
    with tempfile.TemporaryDirectory() as folder:
        ws = build(Path(folder) / "sky", chosen.galaxies, chosen.labels)
        for seed in range(chosen.seeds):
            for balance in chosen.remedies:
                row, said[balance] = score(ws, balance, seed, chosen.epochs)
                rows.append(row)
    table = pd.DataFrame(rows)
    print(table.to_string(index=False, float_format=lambda v: f"{v:.4g}"))
    print("\n".join(f"{balance}: {sentence}" for balance, sentences in said.items() for sentence in sentences))
    if chosen.out:
        table.to_csv(chosen.out, index=False)


if __name__ == "__main__":
    main()
