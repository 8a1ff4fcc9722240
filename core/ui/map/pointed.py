"""The galaxy under the pointer: its picture and a few words, asked for while the pointer rests on it."""

import base64
from pathlib import Path

import numpy as np
import streamlit as st

from core.services import exploring
from core.services.exploring import COLOURINGS, Colouring, MapTable
from core.ui import state, thumbnails
from core.ui.guard import guarded

_component = st.components.v2.component("lookback_pointed", html="<span></span>", js=(Path(__file__).parent / "pointed.js").read_text())


@st.fragment
@guarded()
def answer(shown: MapTable, chosen: Colouring, target: str, key: str) -> None:
    """Answer what the map of that key asks about; a fragment of its own, so that nothing else runs for it."""
    with st.container(key=f"lb_pointed_{key}"):
        name = f"{key}_pointed"
        row = st.session_state[name].get("row") if name in st.session_state else None
        known = row is not None and 0 <= row < len(shown)
        _component(data={"key": key} | (described(shown, chosen, target, row) if known else {}), key=name, on_row_change=lambda: None)


def described(shown: MapTable, chosen: Colouring, target: str, row: int) -> dict:
    """``row``, ``lines`` of words and ``picture`` as an address of its own, or None where there is no image."""
    images, has_image = exploring.stamps(state.workspace(), shown.object_ids[[row]])
    picture = f"data:image/png;base64,{base64.b64encode(thumbnails.composite_png(images[0], 2)).decode('ascii')}" if has_image[0] else None
    return {"row": row, "picture": picture, "lines": _lines(shown, chosen, target, row)}


def _lines(shown: MapTable, chosen: Colouring, target: str, row: int) -> list[str]:
    column = shown.column(target)
    value = chosen.values(shown, column)[row] if chosen in COLOURINGS.values() else np.nan
    says = [shown.key[row], shown.state[row]]
    if np.isfinite(shown.mean[row, column]):
        says.append(f"{target} ≈ {shown.mean[row, column]:.3g} ± {np.hypot(shown.epistemic[row, column], shown.aleatoric[row, column]):.1g}")
    if np.isfinite(shown.label[row, column]):
        says.append(f"{target} = {shown.label[row, column]:.4g} by label")
    if chosen.scale != "category" and np.isfinite(value):
        says.append(f"{chosen.title.lower()} {value:.3g}")
    return says
