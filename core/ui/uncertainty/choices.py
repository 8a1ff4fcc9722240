"""Which run's word on which target is looked at, and which galaxy; the address keeps all three."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.services import comparing, doubting, exploring
from core.services.doubting import Everyone
from core.services.exploring import COLOURINGS, Colouring
from core.store import Workspace
from core.ui.guard import callback

RUN, GALAXY, SEARCH = "unsure_run", "unsure_galaxy", "unsure_search"


@dataclass(frozen=True)
class Asked:
    """What is looked at.

    Attributes
    ----------
    run_id, run : the run and its name. target, unit : of the quantity. everyone : all that the run says.
    """

    run_id: int
    run: str
    target: str
    unit: str
    everyone: Everyone

    @property
    def galaxy(self) -> int | None:
        """The galaxy looked at last; None for none, and for one that the run says nothing of."""
        chosen = st.session_state.get(GALAXY)
        return chosen if chosen is not None and (self.everyone.table.object_ids == chosen).any() else None

    @property
    def key(self) -> tuple:
        """Changes whenever anything that is asked changes."""
        return (*self.everyone.table.version, self.target)

    @property
    def spread_unit(self) -> str:
        """The unit of an uncertainty: that of the target, or dex where the target is a logarithm."""
        return "dex" if self.unit.startswith("log10") else self.unit

    def of(self, number: float) -> str:
        """An uncertainty with its unit."""
        return f"{number:.2g} {self.spread_unit}".strip()


def choose(ws: Workspace) -> Asked:
    """The row of controls above everything."""
    runs, targets = exploring.run_names(ws), comparing.targets(ws)
    _from_address(list(runs))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        run_id = st.selectbox("Model run", list(runs), format_func=runs.get, key=RUN, persist_state="session", width=300,
                              help="Whose uncertainty is looked at: a finished run that keeps its predictions. The newest come first.")
        target = st.selectbox("Target", list(targets), key="target", bind="query-params", width=200,
                              help="  \n".join(f"**{name}** {sentence}" for name, sentence in targets.items()))
        asked = _asked(ws, run_id, runs[run_id], target)
        st.text_input("Go to a galaxy", key=SEARCH, placeholder="key or number", icon=":material/search:", width=260, on_change=_search,
                      args=(ws, asked.everyone),
                      help="Opens it in the tab One galaxy; a part of its key is enough. A click on a point of the map or of a chart does the same below it.")
    _to_address(asked)
    return asked


def everyone(ws: Workspace, run_id: int) -> Everyone:
    """`doubting.everyone`, kept until labels, batches or objects change."""
    return _everyone(doubting.version(ws, run_id), ws, run_id)


def kinds(ws: Workspace, asked: Asked) -> dict[str, Colouring]:
    """What can be shown of a run: `doubting.kinds`, kept."""
    return _kinds(asked.key, ws, asked)


def values(asked: Asked, kind: str, chosen: Colouring) -> np.ndarray:
    """One kind of uncertainty of all galaxies, float (n,); kept."""
    return _values((*asked.key, kind), asked, chosen)


def look_at(object_id: int) -> None:
    """Make a galaxy the one that is looked at, here and in the address."""
    st.session_state[GALAXY] = int(object_id)
    st.query_params["galaxy"] = st.session_state[f"{GALAXY}_told"] = str(int(object_id))


def _asked(ws: Workspace, run_id: int, name: str, target: str) -> Asked:
    here = everyone(ws, run_id)
    return Asked(run_id, name, target, here.table.targets[here.table.column(target)].unit, here)


@callback
def _search(ws: Workspace, here: Everyone) -> None:
    text = st.session_state[SEARCH]
    if text.strip():
        look_at(doubting.find(ws, here, text))
        st.session_state["view"] = "One galaxy"


def _from_address(runs: list[int]) -> None:
    """Take run and galaxy from an address that somebody has opened; what this page has written there itself is known already."""
    for name, key in (("run", RUN), ("galaxy", GALAXY)):
        told = st.query_params.get(name, "")
        if told.isdigit() and told != st.session_state.get(f"{key}_told") and (name != "run" or int(told) in runs):
            st.session_state[key] = int(told)
            st.session_state[f"{key}_told"] = told


def _to_address(asked: Asked) -> None:
    for name, key, value in (("run", RUN, asked.run_id), ("galaxy", GALAXY, asked.galaxy)):
        if value is not None:
            st.query_params[name] = st.session_state[f"{key}_told"] = str(value)


@st.cache_resource(max_entries=4, show_spinner="Reading what the run says")
def _everyone(version: tuple, _ws: Workspace, run_id: int) -> Everyone:
    return doubting.everyone(_ws, run_id)


@st.cache_resource(max_entries=16, show_spinner=False)
def _kinds(key: tuple, _ws: Workspace, _asked: Asked) -> dict[str, Colouring]:
    return doubting.kinds(_asked.everyone.table, _asked.target, COLOURINGS | {"disagreement": exploring.colourings(_ws)["disagreement"]})


@st.cache_resource(max_entries=24, show_spinner=False)
def _values(key: tuple, _asked: Asked, _chosen: Colouring) -> np.ndarray:
    return np.asarray(_chosen.values(_asked.everyone.table, _asked.everyone.table.column(_asked.target)), float)
