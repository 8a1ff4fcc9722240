"""The curves of a replay as one SVG: a panel a metric, a line a strategy, its standard error over seeds as a band."""

from html import escape

import numpy as np
import pandas as pd

from core.services.replaying.curves import COSTS

COLOURS = ("#555555", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31")
"""Okabe & Ito 2008, random's grey first; later strategies take them again with a dashed line."""
DASHES = ("", "6 3", "2 3")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 380, 260, 56, 38, 26
ROW, KEYS = 18, 3
NAMES = {"rmse_delta": "RMSE(delta)", "nmad": "sigma NMAD", "eta05": "share of |delta| > 0.05", "rmse": "RMSE", "mae": "MAE", "crps": "CRPS", "coverage68": "coverage of 68 %"}
STYLE = ("text{font:11px system-ui,sans-serif;fill:#444}.grid{stroke:#ddd}path{fill:none;stroke-width:1.8}.band{stroke:none;fill-opacity:.15}"
         ".paper{fill:#fff}@media(prefers-color-scheme:dark){text{fill:#bbb}.grid{stroke:#444}.paper{fill:#111}}")  # fmt: skip


def drawn(curves: pd.DataFrame, title: str = "Learning curves") -> str:
    """SVG text; needs nothing else to be seen. Panels are logarithmic where all values are above 0; three beside each other."""
    metrics = [m for m in curves["metric"].unique() if m not in COSTS]
    names = list(curves["strategy"].unique())
    columns = min(len(metrics), 3)
    panels = "".join(_panel(curves[curves["metric"] == m], m, names, (k % columns) * WIDTH, (k // columns) * HEIGHT) for k, m in enumerate(metrics))
    below = -(-len(metrics) // max(columns, 1)) * HEIGHT
    width, height = max(columns, 1) * WIDTH, below + ROW * (-(-len(names) // KEYS) + 1)
    keys = "".join(_key(name, k, 16 + (k % KEYS) * width // KEYS, below + ROW * (k // KEYS + 1)) for k, name in enumerate(names))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{escape(title)}">'
            f'<title>{escape(title)}</title><style>{STYLE}</style><rect class="paper" width="{width}" height="{height}"/>{panels}{keys}</svg>')  # fmt: skip


def bands(curves: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard error over seeds of every strategy and metric at every number of labels: strategy, metric, labels, mean, error (0 with one seed)."""
    found = curves.groupby(["strategy", "metric", "labels"], sort=False)["value"].agg(["mean", "sem"]).reset_index()
    return found.rename(columns={"sem": "error"}).fillna({"error": 0.0})


def _panel(curves: pd.DataFrame, metric: str, names: list[str], x0: int, y0: int) -> str:
    table = bands(curves)
    low, high = table["mean"] - table["error"], table["mean"] + table["error"]
    is_log = bool((low > 0).all())
    across = _scale(table["labels"].min(), table["labels"].max(), x0 + LEFT, x0 + WIDTH - 12, False)
    up = _scale(low.min(), high.max(), y0 + HEIGHT - BOTTOM, y0 + TOP, is_log)
    parts = [_grid(v, x0 + LEFT, x0 + WIDTH - 12, up(v)) for v in _ticks(low.min(), high.max(), is_log)]
    parts += [_text(across(v), y0 + HEIGHT - BOTTOM + 16, f"{v:g}", "middle") for v in _ticks(table["labels"].min(), table["labels"].max(), False)]
    parts += [_text(x0 + LEFT, y0 + 14, words_of(metric), "start"), _text(x0 + WIDTH - 12, y0 + HEIGHT - 6, "galaxies asked about", "end")]
    for k, name in enumerate(names):
        one = table[table["strategy"] == name].sort_values("labels")
        parts.append(_line(one, k, across, up) if len(one) else "")
    return "".join(parts)


def words_of(metric: str) -> str:
    """What a person calls a metric of a curve: the metric in words, behind the target where several are measured."""
    *target, name = metric.split(" ")
    return " ".join([*target, NAMES.get(name, name)])


def _line(one: pd.DataFrame, k: int, across, up) -> str:
    x, mean, error = (one[c].to_numpy(float) for c in ("labels", "mean", "error"))
    there = [f"{across(a):.1f},{up(b):.1f}" for a, b in zip(x, mean + error, strict=True)]
    back = [f"{across(a):.1f},{up(b):.1f}" for a, b in zip(x[::-1], (mean - error)[::-1], strict=True)]
    middle = " L".join(f"{across(a):.1f},{up(b):.1f}" for a, b in zip(x, mean, strict=True))
    return f'<polygon class="band" fill="{_colour(k)}" points="{" ".join(there + back)}"/><path d="M{middle}" stroke="{_colour(k)}"{_dash(k)}/>'


def _key(name: str, k: int, x: float, y: float) -> str:
    return f'<path d="M{x},{y - 4} L{x + 22},{y - 4}" stroke="{_colour(k)}"{_dash(k)}/>' + _text(x + 28, y, name, "start")


def _scale(low: float, high: float, start: float, stop: float, is_log: bool):
    """From a value to a pixel, with a small margin at both ends."""
    low, high = (np.log(low), np.log(high)) if is_log else (low, high)
    span = (high - low) or max(abs(high), 1e-9)
    return lambda v: start + (stop - start) * (0.04 + 0.92 * ((np.log(v) if is_log else v) - low) / span)


def _ticks(low: float, high: float, is_log: bool) -> list[float]:
    """A few round values between two."""
    step = 10.0 ** np.floor(np.log10((high - low) or max(abs(high), 1e-9)))
    step = next(s for s in (step, step / 2, step / 5, step / 10) if np.floor(high / s) - np.ceil(low / s) >= 2 or s == step / 10)
    ticks = [float(k * step) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]
    # On a logarithmic axis the upper ticks stand close; every other one is enough.
    return ticks if not is_log or len(ticks) < 7 else ticks[:2] + ticks[2::2]


def _colour(k: int) -> str:
    return COLOURS[k % len(COLOURS)]


def _dash(k: int) -> str:
    pattern = DASHES[k // len(COLOURS) % len(DASHES)]
    return f' stroke-dasharray="{pattern}"' if pattern else ""


def _grid(value: float, left: float, right: float, y: float) -> str:
    return f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>' + _text(left - 5, y + 4, f"{value:.3g}", "end")


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
