"""Photometric redshifts of real SDSS galaxies, five-fold by object, beside SDSS's own and boosted trees.

    python -m benchmarks.photometry TABLE [--folds 5]

TABLE is a CSV with objID, dered_{ugriz}, err_{ugriz}, z and, where SDSS gave one, photoZ. Every
galaxy is predicted by a model that was not fitted to it; delta = (z_pred - z) / (1 + z).
"""

import argparse
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
from core.training.folds import group_folds
from core.training.session import Session

MISSING = -90.0
"""Below it, a redshift of SDSS says that there is none."""


def read(path: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows with a redshift, and their model inputs (n, 19)."""
    table = pd.read_csv(path, dtype={"objID": str})
    table = table[table["z"].notna()].reset_index(drop=True)
    values = np.stack([table[[f"{kind}_{b}" for b in BANDS]].to_numpy(float) for kind in ("dered", "err")], axis=1)
    values[(np.abs(values) > 90) | (values == 0)] = np.nan
    return table, photometry.model_input(values)


def by_network(x: np.ndarray, z: np.ndarray, group: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Out-of-fold predictions of `photometry_mlp`, (n,)."""
    out = np.empty(len(z))
    for k in np.unique(fold):
        fitted = fold != k
        model = build("photometry_mlp")
        labels = Labels(z[fitted, None], np.full((fitted.sum(), 1), np.nan), np.ones(fitted.sum()), group[fitted], ("z",))
        model.fit(_inputs(x[fitted]), labels, Session(int(k)))
        out[~fitted] = model.predict(_inputs(x[~fitted])).mean[:, 0]
    return out


def by_trees(x: np.ndarray, z: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Out-of-fold predictions of scikit-learn's boosted trees, (n,)."""
    out = np.empty(len(z))
    for k in np.unique(fold):
        out[fold == k] = HistGradientBoostingRegressor(max_iter=300, learning_rate=0.05, random_state=0).fit(x[fold != k], z[fold != k]).predict(x[fold == k])
    return out


def _inputs(x: np.ndarray) -> Inputs:
    return Inputs({"photometry": x}, {"photometry": np.ones(len(x), dtype=bool)})


def _row(name: str, z_pred: np.ndarray, z: np.ndarray, seconds: float = np.nan) -> dict:
    d = delta(z_pred, z)
    return {"model": name, "galaxies": len(z), "RMSE(delta)": np.sqrt(np.mean(d**2)), "sigma_NMAD": nmad(d), "eta(0.05) %": 100 * eta(d), "bias": d.mean(), "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--folds", type=int, default=5)
    chosen = parser.parse_args()
    table, x = read(chosen.table)
    z = table["z"].to_numpy(float)
    group = pd.factorize(table["objID"])[0]
    fold = group_folds(group, chosen.folds, np.random.default_rng(0))
    with_sdss = (table["photoZ"] > MISSING).to_numpy()
    rows = []
    for name, predict in (("photometry_mlp", lambda: by_network(x, z, group, fold)), ("boosted trees", lambda: by_trees(x, z, fold))):
        started = time.perf_counter()
        predicted = predict()
        rows.append(_row(name, predicted, z, time.perf_counter() - started))
        rows.append(_row(f"{name}, where SDSS has photoZ", predicted[with_sdss], z[with_sdss]))
    rows.append(_row("SDSS photoZ", table["photoZ"].to_numpy(float)[with_sdss], z[with_sdss]))
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda v: f"{v:.5g}"))


if __name__ == "__main__":
    main()
