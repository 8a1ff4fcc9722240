"""Where a model is unsure: in which S/N, at which redshift, and what its uncertainty follows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

ROWS, COLUMNS = 4, 5
FEWEST = 10
"""Galaxies in a cell below which its median is not spoken of."""
SN, MAGNITUDE = "S/N", "r magnitude"
UNKNOWN = {SN: "no spectrum", MAGNITUDE: "no photometry"}
"""What rows can be parted by, and what the row of those is called of whom it is not known."""
ALIKE = 1.15
"""How many times the median of all a cell's must be to be worth a word."""
FOLLOWED = 0.1
"""Rank correlation below which uncertainty follows nothing worth a word."""


@dataclass(frozen=True)
class Cells:
    """Medians of an uncertainty by S/N or brightness and by predicted value.

    Attributes
    ----------
    by : what the rows are parted by, of `UNKNOWN`.
    rows, columns : names of the cells' ranges, ascending, those of whom it is not known last.
    median, count : float (rows, columns); the median is NaN in an empty cell.
    overall : median of all.
    """

    by: str
    rows: list[str]
    columns: list[str]
    median: np.ndarray
    count: np.ndarray
    overall: float


def cells(values_n: np.ndarray, sn_n: np.ndarray, magnitude_n: np.ndarray, predicted_n: np.ndarray) -> Cells | None:
    """Cells of about equal counts; galaxies without a value or a prediction are left out; None when nobody is left.

    Rows are parted by S/N, or by magnitude where no galaxy has an S/N.
    """
    used = np.isfinite(values_n) & np.isfinite(predicted_n)
    if not used.any():
        return None
    by = SN if np.isfinite(sn_n[used]).any() else MAGNITUDE
    values, parted, predicted = (np.asarray(v, float)[used] for v in (values_n, sn_n if by == SN else magnitude_n, predicted_n))
    row_n, rows = _ranges(parted, ROWS, ".1f")
    column_n, columns = _ranges(predicted, COLUMNS, ".3g")
    if (row_n < 0).any():
        row_n, rows = np.where(row_n < 0, len(rows), row_n), [*rows, UNKNOWN[by]]
    cell, shape = row_n * len(columns) + column_n, (len(rows), len(columns))
    median = pd.Series(values).groupby(cell).median().reindex(np.arange(shape[0] * shape[1])).to_numpy().reshape(shape)
    return Cells(by, rows, columns, median, np.bincount(cell, minlength=median.size).reshape(shape), float(np.median(values)))


def largest(found: Cells, target: str) -> str:
    """In which cell the uncertainty is largest, in a sentence, or that it is much the same in all; empty when no cell has `FEWEST` galaxies."""
    spoken = np.where(found.count >= FEWEST, found.median, -np.inf)
    row, column = np.unravel_index(np.argmax(spoken), spoken.shape)
    if not np.isfinite(spoken[row, column]):
        return ""
    if found.overall > 0 and found.median[row, column] < ALIKE * found.overall:
        return f"Much the same everywhere: a median of {found.overall:.2g}, and nowhere above {found.median[row, column]:.2g}."
    whose = f"where there is {found.rows[row]}" if found.rows[row] == UNKNOWN[found.by] else f"at {found.by} {found.rows[row]}"
    times = found.median[row, column] / found.overall if found.overall > 0 else np.nan
    compared = f", {times:.1f} times that of all" if np.isfinite(times) else ""
    return f"Largest {whose} and predicted {target} {found.columns[column]}: a median of {found.median[row, column]:.2g}{compared}."


def follows(values_n: np.ndarray, properties: dict[str, np.ndarray]) -> dict[str, float]:
    """Rank correlation (Spearman) of an uncertainty with properties (n,), the strongest first; one that too few galaxies have is left out."""
    found = {}
    for name, property_n in properties.items():
        both = np.isfinite(values_n) & np.isfinite(property_n)
        if both.sum() >= FEWEST and np.ptp(property_n[both]) > 0 and np.ptp(values_n[both]) > 0:
            found[name] = float(np.corrcoef(*(pd.Series(v[both]).rank() for v in (values_n, property_n)))[0, 1])
    return dict(sorted(found.items(), key=lambda item: -abs(item[1])))


def followed(found: dict[str, float]) -> str:
    """`follows` in a sentence.

    >>> followed({"S/N": -0.71, "r magnitude": 0.5, "predicted z": 0.03})
    'It falls with S/N (rank correlation -0.71) and grows with r magnitude (+0.50).'
    """
    told = {name: value for name, value in found.items() if abs(value) >= FOLLOWED}
    if not told:
        return f"It follows none of {', '.join(found)}." if found else ""
    first = next(iter(told))
    signs = (told[first] > 0, told[first] <= 0)
    sides = [[f"{name} ({'rank correlation ' * (name == first)}{value:+.2f})" for name, value in told.items() if (value > 0) == sign] for sign in signs]
    said = [f"{'grows' if sign else 'falls'} with {_listed(side)}" for sign, side in zip(signs, sides, strict=True) if side]
    return f"It {' and '.join(said)}."


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _ranges(values_n: np.ndarray, count: int, form: str) -> tuple[np.ndarray, list[str]]:
    """Place of each value in ranges of about equal counts, int (n,), -1 = NaN; and what the ranges are called."""
    known = np.isfinite(values_n)
    inner = np.unique(np.percentile(values_n[known], np.linspace(0, 100, count + 1)[1:-1])) if known.any() else np.empty(0)
    place_n = np.where(known, np.searchsorted(inner, np.nan_to_num(values_n), side="right"), -1)
    names = [f"under {inner[0]:{form}}", *(f"{a:{form}} to {b:{form}}" for a, b in zip(inner[:-1], inner[1:], strict=True)),
             f"over {inner[-1]:{form}}"] if len(inner) else ["any"]
    return place_n, names if known.any() else []
