"""Strategies that cover feature space: pick what is unlike everything labelled or picked so far."""

from collections.abc import Callable

import numpy as np

from core.acquisition.candidates import Candidates, Picks
from core.acquisition.distances import moved, nearest, squared_lengths, squared_to
from core.acquisition.noise import noise_normalised

CLUSTERED = 50_000
"""Galaxies from which `k_means` finds its centres: on a larger pool it takes no longer to find them."""


def k_centre(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """Again and again the galaxy farthest from every label and pick (Sener & Savarese 2018, arXiv:1708.00489).

    Score: that distance. Without labels it starts from the middle of the pool. It likes outliers.
    """
    cover = _Cover(candidates, candidates.features_pd, candidates.labelled_ld)
    while len(cover.picked) < size:
        row = cover.free_argmax()
        cover.pick(row, f"the farthest that was left: {cover.distance(row):.3g} from the nearest label or pick")
    return cover.picks()


def lcmd(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """The farthest galaxy of the cluster with the largest summed squared distance, then again.

    Labels and picks are the cluster centres; parameter-free (Holzmueller et al. 2023, JMLR 24, LCMD-TP).
    Features are divided by the predicted noise where it is known. Score: distance to the centre.
    """
    return _largest_cluster(_Cover(candidates, *noise_normalised(candidates)), size, lambda inside_p: int(inside_p.argmax()), "the farthest of")


def lcmd_sampled(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """As `lcmd`, but drawn inside the largest cluster with probability proportional to squared distance.

    Sampling instead of taking the extreme gives back the core of the error distribution that plain
    LCMD pays for the tails. Features are taken as they are: dividing them by the predicted noise keeps it from the
    noisy galaxies where large errors are (measured, `benchmarks/active_learning.md`). Score: distance to the centre.
    """
    cover = _Cover(candidates, candidates.features_pd, candidates.labelled_ld)
    return _largest_cluster(cover, size, lambda inside_p: _draw(inside_p, rng), "drawn by squared distance from")


def k_means_pp(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """Each pick drawn with probability proportional to its squared distance from every label and pick.

    The seeding of k-means++ (Arthur & Vassilvitskii 2007, SODA, 1027), labels standing as centres. On last-layer
    features divided by the noise it is BADGE (Ash et al. 2020, arXiv:1906.03671) for a Gaussian
    likelihood: the expected length of a label's gradient is the feature over the noise. Score: that distance.
    """
    cover = _Cover(candidates, *noise_normalised(candidates))
    while len(cover.picked) < size:
        free = np.flatnonzero(cover.is_free_p)
        row = int(free[_draw(cover.worth_p()[free], rng)])
        cover.pick(row, f"drawn by squared distance from the whole pool: {cover.distance(row):.3g} from the nearest label or pick")
    return cover.picks()


def k_means(candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
    """The galaxy nearest to each of ``size`` k-means centres, largest cluster first: for the first batch.

    The centres are those of `CLUSTERED` galaxies drawn at random from a larger pool. Score: galaxies of the pool in
    the cluster that the pick stands for.
    """
    from sklearn.cluster import MiniBatchKMeans

    points = moved(candidates.features_pd, np.mean(candidates.features_pd, axis=0))
    sample = points if len(points) <= CLUSTERED else points[rng.permutation(len(points))[:CLUSTERED]]
    model = MiniBatchKMeans(size, n_init=1, batch_size=max(1024, 3 * size), random_state=int(rng.integers(2**31))).fit(sample)
    norms, taken = squared_lengths(points), []
    counts = np.bincount(nearest(points, model.cluster_centers_)[1], minlength=size)
    for cluster in np.argsort(-counts, kind="stable"):
        squared = squared_to(points, model.cluster_centers_[cluster], norms)
        squared[taken] = np.inf
        taken.append(int(squared.argmin()))
    stands_for = np.sort(counts)[::-1]
    return Picks(np.array(taken), stands_for.astype(float), [f"The typical galaxy of a cluster of {n}" for n in stands_for])


def _draw(weights_p: np.ndarray, rng: np.random.Generator) -> int:
    """A row with probability proportional to its weight; the heaviest when all weigh nothing."""
    total = np.cumsum(np.maximum(weights_p, 0), dtype=float)
    return int(np.searchsorted(total, rng.random() * total[-1], side="right")) if total[-1] > 0 else int(weights_p.argmax())


def _largest_cluster(cover: "_Cover", size: int, choose_row: Callable[[np.ndarray], int], verb: str) -> Picks:
    while len(cover.picked) < size:
        mass = np.bincount(cover.centre_p, weights=cover.squared_p)
        inside = np.flatnonzero((cover.centre_p == mass.argmax()) & cover.is_free_p)
        if not len(inside):
            inside = np.flatnonzero(cover.is_free_p)
        row = int(inside[choose_row(cover.worth_p()[inside])])
        cover.pick(row, f"{verb} the largest uncovered cluster ({len(inside)} galaxies), {cover.distance(row):.3g} from its centre")
    return cover.picks()


class _Cover:
    """Each pool point's nearest centre among labels and picks, kept up as picks are added."""

    def __init__(self, candidates: Candidates, points_pd: np.ndarray, labelled_ld: np.ndarray | None):
        self.candidates = candidates
        middle_d = np.mean(points_pd, axis=0)
        self.points_pd = moved(points_pd, middle_d)
        self.norms_p = squared_lengths(self.points_pd)
        labelled_ld = self.points_pd[:0] if labelled_ld is None else moved(labelled_ld, middle_d)
        self.squared_p, self.centre_p = nearest(self.points_pd, labelled_ld)
        self.is_free_p = np.ones(len(self.points_pd), bool)
        self.centres = len(labelled_ld)
        self.picked: list[int] = []
        self.scores: list[float] = []
        self.reasons: list[str] = []
        if not self.centres:
            self._start_in_the_middle()

    def _start_in_the_middle(self) -> None:
        row = int(self.norms_p.argmin())
        self._remember(row, 0.0, "nearest to the middle of the pool: nothing is labelled yet")
        self._join(row)

    def distance(self, row: int) -> float:
        return float(np.sqrt(self.squared_p[row]))

    def worth_p(self) -> np.ndarray:
        """Squared distance to the nearest centre, for each second that a label takes."""
        return self.candidates.per_cost(self.squared_p)

    def free_argmax(self) -> int:
        return int(np.where(self.is_free_p, self.worth_p(), -1).argmax())

    def pick(self, row: int, reason: str) -> None:
        self._remember(row, self.distance(row), reason)
        self._join(row)

    def picks(self) -> Picks:
        return Picks(np.array(self.picked), np.array(self.scores), self.reasons)

    def _remember(self, row: int, score: float, reason: str) -> None:
        self.picked.append(row)
        self.scores.append(score)
        self.reasons.append(reason[0].upper() + reason[1:])
        self.is_free_p[row] = False

    def _join(self, row: int) -> None:
        squared = squared_to(self.points_pd, self.points_pd[row], self.norms_p)
        squared[row] = 0
        closer = squared < self.squared_p
        closer[row] = True
        self.squared_p[closer], self.centre_p[closer] = squared[closer], self.centres
        self.centres += 1
