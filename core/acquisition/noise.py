"""Features divided by the predicted noise: a noisy label teaches less, so the distance to it should weigh less."""

import numpy as np

from core.acquisition.candidates import Candidates
from core.acquisition.variance import group_means

NOISE_FLOOR = 0.3
"""Keeps a galaxy of very low predicted noise from being blown up without bound (measured in trials)."""


def noise_normalised(candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    """Pool (p, d) and labelled (l, d) features divided by the predicted noise.

    Noise is the aleatoric variance over its median among the labelled (among the pool when
    nothing is labelled), averaged inside task groups, then over them. Features come back as they are without it.
    """
    labelled_ld = candidates.labelled_ld if candidates.labelled_ld is not None else candidates.features_pd[:0]
    typical_t = _typical(candidates)
    if typical_t is None:
        return candidates.features_pd, labelled_ld
    noise_lt = candidates.labelled_aleatoric_lt if len(labelled_ld) else candidates.aleatoric_pt[:0]
    return _divided(candidates.features_pd, candidates.aleatoric_pt, typical_t, candidates), _divided(labelled_ld, noise_lt, typical_t, candidates)


def noise_normalised_population(candidates: Candidates) -> np.ndarray:
    """Features (m, d) of the galaxies that predictions should serve, divided by their noise as the pool's are; the pool's when none are named."""
    if candidates.population_md is None:
        return noise_normalised(candidates)[0]
    typical_t = _typical(candidates)
    if typical_t is None or candidates.population_aleatoric_mt is None:
        return candidates.population_md
    return _divided(candidates.population_md, candidates.population_aleatoric_mt, typical_t, candidates)


def _typical(candidates: Candidates) -> np.ndarray | None:
    """The noise variance of a typical galaxy, (T,); None when that of the pool or of the labelled is not known."""
    has_labels = candidates.labelled_ld is not None and len(candidates.labelled_ld) > 0
    if candidates.aleatoric_pt is None or (has_labels and candidates.labelled_aleatoric_lt is None):
        return None
    median_t = np.median(candidates.labelled_aleatoric_lt if has_labels else candidates.aleatoric_pt, axis=0)
    return np.where(median_t > 0, median_t, 1.0)


def _divided(features_nd: np.ndarray, variance_nt: np.ndarray, typical_t: np.ndarray, candidates: Candidates) -> np.ndarray:
    """Features over about 1 for a typical galaxy, in the precision in which they came."""
    length_n = np.sqrt(group_means(variance_nt / typical_t, candidates.groups, candidates.weights)[0] + NOISE_FLOOR)
    return features_nd / length_n[:, None].astype(np.result_type(features_nd, np.float32))
