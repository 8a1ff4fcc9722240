"""Figures of a report as SVG text: they need nothing to be seen, and stay sharp when printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

COLOURS = {"image": "#0072B2", "spectrum": "#009E73", "photometry": "#E69F00", "fused": "#D55E00", "none": "#808399"}
"""Of modalities; Okabe & Ito 2008."""
LABEL_WIDTH, WIDTH, ROW = 170, 565, 20
WIDE, BESIDE = 1140, 150
"""Width of a scatter plot, and what of it is kept for names beside the rightmost points."""
SQUARE = 270
LETTER = (6, 11)
"""Width and height of a letter, roughly."""


@dataclass(frozen=True)
class Dot:
    """A value with its interval: ``low`` and ``high`` equal ``value`` where none is known."""

    name: str
    kind: str
    value: float
    low: float
    high: float


def dots(items: Sequence[Dot], title: str, unit: str, is_log: bool = False, mark: float | None = None) -> str:
    """One line a configuration: a dot and its interval; ``mark`` is a vertical line to compare with. Best at the top for a low value."""
    items = sorted((d for d in items if np.isfinite(d.value)), key=lambda d: d.value)
    if not items:
        return ""
    height = ROW * len(items) + 40
    ends = [v for d in items for v in (d.low, d.high, d.value) if not is_log or v > 0] + ([mark] if mark is not None else [])
    axis = _Axis(min(ends), max(ends), LABEL_WIDTH + 10, WIDTH - 20, is_log)
    parts = [_line(axis.at(v), 6, axis.at(v), height - 28, "grid") + _text(axis.at(v), height - 12, _short(v), "middle") for v in axis.ticks()]
    parts += [_line(axis.at(mark), 2, axis.at(mark), height - 28, "mark")] if mark is not None else []
    for k, d in enumerate(items):
        y = 16 + k * ROW
        low = max(d.low, axis.low) if is_log else d.low
        parts.append(_text(LABEL_WIDTH, y + 4, d.name, "end") + _line(axis.at(low), y, axis.at(d.high), y, "bar", COLOURS[d.kind]))
        parts.append(f'<circle cx="{axis.at(d.value):.1f}" cy="{y}" r="4.5" fill="{COLOURS[d.kind]}"><title>{escape(d.name)}: {d.value:.4g} ({d.low:.4g} to {d.high:.4g}) {escape(unit)}</title></circle>')
    return _svg(WIDTH, height, title, parts) + f"<figcaption>{escape(title)}{f', {escape(unit)}' if unit else ''}</figcaption>"


def scatter(points: Sequence[tuple[str, str, float, float]], title: str, x_name: str, y_name: str) -> str:
    """Points (name, kind, x, y) on two logarithmic axes, each with its name beside it."""
    points = [p for p in points if p[2] > 0 and p[3] > 0]
    if not points:
        return ""
    height, right = 420, WIDE - BESIDE
    x, y = (_Axis(min(p[i] for p in points), max(p[i] for p in points), *ends, is_log=True) for i, ends in ((2, (70, right)), (3, (height - 45, 15))))
    parts = [_line(x.at(v), 12, x.at(v), height - 40, "grid") + _text(x.at(v), height - 24, _short(v), "middle") for v in x.ticks()]
    parts += [_line(66, y.at(v), right + 4, y.at(v), "grid") + _text(60, y.at(v) + 4, _short(v), "end") for v in y.ticks()]
    parts += [_text((70 + right) / 2, height - 6, x_name, "middle"), _text(66, 8, y_name, "start")]
    parts += [f'<circle cx="{x.at(a):.1f}" cy="{y.at(b):.1f}" r="4.5" fill="{COLOURS[kind]}"/>' for _, kind, a, b in points]
    parts += [_text(left, top + 4, name, "start") for name, left, top in _apart([(name, x.at(a) + 7, y.at(b)) for name, _, a, b in points])]
    return _svg(WIDE, height, title, parts) + f"<figcaption>{escape(title)}</figcaption>"


def density(truth_n: np.ndarray, predicted_n: np.ndarray, title: str, unit: str, bins: int = 60) -> str:
    """Predicted against true as a two-dimensional histogram, darker where more galaxies are; the diagonal is right."""
    known = np.isfinite(truth_n) & np.isfinite(predicted_n)
    if known.sum() < 2:
        return ""
    low, high = np.percentile(truth_n[known], [0.5, 99.5])
    margin = 0.08 * (high - low) or 1.0
    edges = np.linspace(low - margin, high + margin, bins + 1)
    counts, _, _ = np.histogram2d(truth_n[known], np.clip(predicted_n[known], edges[0], edges[-1]), bins=edges)
    axis, cell = _Axis(edges[0], edges[-1], 48, SQUARE - 10), (SQUARE - 58) / bins
    place = lambda v: SQUARE - 40 - (axis.at(v) - 48)  # noqa: E731
    parts = [f'<rect x="{48 + i * cell:.1f}" y="{SQUARE - 40 - (j + 1) * cell:.1f}" width="{cell + 0.3:.1f}" height="{cell + 0.3:.1f}" '
             f'fill="#0072B2" fill-opacity="{0.15 + 0.85 * np.log1p(counts[i, j]) / np.log1p(counts.max()):.2f}"/>' for i, j in np.argwhere(counts)]  # fmt: skip
    parts += [_line(axis.at(edges[0]), place(edges[0]), axis.at(edges[-1]), place(edges[-1]), "mark")]
    parts += [_text(axis.at(v), SQUARE - 24, _short(v), "middle") + _text(44, place(v) + 4, _short(v), "end") for v in axis.ticks()]
    parts += [_text(SQUARE / 2 + 20, SQUARE - 8, f"true {unit}".strip(), "middle"), _text(48, 8, "predicted", "start")]
    return _svg(SQUARE, SQUARE, title, parts) + f"<figcaption>{escape(title)}</figcaption>"


def legend(kinds: Mapping[str, str] | Sequence[str]) -> str:
    """Which colour is which modality."""
    return "".join(f'<span class="key"><span style="background:{COLOURS[k]}"></span>{escape(k)}</span>' for k in kinds)


class _Axis:
    """Values to pixels between ``start`` and ``stop``."""

    def __init__(self, low: float, high: float, start: float, stop: float, is_log: bool = False):
        self.low, self.high, self._start, self._stop, self._is_log = low, high, start, stop, is_log
        low, high = (np.log10(low), np.log10(high)) if is_log else (low, high)
        margin = 0.04 * (high - low) or max(abs(high), 1e-3) * 0.1
        self._low, self._span = low - margin, high - low + 2 * margin

    def at(self, value: float) -> float:
        value = np.log10(value) if self._is_log else value
        return self._start + (self._stop - self._start) * (value - self._low) / self._span

    def ticks(self) -> list[float]:
        """Round values inside: on a logarithmic axis 1, 2 and 5 times powers of ten, or fewer."""
        if not self._is_log:
            step = _round_step(self._span / 5)
            return [float(k * step) for k in range(int(np.ceil(self._low / step)), int(np.floor((self._low + self._span) / step)) + 1)]
        decades = range(int(np.floor(self._low)), int(np.ceil(self._low + self._span)) + 1)
        for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)):
            found = [s * 10.0**d for d in decades for s in steps if self._low <= np.log10(s * 10.0**d) <= self._low + self._span]
            if len(found) >= 3:
                break
        return found


def _apart(labels: Sequence[tuple[str, float, float]]) -> list[tuple[str, float, float]]:
    """Labels (words, left, top) moved down as little as needed for none to cover another."""
    placed: list[tuple[str, float, float]] = []
    for words, left, top in sorted(labels, key=lambda label: label[2]):
        for other, x, y in placed:
            if abs(top - y) < LETTER[1] and left < x + LETTER[0] * len(other) and x < left + LETTER[0] * len(words):
                top = y + LETTER[1]
        placed.append((words, left, top))
    return placed


def _round_step(rough: float) -> float:
    power = 10.0 ** np.floor(np.log10(rough))
    return float(power * min((1, 2, 5, 10), key=lambda s: abs(s - rough / power)))


def _short(value: float) -> str:
    return f"{value + 0.0:.3g}" if 1e-4 <= abs(value) < 1e5 or value == 0 else f"{value:.0e}"


def _line(x1: float, y1: float, x2: float, y2: float, kind: str, colour: str = "") -> str:
    paint = f' style="stroke:{colour}"' if colour else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"{paint}/>'


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
