"""The sky as a plane, whatever part of it a survey covers: Lambert's azimuthal equal-area projection about the middle of the galaxies.

Equal areas stay equal, right ascension may wrap, poles are no special case; a small field looks as through a telescope.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60)
"""Degrees between the lines of a graticule."""
A_BIN = 8
"""Galaxies wanted in each bin."""
FEWEST, MOST = 12, 56
"""Bins across."""


@dataclass(frozen=True)
class Sky:
    """The median of something in bins of equal area.

    Attributes
    ----------
    centre : right ascension and declination of the middle, degrees.
    x, y : middles of the bins, degrees east and north of the centre, float (a,) and (b,). size : their width.
    median, count, ra, dec : float (b, a); the median is NaN where no galaxy lies, the position where there is no sky.
    x_n, y_n : where each galaxy lies, float (n,), NaN = of unknown position.
    """

    centre: tuple[float, float]
    x: np.ndarray
    y: np.ndarray
    size: float
    median: np.ndarray
    count: np.ndarray
    ra: np.ndarray
    dec: np.ndarray
    x_n: np.ndarray
    y_n: np.ndarray


def middle(ra_n: np.ndarray, dec_n: np.ndarray) -> tuple[float, float]:
    """The direction in the middle of positions in degrees, NaN left out.

    >>> [round(v, 6) for v in middle(np.array([359.0, 1.0]), np.array([0.0, 0.0]))]
    [0.0, 0.0]
    """
    ra, dec = np.deg2rad(ra_n), np.deg2rad(dec_n)
    x, y, z = (np.nanmean(v) for v in (np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)))
    return float(np.rad2deg(np.arctan2(y, x)).round(9) % 360), float(np.rad2deg(np.arctan2(z, np.hypot(x, y))))


def project(ra_n: np.ndarray, dec_n: np.ndarray, centre: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Degrees east and north of the centre on the plane (Snyder 1987, USGS Professional Paper 1395, page 185).

    >>> [round(float(v), 3) for v in project(np.array(190.0), np.array(0.0), (180.0, 0.0))]
    [9.987, 0.0]
    """
    ra, dec, ra_0, dec_0 = (np.deg2rad(v) for v in (ra_n, dec_n, *centre))
    across = np.cos(dec) * np.cos(ra - ra_0)
    scale = np.sqrt(2 / np.maximum(1 + np.sin(dec_0) * np.sin(dec) + np.cos(dec_0) * across, 1e-9))
    x, y = scale * np.cos(dec) * np.sin(ra - ra_0), scale * (np.cos(dec_0) * np.sin(dec) - np.sin(dec_0) * across)
    return np.rad2deg(x), np.rad2deg(y)


def unproject(x_n: np.ndarray, y_n: np.ndarray, centre: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Right ascension and declination in degrees of places on the plane; NaN beyond the edge of the sky."""
    x, y, ra_0, dec_0 = (np.deg2rad(v) for v in (x_n, y_n, *centre))
    rho = np.hypot(x, y)
    angle = 2 * np.arcsin(np.where(rho <= 2, rho / 2, np.nan))
    sine = np.divide(np.sin(angle), rho, out=np.ones_like(angle), where=rho > 0)
    dec = np.arcsin(np.clip(np.cos(angle) * np.sin(dec_0) + y * sine * np.cos(dec_0), -1, 1))
    ra = ra_0 + np.arctan2(x * sine, np.cos(angle) * np.cos(dec_0) - y * sine * np.sin(dec_0))
    return np.rad2deg(ra) % 360, np.rad2deg(dec)


def sky(ra_n: np.ndarray, dec_n: np.ndarray, values_n: np.ndarray) -> Sky | None:
    """Medians of values (NaN = none) over the sky; None when no galaxy has both a value and a position."""
    known = np.isfinite(ra_n) & np.isfinite(dec_n)
    used = known & np.isfinite(values_n)
    if not used.any():
        return None
    centre = middle(ra_n[known], dec_n[known])
    x_n, y_n = project(ra_n, dec_n, centre)
    x_edges, y_edges = _edges(x_n[used], y_n[used])
    shape = (len(y_edges) - 1, len(x_edges) - 1)
    cell = (np.digitize(y_n[used], y_edges[1:-1]) * shape[1] + np.digitize(x_n[used], x_edges[1:-1])).astype(np.int64)
    median = pd.Series(values_n[used].astype(float)).groupby(cell).median().reindex(np.arange(shape[0] * shape[1])).to_numpy().reshape(shape)
    x, y = (x_edges[1:] + x_edges[:-1]) / 2, (y_edges[1:] + y_edges[:-1]) / 2
    ra, dec = unproject(*np.meshgrid(x, y), centre)
    return Sky(centre, x, y, float(x_edges[1] - x_edges[0]), median, np.bincount(cell, minlength=median.size).reshape(shape), ra, dec, x_n, y_n)


def frame(seen: Sky) -> tuple[float, float, float, float]:
    """The square that holds all bins, a bin of margin around it: least and most x, least and most y."""
    ends = [(v[0], v[-1]) for v in (seen.x, seen.y)]
    half = max(high - low for low, high in ends) / 2 + 1.5 * seen.size
    return tuple(float((low + high) / 2 + side * half) for low, high in ends for side in (-1, 1))


def graticule(seen: Sky) -> list[tuple[np.ndarray, np.ndarray, str]]:
    """Lines of equal declination and right ascension over what is seen: x, y (float, NaN where a line is broken) and its name."""
    edges = frame(seen)
    span = edges[1] - edges[0]
    step = next((s for s in STEPS if span / s <= 7), STEPS[-1])
    fine = np.linspace(0, 1, 400)
    lines = [(project(360 * fine + seen.centre[0] + 180, np.full(400, dec), seen.centre), f"{dec:+g}°") for dec in np.arange(-90 + step, 90, step).round(6)]
    step_ra = _ra_step(step, seen.centre[1])
    lines += [(project(np.full(400, ra), 179.8 * fine - 89.9, seen.centre), f"{ra:g}°") for ra in np.arange(0, 360, step_ra).round(6)]
    inside = [(_within(x, y, edges), name) for (x, y), name in lines]
    return [(x, y, name) for (x, y), name in inside if np.isfinite(x).sum() > 1]


def _ra_step(step: float, dec_0: float) -> float:
    """Degrees of right ascension that are about as far apart as ``step`` of declination."""
    wanted = step / max(np.cos(np.deg2rad(dec_0)), 0.1)
    return next((s for s in STEPS if s >= 0.99 * wanted), STEPS[-1])


def _within(x: np.ndarray, y: np.ndarray, frame: tuple[float, float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    outside = (x < frame[0]) | (x > frame[1]) | (y < frame[2]) | (y > frame[3])
    leaps = np.hypot(np.diff(x, prepend=x[0]), np.diff(y, prepend=y[0])) > 40
    return np.where(outside | leaps, np.nan, x), np.where(outside | leaps, np.nan, y)


def _edges(x_n: np.ndarray, y_n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges of square bins over all points."""
    size = (max(float(np.ptp(v)) for v in (x_n, y_n)) or 1.0) / int(np.clip((len(x_n) / A_BIN) ** 0.5, FEWEST, MOST))
    return _steps(x_n, size), _steps(y_n, size)


def _steps(values_n: np.ndarray, size: float) -> np.ndarray:
    """Edges ``size`` apart over all values, as much to spare on either side."""
    span = float(np.ptp(values_n))
    count = max(1, int(np.ceil(span / size + 1e-9)))
    return values_n.min() + (span - count * size) / 2 + size * np.arange(count + 1)
