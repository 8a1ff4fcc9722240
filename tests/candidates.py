"""Pools small enough to choose from by hand."""

import numpy as np

from core.acquisition.candidates import Candidates
from core.acquisition.registry import strategy
from core.columns import task_groups


def pool(p: int = 200, labelled: int = 10, seed: int = 0) -> Candidates:
    rng = np.random.default_rng(seed)
    return Candidates(
        allowed_p=rng.random(p) > 0.2, features_pd=rng.normal(0, 1, (p, 6)), labelled_ld=rng.normal(0, 1, (labelled, 6)),
        epistemic_pt=rng.gamma(2, 1, (p, 9)), aleatoric_pt=rng.gamma(2, 1, (p, 9)), labelled_aleatoric_lt=rng.gamma(2, 1, (labelled, 9)),
        disagreement_pt=rng.gamma(1, 1, (p, 9)), spread_p=rng.uniform(0.02, 0.3, p), spread_name="predicted z", groups=task_groups(),
    )


def line(features, labelled=(), **fields) -> Candidates:
    """A pool on a line, everything allowed."""
    as_column = lambda x: np.asarray(x, float).reshape(-1, 1)  # noqa: E731
    return Candidates(np.ones(len(features), bool), as_column(features), as_column(labelled), **fields)


def pick(name: str, candidates: Candidates, size: int, seed: int = 1) -> list[int]:
    return strategy(name).select(candidates, size, np.random.default_rng(seed)).indices.tolist()
