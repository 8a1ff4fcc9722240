"""Where a model is unsure: on the map, on the sky, in which S/N and at which redshift."""

import numpy as np
import streamlit as st

from core.services import doubting, exploring
from core.services.doubting import Cells, Sky
from core.services.exploring import Colouring
from core.store import Workspace
from core.ui import charts, map, state
from core.ui.guard import guarded
from core.ui.layout import nothing_yet, section
from core.ui.uncertainty import figures
from core.ui.uncertainty.choices import Asked, kinds, look_at, values
from core.ui.uncertainty.galaxy import show
from core.ui.uncertainty.going import ask_within

KEY = "unsure_map"
HEIGHT = 500


@st.fragment
@guarded()
def where(ws: Workspace, asked: Asked) -> None:
    """The map beside the sky, both coloured by one kind of uncertainty; below, what it follows."""
    offered = kinds(ws, asked)
    if not offered:
        nothing_yet(f"Run {asked.run_id} says nothing of how unsure it is of {asked.target}. Choose another run or target.")
        return
    kind = st.segmented_control("Kind of uncertainty", list(offered), default=next(iter(offered)), required=True, key="unsure_kind", persist_state="session",
                                wrap=True,
                                format_func=lambda name: offered[name].title, help="  \n".join(f"**{c.title}** {c.sentence}." for c in offered.values()))
    chosen = offered.get(kind) or next(iter(offered.values()))
    values_n = values(asked, kind, chosen)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        caught = _map(ws, asked, kind, offered)
    with right:
        _sky(asked, kind, chosen, values_n, caught)
    _what_it_follows(asked, kind, chosen, values_n)
    picked = map.picked(KEY)
    if picked is not None and picked != st.session_state.get("unsure_picked"):
        st.session_state["unsure_picked"] = picked
        look_at(picked)
    if picked is not None:
        show(ws, asked, picked, "where")


def _map(ws: Workspace, asked: Asked, kind: str, offered: dict[str, Colouring]) -> np.ndarray | None:
    """The map; ids that are caught on it, None when nothing is."""
    names = exploring.map_names(ws)
    if not names:
        nothing_yet("There is no map yet to show it on.", "pages/explore.py", "Make a map")
        return None
    name = st.selectbox("Map", names, key="unsure_name", persist_state="session", label_visibility="collapsed", help="Which map")
    shown = map.table(ws, name, asked.run_id)
    everybody = np.ones(len(shown), bool)
    map.draw(shown, kind, asked.target, everybody, KEY, height=HEIGHT, colourings=offered)
    rows = map.caught(shown, everybody, KEY)
    caught = f" **{len(rows):,}** are caught and ringed on the sky." if rows is not None else ""
    st.caption(f"{len(shown):,} galaxies. Click one to see what the model says of it; a lasso rings its galaxies on the sky.{caught}")
    if rows is None:
        return None
    ids = shown.object_ids[rows]
    state.select(ids)
    if st.button(f"Ask within the {len(ids):,} galaxies in the lasso", key="unsure_within", icon=":material/gesture_select:", disabled=not len(ids)):
        ask_within(ids)
    return ids


def _sky(asked: Asked, kind: str, chosen: Colouring, values_n: np.ndarray, caught: np.ndarray | None) -> None:
    st.markdown("**The same on the sky**", help="Lambert's equal-area projection about the middle of the galaxies: north is up, east to the left, and every "
                                                "bin covers the same area of the sky. Colour is the median of its galaxies.")
    seen = _seen((*asked.key, kind), asked, values_n)
    if seen is None:
        nothing_yet("No galaxy here has both a position on the sky and this uncertainty.")
        return
    rows = None if caught is None else exploring.rows_of(asked.everyone.table.object_ids, caught)
    charts.show(figures.sky(seen, chosen.title, chosen.scale == "logarithmic", None if rows is None else rows[rows >= 0]), "unsure_sky",
                f"{chosen.title} of {asked.target} over the sky: medians in {int((seen.count > 0).sum())} bins of equal area about right ascension "
                f"{seen.centre[0]:.0f}, declination {seen.centre[1]:.0f} degrees")
    st.caption(f"Medians in bins of {seen.size:.2g}° by {seen.size:.2g}°. North is up, east is left.")


def _what_it_follows(asked: Asked, kind: str, chosen: Colouring, values_n: np.ndarray) -> None:
    found, said = _found((*asked.key, kind), asked, values_n)
    with section(f"In which galaxies: {chosen.title.lower()}",
                 "Medians of galaxies by the S/N of their spectrum (by brightness where there are no spectra) and by what the model predicts. Rows and columns "
                 "each hold about equal shares of all "
                 "galaxies."):
        if found is None:
            nothing_yet("No galaxy has both a prediction and this uncertainty.")
            return
        st.markdown(f"{doubting.largest(found, _by(asked))} {said}")
        charts.show(figures.cells(found, _by(asked)), "unsure_cells",
                    f"Median {chosen.title.lower()} by {found.by} and predicted {_by(asked)}. {doubting.largest(found, _by(asked))}", is_still=True)


def _by(asked: Asked) -> str:
    """The quantity whose prediction parts the columns: redshift, where the run predicts it."""
    table = asked.everyone.table
    return "z" if np.isfinite(table.mean[:, table.column("z")]).any() else asked.target


@st.cache_resource(max_entries=16, show_spinner=False)
def _seen(key: tuple, _asked: Asked, _values_n: np.ndarray) -> Sky | None:
    return doubting.sky(_asked.everyone.ra, _asked.everyone.dec, _values_n)


@st.cache_resource(max_entries=16, show_spinner=False)
def _found(key: tuple, _asked: Asked, _values_n: np.ndarray) -> tuple[Cells | None, str]:
    everyone, by = _asked.everyone, _by(_asked)
    predicted = everyone.table.mean[:, everyone.table.column(by)]
    follows = doubting.follows(_values_n, {"r magnitude": everyone.magnitude, "S/N": everyone.table.sn, f"predicted {by}": predicted})
    return doubting.cells(_values_n, everyone.table.sn, everyone.magnitude, predicted), doubting.followed(follows)
