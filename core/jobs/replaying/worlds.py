"""Where the galaxies of a replay come from: a workspace, or a bare table. The catalogue's values go to the oracle only."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from core.columns import SENTINELS
from core.data.table_files import load
from core.errors import BadInput
from core.jobs.evaluation import LABEL_SPLIT
from core.jobs.inputs import load_inputs, wide
from core.jobs.novelty import measured
from core.jobs.replaying.question import Question
from core.models import registry
from core.models.base import Model
from core.models.prediction import Inputs, Labels
from core.store import Workspace, ingested, objects, truth

FEWEST_TEST = 10
LIMIT = 6.0
"""Standardised columns are held within +-LIMIT; a value beyond is an outlier of the measurement."""


@dataclass(frozen=True)
class World:
    """The galaxies of a replay with one seed.

    Attributes
    ----------
    inputs : what models see of n galaxies. labels : what the oracle would say of them, NaN = nothing.
    pool, test : int rows that may be asked about, and that are measured on; no galaxy is in both.
    is_junk_n : bool, whom nobody could label: asking costs, and brings nothing. None = it is not known who that is.
    measured_nd : float (n, d), what was measured, by which strangers are told as in a trained run; None = nobody is taken for one.
    """

    inputs: Inputs
    labels: Labels
    pool: np.ndarray
    test: np.ndarray
    is_junk_n: np.ndarray | None = None
    measured_nd: np.ndarray | None = None

    def answered(self, rows: np.ndarray) -> np.ndarray:
        """Those of the rows that get a label, in order."""
        return rows if self.is_junk_n is None else rows[~self.is_junk_n[rows]]

    def junk_share(self, rows: np.ndarray) -> float | None:
        """Share of the rows that nobody could label; None when it is not known."""
        return None if self.is_junk_n is None or not len(rows) else float(self.is_junk_n[rows].mean())


@dataclass(frozen=True)
class SkySource:
    """The galaxies of a workspace: its train split is the pool, its test split is measured on, with every seed.

    Attributes
    ----------
    path : the workspace. targets, modalities : the targets, and what the model reads. grown : changes when data come in.
    """

    path: Path
    targets: tuple[str, ...]
    modalities: tuple[str, ...]
    grown: tuple[int, ...]

    def world(self, seed: int) -> World:
        """The same for every seed."""
        return _sky(self)

    def model(self, question: Question) -> Model:
        """A fresh model of the registry."""
        return registry.build(question.model, dict(question.config))

    def mark(self) -> str:
        """Changes when the galaxies do."""
        return f"{','.join(self.targets)} {self.grown}"


@dataclass(frozen=True)
class TableSource:
    """The rows of a table, parted anew with each seed.

    Attributes
    ----------
    path : the file. features, target : columns. n_test, n_pool : galaxies drawn for each; n_pool 0 = all that are left.
    sha256 : of the file.
    """

    path: Path
    features: tuple[str, ...]
    target: str
    n_test: int
    n_pool: int
    sha256: str

    def world(self, seed: int) -> World:
        """Test galaxies and pool by this seed; columns standardised on the pool."""
        x_nd, value_n = _columns(self)
        order = np.random.default_rng(seed).permutation(len(x_nd))
        test, pool = order[: self.n_test], order[self.n_test :][: self.n_pool or None]
        n = len(x_nd)
        inputs = Inputs({"photometry": standardised(x_nd, pool)}, {"photometry": np.ones(n, dtype=bool)})
        return World(inputs, Labels(value_n[:, None], np.full((n, 1), np.nan), np.ones(n), np.arange(n), (self.target,)), pool, test)

    def model(self, question: Question) -> Model:
        """Small networks of the table's width."""
        from core.models.networks.table import TableMLP

        return TableMLP(len(self.features), **question.config)

    def mark(self) -> str:
        """Changes when the rows do."""
        return f"{self.sha256} {self.features} {self.target} {self.n_test} {self.n_pool}"


Source = SkySource | TableSource


def sky_source(ws: Workspace, question: Question) -> SkySource:
    """The galaxies of a workspace for a question; raises `BadInput` for a target that is not there, `NotFound` for a model."""
    spec, names = registry.spec(question.model), [t.name for t in truth.targets(ws)]
    unknown = [target for target in question.targets if target not in names]
    if unknown:
        raise BadInput("--target", f"be one of {', '.join(names)}", ", ".join(unknown), "this workspace", "Choose one of them")
    return SkySource(ws.path, question.targets, spec.build(dict(question.config)).modalities, tuple(ingested.mark(ws)))


def table_source(path: Path, features: tuple[str, ...], target: str, n_test: int | None = None, n_pool: int = 0) -> tuple[TableSource, int]:
    """A table's rows as a source, and how many rows are left out because a column has no finite value there.

    ``n_test`` None = a fifth of the rows. Raises `BadInput` for columns that are not there or hold no numbers.
    """
    if not Path(path).is_file():
        raise BadInput("--table", "name a file", path, "this replay", "Correct the path")
    source = TableSource(Path(path).resolve(), tuple(features), target, n_test or 0, n_pool, hashlib.sha256(Path(path).read_bytes()).hexdigest())
    kept, whole = len(_columns(source)[1]), len(_table(source.path, source.sha256))
    return TableSource(source.path, source.features, target, kept // 5 if n_test is None else n_test, n_pool, source.sha256), whole - kept


def standardised(x_nd: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """Columns less their median over half the width of their central 68 %, both on the pool, within +-`LIMIT`; float32 (n, d).

    >>> standardised(np.array([[0.0], [1.0], [2.0], [90.0]]), np.array([0, 1, 2])).astype(float).round(2).ravel().tolist()
    [-1.47, 0.0, 1.47, 6.0]
    """
    low, middle, high = np.percentile(x_nd[pool], [16, 50, 84], axis=0)
    width = np.where(high > low, (high - low) / 2, 1.0)
    return np.clip((x_nd - middle) / width, -LIMIT, LIMIT).astype(np.float32)


def check_size(world: World, question: Question) -> None:
    """Raise `BadInput` unless the world has galaxies enough for the question."""
    if len(world.pool) < question.budget:
        raise BadInput("The pool", f"hold {question.budget:,} galaxies (initial + rounds x batch)", f"{len(world.pool):,}", "this replay", "Ask for fewer, or bring more")
    if len(world.test) < FEWEST_TEST:
        raise BadInput("The test set", f"hold {FEWEST_TEST} galaxies with a value of {question.target}", len(world.test), "this replay", "Bring more galaxies")


@lru_cache(maxsize=1)
def _sky(source: SkySource) -> World:
    """Galaxies that lack a catalogue value cannot be replayed and are left out; what is no galaxy stays in the pool as junk."""
    ws = Workspace(source.path)
    table, names = objects.frame(ws), tuple(t.name for t in truth.targets(ws))
    ids, known = table["id"].to_numpy(np.int64), truth.frame(ws)
    is_junk = ~table["class"].fillna("GALAXY").isin(["GALAXY"]).to_numpy(bool)
    values, sigma = (wide(known, ids, names, column) for column in ("value", "sigma"))
    values[is_junk] = np.nan
    is_seen = table[list(source.modalities)].any(axis=1).to_numpy(bool) | (not source.modalities)
    has_value = np.isfinite(values[:, [names.index(target) for target in source.targets]]).all(axis=1)
    is_pool = is_seen & (has_value | is_junk) & table["split"].eq("train").to_numpy(bool)
    is_test = is_seen & has_value & table["split"].eq(LABEL_SPLIT).to_numpy(bool)
    kept = np.flatnonzero(is_pool | is_test)
    inputs = load_inputs(ws, ids[kept], source.modalities or ("photometry",))
    labels = Labels(values[kept], sigma[kept], np.ones(len(kept)), table["sky_group"].to_numpy(np.int64)[kept], names)
    return World(inputs, labels, np.flatnonzero(is_pool[kept]), np.flatnonzero(is_test[kept]), is_junk[kept], measured(inputs, source.modalities))


@lru_cache(maxsize=1)
def _table(path: Path, sha256: str) -> pd.DataFrame:
    return load(path)


@lru_cache(maxsize=1)
def _columns(source: TableSource) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, d) and target (n,) of the rows in which all of them are known."""
    table = _table(source.path, source.sha256)
    wanted = [*source.features, source.target]
    missing = [name for name in wanted if name not in table]
    if missing or not source.features:
        raise BadInput("--features and --target", f"be columns of the table ({', '.join(map(str, table.columns[:30]))})", ", ".join(missing) or "no feature", source.path.name, "Correct the names")
    if source.target in source.features:
        raise BadInput("--features", "not hold the target", source.target, source.path.name, "Leave it out: a model would only copy it")
    numbers = table[wanted].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    usable = np.isfinite(numbers).all(axis=1) & ~np.isin(numbers, SENTINELS).any(axis=1)
    if not usable.any():
        raise BadInput("The columns", "hold numbers", "no row in which all are known", source.path.name, "Choose other columns")
    return numbers[usable][:, :-1], numbers[usable][:, -1]
