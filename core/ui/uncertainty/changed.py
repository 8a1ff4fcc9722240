"""How the labels since an earlier run of the same model have changed what it does not know."""

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from core.services import doubting, exploring
from core.services.doubting import Change, Gain
from core.services.exploring import Colouring, MapTable
from core.store import Workspace
from core.ui import charts, map
from core.ui.guard import guarded
from core.ui.layout import nothing_yet, plain, section
from core.ui.uncertainty import figures
from core.ui.uncertainty.choices import Asked, everyone

KEY = "unsure_change_map"
HEIGHT = 480


@st.fragment
@guarded()
def changed(ws: Workspace, asked: Asked) -> None:
    """What was labelled in between, where ignorance fell and rose, and whether predictions got better."""
    before = doubting.earlier(ws, asked.run_id)
    if before.empty:
        nothing_yet(f"{asked.run} is the first run of its model. Label a batch and train the same model again; then you see here what the batch changed.",
                    "pages/query.py", "Compose a batch")
        return
    names = {int(r.id): r.name if r.is_alike else f"{r.name} (other settings)" for r in before.itertuples()}
    against = st.selectbox("Compared with", list(names), format_func=names.get, key=f"unsure_before_{asked.run_id}", width=340,
                           help="An earlier run of the same model. The newest with the same settings comes first: what differs then are the labels, and chance.")
    if not asked.everyone.knows_both(asked.target):
        nothing_yet(f"{asked.run} does not tell noise from ignorance of {asked.target}, so there is no ignorance to follow.", "pages/train.py",
                    "Train another model")
        _gains(ws, asked, against)
        return
    found = _change((*asked.key, against), ws, asked, against)
    _held(ws, asked, against, found)
    left, right = st.columns([1.15, 1], gap="medium")
    with left:
        _map(ws, asked, against, found)
    with right:
        _groups(found)
        _gains(ws, asked, against)
    _moved(found)


def _held(ws: Workspace, asked: Asked, against: int, found: Change) -> None:
    """What was labelled between the two runs."""
    table = doubting.batches_between(ws, against, asked.run_id, asked.target)
    if table.empty:
        st.markdown(f"No label of {asked.target} came in between: the two runs differ in settings or chance only.")
        return
    said = [f"**{r.galaxies:,}** {f'of batch *{plain(r.batch)}*, {r.strategy}{_control(r.control)}' if r.batch else 'outside a batch'}" for r in table.itertuples()]
    undone = f" {found.lost:,} were undone." if found.lost else ""
    count = int(table["galaxies"].sum())
    st.markdown(f"Between the two, {count:,} {'galaxies were' if count > 1 else 'galaxy was'} labelled: {'; '.join(said)}.{undone}")


def _control(count: int) -> str:
    return f" ({count:,} of them drawn at random)" if count else ""


def _map(ws: Workspace, asked: Asked, against: int, found: Change) -> None:
    names = exploring.map_names(ws)
    if not names:
        nothing_yet("There is no map yet to show the change on.", "pages/explore.py", "Make a map")
        return
    name = st.selectbox("Map", names, key="unsure_change_name", persist_state="session", label_visibility="collapsed", help="Which map")
    shown = map.table(ws, name, asked.run_id)
    colour = f"since_{against}_{asked.target}"
    chosen = Colouring("Ignorance, doublings", "diverging", partial(_doublings, asked.everyone.table.object_ids, found.doublings),
                       "Base-2 logarithm of ignorance now over ignorance before: -1 = halved, +1 = doubled")
    asked_rows = exploring.rows_of(shown.object_ids, asked.everyone.table.object_ids[found.asked])
    map.draw(shown, colour, asked.target, np.ones(len(shown), bool), KEY, {"asked about": asked_rows[asked_rows >= 0]} if found.asked.any() else {},
             height=HEIGHT, colourings={colour: chosen})
    st.caption("Blue: the model knows more than before; orange: it has become less sure. -1 is half the ignorance, +1 twice as much. Rings: galaxies that were "
               "labelled in between.")


def _groups(found: Change) -> None:
    with section("How ignorance changed", "Median change of the epistemic standard deviation of the galaxies that were labelled in between, of the ten "
                                          "unlabelled galaxies nearest to each of them in what the model has learnt, and of the rest; "
                 "with the 95 % interval of the median."):
        known = found.groups[found.groups["galaxies"] > 0]
        if known.empty:
            nothing_yet("No galaxy has an ignorance in both runs.")
            return
        said = "; ".join(f"{r.group} {r.change:+.0%} ({r.galaxies:,} galaxies)" for r in known.itertuples())
        st.markdown(f"{said[0].upper()}{said[1:]}.")
        charts.show(figures.groups(known), "unsure_groups", f"Median change of ignorance: {said}", is_still=True)
        if (known["change"] > 0).any():
            st.caption("Ignorance can grow: labels of unusual galaxies show a model that it was too sure, and training starts from chance anew.")


def _gains(ws: Workspace, asked: Asked, against: int) -> None:
    with section("Is it more right?", "The same test galaxies, predicted by both runs. The interval is a paired bootstrap over groups of the sky: an interval "
                                      "without 0 is more than chance."):
        found = _gained((*asked.key, against), ws, asked, against)
        if not found:
            nothing_yet(f"No test galaxy has a catalogue value of {asked.target} and both predictions.")
            return
        table = pd.DataFrame([{"metric": g.metric, "values": f"{g.before:.3g} → {g.now:.3g}", "change": g.told, "verdict": g.verdict} for g in found])
        st.dataframe(table, hide_index=True, height="content", key="unsure_gains", column_config={
            "metric": st.column_config.TextColumn("metric", help="Of the test galaxies; low is good for all of them. δ is the difference in z over 1 + z.",
                                                  width=66),
            "values": st.column_config.TextColumn("before → now", help="Of the earlier run, and of the run chosen above", width=110),
            "change": st.column_config.TextColumn("change (95 %)", help="As a share of what it was, and its 95 % interval", width=110),
            "verdict": st.column_config.TextColumn("verdict", help="Better or worse where the interval leaves out 0, else no more than chance", width=60)})
        was, now = (doubting.held(ws, run, asked.target) for run in (against, asked.run_id))
        if was and now:
            st.caption(f"68 % intervals held {was.sentence} of the test galaxies before and hold {now.sentence} now, stretched where calibrated.")


def _moved(found: Change) -> None:
    with section("From corner to corner", "Corners of Noise or ignorance, parted for both runs at the medians of the earlier one. Numbers are galaxies; colour "
                                          "is their share of the corner they came from."):
        st.markdown(found.sentence)
        charts.show(figures.moved(found.moved), "unsure_moved", f"Galaxies by corner before and now. {found.sentence.replace('**', '')}", is_still=True)


def _doublings(ids: np.ndarray, doublings: np.ndarray, table: MapTable, column: int) -> np.ndarray:
    rows = exploring.rows_of(ids, table.object_ids)
    return np.where(rows >= 0, doublings[rows], np.nan).astype(np.float32)


@st.cache_resource(max_entries=8, show_spinner="Comparing the two runs")
def _change(key: tuple, _ws: Workspace, _asked: Asked, before: int) -> Change:
    return doubting.change(_ws, _asked.everyone, everyone(_ws, before), _asked.target)


@st.cache_resource(max_entries=8, show_spinner="Drawing the test galaxies again and again")
def _gained(key: tuple, _ws: Workspace, _asked: Asked, before: int) -> list[Gain]:
    return doubting.gains(_ws, before, _asked.run_id, _asked.target)
