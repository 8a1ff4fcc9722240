"""Gradient-boosted trees on physical features, kept as plain arrays: stored without pickle, asked without scikit-learn."""

import numpy as np
from threadpoolctl import threadpool_limits

from core.metrics import Z68
from core.models.base import Model, names_from_array, names_to_array, require_labels
from core.models.classical import Physical, blank, chosen, label_groups, quantile, weighted_moments
from core.models.prediction import Inputs, Labels, Prediction
from core.training.folds import each_fold, group_folds
from core.training.session import Session

Trees = dict[str, np.ndarray]
"""Boosted trees end to end: ``root`` (members, trees), ``baseline`` (members,), and for each node left, right (-1 at a
leaf), feature, threshold, missing_left (where a missing feature goes) and value (of a leaf, the learning rate in it)."""
CHUNK = 512
LEVELS = 200
"""Values that a feature is rounded to while trees are grown; tests between them hold for unrounded features alike."""
SMALL = 20_000
"""Labelled galaxies under which one thread grows the trees: several wait for each other more than they work."""
NOISE_TREES, NOISE_LEAVES, NOISE_LEAST = 40, 8, 40
"""Few and coarse: the size of an error is known far less well than a target."""
TINY = 1e-3
"""Errors below this share of a target's spread count as this, so that their logarithm stays finite."""
LEAST_NOISE = 0.1
"""Share of the out-of-fold variance that stays aleatoric however much the committee disagrees."""


class BoostedTrees(Model):
    """A committee of boosted trees per target; Friedman 2001, Annals of Statistics 29, 1189, histograms as in Ke et al. 2017.

    Each member leaves out one fold of sky groups and weighs the other galaxies by draws of its own (Bayesian
    bootstrap), so every labelled galaxy has one member that never saw it. Epistemic variance is that of the
    members' answers. The out-of-fold errors say how large errors are: further trees fit the logarithm of
    their size, scaled so that 68 % of them fall inside the 68 % interval; aleatoric is what is left of
    that variance after the epistemic one, and never less than a tenth of it. A missing feature is
    a value of its own to a tree. Beyond the labelled range it says what it says at the range's edge.

    Parameters
    ----------
    modalities : ``all``, ``image``, ``spectrum`` or ``photometry``.
    trees : per member. learning_rate : share of each tree's correction that is kept.
    leaves : of a tree, at most. min_leaf : labelled galaxies in a leaf, at least. members : of the committee.
    """

    def __init__(self, modalities: str, trees: int, learning_rate: float, leaves: int, min_leaf: int, members: int) -> None:
        self.modalities = chosen(modalities)
        self._settings = {"max_iter": trees, "learning_rate": learning_rate, "max_leaf_nodes": leaves, "min_samples_leaf": min_leaf}
        self._members = members
        self._targets: tuple[str, ...] = ()
        self._physical = Physical(self.modalities)
        self._mean: dict[int, Trees] = {}
        self._noise: dict[int, Trees] = {}

    def fit(self, inputs: Inputs, labels: Labels, session: Session) -> None:
        require_labels(labels)
        raw = self._physical.fit(inputs)
        self._targets, self._mean, self._noise = labels.targets, {}, {}
        wanted = [(int(t), rows) for columns, rows in label_groups(labels) for t in columns]
        x = np.column_stack([_rounded(column) for column in raw.T.astype(float)])
        import sklearn.ensemble  # noqa: F401 - a limit holds only for libraries that are loaded

        with threadpool_limits(session.threads or (1 if len(x) < SMALL else None)):
            for done, (t, rows) in enumerate(wanted, start=1):
                rng = np.random.default_rng([session.seed, t])
                self._fit_target(t, x[rows], labels.values_nt[rows, t], labels.weight_n[rows], labels.group_n[rows], rng, session)
                session.report(done, len(wanted), {})

    def _fit_target(self, t: int, x: np.ndarray, y: np.ndarray, weight: np.ndarray, group: np.ndarray, rng: np.random.Generator, session: Session) -> None:
        spread = float(np.sqrt(weighted_moments(y[:, None], weight)[1][0])) or 1.0
        unseen, fitted = np.zeros(len(y)), []
        for rows, held in each_fold(group_folds(group, self._members, rng)):
            session.check()
            trees = _boosted(x[rows], y[rows], weight[rows] * rng.exponential(size=len(rows)), rng, **self._settings)
            unseen[held] = _ask(trees, x[held])[:, 0]
            fitted.append(trees)
        self._mean[t] = _joined(fitted)
        self._noise[t] = _noise(x, np.maximum(np.abs(y - unseen), TINY * spread), weight, rng)

    def _predict(self, inputs: Inputs, rng: np.random.Generator) -> Prediction:
        raw = self._physical.raw(inputs)
        mean, aleatoric, epistemic = blank(len(raw), self._targets)
        for t, trees in self._mean.items():
            answers_nm = _ask(trees, raw)
            variance = np.exp(2 * _ask(self._noise[t], raw)[:, 0])
            mean[:, t], epistemic[:, t] = answers_nm.mean(axis=1), answers_nm.var(axis=1)
            aleatoric[:, t] = np.maximum(variance - epistemic[:, t], LEAST_NOISE * variance)
        return Prediction(mean, aleatoric, epistemic, features_nd=self._physical.scaling.apply(raw), targets=self._targets)

    def state(self) -> dict[str, np.ndarray]:
        arrays = {"targets": names_to_array(self._targets), **self._physical.state()}
        kinds = {"mean": self._mean, "noise": self._noise}
        return arrays | {f"{kind}.{t}.{name}": array for kind, of in kinds.items() for t, trees in of.items() for name, array in trees.items()}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        self._targets = names_from_array(state["targets"])
        self._physical.load_state(state)
        self._mean, self._noise = {}, {}
        for key, array in state.items():
            kind, _, rest = key.partition(".")
            if rest:
                t, _, name = rest.partition(".")
                {"mean": self._mean, "noise": self._noise}[kind].setdefault(int(t), {})[name] = array


def _rounded(values_n: np.ndarray) -> np.ndarray:
    """The nearest of `LEVELS` quantiles; missing stays missing.

    Scikit-learn would find bins anew for every tree ensemble, and with weights takes twenty times as long for them as for the trees.
    """
    has = np.isfinite(values_n)
    if not has.any():
        return values_n
    levels = np.unique(np.quantile(values_n[has], np.linspace(0, 1, LEVELS)))
    out = np.full(len(values_n), np.nan)
    out[has] = levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, values_n[has])]
    return out


def _noise(x: np.ndarray, error: np.ndarray, weight: np.ndarray, rng: np.random.Generator) -> Trees:
    """Trees that say the logarithm of the standard deviation, from the size of errors of unseen galaxies, (n,) above 0."""
    trees = _boosted(x, np.log(error), weight, rng, max_iter=NOISE_TREES, learning_rate=0.1, max_leaf_nodes=NOISE_LEAVES, min_samples_leaf=NOISE_LEAST)
    ratio = error / np.exp(_ask(trees, x)[:, 0])
    return trees | {"baseline": trees["baseline"] + np.log(quantile(ratio, weight, 0.68) / Z68)}


def _boosted(x: np.ndarray, y: np.ndarray, weight: np.ndarray, rng: np.random.Generator, **settings: float) -> Trees:
    """One member fitted by scikit-learn, as arrays; it cannot bin a feature that is always missing, so that one is held at 0."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    booster = HistGradientBoostingRegressor(l2_regularization=1.0, max_features=0.5, early_stopping=False, random_state=int(rng.integers(2**31)), **settings)
    never_there = ~np.isfinite(x).any(axis=0)
    booster.fit(np.where(never_there, 0, x), y, sample_weight=weight)
    return _flatten([tree.nodes for (tree,) in booster._predictors], float(np.ravel(booster._baseline_prediction)[0]))


def _flatten(trees: list[np.ndarray], baseline: float) -> Trees:
    """Nodes of scikit-learn's trees end to end."""
    root = np.cumsum([0, *(len(nodes) for nodes in trees)])
    nodes = np.concatenate(trees)
    offset = np.repeat(root[:-1], np.diff(root))
    is_leaf = nodes["is_leaf"] == 1
    return {
        "root": root[None, :-1].astype(np.int32),
        "baseline": np.array([baseline]),
        "left": np.where(is_leaf, -1, nodes["left"] + offset).astype(np.int32),
        "right": np.where(is_leaf, -1, nodes["right"] + offset).astype(np.int32),
        "feature": nodes["feature_idx"].astype(np.int32),
        "threshold": nodes["num_threshold"].copy(),
        "missing_left": nodes["missing_go_to_left"].astype(np.uint8),
        "value": nodes["value"].copy(),
    }


def _joined(members: list[Trees]) -> Trees:
    """Members end to end."""
    offset = np.cumsum([0, *(len(m["value"]) for m in members)])
    moved = [m | {"root": m["root"] + o, **{k: np.where(m[k] < 0, -1, m[k] + o) for k in ("left", "right")}} for m, o in zip(members, offset, strict=False)]
    return {name: np.concatenate([m[name] for m in moved]).astype(array.dtype) for name, array in members[0].items()}


def _ask(trees: Trees, x: np.ndarray) -> np.ndarray:
    """What each member says, float (n, members)."""
    return np.concatenate([_answers(trees, x[start : start + CHUNK]) for start in range(0, max(len(x), 1), CHUNK)])


def _answers(trees: Trees, x: np.ndarray) -> np.ndarray:
    members, count = trees["root"].shape
    node = np.tile(trees["root"].ravel(), (len(x), 1))
    row = np.arange(len(x))[:, None]
    while (inner := trees["left"][node] >= 0).any():
        value = x[row, trees["feature"][node]]
        goes_left = np.where(np.isnan(value), trees["missing_left"][node] == 1, value <= trees["threshold"][node])
        node = np.where(inner, np.where(goes_left, trees["left"][node], trees["right"][node]), node)
    return trees["value"][node].reshape(len(x), members, count).sum(axis=2) + trees["baseline"]
