"""Maps of 20,000 galaxies of 64 features: seconds and trustworthiness against the libraries' defaults, and whether maps stay put.

    python -m benchmarks.embedding [--galaxies 20000] [--methods umap tsne] [--skip-defaults]

Features are a mixture of forty clumps in twelve directions, stretched over 64. Defaults: `umap.UMAP()` and
`sklearn.manifold.TSNE()`. Trustworthiness (Venna & Kaski 2001, 15 neighbours) is taken over 4,000 galaxies.
A round: most galaxies' features move a little, as those of a model do that has learnt from more labels, one in
twenty moves far. Displacement is the median over the galaxies that moved little, as a share of the map's size (its
root mean square radius, doubled), once aligned, once fitted by itself.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from core import embedding

FEATURES, JUDGED, NEIGHBOURS = 64, 4000, 15


def galaxies(n: int, rng: np.random.Generator) -> np.ndarray:
    """float32 (n, 64)."""
    inner = rng.normal(0, 3, (40, 12))[rng.integers(0, 40, n)] + rng.normal(0, 1, (n, 12))
    return (inner @ rng.normal(0, 0.3, (12, FEATURES)) + rng.normal(0, 0.2, (n, FEATURES))).astype(np.float32)


def trust(features_nd: np.ndarray, xy_n2: np.ndarray) -> float:
    """How far neighbours on the map are neighbours among the features, 1 = all."""
    from sklearn.manifold import trustworthiness

    rows = np.random.default_rng(1).choice(len(xy_n2), min(JUDGED, len(xy_n2)), replace=False)
    return float(trustworthiness(features_nd[rows], xy_n2[rows], n_neighbors=NEIGHBOURS))


def timed(name: str, make: Callable[[], np.ndarray], features_nd: np.ndarray) -> np.ndarray:
    """Make a map, print what it took and what it is worth."""
    begun = time.perf_counter()
    xy = np.asarray(make())
    print(f"{name:<34} {time.perf_counter() - begun:7.1f} s   trustworthiness {trust(features_nd, xy):.4f}", flush=True)
    return xy


def defaults(features_nd: np.ndarray) -> None:
    """The same with what a notebook would type."""
    import umap
    from sklearn.manifold import TSNE

    timed("umap-learn, UMAP()", lambda: umap.UMAP().fit_transform(features_nd), features_nd)
    timed("scikit-learn, TSNE()", lambda: TSNE().fit_transform(features_nd), features_nd)


def stays(method: str, before_nd: np.ndarray, old_n2: np.ndarray, rng: np.random.Generator) -> None:
    """One round later: how far galaxies go that have hardly changed, and what that costs."""
    moves = rng.random(len(before_nd)) < 0.05
    after_nd = before_nd + rng.normal(0, 0.05, before_nd.shape).astype(np.float32) * before_nd.std(axis=0)
    after_nd[moves] = after_nd[rng.permutation(np.flatnonzero(moves))]
    kept = timed(f"{method}, a round later, aligned", lambda: embedding.embed(after_nd, method, seed=1, previous_n2=old_n2), after_nd)
    alone = timed(f"{method}, a round later, by itself", lambda: embedding.embed(after_nd, method, seed=1), after_nd)
    for name, xy in (("aligned", kept), ("by itself, turned onto it", embedding.align(alone, old_n2))):
        shares = embedding.displacement(xy, old_n2)
        print(f"{method}, {name}: median displacement {100 * np.median(shares[~moves]):.2f} % of the map's size; of those that moved {100 * np.median(shares[moves]):.1f} %", flush=True)


def main() -> None:
    """Print one line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--galaxies", type=int, default=20_000)
    parser.add_argument("--methods", nargs="+", choices=("umap", "tsne"), default=["umap", "tsne"])
    parser.add_argument("--skip-defaults", action="store_true")
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    features_nd = galaxies(given.galaxies, rng)
    embedding.warm()
    for method in given.methods:
        old = timed(f"Lookback, {method}", lambda method=method: embedding.embed(features_nd, method), features_nd)
        stays(method, features_nd, old, rng)
    if not given.skip_defaults:
        defaults(features_nd)


if __name__ == "__main__":
    main()
