"""Random forests on physical features, kept as plain arrays: stored without pickle, asked without scikit-learn."""

import numpy as np

from core.metrics import Z68
from core.models.base import Model, names_from_array, names_to_array, require_labels
from core.models.classical import Physical, blank, chosen, label_groups, quantile, weighted_moments
from core.models.prediction import Inputs, Labels, Prediction
from core.training.session import Session

BLOCK = 10
"""Trees grown between two looks at whether the fit was cancelled."""
CHUNK = 512


class RandomForest(Model):
    """One forest per task group (per set of galaxies that share labels); Breiman 2001, Machine Learning 45, 5.

    The variance splits as in Hutter et al. 2014 (Artificial Intelligence 206, 79): epistemic is the
    variance over trees of their leaves' means, aleatoric the mean over trees of their leaves' label
    variance. Both are multiplied by one factor per target, so that 68 % of the out-of-bag galaxies fall
    inside their 68 % interval; a few wild redshifts then do not widen everybody's.

    Parameters
    ----------
    modalities : ``all``, ``image``, ``spectrum`` or ``photometry``.
    trees : per forest. min_leaf : labelled galaxies in a leaf, at least.
    """

    def __init__(self, modalities: str, trees: int, min_leaf: int) -> None:
        self.modalities = chosen(modalities)
        self._trees, self._min_leaf = trees, min_leaf
        self._targets: tuple[str, ...] = ()
        self._physical = Physical(self.modalities)
        self._forests: list[dict[str, np.ndarray]] = []

    def fit(self, inputs: Inputs, labels: Labels, session: Session) -> None:
        require_labels(labels)
        raw = self._physical.fit(inputs)
        self._targets, self._forests = labels.targets, []
        x = self._physical.scaling.apply(raw)
        groups = label_groups(labels)
        for number, (columns, rows) in enumerate(groups):
            grown = self._grow(x[rows], labels.values_nt[np.ix_(rows, columns)], labels.weight_n[rows], session, number, len(groups))
            self._forests.append({"columns": columns.astype(np.int32), **grown})

    def _grow(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray, session: Session, number: int, groups: int) -> dict[str, np.ndarray]:
        from sklearn.ensemble import RandomForestRegressor

        centre, variance = weighted_moments(y, weight)
        spread = np.where(variance > 0, np.sqrt(variance), 1.0)
        scaled = (y - centre) / spread
        forest = RandomForestRegressor(
            n_estimators=0, min_samples_leaf=self._min_leaf, max_features=0.33, warm_start=True, random_state=session.seed, n_jobs=session.threads or -1
        )
        total = np.zeros(scaled.shape)
        while forest.n_estimators < self._trees:
            session.check()
            done = forest.n_estimators
            forest.n_estimators = min(done + BLOCK, self._trees)
            forest.fit(x, scaled if scaled.shape[1] > 1 else scaled[:, 0], sample_weight=weight)
            total += sum(tree.predict(x, check_input=False).reshape(scaled.shape) for tree in forest.estimators_[done:])
            error = float(np.mean((total / forest.n_estimators - scaled) ** 2))
            session.report(number * self._trees + forest.n_estimators, groups * self._trees, {"train_loss": error})
        return _flatten(forest, x, scaled, weight) | {"centre_t": centre, "spread_t": spread}

    def _predict(self, inputs: Inputs, rng: np.random.Generator) -> Prediction:
        x = self._physical.scaled(inputs)
        mean, aleatoric, epistemic = blank(len(x), self._targets)
        for forest in self._forests:
            columns, spread = forest["columns"], forest["spread_t"]
            for start in range(0, len(x), CHUNK):
                at = np.ix_(np.arange(start, min(start + CHUNK, len(x))), columns)
                middle, noise, doubt = _ask(forest, x[start : start + CHUNK])
                mean[at] = middle * spread + forest["centre_t"]
                aleatoric[at], epistemic[at] = noise * spread**2, doubt * spread**2
        return Prediction(mean, aleatoric, epistemic, features_nd=x, targets=self._targets)

    def state(self) -> dict[str, np.ndarray]:
        arrays = {"targets": names_to_array(self._targets), **self._physical.state()}
        return arrays | {f"{k}.{name}": array for k, forest in enumerate(self._forests) for name, array in forest.items()}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        self._targets = names_from_array(state["targets"])
        self._physical.load_state(state)
        forests: dict[int, dict[str, np.ndarray]] = {}
        for key, array in state.items():
            number, dot, name = key.partition(".")
            if dot:
                forests.setdefault(int(number), {})[name] = array
        self._forests = [forests[k] for k in sorted(forests)]


def _flatten(forest, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> dict[str, np.ndarray]:
    """All trees of a scikit-learn forest end to end: roots, children, tests, and mean and variance of each node's labels."""
    trees = [estimator.tree_ for estimator in forest.estimators_]
    roots = np.concatenate([[0], np.cumsum([tree.node_count for tree in trees])])
    flat = {
        "root": roots[:-1].astype(np.int32),
        "left": np.concatenate([np.where(t.children_left < 0, -1, t.children_left + r) for t, r in zip(trees, roots, strict=False)]).astype(np.int32),
        "right": np.concatenate([np.where(t.children_right < 0, -1, t.children_right + r) for t, r in zip(trees, roots, strict=False)]).astype(np.int32),
        "feature": np.concatenate([np.maximum(t.feature, 0) for t in trees]).astype(np.int32),
        "threshold": np.concatenate([t.threshold for t in trees]),
        "mean": np.concatenate([t.value[:, :, 0] for t in trees]).astype(np.float32),
    }
    in_bag_mn = np.stack([np.bincount(drawn, minlength=len(x)) for drawn in forest.estimators_samples_])
    leaves_nm = _leaves(flat, x)
    flat["variance"] = _leaf_variance(flat["mean"], leaves_nm, in_bag_mn, y)
    return flat | {"calibration_t": _calibration(flat, leaves_nm, in_bag_mn == 0, y, weight)}


def _leaf_variance(mean_kt: np.ndarray, leaves_nm: np.ndarray, in_bag_mn: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Label variance of the galaxies that grew each leaf, float32 like ``mean_kt``; 0 at inner nodes.

    ``in_bag_mn`` counts how often each tree drew each galaxy; the draw has honoured the labels' weights already.
    """
    total, squares = np.zeros(len(mean_kt)), np.zeros(mean_kt.shape)
    for leaves, drawn in zip(leaves_nm.T, in_bag_mn, strict=True):
        np.add.at(total, leaves, drawn)
        np.add.at(squares, leaves, drawn[:, None] * (y - mean_kt[leaves]) ** 2)
    return (squares / np.where(total > 0, total, 1)[:, None]).astype(np.float32)


def _calibration(flat: dict[str, np.ndarray], leaves_nm: np.ndarray, out_mn: np.ndarray, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The factor of each target, from the trees that never saw a galaxy."""
    first, second, noise = np.zeros((3, *y.shape))
    for leaves, out in zip(leaves_nm.T, out_mn[:, :, None], strict=True):
        means = flat["mean"][leaves]
        first, second, noise = first + out * means, second + out * means**2, noise + out * flat["variance"][leaves]
    count = np.maximum(out_mn.sum(axis=0), 1)[:, None]
    middle = first / count
    variance = (second + noise) / count - middle**2
    return np.array([_factor((y - middle)[:, t] ** 2, variance[:, t], weight * out_mn.any(axis=0)) for t in range(y.shape[1])])


def _factor(error_n: np.ndarray, variance_n: np.ndarray, weight_n: np.ndarray) -> float:
    """By what to multiply variances so that 68 % of the squared errors fit into their interval; 1 when it cannot be told."""
    use = (weight_n > 0) & (variance_n > 0)
    if not use.any():
        return 1.0
    return max(quantile(error_n[use] / variance_n[use], weight_n[use], 0.68) / Z68**2, 1e-6)


def _leaves(flat: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """The leaf of every tree that each row of features falls into, int (n, trees)."""
    node = np.tile(flat["root"], (len(x), 1))
    row = np.arange(len(x))[:, None]
    while (inner := flat["left"][node] >= 0).any():
        goes_left = x[row, flat["feature"][node]] <= flat["threshold"][node]
        node = np.where(inner, np.where(goes_left, flat["left"][node], flat["right"][node]), node)
    return node


def _ask(flat: dict[str, np.ndarray], x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """mean, aleatoric and epistemic variance of scaled targets, each (n, T)."""
    leaves = _leaves(flat, x)
    means = flat["mean"][leaves]
    factor = flat["calibration_t"]
    return means.mean(axis=1), flat["variance"][leaves].mean(axis=1) * factor, means.var(axis=1) * factor
