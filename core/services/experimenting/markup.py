"""Tables as HTML; every heading sorts, by the numbers behind what is shown."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd


def cell_table(table: pd.DataFrame, formats: Mapping[str, str]) -> str:
    """A table as it is; numbers with four digits unless ``formats`` says otherwise, missing ones empty."""
    words = [c for c in table if not pd.api.types.is_numeric_dtype(table[c])]
    head = "".join(f'<th{" class=words" if c in words else ""}>{_heading(c.replace("_", " "))}</th>' for c in table)
    rows = ["".join(_words(v) if c in words else _number(v, formats.get(c, ".4g")) for c, v in row.items()) for row in table.to_dict("records")]
    return _whole(head, rows)


def mean_table(rows: pd.DataFrame, across: str, columns: Sequence[str], wanted: str) -> str:
    """One line a configuration and one column a value of ``across``: mean and standard error, the best in bold.

    Parameters
    ----------
    rows : of `core.services.experimenting.tables.summary`, one a configuration and column. wanted : ``low``, ``high`` or ``none``.
    """
    configurations = list(dict.fromkeys(rows["configuration"]))
    at = {(r.configuration, getattr(r, across)): (r.mean, r.standard_error) for r in rows.itertuples()}
    columns = [c for c in columns if any((name, c) in at for name in configurations)]
    pick = {"low": min, "high": max}.get(wanted)
    best = {c: pick(at[n, c][0] for n in configurations if (n, c) in at) for c in columns} if pick else {}
    lines = [_words(n) + "".join(_mean(at.get((n, c)), best.get(c)) for c in columns) for n in configurations]
    return _whole("<th class=words>configuration</th>" + "".join(f"<th>{_heading(c)}</th>" for c in columns), lines)


def gain_table(rows: pd.DataFrame, columns: Sequence[tuple[str, str, str, str]]) -> str:
    """One line a configuration and one column a question: gain, its interval and p; empty where nothing was tested.

    Parameters
    ----------
    rows : of `core.services.experimenting.tables.tests`. columns : metric, target, subset and heading.
    """
    at = {(r.configuration, r.metric, r.target, r.subset): r for r in rows.itertuples()}
    columns = [c for c in columns if any(key[1:] == c[:3] for key in at)]
    names = dict.fromkeys(rows["configuration"])
    lines = [_words(name) + "".join(_gain(at.get((name, *c[:3]))) for c in columns) for name in names]
    head = "<th class=words>configuration</th>" + "".join(f"<th>{_heading(c[3])}</th>" for c in columns)
    return _whole(head, lines) if columns else ""


def _gain(row: object) -> str:
    if row is None or not np.isfinite(row.gain_low):
        return '<td data-v=""></td>'
    hint = f"{row.value:.4g} against {row.value_of_best:.4g} of {row.best_single}, {row.n:,} galaxies"
    sure = " class=best" if row.gain_low > 0 and row.p_holm < 0.05 else ""
    return (f'<td data-v="{-row.gain:.8g}"{sure} title="{escape(hint)}">{_share(row.gain)}<br><span class="se">{_share(row.gain_low)} to {_share(row.gain_high)}'
            f'<br>p = {row.p_holm:.2g}</span></td>')  # fmt: skip


def _share(gain: float) -> str:
    """A gain in per cent, or as a factor where a metric is more than twice as high.

    >>> _share(0.052), _share(-0.3), _share(-14.3)
    ('+5.2%', '-30.0%', '×15.3')
    """
    return f"{gain:+.1%}" if gain > -1 else f"×{1 - gain:.3g}"


def _mean(found: tuple[float, float] | None, best: float | None) -> str:
    if found is None:
        return '<td data-v=""></td>'
    value, error = found
    more = f' <span class="se">± {error:.2g}</span>' if np.isfinite(error) else ""
    return f'<td data-v="{value:.8g}"{" class=best" if value == best else ""}>{value:.4g}{more}</td>'


def _number(value: float, how: str) -> str:
    if value is None or not np.isfinite(value):
        return '<td data-v=""></td>'
    return f'<td data-v="{value:.8g}">{format(value, how)}</td>'


def _heading(name: str) -> str:
    """A name that may be broken after its underscores."""
    return escape(name).replace("_", "_<wbr>")


def _words(value: object) -> str:
    return f"<td class=words>{'' if value is None else escape(str(value))}</td>"


def _whole(head: str, rows: Sequence[str]) -> str:
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{r}</tr>' for r in rows)}</tbody></table></div>"
