"""Who may be asked about: what a person can set of the gates on the Query page."""

from dataclasses import replace

import streamlit as st

from core.acquisition.strangers import STRANGE
from core.services import labelling, querying
from core.services.querying import Request
from core.store import Workspace


def gates(ws: Workspace, request: Request) -> Request:
    """The request with what a person has set of S/N, masks, chances, issues and objects that are left out."""
    with st.expander("Who may be asked about", icon=":material/filter_alt:", key="query_gates", on_change="rerun"):
        sn = st.number_input("S/N at least", 0.0, 1000.0, querying.LEAST_SN, 0.5, key="query_sn", persist_state="session", help="Below, people can rarely tell a redshift.")
        good = st.slider("Good pixels at least, %", 0, 100, round(100 * querying.LEAST_GOOD), 5, key="query_good", persist_state="session",
                         help="Share of the spectrum's 4620 pixels that are covered and not masked. With fewer, the lines that a redshift is told by are missing.")
        chance = st.slider("Chance to be told at least, %", 0, 90, round(100 * querying.LEAST_CHANCE), 5, key="query_chance", persist_state="session",
                           help="That somebody can tell: learned from whom people could and could not tell so far, by S/N, good pixels, magnitude and what there is of a galaxy. "
                                "A handful of decisions teaches little; as long as nobody has failed to tell, everybody may be asked about. 0 asks about all.")
        strange = st.slider("Strangest part of the pool, %", 0, 50, round(100 * STRANGE), 1, key="query_strange", persist_state="session",
                            help="Of the galaxies that look most unlike anything labelled a batch holds no more than a random one would: stars, quasars and artefacts are among them, and nobody has "
                                 "told yet what they look like. 0 lets the strategy choose freely; novelty looks for them on purpose and always does.")
        spectrum = st.checkbox("only with a spectrum", querying.has_spectra(ws), key="query_spectrum", persist_state="session", help="Without one nobody can read a redshift.")
        galaxies = st.checkbox("only galaxies", True, key="query_galaxies", persist_state="session", help="Leave out what the catalogue calls a star, a quasar or sky.")
        skip = st.checkbox("not those waiting in an open batch", True, key="query_skip", persist_state="session", help="What somebody has been asked about already is not asked about twice.")
        flags = st.multiselect("Never if flagged", labelling.FLAGS, querying.NEVER_FLAGGED, key="query_flags", persist_state="session", help="An issue that anybody has flagged at the desk and not taken back.")
        named = st.text_area("Never these objects", key="query_excluded", persist_state="session", height=68, placeholder="keys or numbers", help="Keys or numbers of objects, one a line or with commas between.")
    return replace(request, least_sn=sn, least_good=good / 100, least_chance=chance / 100, strange_share=strange / 100, needs_spectrum=spectrum, only_galaxies=galaxies, skip_waiting=skip,
                   not_flagged=tuple(flags), excluded=querying.named(ws, named))
