"""The map as a component: what it is given, and what it tells."""

import base64
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st
from streamlit.runtime import get_instance

from core.services import exploring
from core.services.exploring import COLOURINGS, Colouring, MapTable
from core.store import Workspace
from core.ui import palette, state
from core.ui.map import looks, pointed, selection

HEIGHT = 680
MOST_MARKED = 3000
"""Marks beyond hide the map."""
MARGIN = 0.04
"""Share of the map's width that is left free around it."""
_RINGS = ("circle-open", "square-open", "diamond-open")
"""Of what is marked, in order; their colours are `palette.MARKS`."""
_HERE = Path(__file__).parent
_SCRIPTS = ("webgl", "finding", "legend", "view", "gestures", "cloud", "mount")
"""Joined in this order: a component is one JavaScript module."""

_component = st.components.v2.component(
    "lookback_map", html=(_HERE / "cloud.html").read_text(), css=(_HERE / "cloud.css").read_text(), js="\n".join((_HERE / f"{name}.js").read_text() for name in _SCRIPTS),
)


@st.cache_resource(max_entries=6, show_spinner="Reading the map")
def _table(version: tuple, _ws: Workspace, name: str, run_id: int | None, _reader: str) -> MapTable:
    return exploring.map_table(_ws, name, run_id, _reader)


def table(ws: Workspace, name: str, run_id: int | None) -> MapTable:
    """`exploring.map_table` for whoever looks, kept until labels, batches, objects or the map change."""
    reader = state.annotator()
    return _table(exploring.version(ws, name, run_id, reader), ws, name, run_id, reader)


def draw(
    shown: MapTable, colouring: str, target: str, visible_n: np.ndarray, key: str, marked: dict[str, np.ndarray] | None = None, height: int = HEIGHT,
    shares: str | None = None, colourings: dict[str, Colouring] = COLOURINGS,
) -> None:
    """Draw the map; what is lassoed on it is then `selection.caught`, what is clicked `selection.picked`.

    Call it inside a fragment: a lasso runs the script again that drew the map.

    Parameters
    ----------
    colouring : of ``colourings``. target : which target, where the colouring is per target.
    visible_n : bool (n,), who is drawn. key : unique widget key. marked : name -> rows to ring, `MOST_MARKED` at most each.
    shares : key under which another map keeps what is caught, to share one selection with it.
    """
    kept, chosen = shares or key, colourings[colouring]
    drawn = _look(shown.version, shown.name, colouring, target, visible_n, state.is_dark(), shown, chosen)
    data = payload(shown, drawn, chosen.title, visible_n, key, marked or {}, height, selection.caught(shown, visible_n, kept))
    _component(data=data, key=key, on_gesture_change=partial(_act, key, kept, shown, visible_n), height=height)
    pointed.answer(shown, chosen, target, key)


def payload(
    shown: MapTable, drawn: looks.Look, title: str, visible_n: np.ndarray, key: str, marked: dict[str, np.ndarray], height: int, caught_rows: np.ndarray | None,
) -> dict:
    """What the component is given; see its JavaScript ``Cloud.show``."""
    count = int(visible_n.sum())
    return {
        "key": key, "name": shown.name, "title": title, "height": height, "frame": frame(shown.xy),
        "places": _address(shown.xy.astype("<f4", copy=False).tobytes(), f"{key}-places"), "looks": _address(drawn.codes.tobytes(), f"{key}-looks"),
        "density": None if drawn.density is None else _address(drawn.density.tobytes(), f"{key}-density"),
        "colours": drawn.colours.tobytes().hex(), "legend": drawn.legend + _marks_legend(marked), "bar": drawn.bar, "size": looks.size(count), "opacity": drawn.opacity,
        "marks": [{"rows": rows[:MOST_MARKED].tolist(), "shape": looks.SHAPES.index(symbol), "colour": looks.MARK - k}
                  for k, (rows, symbol) in enumerate(zip(marked.values(), _RINGS, strict=False))],
        "caught": None if caught_rows is None else _bits(len(shown), caught_rows), "caught_count": 0 if caught_rows is None else len(caught_rows),
        "alt": f"Map {shown.name} of {count:,} galaxies coloured by {title.lower()}",
    }


def frame(xy: np.ndarray) -> list[float]:
    """Least and most x, least and most y of what is seen of a map float (n, 2), a margin around it."""
    low, high = (xy.min(axis=0), xy.max(axis=0)) if len(xy) else (np.zeros(2), np.ones(2))
    margin = np.where(high > low, MARGIN * (high - low), 0.5)
    return np.column_stack([low - margin, high + margin]).ravel().astype(float).tolist()


@st.cache_resource(max_entries=24, show_spinner=False)
def _look(version: tuple, name: str, colouring: str, target: str, visible_n: np.ndarray, is_dark: bool, _shown: MapTable, _chosen: Colouring) -> looks.Look:
    found = looks.look(_shown, _chosen, target, visible_n, is_dark)
    return replace(found, density=looks.density(_shown.xy, found, frame(_shown.xy))) if visible_n.sum() > looks.DENSE else found


def _marks_legend(marked: dict[str, np.ndarray]) -> list[dict]:
    colours = palette.MARKS[state.is_dark()]
    return [{"name": name, "count": len(rows), "colour": colour, "shape": looks.SHAPES.index(symbol)} for (name, rows), symbol, colour in zip(marked.items(), _RINGS, colours, strict=False)]


def _bits(count: int, rows: np.ndarray) -> str:
    here = np.zeros(count, bool)
    here[rows] = True
    return base64.b64encode(np.packbits(here).tobytes()).decode("ascii")


def _address(data: bytes, place: str) -> str:
    """Where the browser fetches bytes; the same bytes have the same address, and stay there while a page shows them."""
    address = get_instance().media_file_mgr.add(data, "application/octet-stream", f"lookback-{place}")
    return f"{'/' + root if (root := st.get_option('server.baseUrlPath').strip('/')) else ''}{address}"


def _act(key: str, kept: str, shown: MapTable, visible_n: np.ndarray) -> None:
    gesture = st.session_state[key].get("gesture")
    if gesture:
        selection.act(gesture, shown, visible_n, kept)
