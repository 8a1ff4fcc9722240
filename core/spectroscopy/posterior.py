"""A binned posterior of log10 star-formation rate, and the eight statistics that catalogues give of it."""

import numpy as np

LOG_SFR_GRID = np.arange(-6.0, 4.0 + 1e-9, 0.05)
"""Bin centres, log10(Msun/yr)."""
_LEVELS = {"p2p5": 0.025, "p16": 0.16, "median": 0.5, "p84": 0.84, "p97p5": 0.975}


def statistics(p: np.ndarray, grid: np.ndarray = LOG_SFR_GRID) -> dict[str, np.ndarray]:
    """avg, entropy, median, mode and percentiles of binned distributions, as MPA-JHU defines them.

    Parameters
    ----------
    p : (n, b) probabilities of even bins; rows sum to 1. grid : (b,) bin centres.

    Returns
    -------
    Name without ``sfr_tot_`` -> (n,). Percentiles are read from the cumulative distribution, which
    rises evenly inside a bin; entropy is the sum of p log p, 0 or less; the mode is refined by a
    parabola through the highest bin and its neighbours.

    >>> s = statistics(np.array([[0.25, 0.5, 0.25]]), np.array([0.0, 1.0, 2.0]))
    >>> float(s["median"][0]), float(s["mode"][0]), round(float(s["entropy"][0]), 4)
    (1.0, 1.0, -1.0397)
    """
    step = grid[1] - grid[0]
    out = {"avg": p @ grid, "entropy": (p * np.log(np.maximum(p, 1e-300))).sum(axis=1), "mode": _modes(p, grid, step)}
    cumulative = np.concatenate([np.zeros((len(p), 1)), np.cumsum(p, axis=1)], axis=1)
    for name, level in _LEVELS.items():
        out[name] = _percentile(cumulative, level, grid[0] - step / 2, step)
    return out


def _percentile(cumulative: np.ndarray, level: float, low: float, step: float) -> np.ndarray:
    rows = np.arange(len(cumulative))
    upper = np.clip((cumulative < level).sum(axis=1), 1, cumulative.shape[1] - 1)
    below, above = cumulative[rows, upper - 1], cumulative[rows, upper]
    return low + step * (upper - 1 + (level - below) / np.maximum(above - below, 1e-300))


def _modes(p: np.ndarray, grid: np.ndarray, step: float) -> np.ndarray:
    rows, top = np.arange(len(p)), np.clip(p.argmax(axis=1), 1, p.shape[1] - 2)
    left, middle, right = (p[rows, top + k] for k in (-1, 0, 1))
    curvature = left - 2 * middle + right
    shift = np.where(curvature < 0, 0.5 * (left - right) / np.where(curvature < 0, curvature, 1), 0)
    return grid[top] + step * np.clip(shift, -0.5, 0.5)
