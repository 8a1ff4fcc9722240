"""The panels of the Data page that bring survey files in and show what came of them."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import streamlit as st

from core.services import curating, ingesting
from core.store import Workspace
from core.ui import jobs_panel, state
from core.ui.guard import callback
from core.ui.layout import section

STATUS = {"read": "✓ read", "known": "= known already", "refused": "✗ refused"}
COUNTS = ("new", "updated", "known", "image", "spectrum", "photometry", "truth", "missing", "left_out")
HELP = {
    "new": "Objects that were not here before", "updated": "Objects that were here and gained something", "known": "Objects that were here and gained nothing",
    "truth": "Catalogue values that an oracle may reveal", "missing": "Values that the survey writes as -9999, -99 or 0 for want of a measurement", "left_out": "Rows that were not taken; below is why",
}


def bring_in(ws: Workspace) -> None:
    """Where the files are, what they are, and the button that reads them; then what runs and what came in."""
    with section("Bring in survey files", "Spectra, stamps, frames, catalogues and arrays are recognised by what they hold. The same file twice is one object; a bad file is refused with a sentence and the rest is read."):
        left, right = st.columns(2)
        left.text_area("Files and folders on this machine, one a line", key="ingest_paths", placeholder="~/sdss/spectra\n~/sdss/catalogue.csv", height=122, persist_state="session")
        right.file_uploader("Or from your computer", accept_multiple_files=True, key="ingest_uploads", help="Files that belong together (five bands, a pair of catalogues) are uploaded together.")
        _mapping()
        with st.container(horizontal=True):
            st.button("Read them", type="primary", icon=":material/download:", on_click=_start, args=(ws,))
            st.button("Look first", icon=":material/preview:", on_click=_look, args=(ws,), help="Says what would be read and what would be refused, and reads nothing.")
        _formats()
        _preview()
    jobs_panel.in_page(("ingest", "demo"))
    report(ws)


def report(ws: Workspace) -> None:
    """What came in by the newest ingest, what did not, and why."""
    table = ingesting.report(ws)
    if table.empty:
        return
    with section("What came in", "The newest ingest, by product and by file."):
        st.dataframe(ingesting.summary(ws), hide_index=True, column_config=_headings())
        for row in table[table["status"] == "refused"].head(20).itertuples():
            st.markdown(f":red[:material/block: **{Path(row.path).name}**] &nbsp;{_plain(row.message)}")
        more = int((table["status"] == "refused").sum()) - 20
        if more > 0:
            st.caption(f"and {more:,} more; the table has them all.")
        with st.expander(f"Every file ({len(table):,})", icon=":material/list:"):
            shown = table.assign(status=table["status"].map(STATUS), file=[Path(p).name for p in table["path"]])
            st.dataframe(shown, hide_index=True, column_order=["status", "file", "product", *COUNTS, "message", "path"], column_config=_headings(), placeholder="")
        _gaps(ws)


def _gaps(ws: Workspace) -> None:
    table = ingesting.gaps(ws)
    if table.empty:
        return
    with st.expander(f"Missing values and rows left out ({table['number'].sum():,})", icon=":material/rule:"):
        st.dataframe(table.assign(file=[Path(p).name for p in table["path"]]), hide_index=True, column_order=["file", "kind", "what", "number"])


def _mapping() -> None:
    with st.expander("Columns of tables that are not recognised by name", icon=":material/table_chart:"):
        st.caption("Name the column that holds a field; fields that are left out are found by their usual names.")
        config = {"field": st.column_config.SelectboxColumn(options=list(ingesting.fields()), required=True), "column": st.column_config.TextColumn("column in the file", required=True)}
        st.session_state["ingest_mapping_rows"] = st.data_editor(pd.DataFrame({"field": pd.Series(dtype=str), "column": pd.Series(dtype=str)}), num_rows="dynamic", hide_index=True,
                                                                 column_config=config, key="ingest_mapping")


def _formats() -> None:
    box = st.expander("What can be read", icon=":material/help:", key="ingest_formats", on_change="rerun")
    if box.open:
        box.dataframe(ingesting.products(), hide_index=True)


def _preview() -> None:
    """What `_look` found, until something is read."""
    found = st.session_state.get("ingest_preview")
    if found is None:
        return
    items, refusals = found
    st.markdown(f"**{int(items['files'].sum()):,}** files would be read, **{len(refusals):,}** refused.")
    if len(items):
        grouped = items.groupby("product", sort=False).agg(items=("path", "size"), files=("files", "sum"), megabytes=("bytes", lambda b: b.sum() / 1e6)).reset_index()
        st.dataframe(grouped, hide_index=True, column_config={"megabytes": st.column_config.NumberColumn("MB", format="%.1f")})
    for row in refusals.head(20).itertuples():
        st.markdown(f":red[:material/block: **{Path(row.path).name}**] &nbsp;{_plain(row.sentence)}")
    if len(refusals) > 20:
        st.caption(f"and {len(refusals) - 20:,} more.")


def _headings() -> dict:
    headings: dict = {c: st.column_config.NumberColumn(c.replace("_", " "), help=HELP.get(c)) for c in COUNTS}
    return headings | {"message": st.column_config.TextColumn("what to know", width="large"), "path": st.column_config.TextColumn("where")}


def _given(ws: Workspace) -> tuple[list[Path], dict[str, str] | None]:
    """Paths, uploads kept in the workspace among them, and the mapping."""
    paths = [Path(line.strip()) for line in st.session_state.get("ingest_paths", "").splitlines() if line.strip()]
    uploads = st.session_state.get("ingest_uploads") or []
    if uploads:
        paths.append(curating.keep_uploads(ws, [(u.name, u) for u in uploads]))
    rows = st.session_state.get("ingest_mapping_rows")
    mapping = {} if rows is None else dict(zip(rows["field"], rows["column"], strict=True))
    return paths, mapping or None


def _plain(text: str) -> str:
    """Text of a file's own making, safe inside markdown."""
    return "".join(f"\\{c}" if c in "\\`*_[]$#<>:~" else c for c in text)


def _with_what_is_given(act: Callable) -> Callable:
    return callback(lambda ws: act(ws, *_given(ws)))


@_with_what_is_given
def _start(ws: Workspace, paths: list[Path], mapping: dict[str, str] | None) -> None:
    ingesting.start(ws, paths, mapping)
    st.session_state.pop("ingest_preview", None)
    state.tell("The files are being read in the background.", ":material/download:")


@_with_what_is_given
def _look(ws: Workspace, paths: list[Path], mapping: dict[str, str] | None) -> None:
    st.session_state["ingest_preview"] = ingesting.preview(paths, mapping)
