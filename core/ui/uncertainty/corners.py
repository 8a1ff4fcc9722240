"""Ignorance against noise: four corners, what they mean, and what to do about the galaxies in each."""

import numpy as np
import streamlit as st

from core.services import doubting
from core.services.doubting import CORNERS, Corner
from core.store import Workspace
from core.ui import charts
from core.ui.guard import guarded
from core.ui.layout import nothing_yet
from core.ui.uncertainty import figures
from core.ui.uncertainty.choices import Asked, look_at
from core.ui.uncertainty.galaxy import show
from core.ui.uncertainty.going import ask_within, show_on_map

CHART = "unsure_corners"


@st.fragment
@guarded()
def corners(ws: Workspace, asked: Asked) -> None:
    """The scatter, and beside it its corners, laid out as they lie there."""
    if not asked.everyone.knows_both(asked.target):
        nothing_yet(f"{asked.run} does not tell noise from ignorance of {asked.target}: it gives one total only. Choose a run of a model with several heads, "
                    f"an ensemble or dropout.", "pages/train.py", "Train one")
        return
    noise, ignorance = asked.everyone.noise(asked.target), asked.everyone.ignorance(asked.target)
    at = doubting.limits(noise, ignorance)
    place = doubting.corner_of(noise, ignorance, at)
    left, right = st.columns([1.15, 1], gap="medium")
    with left:
        _scatter(asked, noise, ignorance, place, at)
    with right:
        _cards(asked, place)
        if not np.isin(place, [CORNERS.index(c) for c in CORNERS if c.is_ignorant != c.is_noisy]).any():
            st.caption(":orange[:material/info: No galaxy lies in Ask or Noise-limited: in this run ignorance rises and falls with noise, so it cannot tell "
                       "which galaxies labels would help. Another run may.]")
    if st.session_state.get(f"{CHART}_clicked") and asked.galaxy is not None:
        show(ws, asked, asked.galaxy, "corners")


def _scatter(asked: Asked, noise: np.ndarray, ignorance: np.ndarray, place: np.ndarray, at: tuple[float, float]) -> None:
    table, unit = asked.everyone.table, f" [{asked.spread_unit}]" if asked.unit else ""
    counts = np.bincount(place[place >= 0], minlength=len(CORNERS))
    alt = f"Ignorance against noise of {asked.target}, logarithmic, parted at the medians: " + ", ".join(f"{c.title} {n:,}" for c,
                                                                                                         n in zip(CORNERS, counts, strict=True))
    figure = figures.corners(noise, ignorance, place, at, table.object_ids, table.key, unit)
    st.plotly_chart(figure, width="stretch", key=CHART, config=charts.QUIET, alt=alt, on_select=_clicked, selection_mode="points")
    drawn, told = min(figures.MOST_POINTS, int(counts.sum())), int(counts.sum())
    few = f"A random {drawn:,} of {told:,} galaxies are drawn; counts and lines use all." if drawn < told else f"{told:,} galaxies."
    left_out = f" {len(place) - told:,} without both uncertainties are left out." if told < len(place) else ""
    st.caption(f"{few}{left_out} The dashed lines are the medians: noise {asked.of(at[0])}, ignorance {asked.of(at[1])}. Click a point to look at its galaxy.")


def _cards(asked: Asked, place: np.ndarray) -> None:
    st.markdown("**What the corners mean**", help="Noise (aleatoric) is what the data cannot say; ignorance (epistemic) is what the model has not learnt. Only "
                                                  "ignorance can be taken away by labels. "
                                                  "The corners are parted at the medians of this run, so they compare galaxies with each other: Known is surer "
                                                  "than the typical galaxy, not certain.")
    for pair in (CORNERS[:2], CORNERS[2:]):
        for corner, column in zip(pair, st.columns(2), strict=True):
            with column:
                _card(asked, corner, place == CORNERS.index(corner))


def _card(asked: Asked, corner: Corner, is_here: np.ndarray) -> None:
    """One corner: its marker, how many, what they are, what to do, and ways to get at them."""
    table, (colour, symbol) = asked.everyone.table, figures.LOOKS[corner.name]
    ids, free = table.object_ids[is_here], int((is_here & asked.everyone.is_free).sum())
    with st.container(border=True, height="stretch", gap="small"):
        glyph = f'<span style="color:{colour};font-size:1.15rem" aria-hidden="true">{figures.GLYPHS[symbol]}</span>'
        st.html(f"{glyph} <b>{corner.title}</b> · {len(ids):,} galaxies")
        st.caption(f"{corner.sentence} {corner.advice} {free:,} of them can still be asked about.")
        with st.container(horizontal=True, gap="small"):
            if st.button("Show", key=f"unsure_show_{corner.name}", disabled=not len(ids),
                         help="Catch these galaxies on the map of the Explore page, coloured by ignorance."):
                show_on_map(asked, ids)
            if st.button("Ask", key=f"unsure_ask_{corner.name}", disabled=not free, type="primary" if corner.name == "ask" else "secondary",
                         help="Compose a query batch from these galaxies only."):
                ask_within(ids)


def _clicked() -> None:
    points = [p["customdata"] for p in st.session_state[CHART].selection.points if p.get("customdata")]
    if points:
        look_at(int(points[0][0]))
        st.session_state[f"{CHART}_clicked"] = True
