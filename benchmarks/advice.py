"""Does the stopping advice keep its promises? Predicted gain of the next batch against the gain that came, on real photometric redshifts.

    python -m benchmarks.advice TABLE [--seeds 6] [--rounds 12]

TABLE as for `benchmarks.active_learning`. For every seed 100 random labels, then batches of 50; after each training both sources of advice
say by how much the RMSE of z will fall with the next batch. What came is the fall of the power law through the mean curve of all seeds,
because a training's luck is larger than what one batch of 50 buys. The last lines tell how often a promise was within one and two of its stated errors.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.active_learning import features
from core import metrics
from core.acquisition.advice import POSTERIOR_DOUBT, gain_by_curve, gain_by_posterior, power_law
from core.jobs.replaying import Question, World, table_source
from core.models.base import Model
from core.models.prediction import Prediction
from core.training.session import Session
from core.uncertainty import last_layer

FIRST, BATCH, SEEN = 100, 50, 3000


def one_seed(world: World, fresh, rounds: int, seed: int) -> list[tuple[float, float]]:
    """RMSE after each training, and what the posterior promised then of the next batch."""
    order = np.random.default_rng(seed).permutation(world.pool)
    return [_round(world, fresh(), order, FIRST + BATCH * k, 1000 * seed + k) for k in range(rounds + 1)]


def _round(world: World, model: Model, order: np.ndarray, n: int, seed: int) -> tuple[float, float]:
    model.fit(world.inputs[order[:n]], world.labels[order[:n]], Session(seed, threads=1))
    tested, here, there = (model.predict(world.inputs[rows]) for rows in (world.test, order[:n], order[n : n + SEEN]))
    rmse = metrics.rmse(world.labels.values_nt[world.test, 0], tested.mean[:, 0])
    return rmse, _promised(rmse, here, there, world.labels.values_nt[order[:n]])


def _promised(rmse: float, here: Prediction, there: Prediction, values: np.ndarray) -> float:
    posterior = last_layer.fit(here.features_nd, values, here.aleatoric, here.targets)
    before, after = (p.predict(there.features_nd, there.aleatoric).epistemic[:, 0] for p in (posterior, posterior.expecting(there.features_nd[:BATCH], there.aleatoric[:BATCH])))
    return gain_by_posterior(rmse, before, after, there.aleatoric[:, 0]).gain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=12)
    chosen = parser.parse_args()
    rows = features(pd.read_csv(chosen.table, dtype={"objID": str}))
    question = Question("z", "small network", rounds=chosen.rounds, seeds=chosen.seeds)
    with tempfile.TemporaryDirectory() as folder:
        rows.to_csv(Path(folder) / "rows.csv", index=False)
        source, _ = table_source(Path(folder) / "rows.csv", tuple(rows.columns[:-1]), "z", 4000, 15_000)
        told = np.array([one_seed(source.world(s), lambda: source.model(question), chosen.rounds, s) for s in range(chosen.seeds)])
    labels, rmse = FIRST + BATCH * np.arange(chosen.rounds + 1), told[:, :, 0]
    law = power_law(labels, rmse.mean(axis=0))
    came = law.at(labels) - law.at(labels + BATCH)
    lines = []
    for k in range(2, chosen.rounds):
        curve = [gain_by_curve(labels[: k + 1], rmse[s, : k + 1], labels[k], BATCH, np.random.default_rng(s)) for s in range(chosen.seeds)]
        lines += [(labels[k], s, came[k], g.gain, g.error, told[s, k, 1]) for s, g in enumerate(curve)]
    table = pd.DataFrame(lines, columns=["labels", "seed", "came", "curve", "curve_error", "posterior"])
    print(table.groupby("labels").mean().drop(columns="seed").to_string(float_format="{:.5f}".format))
    print(f"RMSE {rmse[:, 2].mean():.4f} to {rmse[:, -1].mean():.4f}, a fall of {rmse[:, 2].mean() - rmse[:, -1].mean():.4f}; by the law {came[2:-1].sum():.4f}; "
          f"the curve promised {table['curve'].sum() / chosen.seeds:.4f}, the posterior {table['posterior'].sum() / chosen.seeds:.4f}")
    for name, error in (("curve", table["curve_error"]), ("posterior", POSTERIOR_DOUBT * table["posterior"])):
        z = (table[name] - table["came"]).abs() / error
        print(f"{name}: within one stated error {(z < 1).mean():.0%}, within two {(z < 2).mean():.0%}; relative error {np.sqrt(((table[name] / table['came'] - 1) ** 2).mean()):.2f}")


if __name__ == "__main__":
    main()
