"""One galaxy of the map: its bands, what is known of it, and what is like it."""

import numpy as np
import streamlit as st

from core.services import exploring
from core.services.exploring import MapTable
from core.store import Workspace
from core.ui import map, thumbnails
from core.ui.explore_panels.gallery import pictures


def one(ws: Workspace, shown: MapTable, object_id: int, target: str, key: str) -> None:
    """The galaxy and those nearest to it in what the run has learnt, else on the map."""
    found = exploring.details(shown, np.array([object_id]), target)
    if found.empty:
        return
    row, (image, has_image) = found.iloc[0], exploring.stamps(ws, np.array([object_id]))
    with st.container(border=True):
        if has_image[0]:
            st.image(thumbnails.strip_png(image[0], 3), width="stretch", alt=f"{row['key']} in u, g, r, i and z, and as a colour picture")
        st.caption(_facts(row, target))
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link("pages/label.py", label=f"Open {row['key']}", icon=":material/edit_note:", query_params={"object": str(object_id)}, width="stretch")
            near = exploring.nearest(ws, shown, object_id, 12)
            st.button("Catch its neighbours", key=f"{key}_near", icon=":material/hub:", on_click=map.keep, args=(key, np.concatenate([[object_id], near])),
                      help="Catch it and the twelve galaxies most like it, by what the model run has learnt, else by their places on the map.")
        st.caption("Most like it")
        pictures(ws, exploring.details(shown, near[:6], target), target)


def _facts(row, target: str) -> str:
    parts = {"S/N": row["sn"], f"{target} by label": row["label"], f"{target} predicted": row["prediction"], "novelty": row["novelty"]}
    return " · ".join([row["state"], row["class"], *(f"{name} {value:.4g}" for name, value in parts.items() if np.isfinite(value))])
