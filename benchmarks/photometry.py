"""Redshifts from SDSS photometry, five-fold by object: `photometry_mlp`, boosted trees, and SDSS's own photoZ.

    python -m benchmarks.photometry TABLE.csv [--seed 0]

TABLE has objID, dered_u .. dered_z, err_u .. err_z, z and photoZ, as CAS writes them. Every galaxy
is predicted by a model that has not seen it. photoZ is judged on the galaxies that have one.
"""

import argparse
import hashlib
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

from core.columns import BANDS
from core.metrics import delta, eta, nmad
from core.models.prediction import Inputs, Labels
from core.models.registry import build
from core.preprocess import photometry
from core.training.session import Session

FOLDS = 5


def read(path: Path) -> pd.DataFrame:
    """The table, sentinels of photoZ as NaN."""
    table = pd.read_csv(path, dtype={"objID": str})
    return table.assign(photoZ=table["photoZ"].where(table["photoZ"] > -1))


def inputs_of(table: pd.DataFrame) -> np.ndarray:
    """Model inputs, (n, 19)."""
    columns = [table[[f"{kind}_{b}" for b in BANDS]].to_numpy(float) for kind in ("dered", "err")]
    return photometry.model_input(np.stack(columns, axis=1))


def folds(object_ids: pd.Series, seed: int) -> np.ndarray:
    """A fold a galaxy, drawn from its objID: two rows of one object never part."""
    return np.array([hashlib.blake2b(f"{seed} {i}".encode(), digest_size=4).digest()[0] % FOLDS for i in object_ids])


def with_network(x: np.ndarray, z: np.ndarray, sigma: np.ndarray, new: np.ndarray, seed: int) -> np.ndarray:
    """Redshifts of ``new`` by `photometry_mlp` with its default settings."""
    n, m = len(x), len(new)
    labels = Labels(z[:, None], sigma[:, None], np.ones(n), np.arange(n), ("z",))
    model = build("photometry_mlp")
    model.fit(Inputs({"photometry": x}, {"photometry": np.ones(n, bool)}), labels, Session(seed=seed))
    return model.predict(Inputs({"photometry": new}, {"photometry": np.ones(m, bool)})).mean[:, 0]


def with_trees(x: np.ndarray, z: np.ndarray, sigma: np.ndarray, new: np.ndarray, seed: int) -> np.ndarray:
    """Redshifts of ``new`` by boosted trees as scikit-learn makes them by default."""
    return HistGradientBoostingRegressor(random_state=seed).fit(x, z).predict(new)


def row(name: str, predicted: np.ndarray, z: np.ndarray, seconds: float) -> dict:
    """One line of the table, over the galaxies that have a prediction."""
    has = np.isfinite(predicted)
    d = delta(predicted[has], z[has])
    return {"model": name, "n": has.sum(), "RMSE(delta)": np.sqrt(np.mean(d**2)), "NMAD": nmad(d), "eta(0.05) %": 100 * eta(d), "bias": d.mean(), "seconds": seconds}


def main() -> None:
    """Print one line a model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    table = read(arguments.table)
    x, z, sigma, fold = inputs_of(table), table["z"].to_numpy(), table["zErr"].to_numpy(), folds(table["objID"], arguments.seed)
    rows = []
    for name, predict in (("photometry_mlp", with_network), ("boosted trees", with_trees)):
        started, found = time.perf_counter(), np.full(len(z), np.nan)
        for k in range(FOLDS):
            fit = fold != k
            found[~fit] = predict(x[fit], z[fit], sigma[fit], x[~fit], arguments.seed)
            print(f"{name}: fold {k + 1} of {FOLDS}, {time.perf_counter() - started:.0f} s", flush=True)
        rows.append(row(name, found, z, time.perf_counter() - started))
        with_photo_z = np.where(table["photoZ"].notna(), found, np.nan)
        rows.append(row(f"{name}, where photoZ is", with_photo_z, z, np.nan))
    rows.append(row("SDSS photoZ", table["photoZ"].to_numpy(), z, np.nan))
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda v: f"{v:.5g}"))


if __name__ == "__main__":
    main()
