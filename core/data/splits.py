"""Who trains, who calibrates, who tests: drawn by position on the sky, never by row.

The same galaxy may stand on several plates; all its spectra fall into one group, and a
group into one split. The draw is a hash of the group, so it never changes as data come in.
"""

import hashlib

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

CELL_DEG = 0.1
SAME_GALAXY_ARCSEC = 3.0
TEST_SHARE, CALIBRATION_SHARE = 0.20, 0.10


def sky_groups(keys: list[str], ra_n: np.ndarray, dec_n: np.ndarray, known: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None) -> np.ndarray:
    """The group of each object: its neighbour's within 3 arcsec, else its 0.1-degree cell.

    Parameters
    ----------
    keys : identities; they give the group of objects without a position.
    ra_n, dec_n : deg, NaN where unknown.
    known : ra, dec, group of objects that have one already; a neighbour's group is inherited,
        so that a pair across a cell's edge stays together.

    Returns
    -------
    int64 (n,); negative for objects without a position.

    >>> g = sky_groups(["a", "b", "c"], np.array([10.0999, 10.1001, 30]), np.array([0.05, 0.05, 0]))
    >>> bool(g[0] == g[1]), bool(g[0] == g[2])
    (True, False)
    """
    ra_n, dec_n = np.asarray(ra_n, float), np.asarray(dec_n, float)
    groups = np.array([-1 - _hash(k) % 2**40 for k in keys], dtype=np.int64)
    placed = np.flatnonzero(np.isfinite(ra_n) & np.isfinite(dec_n))
    if not len(placed):
        return groups
    groups[placed] = _cells(ra_n[placed], dec_n[placed])
    _inherit(groups, placed, unit_vectors(ra_n[placed], dec_n[placed]), known)
    return groups


def split_of(groups_n: np.ndarray) -> np.ndarray:
    """``test``, ``calibration`` or ``train`` of each group: a fixed draw of 20, 10 and 70 %."""
    draws = {g: _hash(f"split {g}") / 2**64 for g in np.unique(groups_n).tolist()}
    names = {g: "test" if u < TEST_SHARE else "calibration" if u < TEST_SHARE + CALIBRATION_SHARE else "train" for g, u in draws.items()}
    return np.array([names[g] for g in np.asarray(groups_n).tolist()], dtype=object)


def unit_vectors(ra_n: np.ndarray, dec_n: np.ndarray) -> np.ndarray:
    """Positions (deg) on the unit sphere, shape (n, 3): chords compare like small angles."""
    ra, dec = np.radians(ra_n), np.radians(dec_n)
    return np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def chord(arcsec: float) -> float:
    """Length of the chord of an angle, for trees over `unit_vectors`."""
    return 2 * np.sin(np.radians(arcsec / 3600) / 2)


def _cells(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    band = np.floor((dec + 90) / CELL_DEG).astype(np.int64)
    width = np.maximum(np.cos(np.radians((band + 0.5) * CELL_DEG - 90)), 1e-3)
    return band * 10_000 + np.floor((ra % 360) * width / CELL_DEG).astype(np.int64)


def _inherit(groups: np.ndarray, placed: np.ndarray, vectors: np.ndarray, known: tuple | None) -> None:
    """Give neighbours one group: the known ones', else the smallest of their chain."""
    pairs = cKDTree(vectors).query_pairs(chord(SAME_GALAXY_ARCSEC), output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(placed), len(placed)))
    count, chain = connected_components(links, directed=False)
    smallest = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(smallest, chain, groups[placed])
    groups[placed] = smallest[chain]
    if known is not None and len(known[0]):
        distance, nearest = cKDTree(unit_vectors(known[0], known[1])).query(vectors)
        near = distance <= chord(SAME_GALAXY_ARCSEC)
        inherited = np.full(count, np.iinfo(np.int64).max)
        np.minimum.at(inherited, chain[near], np.asarray(known[2])[nearest[near]])
        groups[placed] = np.where(inherited < np.iinfo(np.int64).max, inherited, smallest)[chain]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
