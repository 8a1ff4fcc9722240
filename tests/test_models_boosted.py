"""Boosted trees: the same numbers as scikit-learn's, missing features, and variances that mean something."""

import numpy as np
import pytest

from core.columns import TARGET_NAMES
from core.models import boosted
from core.models.boosted import BoostedTrees
from core.models.prediction import Inputs, Labels
from core.training.session import Session

MAG_U = 0


def sky(n: int, seed: int = 0) -> tuple[Inputs, np.ndarray]:
    """Photometry of n galaxies whose first column is uniform and known to everybody."""
    rng = np.random.default_rng(seed)
    columns = rng.uniform(-1, 1, (n, 19)).astype(np.float32)
    return Inputs({"photometry": columns}, {"photometry": np.ones(n, dtype=bool)}), columns[:, MAG_U].astype(float)


def labelled(z_n: np.ndarray) -> Labels:
    values = np.full((len(z_n), 9), np.nan)
    values[:, 0] = z_n
    return Labels(values, np.full(values.shape, np.nan), np.ones(len(z_n)), np.arange(len(z_n)), TARGET_NAMES)


def small(**given) -> BoostedTrees:
    return BoostedTrees(**{"modalities": "photometry", "trees": 40, "learning_rate": 0.2, "leaves": 8, "min_leaf": 10, "members": 4} | given)


def test_flat_trees_say_what_scikit_learn_says_of_seen_unseen_and_missing_features():
    from sklearn.ensemble import HistGradientBoostingRegressor

    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4))
    x[::5, 1] = np.nan
    y = np.where(np.isnan(x[:, 1]), 3.0, x[:, 0])
    booster = HistGradientBoostingRegressor(max_iter=20, early_stopping=False).fit(x, y)
    flat = boosted._flatten([tree.nodes for (tree,) in booster._predictors], float(booster._baseline_prediction[0, 0]))
    asked = np.vstack([x, rng.normal(size=(50, 4)), np.full((1, 4), np.nan)])
    assert boosted._ask(flat, asked)[:, 0] == pytest.approx(booster.predict(asked), abs=1e-12)


def test_members_answer_in_columns_of_their_own():
    trees = [{"root": np.array([[0]], np.int32), "baseline": np.array([b]), "left": np.array([1, -1, -1], np.int32), "right": np.array([2, -1, -1], np.int32),
              "feature": np.zeros(3, np.int32), "threshold": np.zeros(3), "missing_left": np.array([1, 0, 0], np.uint8), "value": np.array([0.0, -1.0, 1.0])}
             for b in (10.0, 20.0)]  # fmt: skip
    answers = boosted._ask(boosted._joined(trees), np.array([[-5.0], [5.0], [np.nan]]))
    assert answers.tolist() == [[9.0, 19.0], [11.0, 21.0], [9.0, 19.0]]


def test_rounding_moves_no_value_across_a_test_between_two_levels(monkeypatch):
    monkeypatch.setattr(boosted, "LEVELS", 3)
    values = np.array([0.0, 0.9, np.nan, 2.0, 2.9, 3.1, 10.0])
    assert boosted._rounded(values) == pytest.approx([0, 0, np.nan, 2.45, 2.45, 2.45, 10], nan_ok=True)
    assert np.isnan(boosted._rounded(np.full(3, np.nan))).all()


def test_noise_is_seen_where_it_is_and_68_percent_of_new_galaxies_fall_inside():
    inputs, z = sky(1200)
    noise = np.where(inputs.arrays["photometry"][:, 1] > 0, 0.2, 0.05)
    seen = z + noise * np.random.default_rng(1).standard_normal(len(z))
    model = small()
    model.fit(inputs[:800], labelled(seen[:800]), Session(threads=1))
    prediction = model.predict(inputs[800:])
    loud = noise[800:] > 0.1
    assert np.median(prediction.sigma[loud, 0]) == pytest.approx(0.2, rel=0.3)
    assert 0.05 < np.median(prediction.sigma[~loud, 0]) < 0.12
    inside = np.abs(seen[800:] - prediction.mean[:, 0]) < prediction.sigma[:, 0]
    assert 0.60 < inside.mean() < 0.78


def test_epistemic_variance_falls_with_labels():
    inputs, z = sky(1000)
    found = []
    for n in (60, 800):
        model = small()
        model.fit(inputs[:n], labelled(z[:n] + 0.1 * np.random.default_rng(2).standard_normal(n)), Session(threads=1))
        found.append(np.median(model.predict(inputs[800:]).epistemic[:, 0]))
    assert found[1] < 0.5 * found[0]


def test_missing_feature_is_a_value_of_its_own():
    inputs, _ = sky(400)
    is_gone = np.arange(400) % 4 == 0
    inputs.arrays["photometry"][is_gone, 2] = np.nan
    model = small()
    model.fit(inputs, labelled(np.where(is_gone, 1.0, 0.0)), Session(threads=1))
    assert model.predict(inputs).mean[:, 0] == pytest.approx(is_gone.astype(float), abs=0.25)


def test_same_seed_gives_the_same_trees_and_another_seed_others():
    inputs, z = sky(120)
    models = [small(trees=5) for _ in range(3)]
    for model, seed in zip(models, (3, 3, 4), strict=True):
        model.fit(inputs, labelled(z), Session(seed=seed, threads=1))
    first, same, other = (m.predict(inputs).mean[:, 0] for m in models)
    assert np.array_equal(first, same) and not np.array_equal(first, other)


@pytest.mark.parametrize("n", [1, 2])
def test_a_handful_of_labels_is_no_failure(n):
    inputs, z = sky(5)
    model = small()
    model.fit(inputs[:n], labelled(z[:n]), Session(threads=1))
    prediction = model.predict(inputs)
    assert np.isfinite(prediction.mean[:, 0]).all() and (prediction.sigma[:, 0] > 0).all()
