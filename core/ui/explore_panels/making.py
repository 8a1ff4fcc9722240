"""Making maps, and putting newcomers on them."""

import streamlit as st

from core import embedding
from core.services import exploring
from core.store import Workspace
from core.ui import jobs_panel, state
from core.ui.guard import callback, guarded
from core.ui.layout import nothing_yet

WORDS = {"n_neighbors": "Neighbours", "min_dist": "Least distance", "perplexity": "Perplexity"}


def make_a_map(ws: Workspace, shown_name: str | None = None) -> None:
    """The form that queues a map; it says what each method and parameter does. Newcomers of the map that is shown are offered a place."""
    if shown_name is not None:
        _newcomers(ws, shown_name)
    choices = exploring.feature_choices(ws)
    method = st.segmented_control("Method", list(embedding.METHODS), default="umap", required=True, key="make_method", format_func=lambda m: embedding.METHODS[m][0],
                                  help="  \n".join(f"**{name}** {sentence}" for name, sentence in embedding.METHODS.values()))
    features = st.selectbox("Of", list(choices), format_func=choices.get, key="make_features",
                            help="What makes two galaxies neighbours: how they look, their spectra, their magnitudes, all together, or what a model has learnt.")
    given = {name: _parameter(method, name, *limits) for name, limits in embedding.PARAMETERS[method].items()}
    name = st.text_input("Name", key="make_name", placeholder="named by itself", max_chars=60, help="A map of the same name is replaced, and galaxies stay close to where they were.")
    if st.button("Make the map", type="primary", icon=":material/scatter_plot:", on_click=_make, args=(ws, method, features, given, name), disabled=not choices):
        st.rerun()


def no_map(ws: Workspace) -> None:
    """What stands on the page while there is no map."""
    if exploring.maps_being_made(ws).empty:
        nothing_yet("There is no map yet. A map is made by a background job from images, spectra, photometry or what a model has learnt.")
        with st.container(border=True, width=520):
            make_a_map(ws)
    else:
        nothing_yet("The first map is on its way: the job below makes it. A first view by PCA shows within moments.")
        jobs_panel.in_page(("embed", "demo"))
        _until_there_is_one(ws)


@st.fragment(run_every=jobs_panel.EVERY_SECONDS)
@guarded()
def _until_there_is_one(ws: Workspace) -> None:
    if exploring.map_names(ws):
        st.rerun()


def _newcomers(ws: Workspace, name: str) -> None:
    count = exploring.newcomers(ws, name)
    if count:
        st.button(f"Place {count:,} newcomers on {name}", icon=":material/person_add:", on_click=_place, args=(ws, name), width="stretch",
                  help="Galaxies that came in since the map was made are put among those most like them; nobody moves, nothing is computed anew.")
        st.divider()


def _parameter(method: str, name: str, default: float, low: float, high: float, sentence: str) -> float:
    kind = type(default)
    return st.slider(WORDS[name], kind(low), kind(high), default, key=f"make_{method}_{name}", help=sentence)


@callback
def _make(ws: Workspace, method: str, features: str, given: dict, name: str) -> None:
    exploring.make_map(ws, method, features, given, name)
    state.tell("The map is being made in the background; a first view by PCA appears in the list within moments.", ":material/scatter_plot:")


@callback
def _place(ws: Workspace, name: str) -> None:
    exploring.place_newcomers(ws, name)
    state.tell("Newcomers are being placed in the background.", ":material/person_add:")
