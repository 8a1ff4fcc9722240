"""The panels of the Explore page."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from core import embedding
from core.columns import TARGET_NAMES
from core.services import exploring
from core.services.exploring import COLOURINGS, MapTable
from core.store import Workspace
from core.ui import charts, jobs_panel, map, state, thumbnails
from core.ui.guard import callback, guarded
from core.ui.layout import nothing_yet

KEY = "explore_map"
EVERYWHERE, IN_LASSO = "everywhere", "in my lasso"
PARTS = ("Pictures", "Table", "Spread")
SHOWN = (24, 60, 120)
ORDERS = {
    "epistemic": ("most ignorance first", "epistemic", False), "aleatoric": ("most noise first", "aleatoric", False), "sn": ("highest S/N first", "sn", False),
    "prediction": ("highest prediction first", "prediction", False), "novelty": ("most novel first", "novelty", False), "object_id": ("as they came", "object_id", True),
}


@dataclass(frozen=True)
class View:
    """What a person has set: map, run, colouring and target."""

    name: str
    run_id: int | None
    colouring: str
    target: str


def make_a_map(ws: Workspace) -> None:
    """The form that queues a map; it says what each method and parameter does."""
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
        nothing_yet("The first map is on its way: the job below makes it.")
        jobs_panel.in_page(("embed", "demo"))


@st.fragment
@guarded()
def explore(ws: Workspace) -> None:
    """The map with its controls, and beside it what was caught."""
    view = _view(ws)
    shown = map.table(ws, view.name, view.run_id)
    visible_n = _filters(shown)
    left, right = st.columns([1.45, 1], gap="medium")
    with left:
        map.draw(shown, view.colouring, view.target, visible_n, KEY)
        _legend_of_controls(shown, visible_n)
    rows = map.caught(shown, visible_n, KEY)
    with right:
        _nothing_caught(shown) if rows is None else _caught(ws, shown, rows, view)


def _view(ws: Workspace) -> View:
    columns = st.columns([1.5, 1.5, 1.3, 1.1, 0.8], vertical_alignment="bottom")
    names, runs = exploring.map_names(ws), exploring.run_names(ws)
    name = columns[0].selectbox("Map", names, key="explore_name", persist_state="session")
    run_id = columns[1].selectbox("Model run", list(runs), format_func=runs.get, key="explore_run", persist_state="session", placeholder="no finished run",
                                  help="Whose predictions and uncertainties colour the map.")
    offered = [key for key, c in COLOURINGS.items() if run_id is not None or not c.needs_run]
    colouring = columns[2].selectbox("Colour by", offered, format_func=lambda key: COLOURINGS[key].title, key="explore_colour", persist_state="session",
                                     help="  \n".join(f"**{COLOURINGS[key].title}** {COLOURINGS[key].sentence}" for key in offered))
    target = columns[3].selectbox("Target", TARGET_NAMES, key="explore_target", persist_state="session", help="The quantity that is coloured, listed and sorted by.")
    fresh = columns[4].popover("New map", icon=":material/add:", width="stretch", key="explore_new", on_change="rerun")
    if fresh.open:
        with fresh:
            make_a_map(ws)
    return View(name, run_id, colouring, target)


def _filters(shown: MapTable) -> np.ndarray:
    """Who is drawn and can be caught, bool (n,)."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        states = st.pills("Show", exploring.STATES, selection_mode="multi", default=exploring.STATES, key="explore_states", label_visibility="collapsed", persist_state="session")
        with st.popover("Filter", icon=":material/filter_alt:"):
            classes = st.multiselect("Class", sorted(set(shown.object_class)), key="explore_classes", placeholder="all classes", persist_state="session")
            splits = st.multiselect("Split", sorted(set(shown.split)), key="explore_splits", placeholder="all splits", persist_state="session")
            least = st.number_input("S/N at least", 0.0, 1000.0, 0.0, 1.0, key="explore_sn", help="Above 0, galaxies of unknown S/N are hidden.", persist_state="session")
    keep = np.isin(shown.state, states)
    for chosen, column in ((classes, shown.object_class), (splits, shown.split)):
        keep &= np.isin(column, chosen) if chosen else True
    return keep & (shown.sn >= least) if least > 0 else keep


def _legend_of_controls(shown: MapTable, visible_n: np.ndarray) -> None:
    hidden = len(shown) - int(visible_n.sum())
    st.caption(f"{len(shown):,} galaxies{f', {hidden:,} hidden by filters' if hidden else ''}. Drag to lasso; wheel zooms; the toolbar pans, boxes and resets; double click drops the lasso.")


def _nothing_caught(shown: MapTable) -> None:
    with st.container(border=True, height=map.HEIGHT, horizontal_alignment="center", vertical_alignment="center"):
        st.markdown(":gray[:material/gesture_select:]", text_alignment="center")
        st.markdown(":gray[Draw a lasso around some galaxies:  \ntheir pictures, values and spread appear here.]", text_alignment="center")


def _caught(ws: Workspace, shown: MapTable, rows: np.ndarray, view: View) -> None:
    ids = shown.object_ids[rows]
    state.select(ids)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(rows):,} galaxies**, {int((shown.state[rows] == exploring.LABELLED).sum()):,} labelled", width="stretch")
        _actions(len(rows))
    if not len(rows):
        st.caption("The lasso holds no galaxy that the filters show.")
        return
    table = exploring.details(shown, ids, view.target)
    part = st.segmented_control("Part", PARTS, default=PARTS[0], required=True, key="explore_part", label_visibility="collapsed", persist_state="session")
    if part == "Pictures":
        _gallery(ws, table, view)
    elif part == "Table":
        _values(ws, shown, table, view)
    else:
        _spread(shown, rows, view)


def _actions(count: int) -> None:
    if st.button("Ask within", key="explore_query", icon=":material/travel_explore:", disabled=not count, type="primary", help="Compose a query batch from these galaxies only."):
        st.session_state["query_region"] = IN_LASSO
        st.switch_page("pages/query.py")
    if st.button("Label", key="explore_label", icon=":material/edit_note:", disabled=not count, help="Label these galaxies one after another."):
        st.switch_page("pages/label.py", query_params={"batch": "selection"})
    st.button("", key="explore_forget", icon=":material/close:", type="tertiary", help="Drop the lasso", on_click=map.forget, args=(KEY,))


def _gallery(ws: Workspace, table: pd.DataFrame, view: View) -> None:
    left, right = st.columns([1.6, 1], vertical_alignment="bottom")
    offered = [key for key in ORDERS if table[ORDERS[key][1]].notna().any()]
    order = left.selectbox("Order", offered, format_func=lambda key: ORDERS[key][0], key="explore_order", label_visibility="collapsed", persist_state="session")
    count = right.segmented_control("How many", SHOWN, default=SHOWN[0], required=True, key="explore_count", label_visibility="collapsed", persist_state="session")
    _, column, ascending = ORDERS[order]
    first = table.sort_values(column, ascending=ascending, na_position="last", kind="stable").head(count)
    pictures(ws, first, view.target)
    st.caption(_what_spread_means(first))
    if len(first) < len(table):
        st.caption(f"The first {len(first)} of {len(table):,}.")


def pictures(ws: Workspace, table: pd.DataFrame, target: str, notes: list[str] | None = None) -> None:
    """A grid of pictures of `exploring.details` rows with target value and label state; each opens the Label page."""
    captions = [_caption(row, target) for row in table.itertuples()]
    if notes is not None:
        captions = [f"{note}\n{caption}" for note, caption in zip(notes, captions, strict=True)]
    st.html(_grid(ws.path, ws, tuple(table["object_id"].tolist()), tuple(captions), tuple(table["key"])))


@st.cache_data(max_entries=64, show_spinner=False)
def _grid(path, _ws: Workspace, ids: tuple[int, ...], captions: tuple[str, ...], keys: tuple[str, ...]) -> str:
    images, has_image = exploring.stamps(_ws, np.array(ids, np.int64))
    alts = [f"{key}: colour picture; {caption.replace(chr(10), ', ')}" for key, caption in zip(keys, captions, strict=True)]
    return thumbnails.grid(images, has_image, list(captions), alts, [f"label?object={i}" for i in ids])


def _caption(row, target: str) -> str:
    if np.isfinite(row.label):
        return f"{target} {row.label:.4g}\n{row.state}"
    if np.isfinite(row.prediction):
        spread = row.half if np.isfinite(row.half) else np.hypot(row.epistemic, row.aleatoric)
        return f"{target} ≈ {row.prediction:.3g} ± {spread:.1g}\n{row.state}"
    return row.state


def _what_spread_means(table: pd.DataFrame) -> str:
    if table["prediction"].isna().all():
        return ""
    calibrated = "± : the 68 % interval, stretched until it held 68 % of calibration galaxies of like S/N."
    return calibrated if table["half"].notna().any() else "± : 1 σ as the model states it; too few calibration galaxies had a catalogue value to correct it."


def _values(ws: Workspace, shown: MapTable, table: pd.DataFrame, view: View) -> None:
    number = {c: st.column_config.NumberColumn(format="%.4f") for c in ("label", "prediction", "epistemic", "aleatoric")} | {
        "half": st.column_config.NumberColumn("± 68 %", format="%.4f", help="Half-width of the 68 % interval, stretched as calibration galaxies of like S/N ask"),
        "novelty": st.column_config.NumberColumn(format="%.2f", help=COLOURINGS["novelty"].sentence)}
    picked = st.dataframe(table, key="explore_table", hide_index=True, height=300, on_select="rerun", selection_mode="single-row", column_order=[c for c in table if c != "object_id"],
                          column_config=number | {"sn": st.column_config.NumberColumn("S/N", format="%.1f")})
    if picked.selection.rows:
        _one(ws, shown, table.iloc[picked.selection.rows[0]], view)
    else:
        st.caption("Choose a row to see its bands and what is like it.")


def _one(ws: Workspace, shown: MapTable, row: pd.Series, view: View) -> None:
    object_id = int(row["object_id"])
    image, has_image = exploring.stamps(ws, np.array([object_id]))
    if has_image[0]:
        st.image(thumbnails.strip_png(image[0], 3), width="stretch", alt=f"{row['key']} in u, g, r, i and z, and as a colour picture")
    st.page_link("pages/label.py", label=f"Open {row['key']} on the Label page", icon=":material/edit_note:", query_params={"object": str(object_id)})
    st.caption("Most like it")
    pictures(ws, exploring.details(shown, exploring.nearest(ws, shown, object_id, 8), view.target), view.target)


def _spread(shown: MapTable, rows: np.ndarray, view: View) -> None:
    column = shown.column(view.target)
    for key in ("label", "prediction", "epistemic", "sn"):
        values = COLOURINGS[key].values(shown, column)[rows]
        values = values[np.isfinite(values)]
        if len(values) > 1:
            title = COLOURINGS[key].title + (f" of {view.target}" if COLOURINGS[key].per_target else "")
            charts.show(charts.histogram(values, title, height=170, bins=int(np.clip(2 * len(values) ** 0.5, 5, 40))), f"explore_spread_{key}", f"Histogram of {title.lower()} of {len(values)} galaxies", is_still=True)


def _parameter(method: str, name: str, default: float, low: float, high: float, sentence: str) -> float:
    kind = type(default)
    return st.slider(name, kind(low), kind(high), default, key=f"make_{method}_{name}", help=sentence)


@callback
def _make(ws: Workspace, method: str, features: str, given: dict, name: str) -> None:
    exploring.make_map(ws, method, features, given, name)
    state.tell("The map is being made in the background; it appears in the list when it is ready.", ":material/scatter_plot:")
