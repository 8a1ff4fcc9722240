"""How good each annotator's redshifts are by their own grades, how fast they go, and who agrees with whom."""

import streamlit as st

from core.services import reviewing
from core.store import Workspace
from core.ui import charts
from core.ui.layout import nothing_yet, section
from core.ui.review import figures

_MEASURED = ("A redshift is right within 1,000 km/s of what it is measured against, the first that there is: an adjudication by somebody else, the known answer of an object that was mixed in, "
             "a catalogue value that somebody revealed, what the other people agree on. Nobody is measured against themselves. Bars: the central 68 % (Wilson).")


def people(ws: Workspace) -> None:
    """A table of the people, their shares that are right by grade, and a square a pair."""
    table = reviewing.people(ws)
    if table.empty:
        nothing_yet(":material/group: Nobody has labelled by hand yet.", "pages/label.py", "Label")
        return
    _table(table)
    measured, pairs = reviewing.agreement(ws), reviewing.pairs(ws)
    left, right = st.columns([1.5, 1], gap="medium")
    with left, section("Stated grade against what came of it", _MEASURED):
        _by_grade(measured)
    with right, section("Who agrees with whom", "Share of the objects that both gave a redshift which agree within 1,000 km/s, whatever the grades."):
        if pairs.empty:
            nothing_yet("No two people have given a redshift of the same object yet.")
        else:
            charts.show(figures.matrix(pairs), "review_pairs", "Share of shared objects on which each pair of people agrees", is_still=True)


def _table(table) -> None:
    number = {f"grade{g}": st.column_config.NumberColumn(f"{g} {words}", format="localized") for g, words in reviewing.GRADES.items()}
    st.dataframe(
        table.assign(known=[f"{r.gold_right} of {r.gold}" if r.gold else "–" for r in table.itertuples()]).drop(columns=["gold", "gold_right"]), hide_index=True, key="review_people",
        column_config=number | {
            "cannot": st.column_config.NumberColumn("cannot tell"), "per_hour": st.column_config.NumberColumn("an hour", format="%.0f", help="Decisions an hour, pauses over five minutes left out; empty before four decisions."),
            "adjudications": st.column_config.NumberColumn("adjudicated", help="Disagreements between others, or with others, that they settled."),
            "known": st.column_config.TextColumn("known answers", help="Of the objects with a known answer that were mixed into their shares, how many they got within 1,000 km/s."),
        },
    )


def _by_grade(measured) -> None:
    graded = reviewing.by_grade(measured)
    if graded.empty:
        nothing_yet("There is nothing yet to measure anybody against: it takes a second opinion, an adjudication, or a known answer.")
        return
    charts.show(figures.by_grade(graded), "review_grades", "Share of each person's redshifts that is right, by the grade they gave", is_still=True)
    against = measured["against"].value_counts()
    st.caption(f"{len(measured):,} redshifts measured: " + ", ".join(f"{against[name]:,} against {name}" for name in reviewing.REFERENCES if name in against) + ".")
