"""The panels of the Query page."""

from dataclasses import replace
from datetime import date

import numpy as np
import streamlit as st

from core.acquisition.registry import STRATEGIES
from core.columns import TARGET_NAMES
from core.services import exploring, querying
from core.services.querying import Preview, Request
from core.store import Workspace, batches
from core.ui import advice_panels, map, state
from core.ui.explore_panels import EVERYWHERE, IN_LASSO, pictures
from core.ui.guard import callback, guarded
from core.ui.layout import nothing_yet, section
from core.ui.query_gates import gates

KEY = "query_map"
PREVIEW, FACTS = "query_preview", "query_facts"


def ask(ws: Workspace) -> Request:
    """Everything a person can set about a batch; the button that previews it."""
    with section("What to ask", "Nothing is saved before you say so."):
        runs = exploring.run_names(ws)
        run_id = st.selectbox("Model run", list(runs), format_func=runs.get, key="query_run", persist_state="session", placeholder="no finished run",
                              help="Whose uncertainties and latent features the strategy looks at. Without one, places on the newest map stand in.")
        offered = [s.name for s in STRATEGIES.values() if run_id is not None or not {"epistemic_pt", "disagreement_pt"} & set(s.needs)]
        strategy = st.selectbox("Strategy", offered, index=offered.index("lcmd_sampled" if run_id is not None else "k_means"), key=f"query_strategy_{run_id is not None}",
                                persist_state="session", format_func=lambda name: name.replace("_", " "), help="  \n".join(f"**{n.replace('_', ' ')}** {STRATEGIES[n].sentence}" for n in offered))
        st.caption(STRATEGIES[strategy].sentence)
        size = st.number_input("Galaxies", 1, 10_000, 50, 10, key="query_size", persist_state="session")
        region = _region()
        request = gates(ws, _details(Request(strategy, int(size), _targets(ws), run_id, region=region)))
        st.button("Preview", type="primary", icon=":material/visibility:", on_click=_preview, args=(ws, request), width="stretch", key="query_go")
        return request


def _targets(ws: Workspace) -> tuple[str, ...]:
    groups = exploring.target_groups(ws)
    chosen = st.pills("Targets", list(groups), default=list(groups), selection_mode="multi", key="query_targets", persist_state="session", format_func=lambda g: g.upper() if g != "z" else g,
                      help="Whose uncertainty counts; groups weigh equally however many columns they have. A galaxy with a decision on any of them is not asked about again.")
    return tuple(name for group in chosen for name in groups[group])


def _region() -> tuple[int, ...] | None:
    caught = state.selection()
    if not len(caught) or "query_region" not in st.session_state:
        st.session_state["query_region"] = EVERYWHERE
    where = st.segmented_control("Where", [EVERYWHERE, IN_LASSO], required=True, key="query_region", disabled=not len(caught), persist_state="session",
                                 help="A lasso drawn here or on the Explore page can bound the choice.")
    if where != IN_LASSO:
        return None
    st.caption(f"{len(caught):,} galaxies caught on the map.")
    return tuple(caught.tolist())


def _details(request: Request) -> Request:
    heeds = STRATEGIES[request.strategy].heeds_cost
    with st.expander("Time, control slice, seed", icon=":material/tune:"):
        per_minute = st.checkbox("most for each minute of your time", False, key="query_minute", persist_state="session", disabled=not heeds,
                                 help="Weigh what a label is worth by how long it should take: by the S/N, as everybody's decisions so far teach, and by the chance that nobody can tell. "
                                      "Strategies that look at no worth, such as random, cannot.")
        share = st.slider("Random control slice, %", 0, 100, 10, 5, key="query_control", persist_state="session",
                          help="Drawn at random whatever the strategy says: an honest baseline for the learning curve, and labels that calibration may use.")
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, 1, key="query_seed", persist_state="session", help="The same seed, settings and labels give the same batch.")
    return replace(request, control_share=share / 100, seed=int(seed), per_minute=per_minute and heeds)


def shown(ws: Workspace, request: Request) -> None:
    """The preview: where the picks lie, what they buy, why each; and the way to keep them."""
    previewed: Preview | None = st.session_state.get(PREVIEW)
    _map(ws, request, previewed)
    if previewed is None:
        st.caption("Press Preview to see which galaxies would be asked about, and why.")
        advice_panels.of_batch(ws, request.run_id, request.targets, request.size)
        return
    if previewed.request != request:
        st.caption(":orange[:material/history: The settings have changed since this preview.]")
    _worth(ws, previewed)
    advice_panels.of_batch(ws, previewed.request.run_id, previewed.request.targets, len(previewed.table), tuple(previewed.table["object_id"].tolist()))
    _save(ws, previewed)
    _picks(ws, previewed)


@st.fragment
@guarded()
def _map(ws: Workspace, request: Request, previewed: Preview | None) -> None:
    names = exploring.map_names(ws)
    if not names:
        nothing_yet("There is no map to show the picks on yet.", "pages/explore.py", "Make one")
        return
    left, middle, right = st.columns([1.4, 1.2, 1], vertical_alignment="bottom")
    name = left.selectbox("Map", names, key="query_name", persist_state="session")
    offered = [k for k, c in exploring.COLOURINGS.items() if request.run_id is not None or not c.needs_run]
    colouring = middle.selectbox("Colour by", offered, index=min(1, len(offered) - 1) if request.run_id is not None else 0, key=f"query_colour_{request.run_id is not None}",
                                 format_func=lambda k: exploring.COLOURINGS[k].title, persist_state="session")
    target = right.selectbox("Target", request.targets or TARGET_NAMES, key="query_target", persist_state="session")
    table = map.table(ws, name, request.run_id)
    everyone = np.ones(len(table), bool)
    map.draw(table, colouring, target, everyone, KEY, _marked(table, previewed), height=480)
    rows = map.caught(table, everyone, KEY)
    if rows is not None and len(rows):
        st.button(f"Ask within the {len(rows):,} galaxies in the lasso", key="query_within", icon=":material/gesture_select:", on_click=_within, args=(table.object_ids[rows],))


def _marked(table: exploring.MapTable, previewed: Preview | None) -> dict[str, np.ndarray]:
    if previewed is None:
        return {}
    parts = {"asked for": ~previewed.table["control"], "random control": previewed.table["control"]}
    rows = {name: exploring.rows_of(table.object_ids, previewed.table.loc[which, "object_id"].to_numpy(np.int64)) for name, which in parts.items()}
    return {name: found[found >= 0] for name, found in rows.items() if (found >= 0).any()}


def _worth(ws: Workspace, previewed: Preview) -> None:
    worth, columns = previewed.worth, st.columns(4)
    minutes = querying.minutes(ws, state.annotator(), len(previewed.table))
    gain = worth["covered"] - worth["random_covered"]
    columns[0].metric("Uncertainty covered", _percent(worth["covered"]), None if np.isnan(gain) else f"{100 * gain:+.1f} against random", border=True,
                      help="Share of the pool's epistemic uncertainty that these labels come near: 1 - d²/d₀² for each galaxy, d₀ its distance to the nearest label now, d to the nearest pick. Below it, the points of a per cent by which a random batch of this size would do less or more.")
    columns[1].metric("Redundancy", _percent(worth["redundancy"]), border=True, help="How much of that coverage several picks share: 0 when each covers other galaxies.")
    columns[2].metric("Labelled already", _percent(worth["labelled_share"]), border=True, help="Of the train-split galaxies here that could be asked about.")
    columns[3].metric("Your time", "–" if minutes is None else f"{minutes:.0f} min", border=True, help="At the pace of your latest decisions; – until you have made a few.")
    out = [f"{count:,} {reason}" for reason, count in previewed.pool.counts.items() if count]
    measured = f" Distances: {previewed.features}." if previewed.features else ""
    st.caption(f"Chosen from {len(previewed.pool):,} galaxies{'; left out: ' + ', '.join(out) if out else ''}.{measured}")


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.1f} %"


def _save(ws: Workspace, previewed: Preview) -> None:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    suggestion = f"{previewed.request.strategy.replace('_', ' ')}, {date.today():%d %b}, {len(previewed.table)}"
    name = left.text_input("Name", suggestion, key=f"query_name_{suggestion}", max_chars=80)
    right.button("Save batch", key="query_save", type="primary", icon=":material/playlist_add_check:", width="stretch", on_click=_submit, args=(ws, previewed, name))


def _picks(ws: Workspace, previewed: Preview) -> None:
    facts = st.session_state[FACTS]
    table, gallery = st.tabs(["Why each", "Pictures"])
    with table:
        st.dataframe(
            facts, key="query_table", hide_index=True, height=360, column_order=["rank", "key", "reason", "score", "distance", "sn", "chance", "prediction", "control"],
            column_config={
                "rank": st.column_config.NumberColumn("#", width="small"), "reason": st.column_config.TextColumn("why", width="large"),
                "score": st.column_config.NumberColumn(format="%.3g", help="What the strategy scored; the random control has none."),
                "distance": st.column_config.NumberColumn("to nearest label", format="%.3g", help="1 = the pool's typical distance from its own middle."),
                "sn": st.column_config.NumberColumn("S/N", format="%.1f"), "chance": st.column_config.NumberColumn("can be told", format="%.2f", help="The chance, 0 to 1, that somebody can tell, as past decisions teach."), "control": st.column_config.CheckboxColumn("random", width="small"),
                "prediction": st.column_config.NumberColumn(f"predicted {_target(previewed)}", format="%.4g"),
            },
        )
    with gallery:
        first = facts.head(60)
        pictures(ws, first, _target(previewed), [f"#{r.rank + 1} {'random control' if r.control else ''}" for r in first.itertuples()])


def _target(previewed: Preview) -> str:
    return previewed.request.targets[0]


def saved(ws: Workspace) -> None:
    """Batches with how far they are, and where to go on."""
    with section("Batches", "A closed batch leaves the labelling queue; its labels stay."):
        table = querying.batch_list(ws)
        if table.empty:
            nothing_yet("No batch has been saved yet.")
            return
        picked = st.dataframe(
            table, key="query_batches", hide_index=True, on_select="rerun", selection_mode="single-row", height="auto",
            column_order=["name", "strategy", "share", "done", "size", "run_id", "status", "annotator", "created"],
            column_config={"share": st.column_config.ProgressColumn("progress", format="percent"), "run_id": st.column_config.NumberColumn("run"),
                           "created": st.column_config.DatetimeColumn("saved", format="distance"), "annotator": "by"},
        )
        row = table.iloc[picked.selection.rows[0] if picked.selection.rows else 0]
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link("pages/label.py", label=f"Label {row['name']}", icon=":material/edit_note:", query_params={"batch": str(row["id"])})
            st.page_link("pages/review.py", label="Share it out among people", icon=":material/group_add:", query_params={"tab": "Share a batch"})
            st.button(f"Close {row['name']}", key="query_close", type="tertiary", icon=":material/archive:", on_click=_close, args=(ws, int(row["id"])), disabled=row["status"] == "closed")


@callback
def _preview(ws: Workspace, request: Request) -> None:
    st.session_state.pop(PREVIEW, None)
    previewed = querying.preview(ws, request)
    facts = exploring.facts(ws, previewed.table["object_id"], _target(previewed), request.run_id)
    st.session_state[PREVIEW], st.session_state[FACTS] = previewed, previewed.table.merge(facts, on="object_id")


@callback
def _submit(ws: Workspace, previewed: Preview, name: str) -> None:
    querying.submit(ws, previewed, name, state.annotator())
    del st.session_state[PREVIEW]
    state.tell(f"Batch {name} is saved: {len(previewed.table)} galaxies wait to be labelled.", ":material/playlist_add_check:")


@callback
def _within(object_ids: np.ndarray) -> None:
    state.select(object_ids)
    st.session_state["query_region"] = IN_LASSO


@callback
def _close(ws: Workspace, batch_id: int) -> None:
    batches.close(ws, batch_id)
