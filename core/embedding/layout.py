"""Galaxies on a plane: PCA, UMAP or t-SNE."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from core.embedding.places import align, at_home
from core.errors import BadInput

METHODS = {
    "umap": ("UMAP", "Keeps neighbours together and shows clusters; distances between clusters mean little"),
    "tsne": ("t-SNE", "Keeps the nearest neighbours together in finer islands; sizes and distances of islands mean little"),
    "pca": ("PCA", "The two directions of largest variance: straight axes, nothing bent, least detail"),
}
"""method -> its name and what it does, for people."""
FEATURES = {
    "image": "images",
    "spectrum": "spectra",
    "photometry": "photometry",
    "fused": "all modalities",
}
"""features -> what a map of them is a map of; ``run:<id>`` stands for the latent features of a run."""
PARAMETERS: dict[str, dict[str, tuple[float, float, float, str]]] = {
    "umap": {
        "n_neighbors": (15, 2, 200, "How many neighbours a galaxy keeps: few show fine structure, many the overall shape"),
        "min_dist": (0.1, 0.0, 0.99, "How tightly points may be packed, 0 to 0.99"),
    },
    "tsne": {"perplexity": (30, 2, 200, "About how many neighbours a galaxy listens to")},
    "pca": {},
}
"""method -> parameter -> default, lowest, highest, help."""
FEWEST = 10
"""Below this many galaxies UMAP and t-SNE have nothing to work with: the map is a PCA."""
FEW_THREADS_BELOW = 10_000
"""With fewer galaxies the threads of t-SNE wait for each other longer than they work, on a busy machine by far."""
MOST_KNOWN = 0.5
"""From this share of galaxies that the map before knows, the new one is that map, settled."""
CLOSEST = 15
Report = Callable[[float, str], None]


def title(method: str, features: str, run_name: str = "") -> str:
    """What a map is called unless a person names it.

    >>> title("umap", "image"), title("tsne", "run:4", "spectrum_cnn")
    ('UMAP of images', 't-SNE of spectrum_cnn (run 4)')
    """
    what = f"{run_name} (run {features.removeprefix('run:')})" if features.startswith("run:") else FEATURES[features]
    return f"{METHODS[method][0]} of {what}"


def method_for(n: int, method: str) -> str:
    """The method that a map of ``n`` galaxies is really made by: PCA below `FEWEST`."""
    if method not in METHODS:
        raise BadInput("The method of a map", f"be one of {', '.join(METHODS)}", method, "this map", "Choose one of them")
    return method if n >= FEWEST else "pca"


def embed(
    features_nd: np.ndarray, method: str = "umap", parameters: dict | None = None, seed: int = 0,
    previous_n2: np.ndarray | None = None, report: Report = lambda fraction, message: None,
) -> np.ndarray:
    """Lay galaxies out on a plane.

    Parameters
    ----------
    features_nd : float (n, d), finite, already on one scale (see `components`, `fused`).
    method, parameters : of `METHODS` and `PARAMETERS`; neighbours and perplexity shrink to what n allows.
    seed : the same seed, features and previous map give the same map.
    previous_n2 : (n, 2) where each galaxy stood on the map before, made by the same method, NaN if it did not. The new
        map starts from there, who has left its neighbours among them; when it knows most galaxies it is only settled,
        in fewer and smaller steps, not laid out anew. Then it is rotated, mirrored, scaled and moved onto the old one.
    report : told how far it is.

    Returns
    -------
    float32 (n, 2), centred unless there is a previous map. Raises `BadInput` for no galaxies,
    NaN, an unknown method or parameter.
    """
    features_nd = np.asarray(features_nd, np.float32)
    if not len(features_nd):
        raise BadInput("A map", "have at least one galaxy", 0, method, "Ingest galaxies that have these features")
    chosen, settings = method_for(len(features_nd), method), _settings(method, parameters or {})
    if chosen == "pca":
        xy = _plane(features_nd)
    else:
        report(0.0, "Finding neighbours")
        xy = (_umap if chosen == "umap" else _tsne)(features_nd, settings, seed, _start(features_nd, previous_n2), _is_settled(previous_n2), report)
    xy = np.asarray(xy, np.float32)
    return align(xy, previous_n2) if previous_n2 is not None else xy - xy.mean(axis=0)


def first_view(features_nd: np.ndarray) -> np.ndarray:
    """What can be seen at once, while UMAP or t-SNE is at work: the plane of largest variance, float32 (n, 2), centred."""
    return embed(features_nd, "pca")


def warm() -> None:
    """Make one tiny UMAP, so that numba's compiled code is in its cache before anybody waits for it."""
    embed(np.random.default_rng(0).normal(size=(64, 5)), "umap")


def _settings(method: str, given: dict) -> dict:
    known = PARAMETERS[method]
    for name, value in given.items():
        if name not in known:
            raise BadInput(f"A parameter of {method}", f"be one of {', '.join(known) or 'none'}", name, "this map", "Leave it out")
        _, low, high, _ = known[name]
        if not low <= value <= high:
            raise BadInput(name, f"be from {low:g} to {high:g}", value, f"a {method} map", "Choose a value in that range")
    return {name: default for name, (default, *_) in known.items()} | given


def _plane(features_nd: np.ndarray) -> np.ndarray:
    """The first two principal components; a galaxy alone stands at the origin. Signs are fixed by the heavier tail."""
    centred = features_nd - features_nd.mean(axis=0)
    _, vectors = np.linalg.eigh((centred.T @ centred).astype(float))
    xy = centred @ vectors[:, ::-1][:, :2]
    xy = np.pad(xy, ((0, 0), (0, 2 - xy.shape[1])))
    return xy * np.where((xy**3).sum(axis=0) < 0, -1, 1)


def _neighbours(features_nd: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Exact nearest neighbours, each galaxy its own first: index and distance, (n, k)."""
    from sklearn.neighbors import NearestNeighbors

    distance, index = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(features_nd).kneighbors(features_nd)
    own_first = np.argsort(index != np.arange(len(index))[:, None], axis=1, kind="stable")
    return np.take_along_axis(index, own_first, axis=1), np.take_along_axis(distance, own_first, axis=1)


def _start(features_nd: np.ndarray, previous_n2: np.ndarray | None) -> np.ndarray:
    """Where each galaxy begins: on the map before, by its nearest known neighbour, else on the PCA plane."""
    if previous_n2 is None or np.isfinite(previous_n2).all(axis=1).sum() < 3:
        return _plane(features_nd)
    from sklearn.neighbors import NearestNeighbors

    known = np.isfinite(previous_n2).all(axis=1)
    start = np.array(previous_n2, float)
    if not known.all():
        found = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(features_nd[known])
        start[~known] = previous_n2[known][found.kneighbors(features_nd[~known], return_distance=False)[:, 0]]
    return start


def _is_settled(previous_n2: np.ndarray | None) -> bool:
    return previous_n2 is not None and np.isfinite(previous_n2).all(axis=1).mean() >= MOST_KNOWN


def _umap(features_nd: np.ndarray, settings: dict, seed: int, start: np.ndarray, is_settled: bool, report: Report) -> np.ndarray:
    import warnings

    import umap

    k = int(min(settings["n_neighbors"], len(features_nd) - 1))
    index, distance = _neighbours(features_nd, k)
    report(0.3, "Laying out")
    start = at_home(start, index[:, 1:]) if is_settled else 10 * start / (np.ptp(start, axis=0).max() or 1.0)
    jitter = np.random.default_rng(seed).normal(0, 1e-3, start.shape)
    gently = {"learning_rate": 0.05, "n_epochs": 50} if is_settled else {}
    model = umap.UMAP(
        n_neighbors=k, min_dist=float(settings["min_dist"]), init=(start + jitter).astype(np.float32), random_state=seed, n_jobs=1,
        precomputed_knn=(index.astype(np.int32), distance.astype(np.float32), None), force_approximation_algorithm=True, **gently,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="precomputed_knn", module="umap")
        return model.fit_transform(features_nd)


def _tsne(features_nd: np.ndarray, settings: dict, seed: int, start: np.ndarray, is_settled: bool, report: Report) -> np.ndarray:
    import openTSNE

    perplexity = float(min(settings["perplexity"], (len(features_nd) - 1) / 3))
    index, distance = _neighbours(features_nd, min(int(3 * perplexity) + 1, len(features_nd)))
    report(0.3, "Laying out")
    knn = openTSNE.nearest_neighbors.PrecomputedNeighbors(index[:, 1:], distance[:, 1:])
    affinities = openTSNE.affinity.PerplexityBasedNN(perplexity=perplexity, knn_index=knn)
    start = at_home(start, index[:, 1 : 1 + CLOSEST]) if is_settled else start
    start = start - start.mean(axis=0)
    jitter = np.random.default_rng(seed).normal(0, 1e-3, start.shape)
    start = start + jitter if is_settled else (start / (start.std() or 1.0) + jitter) * 1e-4
    threads, gently = 1 if len(features_nd) < FEW_THREADS_BELOW else -1, {"early_exaggeration_iter": 0, "n_iter": 250} if is_settled else {}
    model = openTSNE.TSNE(perplexity=perplexity, random_state=seed, n_jobs=threads, callbacks=_Watch(report), callbacks_every_iters=25, **gently)
    with _unwarned("openTSNE"):
        return np.asarray(model.fit(affinities=affinities, initialization=start))


@contextmanager
def _unwarned(name: str) -> Iterator[None]:
    """t-SNE warns of any start that is not tiny; one that is a map already is meant to be large."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


class _Watch:
    """Counts t-SNE's calls: it numbers its iterations anew in each of its two phases, 250 and 500 long."""

    def __init__(self, report: Report):
        self.report, self.calls = report, 0

    def __call__(self, iteration: int, error: float, embedding: np.ndarray) -> None:
        self.calls += 1
        self.report(0.3 + 0.7 * min(self.calls / 30, 1), "Laying out")
