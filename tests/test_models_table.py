"""The small networks of bare tables: every label is fitted, and features hold what all members found beside the columns."""

import numpy as np
import pytest

from core.models.networks.table import TableMLP
from core.models.prediction import Inputs, Labels
from core.training.session import Session


@pytest.fixture(scope="module")
def rows() -> tuple[Inputs, Labels]:
    """200 rows of three columns, of which the target is a smooth function of two."""
    x = np.random.default_rng(0).standard_normal((200, 3)).astype(np.float32)
    value = 0.2 + 0.05 * x[:, 0] + 0.02 * np.tanh(x[:, 1])
    return Inputs({"photometry": x}, {"photometry": np.ones(200, bool)}), Labels(value[:, None], np.full((200, 1), np.nan), np.ones(200), np.arange(200), ("z",))


@pytest.fixture(scope="module")
def fitted(rows) -> TableMLP:
    model = TableMLP(3, members=2, hidden=8)
    model.fit(rows[0][:120], rows[1][:120], Session(0, threads=1))
    return model


def test_table_network_fits_every_label(fitted, rows):
    assert not fitted.held_n.any()
    found = fitted.predict(rows[0][120:]).mean[:, 0]
    assert np.sqrt(np.mean((found - rows[1].values_nt[120:, 0]) ** 2)) < 0.25 * rows[1].values_nt.std()


def test_features_are_what_all_members_found_and_the_columns_each_of_unit_length_among_the_labelled(fitted, rows):
    features = fitted.predict(rows[0][:120]).features_nd
    assert features.shape == (120, 2 * 8 + 3)
    assert [np.sqrt(part.var(axis=0).sum()) for part in (features[:, :16], features[:, 16:])] == pytest.approx([1, 1], rel=1e-3)
    ratio = features[:, 16:] / rows[0].arrays["photometry"][:120]
    assert ratio == pytest.approx(np.full((120, 3), ratio[0, 0]), rel=1e-3)


def test_features_of_a_column_that_never_changes_stay_finite():
    inputs = Inputs({"photometry": np.zeros((20, 1), np.float32)}, {"photometry": np.ones(20, bool)})
    model = TableMLP(1, epochs=2)
    model.fit(inputs, Labels(np.linspace(0, 1, 20)[:, None], np.full((20, 1), np.nan), np.ones(20), np.arange(20), ("z",)), Session(0, threads=1))
    assert np.isfinite(model.predict(inputs).features_nd).all()
