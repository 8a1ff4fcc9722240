"""LCMD against its authors' package, bmdal-reg 3.0.2 (Holzmueller et al. 2023, JMLR 24), on the same features."""

import numpy as np
import pytest

from core.acquisition.candidates import Candidates
from core.acquisition.registry import strategy


@pytest.fixture
def reference(monkeypatch):
    """LCMD-TP of bmdal-reg: pool (p, d), labelled (l, d), size -> the rows that it picks, in its order.

    It is asked in double precision: in float32 it swaps two picks whose distances differ by a millionth.
    """
    monkeypatch.setattr(np, "Inf", np.inf, raising=False)
    import torch
    from bmdal_reg.bmdal.feature_data import TensorFeatureData
    from bmdal_reg.bmdal.feature_maps import IdentityFeatureMap
    from bmdal_reg.bmdal.features import Features
    from bmdal_reg.bmdal.selection import LargestClusterMaxDistSelectionMethod

    def picks(pool_pd: np.ndarray, labelled_ld: np.ndarray, size: int) -> list[int]:
        pool, labelled = (Features(IdentityFeatureMap(x.shape[1]), TensorFeatureData(torch.from_numpy(x.astype(float)))).precompute() for x in (pool_pd, labelled_ld))
        return LargestClusterMaxDistSelectionMethod(pool, labelled, sel_with_train=True, verbosity=0).select(size).tolist()

    return picks


def features(p: int, labelled: int, d: int, seed: int, kinds: int) -> tuple[np.ndarray, np.ndarray]:
    """Kinds of galaxies of unequal number and width, float32; the labelled ones are drawn from the same sky."""
    rng = np.random.default_rng(seed)
    kind_n = rng.integers(0, kinds, p + labelled) ** 2 // kinds
    points = rng.normal(0, 3, (kinds, d))[kind_n] + rng.gamma(2, 0.5, kinds)[kind_n, None] * rng.normal(0, 1, (p + labelled, d))
    return points[:p].astype(np.float32), points[p:].astype(np.float32)


@pytest.mark.parametrize("p, labelled, d, kinds", [(4000, 300, 128, 1), (3000, 50, 16, 12), (2000, 5, 64, 40)])
def test_lcmd_picks_the_same_hundred_of_a_hundred_as_its_authors(reference, p, labelled, d, kinds):
    for seed in range(2):
        pool_pd, labelled_ld = features(p, labelled, d, seed, kinds)
        ours = strategy("lcmd").select(Candidates(np.ones(p, bool), pool_pd, labelled_ld), 100, np.random.default_rng(seed))
        assert ours.indices.tolist() == reference(pool_pd, labelled_ld, 100)
