"""What a person sees when something goes wrong.

A `LookbackError` is shown as its sentence. Anything else is logged whole, and shown as one
line with the id under which the log has it.
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

import streamlit as st

from core.errors import LookbackError
from core.ui import state

logger = logging.getLogger("lookback")


@contextmanager
def guarded() -> Iterator[None]:
    """Around a page's or a fragment's body: ``with guarded():`` or ``@guarded()``.

    Put it under ``@st.fragment``: a fragment that reruns by itself does not pass through `app.py`.
    """
    try:
        yield
    except Exception as error:
        st.error(sentence(error), icon=":material/error:")


def callback(function: Callable) -> Callable:
    """Decorate an ``on_click`` or ``on_change`` callback: its errors are shown above the page."""

    @wraps(function)
    def run(*args, **kwargs):
        try:
            function(*args, **kwargs)
        except Exception as error:
            state.tell_problem(sentence(error))

    return run


def sentence(error: Exception) -> str:
    """The one line a person reads about an error; an unforeseen one is logged with its traceback."""
    if isinstance(error, LookbackError):
        return str(error)
    log_id = uuid.uuid4().hex[:8]
    logger.error("log id %s", log_id, exc_info=error)
    return f"Something went wrong that Lookback did not foresee. The server's log has it under id {log_id}."
