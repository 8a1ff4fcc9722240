"""What a model says of one galaxy: the distribution, its intervals, what is noise in it, and what is known besides."""

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import NotFound
from core.services import doubting, exploring
from core.services.doubting import Posterior
from core.store import Workspace
from core.ui import charts, state, thumbnails
from core.ui.guard import callback, guarded
from core.ui.layout import nothing_yet, section
from core.ui.uncertainty import figures
from core.ui.uncertainty.choices import Asked, everyone, look_at

MOST_OFFERED = 200
MOST_BESIDE = 3


@st.fragment
@guarded()
def galaxy(ws: Workspace, asked: Asked) -> None:
    """The galaxy looked at last, or one of those that are caught."""
    caught = state.selection()
    caught = caught[exploring.rows_of(asked.everyone.table.object_ids, caught) >= 0][:MOST_OFFERED]
    if len(caught):
        _choose_caught(asked, caught)
    if asked.galaxy is None:
        nothing_yet("No galaxy has been chosen. Type a key above, click a point of the map or of Noise or ignorance, or catch some on the map of the Explore "
                    "page.", "pages/explore.py", "Explore")
        _suggest(asked)
        return
    show(ws, asked, asked.galaxy, "galaxy")


def show(ws: Workspace, asked: Asked, object_id: int, key: str) -> None:
    """One galaxy, wherever it was clicked."""
    said = doubting.posterior(asked.everyone, asked.target, object_id)
    with section(f"What the model says of {said.key}"):
        left, right = st.columns([1, 2.6], gap="medium")
        with right:
            st.markdown(said.sentence)
            with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
                beside = _beside(ws, asked, said, key)
                is_revealed = st.toggle("Reveal what is known", key=f"unsure_reveal_{key}_{object_id}",
                                        help="Others' labels, the catalogue's value and what the spectrum tells by itself. They stay hidden until you ask, so "
                                             "that you can decide "
                                        "by yourself first; of a galaxy that is shared out, others' labels stay hidden until you have decided.")
            known = doubting.known(ws, object_id, asked.target, state.annotator(), is_revealed)
            _draw(asked, [said, *beside.values()], [asked.run, *beside], known, key)
        with left:
            _facts(ws, asked, said, key)
            _say_known(known, is_revealed)


def _draw(asked: Asked, said: list[Posterior], names: list[str], known: pd.DataFrame, key: str) -> None:
    if np.isfinite(said[0].half["68"]):
        st.caption("Curve: the Gaussian as the run states it. Bars: intervals stretched as calibration galaxies of like S/N ask.")
    else:
        st.caption("Curve: the Gaussian as the run states it. Too few calibration galaxies had a catalogue value to stretch its intervals.")
    besides = "; ".join(f"{r.what} of {r.who} {r.value:.5g}" for r in known.itertuples())
    alt = f"{said[0].sentence.replace('**', '')}{' Besides: ' + besides if besides else ''}"
    charts.show(figures.posterior(said, names, known, f" [{asked.unit}]" if asked.unit else ""), f"unsure_posterior_{key}", alt)


def _facts(ws: Workspace, asked: Asked, said: Posterior, key: str) -> None:
    image, has_image = exploring.stamps(ws, np.array([said.object_id]))
    if has_image[0]:
        st.image(thumbnails.composite_png(image[0], 4), width=200, alt=f"Colour picture of {said.key}")
    facts = {"S/N": said.sn, "r magnitude": said.magnitude, "novelty": said.novelty}
    st.caption(" · ".join(f"{name} {value:.3g}" for name, value in facts.items() if np.isfinite(value)))
    if said.noise > 0 and said.ignorance > 0:
        st.markdown("**Of its variance**", help="Noise (aleatoric) is what the data cannot say, ignorance (epistemic) what the model has not learnt; their "
                                                "variances add up.")
        charts.show(figures.split(said.share_of_noise), f"unsure_split_{key}", f"Of the variance {said.share_of_noise:.0%} is noise, the rest ignorance",
                    is_still=True)
    st.page_link("pages/label.py", label="Label it", icon=":material/edit_note:", query_params={"object": str(said.object_id)})


def _say_known(known: pd.DataFrame, is_revealed: bool) -> None:
    if known.empty:
        st.caption("Nothing is known of it that could be shown." if is_revealed else "You have not labelled it. What others know stays hidden until you ask.")
    for row in known.itertuples():
        st.caption(f"**{row.what.capitalize()}** "
                   f"{doubting.figures(row.value, row.sigma)}{f' ± {doubting.figures(row.sigma, row.sigma)}' if row.sigma > 0 else ''} :gray[{row.who}]")


def _beside(ws: Workspace, asked: Asked, said: Posterior, key: str) -> dict[str, Posterior]:
    """What other runs say of the same galaxy: name -> posterior."""
    runs = {name: run for run, name in exploring.run_names(ws).items() if run != asked.run_id}
    chosen = st.multiselect("Beside it", list(runs), key=f"unsure_beside_{key}", max_selections=MOST_BESIDE, placeholder="other runs", width=340,
                            label_visibility="collapsed", help="What other runs say of the same galaxy, drawn over it.") if runs else []
    found = {}
    for name in chosen:
        try:
            found[name] = doubting.posterior(everyone(ws, runs[name]), asked.target, said.object_id)
        except NotFound as error:
            st.caption(str(error))
    return found


def _choose_caught(asked: Asked, caught: np.ndarray) -> None:
    table = asked.everyone.table
    names = dict(zip(caught.tolist(), table.key[exploring.rows_of(table.object_ids, caught)], strict=True))
    st.selectbox(f"Of the {len(caught):,} galaxies that are caught", list(names), index=None, format_func=names.get, key="unsure_caught",
                 placeholder="choose one", width=340, on_change=_take_caught,
                 help="Caught on the map of the Explore page, or by the corners of Noise or ignorance.")


def _suggest(asked: Asked) -> None:
    """A galaxy to begin with: of which the model knows least."""
    ignorance = asked.everyone.ignorance(asked.target)
    if np.isfinite(ignorance).any():
        st.button("Show the one it knows least about", key="unsure_least", icon=":material/help:", on_click=look_at,
                  args=(int(asked.everyone.table.object_ids[np.nanargmax(ignorance)]),))


@callback
def _take_caught() -> None:
    if st.session_state["unsure_caught"] is not None:
        look_at(st.session_state["unsure_caught"])
