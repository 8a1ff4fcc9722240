"""The panels of the Data page that show and export what is here; `ingest_panels` brings it in."""

import pandas as pd
import streamlit as st

from core.columns import MODALITIES, OBJECT_COLUMNS
from core.services import curating, overviewing
from core.services.curating import Export
from core.store import Workspace, census
from core.ui import charts, state
from core.ui.guard import callback
from core.ui.layout import section

LISTED = 2000
SHOWN = ("key", "ra", "dec", "class", "sn", "split", "is_labelled", "image", "spectrum", "photometry", "zwarning", "ebv", "specobjid", "source")


def objects(ws: Workspace) -> None:
    """A table of the galaxies with filters; a row that is picked shows all that is known about it."""
    wanted = _filters(ws)
    table, total = curating.listing(ws, wanted, LISTED)
    more = f" The first {LISTED:,} are shown; narrow the filters to see others." if total > LISTED else ""
    st.caption(f"**{total:,}** objects pass.{more}")
    picked = st.dataframe(table, hide_index=True, height=420, column_order=SHOWN, column_config=_headings(), on_select="rerun", selection_mode="single-row", key="objects", placeholder="")
    if picked.selection.rows:
        _details(ws, table.iloc[picked.selection.rows[0]])


def splits(ws: Workspace) -> None:
    """How the sky is divided, what is labelled in each part, and what is missing."""
    table = census.by_split(ws)
    left, right = st.columns([1, 1.3])
    with left, section("Splits by sky group", "Objects of one patch of sky, 0.1 degrees wide, go into one split, and so do all spectra of one galaxy. The draw is a fixed hash: it never changes as data come in."):
        charts.show(charts.shares(table, "split", "labelled", "objects", ("labelled", "not labelled"), 240), "splits", "Objects of each split, labelled and not", is_still=True)
        st.dataframe(table, hide_index=True, column_config={"groups": st.column_config.NumberColumn("sky groups")})
    with right, section("Labels by target", "Galaxies with a standing value to train on or to measure with."):
        st.dataframe(curating.label_counts(ws), hide_index=True)
    with section("Missing values", "How many objects have no value in a catalogue column. Missing is never written as -9999 here."):
        st.dataframe(_missing(ws), hide_index=True, column_config={
            "share": st.column_config.ProgressColumn("share of objects", format="percent", min_value=0, max_value=1), "missing": st.column_config.NumberColumn(format="localized")})
    with section("Modalities together"):
        st.dataframe(census.combinations(ws), hide_index=True, column_config={"n": st.column_config.NumberColumn("objects", format="localized")})


def export(ws: Workspace) -> None:
    """The training set with its provenance, its checksum and a paragraph for the paper."""
    with section("Export the training set", "Every standing value with who gave it and why the galaxy was asked for, and a table of one row a galaxy."):
        st.markdown("Labels, their origin, a checksum that anybody can verify, and a methods paragraph for the paper.")
        st.button("Prepare the export", type="primary", icon=":material/inventory_2:", on_click=_prepare, args=(ws,))
        made: Export | None = st.session_state.get("export")
        if made is not None:
            _prepared(made)
            newer = overviewing.decisions_since(ws, made.provenance["label_high_water"])
            if newer:
                st.caption(f":orange[:material/warning: {newer:,} decisions are newer than this export. Prepare it again to include them.]")


def _filters(ws: Workspace) -> census.Filter:
    columns = st.columns([2, 1, 1, 1, 1, 1], vertical_alignment="bottom")
    text = columns[0].text_input("Search", placeholder="key, specobjid or objid", type="search", key="object_text")
    split = columns[1].selectbox("Split", ["", *census.SPLITS], format_func=_any, key="object_split")
    kind = columns[2].selectbox("Class", ["", *census.classes(ws)], format_func=_any, key="object_class")
    modality = columns[3].selectbox("Has", ["", *MODALITIES], format_func=_any, key="object_modality")
    labelled = columns[4].selectbox("Label", ["", "labelled", "not labelled"], format_func=_any, key="object_labelled")
    least_sn = columns[5].number_input("S/N at least", 0.0, value=0.0, step=1.0, key="object_sn")
    return census.Filter(text, split, kind, modality, {"": None, "labelled": True, "not labelled": False}[labelled], least_sn)


def _headings() -> dict:
    known = {c.name: st.column_config.Column(f"{c.name}{f' [{c.unit}]' if c.unit else ''}", help=c.sentence) for c in OBJECT_COLUMNS}
    number = {"ra": "%.5f", "dec": "%.5f", "sn": "%.1f", "ebv": "%.3f"}
    numbers = {c.name: st.column_config.NumberColumn(f"{c.name}{f' [{c.unit}]' if c.unit else ''}", help=c.sentence, format=number[c.name]) for c in OBJECT_COLUMNS if c.name in number}
    return known | numbers | {"is_labelled": st.column_config.CheckboxColumn("labelled"), **{m: st.column_config.CheckboxColumn(m, width="small") for m in MODALITIES}}


def _details(ws: Workspace, row: pd.Series) -> None:
    with st.container(border=True):
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.markdown(f"**{row['key']}**")
        right.page_link("pages/label.py", label="Look at it", icon=":material/visibility:", query_params={"object": str(row["id"])})
        st.dataframe(curating.details(ws, int(row["id"])), hide_index=True, height=260, placeholder="")


def _missing(ws: Workspace) -> pd.DataFrame:
    sentences = {c.name: c.sentence for c in OBJECT_COLUMNS}
    table = census.missing(ws).query("missing > 0").sort_values("missing", ascending=False)
    return table.assign(meaning=table["column"].map(sentences))[["column", "missing", "share", "meaning"]]


def _prepared(made: Export) -> None:
    p = made.provenance
    columns = st.columns(4)
    columns[0].metric("Values", f"{p['values']:,}", border=True)
    columns[1].metric("Galaxies", f"{p['galaxies']:,}", border=True)
    columns[2].metric("Annotators", f"{len(p['annotators']):,}", border=True)
    columns[3].metric("Query batches", f"{len(p['batches']):,}", border=True)
    for name, checksum in made.checksums.items():
        st.caption(f"SHA-256 of {name}")
        st.code(checksum, language=None)
    st.caption("Methods")
    st.code(made.methods, language=None, wrap_lines=True)
    with st.container(horizontal=True):
        stem = f"lookback_{p['workspace']}_{p['snapshot_sha256'][:8]}"
        st.download_button("Everything (zip)", made.archive, f"{stem}.zip", "application/zip", type="primary", icon=":material/folder_zip:", on_click="ignore")
        for name, content in made.files.items():
            st.download_button(name, content, name, icon=":material/download:", on_click="ignore")


def _any(choice: str) -> str:
    return choice or "any"


@callback
def _prepare(ws: Workspace) -> None:
    st.session_state["export"] = curating.export(ws, state.annotator())
