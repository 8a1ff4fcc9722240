"""Pictures and values of what is caught: sorted by any column, page by page."""

import numpy as np
import pandas as pd
import streamlit as st

from core.services import exploring
from core.services.exploring import COLOURINGS, MapTable
from core.store import Workspace
from core.ui import thumbnails

SHOWN = (24, 60, 120)
DIRECTIONS = {False: ":material/south:", True: ":material/north:"}
"""Downwards, largest first, or upwards."""
MOST_LISTED = 5000
"""Rows beyond make the table slow, and nobody scrolls so far."""
WORDS = {
    "epistemic": "ignorance", "aleatoric": "noise", "half": "± 68 %", "sn": "S/N", "prediction": "prediction", "label": "label", "novelty": "novelty", "object_id": "as they came",
    "key": "key", "state": "label state", "class": "class", "split": "split",
}
"""Column of `exploring.details` -> what it is called; the order in which orders are offered."""


def gallery(ws: Workspace, shown: MapTable, rows: np.ndarray, target: str, key: str) -> None:
    """A page of pictures of the rows of a map, in the order that a person chooses."""
    left, middle, right = st.columns([1.2, 1, 1.05], vertical_alignment="center")
    offered = [column for column in WORDS if _is_known(shown, rows, column, target)]
    column = left.selectbox("Sort by", offered, format_func=WORDS.get, key=f"{key}_order", label_visibility="collapsed", persist_state="session")
    rises = middle.segmented_control("Direction", [False, True], default=False, required=True, key=f"{key}_rises", label_visibility="collapsed", persist_state="session", format_func=DIRECTIONS.get)
    count = right.selectbox("Pictures on a page", SHOWN, key=f"{key}_count", label_visibility="collapsed", format_func=lambda n: f"{n} a page", persist_state="session")
    ordered, pages = _ordered(shown, rows, column, target, rises), -(-len(rows) // count)
    page = min(st.session_state.get(f"{key}_page", 1), pages)
    here = exploring.details(shown, shown.object_ids[ordered[(page - 1) * count : page * count]], target)
    has_curves, has_labels = _what_is_shown(key, target, has_run=shown.run_id is not None)
    pictures(ws, here, target, has_labels=has_labels, has_curves=has_curves)
    st.caption(_what_spread_means(here) + _what_curves_mean(here, target, has_curves))
    if pages > 1:
        st.number_input(f"Page, of {pages:,}", 1, pages, page, key=f"{key}_page")


def _is_known(shown: MapTable, rows: np.ndarray, column: str, target: str) -> bool:
    values = exploring.values(shown, column, target)
    return values.dtype == object or bool(np.isfinite(values[rows]).any())


def _ordered(shown: MapTable, rows: np.ndarray, column: str, target: str, rises: bool) -> np.ndarray:
    """Rows by a column, who has no value last."""
    values = pd.Series(exploring.values(shown, column, target)[rows])
    ascending = rises != (column in ("object_id", "key", "state", "class", "split"))
    return rows[values.sort_values(ascending=ascending, na_position="last", kind="stable").index.to_numpy()]


def _what_is_shown(key: str, target: str, has_run: bool) -> tuple[bool, bool]:
    """Whether a person wants curves under the pictures, and labels."""
    with st.container(horizontal=True, gap="medium"):
        has_curves = st.toggle(f"p({target})", key=f"{key}_curves", value=True, disabled=not has_run, persist_state="session",
                               help="What the model run holds likely, as a normal distribution with its calibrated width; all on one scale, each at full height.")
        has_labels = st.toggle("Labels", key=f"{key}_labels", persist_state="session", help="Values that people or a catalogue gave: in the captions, and as a tick on the curves. Hidden until you ask, so that a look at the pictures stays your own.")
    return has_curves and has_run, has_labels


def pictures(ws: Workspace, table: pd.DataFrame, target: str, notes: list[str] | None = None, has_labels: bool = False, has_curves: bool = False) -> None:
    """A grid of pictures of `exploring.details` rows with what is predicted (and labelled, if that is asked for) and label state; each opens the Label page."""
    captions = [_caption(row, target, has_labels) for row in table.itertuples()]
    if notes is not None:
        captions = [f"{note}\n{caption}" for note, caption in zip(notes, captions, strict=True)]
    st.html(_grid(ws.path, ws, tuple(table["object_id"].tolist()), tuple(captions), tuple(table["key"]), tuple(_curves(table, has_labels)) if has_curves else None))


def _curves(table: pd.DataFrame, has_labels: bool) -> list[str]:
    """The curve of each row, all on the scale that holds the middle of them."""
    low, high = _scale(table)
    label = table["label"] if has_labels else table["label"] * np.nan
    return [thumbnails.curve(*row, low, high, tick) for *row, tick in zip(table["prediction"], _spread(table), label, strict=True)]


def _scale(table: pd.DataFrame) -> tuple[float, float]:
    """From where to where curves are drawn: all but the outermost twentieth of them with three of their widths."""
    mean, spread = table["prediction"].to_numpy(float), _spread(table)
    known = np.isfinite(mean) & np.isfinite(spread)
    if not known.any():
        return 0.0, 0.0
    return float(np.percentile((mean - 3 * spread)[known], 5)), float(np.percentile((mean + 3 * spread)[known], 95))


def _spread(table: pd.DataFrame) -> np.ndarray:
    """The calibrated 68 % half-width, else 1 sigma as the model states it, float (n,)."""
    stated = np.hypot(table["epistemic"], table["aleatoric"])
    return table["half"].where(np.isfinite(table["half"]), stated).to_numpy(float)


@st.cache_data(max_entries=64, show_spinner=False)
def _grid(path, _ws: Workspace, ids: tuple[int, ...], captions: tuple[str, ...], keys: tuple[str, ...], curves: tuple[str, ...] | None) -> str:
    images, has_image = exploring.stamps(_ws, np.array(ids, np.int64))
    alts = [f"{key}: colour picture; {caption.replace(chr(10), ', ')}" for key, caption in zip(keys, captions, strict=True)]
    return thumbnails.grid(images, has_image, list(captions), alts, [f"label?object={i}" for i in ids], None if curves is None else list(curves))


def _caption(row, target: str, has_labels: bool) -> str:
    parts = [f"{target} = {row.label:.4g}"] if has_labels and np.isfinite(row.label) else []
    if np.isfinite(row.prediction):
        parts.append(f"{target} ≈ {row.prediction:.3g} ± {row.half if np.isfinite(row.half) else np.hypot(row.epistemic, row.aleatoric):.1g}")
    return "\n".join([*parts, row.state])


def _what_spread_means(table: pd.DataFrame) -> str:
    if table["prediction"].isna().all():
        return ""
    calibrated = "± : the 68 % interval, stretched until it held 68 % of calibration galaxies of like S/N."
    return calibrated if table["half"].notna().any() else "± : 1 σ as the model states it; too few calibration galaxies had a catalogue value to correct it."


def _what_curves_mean(table: pd.DataFrame, target: str, has_curves: bool) -> str:
    low, high = _scale(table)
    return f" Curves: p({target}) from {low:.3g} to {high:.3g}." if has_curves and high > low else ""


def table(ws: Workspace, shown: MapTable, rows: np.ndarray, target: str, key: str) -> int | None:
    """Values of the rows of a map; the object of the row that a person has chosen, else None."""
    frame = exploring.details(shown, shown.object_ids[rows[:MOST_LISTED]], target)
    chosen = st.dataframe(frame, key=f"{key}_table", hide_index=True, height=420, on_select="rerun", selection_mode="single-row", column_order=[c for c in frame if c != "object_id"],
                          column_config=_columns())
    if len(rows) > MOST_LISTED:
        st.caption(f"The first {MOST_LISTED:,} of {len(rows):,}; narrow the selection to see others.")
    return int(frame["object_id"].iloc[chosen.selection.rows[0]]) if chosen.selection.rows else None


def _columns() -> dict:
    """Headings of the table, each with its help."""
    text = {"key": "What the survey calls it", "state": "Unlabelled, waiting in an open batch, labelled, or nobody could tell", "class": "What the catalogue says the object is",
            "split": "Train, calibration or test; strategies ask about train only"}
    number = {"label": "The value that stands, given by people or a catalogue", "prediction": "What the model run says",
              "epistemic": "Ignorance, 1 sigma: what labels could still teach the model", "aleatoric": "Noise, 1 sigma: what no label removes, as the model sees it"}
    found = {c: st.column_config.TextColumn(help=said) for c, said in text.items()} | {c: st.column_config.NumberColumn(format="%.4f", help=said) for c, said in number.items()}
    return found | {
        "half": st.column_config.NumberColumn("± 68 %", format="%.4f", help="Half-width of the 68 % interval, stretched as calibration galaxies of like S/N ask"),
        "novelty": st.column_config.NumberColumn(format="%.2f", help=COLOURINGS["novelty"].sentence),
        "sn": st.column_config.NumberColumn("S/N", format="%.1f", help=COLOURINGS["sn"].sentence),
    }
