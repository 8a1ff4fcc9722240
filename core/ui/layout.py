"""Small pieces that every page is laid out with."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.services import overviewing
from core.ui import state


def header(title: str, sentence: str) -> None:
    """A page's title, what it is for, and whether what it shows is simulated."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(title, anchor=False, width="content")
        if overviewing.is_simulated(state.workspace()):
            simulated_badge()
    st.caption(sentence)


def simulated_badge() -> None:
    """Say that what is shown is not an observation."""
    st.badge("simulated", icon=":material/science:", color="orange", help="These galaxies come from the mock sky: their truth is known, and they are not observations.")


@contextmanager
def section(title: str, sentence: str = "", key: str | None = None, fills: bool = True) -> Iterator[None]:
    """A card with a heading; ``sentence`` is its help on hover. One of several in a column does not fill it (``fills``)."""
    with st.container(border=True, key=key, height="stretch" if fills else "content"):
        st.subheader(title, anchor=False, help=sentence or None)
        yield


def nothing_yet(sentence: str, page: str = "", label: str = "", icon: str = ":material/arrow_forward:") -> None:
    """An empty state: why there is nothing to see, and where to go to change that."""
    with st.container(border=True, horizontal_alignment="center", vertical_alignment="center", gap="small"):
        st.markdown(f":gray[{sentence}]", text_alignment="center")
        if page:
            st.page_link(page, label=label, icon=icon)


def cards(items: tuple[tuple[str, str, str], ...]) -> None:
    """What one may expect, side by side: icon, title and sentence of each."""
    for column, (icon, title, sentence) in zip(st.columns(len(items)), items, strict=True):
        with column, st.container(border=True, height="stretch"):
            st.markdown(f":blue[:material/{icon}:] &nbsp;**{title}**  \n:gray[{sentence}]")


def plain(text: str) -> str:
    """Text of people, with nothing that markdown would act on."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()#+-.!:~$<>|" else c for c in text)
