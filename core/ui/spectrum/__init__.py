"""The labelling desk as a component: spectrum, picture, redshift and keys live in the browser.

A key press is answered there, within milliseconds; Python hears of it from the component's log
and sends the next objects ahead of time.
"""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_SCRIPTS = (
    "payload", "ledger", "smooth", "template", "plot", "draw", "curve", "callouts", "followers", "naming",
    "actions", "reveal", "rate", "view", "side", "desk", "mount",
)
"""Joined in this order: a component is one JavaScript module."""

_component = st.components.v2.component(
    "lookback_desk",
    html=(_HERE / "desk.html").read_text().replace("<!-- rate.html -->", (_HERE / "rate.html").read_text()),
    css="\n".join((_HERE / f"{name}.css").read_text() for name in ("desk", "reveal", "rate")),
    js="\n".join((_HERE / f"{name}.js").read_text() for name in _SCRIPTS),
)


def mount(payload: bytes, key: str, on_log_change: Callable[[], None]) -> None:
    """Draw the desk.

    Parameters
    ----------
    payload : made by `packing.Packer`.
    key : of the component; its log is at ``st.session_state[key]["log"]``.
    on_log_change : called before the next run when the log has something new.
    """
    _component(data=payload, key=key, on_log_change=on_log_change, height="content")
