"""Past labels that deserve a second look, each with its reason."""

import streamlit as st

from core.services import reviewing
from core.services.labelling.queue import RELOOK
from core.store import Workspace
from core.ui.layout import nothing_yet, plain

_HELP = ("**A model disputes it** The newest model that reads spectra is asked about every label; the distance is in its own sigma, stretched so that one sigma held 68 % of the calibration galaxies of that S/N. "
         "A model that has learned from a label leans towards it: the pull is taken out by the label's leverage on the last layer, yet the features below have seen it too, so such a label may be more doubtful than the list says.  \n"
         "**A duplicate contradicts it** Two objects within 3 arcsec, another fibre on the same galaxy, whose redshifts lie more than 1,000 km/s apart.  \n"
         "**Its percentiles break** SFR statistics of one person that cannot be those of one distribution.")


def relook(ws: Workspace) -> None:
    """The list with a filter, and the way to the desk."""
    table = reviewing.relook(ws)
    if table.empty:
        nothing_yet(":material/task_alt: No past label stands out. A finished model, a second fibre on a galaxy, or SFR percentiles can put one here.", "pages/train.py", "Train a model")
        return
    counts = table["kind"].value_counts()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.pills("Why", [k for k in reviewing.KINDS if k in counts], selection_mode="multi", key="relook_kinds", help=_HELP,
                          format_func=lambda k: f"{reviewing.KINDS[k]} ({counts[k]:,})")
        st.page_link("pages/label.py", label="Look at all of them on the desk", icon=":material/edit_note:", query_params={"batch": RELOOK})
    rows = table[table["kind"].isin(chosen or list(reviewing.KINDS))].reset_index(drop=True)
    picked = st.dataframe(
        rows, key="relook_table", hide_index=True, height=min(40 + 35 * len(rows), 560), on_select="rerun", selection_mode="single-row",
        column_order=["key", "reason", "annotator", "target", "value"],
        column_config={"key": "object", "reason": st.column_config.TextColumn("reason", width="large"),
                       "annotator": "labelled by", "value": st.column_config.NumberColumn("label", format="%.5g")},
    )
    st.caption("A label that the model has learned from is disputed less than it deserves; the list takes the label's pull on the last layer out, and says where it has learned from it.")
    _picked(rows.iloc[picked.selection.rows[0] if picked.selection.rows and picked.selection.rows[0] < len(rows) else 0])


def _picked(row) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(row['key'])}** &nbsp; {plain(row['reason'])}", width="stretch")
        st.page_link("pages/label.py", label="Look at it", icon=":material/visibility:", query_params={"batch": RELOOK, "object": str(row["object_id"])})
