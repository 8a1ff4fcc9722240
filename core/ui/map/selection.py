"""What is caught on a map: where a lasso, a click or a button left it for this person."""

import numpy as np
import streamlit as st

from core.services import exploring
from core.services.exploring import MapTable


def caught(shown: MapTable, visible_n: np.ndarray, key: str) -> np.ndarray | None:
    """Rows that are caught under a key and visible; None when nothing is caught.

    What was caught on another map stands for the same galaxies, wherever they lie on this one.
    """
    ids = st.session_state.get(f"{key}_caught")
    if ids is None:
        return None
    rows = exploring.rows_of(shown.object_ids, ids)
    return rows[(rows >= 0) & visible_n[rows]]


def caught_ids(key: str) -> tuple[int, ...] | None:
    """Ids of all that is caught under a key, visible or not; None when nothing is."""
    ids = st.session_state.get(f"{key}_caught")
    return None if ids is None else tuple(ids.tolist())


def keep(key: str, object_ids: np.ndarray | None) -> None:
    """Catch these galaxies under a key, whatever was caught before; None lets all go."""
    if object_ids is None:
        forget(key)
    else:
        st.session_state[f"{key}_caught"] = np.asarray(object_ids, np.int64)


def forget(key: str) -> None:
    """Let go what is caught under a key."""
    st.session_state.pop(f"{key}_caught", None)


def picked(key: str) -> int | None:
    """The galaxy clicked last on a map of that key; None for none."""
    return st.session_state.get(f"{key}_picked")


def unpick(key: str) -> None:
    """Let go the galaxy clicked last."""
    st.session_state.pop(f"{key}_picked", None)


def act(gesture: dict, shown: MapTable, visible_n: np.ndarray, key: str) -> None:
    """Carry out what was done on a map.

    gesture : ``kind`` is ``outline`` (a lasso or box: ``outline`` [[x, y], ...] in the map's coordinates, ``how``
        one of `exploring.HOW`), ``invert``, ``clear`` or ``pick`` (``row``).
    """
    here, now = shown.object_ids[visible_n], st.session_state.get(f"{key}_caught", np.empty(0, np.int64))
    if gesture["kind"] == "outline":
        inside = here[exploring.points_in_polygon(shown.xy[visible_n], np.array(gesture["outline"], float))]
        keep(key, exploring.combined(now, inside, gesture["how"]))
    elif gesture["kind"] == "invert":
        keep(key, exploring.combined(here, now, "subtract"))
    elif gesture["kind"] == "pick":
        st.session_state[f"{key}_picked"] = int(shown.object_ids[gesture["row"]])
    else:
        forget(key)
