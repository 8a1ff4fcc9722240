"""Where this person is: the workspace, their name, what they have selected, what to tell them next.

Truth is in the store; the session only holds this.
"""

from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from core.settings import settings
from core.store import Workspace, open_workspace

NAMELESS = "anonymous"
COOKIE = "lookback_annotator"
COOKIE_SECONDS = 365 * 24 * 3600


def workspace() -> Workspace:
    """The workspace this server serves; opened, and its schema brought up to date, once."""
    _go_through_the_router()
    return _open(settings().workspace)


def annotator() -> str:
    """Who is labelling: the signed-in person, else the name declared here or in an earlier visit."""
    return signed_in() or st.session_state.get("annotator") or _remembered() or NAMELESS


def signed_in() -> str:
    """The name of the person signed in by the deployment's identity provider; empty where there is none."""
    user = st.user.to_dict()
    return str(user.get("email") or user.get("name") or "") if user.get("is_logged_in") else ""


def declare_annotator(name: str) -> None:
    """Take a self-declared name for this session and remember it in this browser for a year."""
    st.session_state["annotator"] = name.strip()[:60]
    st.session_state["annotator_to_remember"] = True


def remember_annotator() -> None:
    """Hand the cookie of a newly declared name to the browser; call once a run, outside callbacks."""
    if st.session_state.pop("annotator_to_remember", False):
        value = quote(st.session_state["annotator"], safe="")
        script = f'document.cookie = "{COOKIE}={value}; path=/; max-age={COOKIE_SECONDS}; SameSite=Lax"'
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def selection() -> np.ndarray:
    """Object ids selected on the map, int64 (k,), in the order they were caught; empty when nothing is."""
    return st.session_state.get("selection", np.empty(0, np.int64))


def select(object_ids: np.ndarray) -> None:
    """Replace the selection; other pages of this session see it."""
    st.session_state["selection"] = np.asarray(object_ids, np.int64)


def tell(sentence: str, icon: str = ":material/check_circle:") -> None:
    """Leave a sentence that the frame shows as a toast at the next run: for callbacks, which draw nothing themselves."""
    st.session_state.setdefault("told", []).append(("toast", sentence, icon))


def tell_problem(sentence: str) -> None:
    """Leave a sentence that the frame shows as an error above the page at the next run."""
    st.session_state.setdefault("told", []).append(("error", sentence, ":material/error:"))


def show_told() -> None:
    """Show what was left by `tell` and `tell_problem`, once."""
    for kind, sentence, icon in st.session_state.pop("told", []):
        (st.toast if kind == "toast" else st.error)(sentence, icon=icon)


def is_dark() -> bool:
    """Whether the browser shows the dark theme."""
    return st.context.theme.type == "dark"


def _remembered() -> str:
    """The name this browser declared in an earlier visit; empty where it declared none, or there is no browser."""
    cookie = st.context.cookies.get(COOKIE)
    return unquote(cookie)[:60] if isinstance(cookie, str) else ""


def _go_through_the_router() -> None:
    """Run app.py instead when Streamlit has started a page by itself.

    It does so, pages/ being beside app.py, for the first address opened after a start: a deep link would
    miss the sidebar and the guard. `st.navigation` clears the same flag, but is not reached then.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


@st.cache_resource(show_spinner=False)
def _open(path: Path) -> Workspace:
    return open_workspace(path)
