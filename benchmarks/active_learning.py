"""How many labels each query strategy saves on photometric redshifts of real galaxies, against random.

    python -m benchmarks.active_learning TABLE --out DIR [--strategies lcmd_sampled,...] [--seeds 10] [--weights pool_mass]

TABLE is a CSV with objID, dered_{ugriz}, err_{ugriz} and z. A row of what is printed is a strategy: the mean over its
learning curve of log(metric) less random's with the standard error over paired seeds (below 0 is better), and the
labels at which it is as good as random is at the end. Stopped, it goes on when it is asked again with the same DIR.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from core.acquisition.registry import STRATEGIES
from core.columns import BANDS
from core.services import replaying

FAINTEST, WORST_ERROR = 40.0, 5.0
"""In magnitudes: beyond either, a band was not measured, and the galaxy is left out."""
ALL = ",".join(s.name for s in STRATEGIES.values() if "disagreement_pt" not in s.needs)
"""Photometry has no spectrum to disagree with."""


def features(table: pd.DataFrame) -> pd.DataFrame:
    """r, four colours and five log errors of the galaxies that have all bands, and z."""
    mag, err = (table[[f"{kind}_{b}" for b in BANDS]].to_numpy(float) for kind in ("dered", "err"))
    has_all = (np.abs(mag) < FAINTEST).all(axis=1) & (err > 0).all(axis=1) & (err < WORST_ERROR).all(axis=1)
    colours = {f"{a}_{b}": mag[:, i] - mag[:, i + 1] for i, (a, b) in enumerate(zip(BANDS, BANDS[1:], strict=False))}
    columns = {"mag_r": mag[:, BANDS.index("r")]} | colours | {f"log_err_{b}": np.log(np.where(err > 0, err, 1.0))[:, i] for i, b in enumerate(BANDS)}
    return pd.DataFrame(columns).assign(z=table["z"].to_numpy(float))[has_all]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--strategies", default=ALL)
    parser.add_argument("--weights", default="pool_mass")
    for name, number in (("initial", 100), ("batch", 50), ("rounds", 12), ("seeds", 10), ("test", 4000), ("pool", 15_000)):
        parser.add_argument(f"--{name}", type=int, default=number)
    chosen = parser.parse_args()
    rows = features(pd.read_csv(chosen.table, dtype={"objID": str}))
    chosen.out.mkdir(parents=True, exist_ok=True)
    rows.to_csv(chosen.out / "features.csv", index=False)
    protocol = {name: getattr(chosen, name) for name in ("initial", "batch", "rounds", "seeds", "weights")}
    protocol |= {"target": "z", "strategies": tuple(chosen.strategies.split(","))}
    curves, question = replaying.on_table(chosen.out / "features.csv", tuple(rows.columns[:-1]), chosen.out, protocol, n_test=chosen.test, n_pool=chosen.pool)
    print(replaying.told(replaying.write(curves, question, chosen.out)))


if __name__ == "__main__":
    main()
