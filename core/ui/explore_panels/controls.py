"""What is looked at: map, run, colouring, target, who is shown, and views that were saved."""

import numpy as np
import streamlit as st

from core.services import exploring
from core.services.exploring import OPEN, Filters, MapTable, View
from core.store import Workspace
from core.ui import map, state
from core.ui.explore_panels.making import make_a_map
from core.ui.guard import callback

KEY = "explore_map"
"""Under which the first map keeps what is caught, and every map beside it."""
NAMES = ("classes", "splits", "annotators", "batches")
RANGES = ("sn", "label", "prediction")


def view(ws: Workspace) -> tuple[View, dict]:
    """Map, run, colouring and target as a person has set them, filters apart; and every colouring there is."""
    columns = st.columns([1.5, 1.4, 1.3, 1, 0.85], vertical_alignment="bottom")
    names, runs = exploring.map_names(ws), exploring.run_names(ws)
    name = columns[0].selectbox("Map", names, key="explore_name", persist_state="session", help="Galaxies that are alike in what the map is made of lie together; its axes mean nothing by themselves.")
    run_id = columns[1].selectbox("Model run", list(runs), format_func=runs.get, key="explore_run", persist_state="session", placeholder="no finished run",
                                  help="Whose predictions and uncertainties colour the map.")
    colourings = _colourings(str(ws.path), exploring.version(ws, name, run_id)[4], ws)
    offered = [key for key, c in colourings.items() if run_id is not None or not c.needs_run]
    colouring = columns[2].selectbox("Colour by", offered, format_func=lambda key: colourings[key].title, key="explore_colour", persist_state="session",
                                     help="  \n".join(f"**{colourings[key].title}** {colourings[key].sentence}" for key in offered if not key.startswith("column:")))
    target = columns[3].selectbox("Target", exploring.target_names(ws), key="explore_target", persist_state="session", help="The quantity that is coloured, listed and sorted by.")
    fresh = columns[4].popover("Maps", icon=":material/add:", width="stretch", key="explore_new", on_change="rerun", help="Make a map, or put newcomers on this one")
    if fresh.open:
        with fresh:
            make_a_map(ws, name)
    return View(name, run_id, colouring, target), colourings


@st.cache_resource(max_entries=4, show_spinner=False)
def _colourings(path: str, objects: int, _ws: Workspace) -> dict:
    return exploring.colourings(_ws)


def saved_views(ws: Workspace, now: View) -> None:
    """Keep what is looked at under a name, open what was kept, copy its address."""
    with st.popover("Views", icon=":material/bookmark:", help="Keep what you look at under a name, and send it as a link"):
        names = exploring.view_names(ws)
        st.text_input("Keep this view as", key="view_name", max_chars=60, placeholder="a short name", help="Map, run, colouring, target, filters and what is caught. A view of the same name is replaced.")
        st.button("Keep", key="view_keep", icon=":material/bookmark_add:", on_click=_keep, args=(ws, now))
        if not names:
            st.caption("No view has been kept yet.")
        for name in names:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(name, key=f"view_open_{name}", type="tertiary", icon=":material/bookmark:", on_click=_open, args=(ws, name), width="stretch")
                st.button("", key=f"view_drop_{name}", type="tertiary", icon=":material/delete:", help=f"Forget {name}", on_click=exploring.remove_view, args=(ws, name))
        if st.query_params.get("view") in names:
            st.caption("The address of this page opens this view: copy it to send it.")


def from_address(ws: Workspace) -> None:
    """Open the view that the page's address names, once."""
    name = st.query_params.get("view")
    if name and st.session_state.get("view_opened") != name:
        st.session_state["view_opened"] = name
        is_here = name in exploring.view_names(ws)
        problem = _apply(ws, exploring.open_view(ws, name)) if is_here else f"There is no saved view named {name}: it was removed, or the link is of another workspace."
        if problem:
            st.warning(problem, icon=":material/bookmark_remove:")


def _apply(ws: Workspace, kept: View) -> str:
    """Set every control as the view has it and catch what it had caught; what is no longer here is left as it is, and the sentence says so."""
    colourings = exploring.colourings(ws)
    runs = [None, *exploring.run_names(ws)]
    known = {"name": ("map", kept.name in exploring.map_names(ws), kept.name), "run": ("model run", kept.run_id in runs, kept.run_id),
             "colour": ("colouring", kept.colouring in colourings and (kept.run_id in runs[1:] or not colourings[kept.colouring].needs_run), kept.colouring),
             "target": ("target", kept.target in exploring.target_names(ws), kept.target)}
    settings = {name: value for name, (_, is_here, value) in known.items() if is_here} | {"states": list(kept.filters.states)}
    settings |= {name: list(getattr(kept.filters, name)) for name in NAMES}
    settings |= {f"{name}_{end}": getattr(kept.filters, name)[k] for name in RANGES for k, end in enumerate(("least", "most"))}
    st.session_state.update({f"explore_{name}": value for name, value in settings.items()})
    map.keep(KEY, None if kept.caught is None else np.array(kept.caught, np.int64))
    gone = [words for words, is_here, _ in known.values() if not is_here]
    return f"The {' and the '.join(gone)} of this view {'is' if len(gone) == 1 else 'are'} no longer here; the rest of it is shown." if gone else ""


@callback
def _keep(ws: Workspace, now: View) -> None:
    name = st.session_state["view_name"]
    exploring.save_view(ws, name, now, state.annotator())
    st.query_params["view"] = st.session_state["view_opened"] = name.strip()
    state.tell(f"View {name.strip()} is kept; the address of this page opens it.", ":material/bookmark_added:")


@callback
def _open(ws: Workspace, name: str) -> None:
    st.query_params["view"] = st.session_state["view_opened"] = name
    problem = _apply(ws, exploring.open_view(ws, name))
    if problem:
        state.tell_problem(problem)


def filters(ws: Workspace, shown: MapTable, target: str) -> Filters:
    """Who is shown, as a person has set it."""
    states = st.pills("Show", exploring.STATES, selection_mode="multi", default=exploring.STATES, key="explore_states", label_visibility="collapsed", persist_state="session")
    count = st.session_state.get("explore_filter_count", 0)
    opened = st.popover(f"Filter ({count})" if count else "Filter", icon=":material/filter_alt:", key="explore_filter", on_change="rerun", help="Who is drawn and can be caught")
    with opened:
        names = {"classes": sorted(set(shown.object_class)), "splits": sorted(set(shown.split)), **_looked_up(ws, opened.open)}
        chosen = {name: tuple(_names(name, choices)) for name, choices in names.items()}
        ranges = {name: _range(name, title) for name, title in (("sn", "S/N"), ("label", f"Label {target}"), ("prediction", f"Predicted {target}"))}
        st.caption("A bound hides galaxies without a value.")
    found = Filters(states=tuple(s for s in exploring.STATES if s in states), **chosen, **ranges)
    st.session_state["explore_filter_count"] = found.count()
    return found


def _looked_up(ws: Workspace, is_open: bool) -> dict[str, list[str]]:
    """Choices that cost a look into the store: looked up when somebody may choose, else what is chosen already."""
    if is_open:
        return {"annotators": exploring.annotator_names(ws), "batches": exploring.batch_titles(ws)}
    return {name: list(st.session_state.get(f"explore_{name}", ())) for name in ("annotators", "batches")}


def _names(name: str, choices: list[str]) -> list[str]:
    words = {"classes": "Class", "splits": "Split", "annotators": "Annotator", "batches": "Batch"}
    helps = {"classes": "What the catalogue says the object is.", "splits": "Train, calibration or test, drawn by position on the sky; strategies ask about train only.",
             "annotators": "Whose label stands.", "batches": "The newest query batch that asked about it."}
    gone = [value for value in st.session_state.get(f"explore_{name}", ()) if value not in choices]
    return st.multiselect(words[name], [*choices, *gone], key=f"explore_{name}", placeholder="any", persist_state="session", help=helps[name])


def _range(name: str, title: str) -> tuple[float | None, float | None]:
    left, right = st.columns(2)
    least = left.number_input(f"{title} from", value=None, key=f"explore_{name}_least", placeholder="any", persist_state="session")
    most = right.number_input("to", value=None, key=f"explore_{name}_most", placeholder="any", persist_state="session")
    return OPEN if least is None and most is None else (least, most)
