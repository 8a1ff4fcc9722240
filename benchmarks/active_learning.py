"""How many labels each query strategy saves on photometric redshifts of real galaxies, against random.

    python -m benchmarks.active_learning TABLE --out DIR [--strategies lcmd_sampled,...] [--seeds 10] [--weights pool_mass]
    python -m benchmarks.active_learning TABLE --out DIR --told

TABLE is a CSV with objID, dered_{ugriz}, err_{ugriz} and z. A row of what is printed is a strategy: the mean over its
learning curve of log(metric) less random's with the standard error over paired seeds (below 0 is better), and the
labels at which it is as good as random is at the end. Stopped, it goes on when it is asked again with the same DIR.

With ``--told`` the networks are told what nobody can know before labelling, their own error on every galaxy: drawing in
proportion to it (`epistemic_sampled`) is about as much as choosing can bring these networks.
"""

import argparse
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from core.acquisition.registry import STRATEGIES
from core.columns import BANDS
from core.jobs.replaying import Question, TableSource, table_source
from core.models.networks.table import TableMLP
from core.models.prediction import Inputs, Prediction
from core.services import replaying
from core.training.session import Session

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


@lru_cache(maxsize=1)
def whole(source: TableSource) -> TableMLP:
    """A network fitted to every galaxy of the table, those that are tested included."""
    world, model = source.world(0), TableMLP(len(source.features))
    model.fit(world.inputs, world.labels, Session(0, threads=1))
    return model


class Told(TableMLP):
    """A network whose epistemic variance is the squared difference between its answer and that of one fitted to every galaxy."""

    def __init__(self, source: TableSource):
        super().__init__(len(source.features))
        self._source = source

    def _predict(self, inputs: Inputs, rng: np.random.Generator) -> Prediction:
        found = super()._predict(inputs, rng)
        return replace(found, epistemic=(found.mean - whole(self._source).predict(inputs).mean) ** 2)


@dataclass(frozen=True)
class ToldSource(TableSource):
    """A table whose networks are `Told`."""

    def model(self, question: Question) -> Told:
        return Told(TableSource(**vars(self)))

    def mark(self) -> str:
        return f"{super().mark()} told"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--strategies", help="names, joined by commas; all that photometry can serve by default")
    parser.add_argument("--told", action="store_true", help="networks know their own error: epistemic_sampled, unless others are named")
    parser.add_argument("--weights", default="pool_mass")
    for name, number in (("initial", 100), ("batch", 50), ("rounds", 12), ("seeds", 10), ("test", 4000), ("pool", 15_000)):
        parser.add_argument(f"--{name}", type=int, default=number)
    chosen = parser.parse_args()
    rows = features(pd.read_csv(chosen.table, dtype={"objID": str}))
    chosen.out.mkdir(parents=True, exist_ok=True)
    rows.to_csv(chosen.out / "features.csv", index=False)
    protocol = {name: getattr(chosen, name) for name in ("initial", "batch", "rounds", "seeds", "weights")}
    strategies = chosen.strategies or ("epistemic_sampled" if chosen.told else ALL)
    question = Question(model=replaying.TABLE_MODEL, target="z", strategies=tuple(strategies.split(",")), **protocol)
    source, _ = table_source(chosen.out / "features.csv", tuple(rows.columns[:-1]), "z", chosen.test, chosen.pool)
    curves = replaying.of_table(ToldSource(**vars(source)) if chosen.told else source, question, chosen.out)
    print(replaying.told(replaying.write(curves, question, chosen.out)))


if __name__ == "__main__":
    main()
