"""Cross-validation that never shows a model another spectrum of a galaxy it is asked about."""

from collections.abc import Iterator

import numpy as np


def group_folds(group_n: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold of each galaxy: whole sky groups, folds of about equal size.

    Groups are drawn in random order, the large ones first, each into the fold that is smallest then.

    Parameters
    ----------
    group_n : int (n,), sky group of each galaxy.
    folds : how many to make; no more than there are groups.

    Returns
    -------
    int (n,), 0 to folds - 1; every fold has a group.

    >>> fold = group_folds(np.repeat(np.arange(6), 2), 3, np.random.default_rng(0))
    >>> np.bincount(fold).tolist(), bool((fold[::2] == fold[1::2]).all())
    ([4, 4, 4], True)
    """
    groups, place, count = np.unique(np.asarray(group_n), return_inverse=True, return_counts=True)
    k = min(folds, len(groups))
    drawn = rng.permutation(len(groups))
    sizes, fold_of = np.zeros(max(k, 1)), np.zeros(len(groups), dtype=np.int64)
    for g in drawn[np.argsort(-count[drawn], kind="stable")]:
        fold_of[g] = np.argmin(sizes)
        sizes[fold_of[g]] += count[g]
    return fold_of[place]


def each_fold(fold_n: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(fitted, held) rows of each fold, int; a single fold is fitted to what it is asked about, for want of others.

    >>> [(fitted.tolist(), held.tolist()) for fitted, held in each_fold(np.array([0, 1, 0]))]
    [([1], [0, 2]), ([0, 2], [1])]
    """
    folds = np.unique(fold_n)
    for k in folds:
        held = fold_n == k
        yield np.flatnonzero(~held if len(folds) > 1 else held), np.flatnonzero(held)
