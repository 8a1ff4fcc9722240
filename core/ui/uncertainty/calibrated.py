"""Whether a run's error bars can be believed, at one glance."""

import pandas as pd
import streamlit as st

from core.services import comparing
from core.store import Workspace
from core.ui import charts
from core.ui.compare import figures as compare_figures
from core.ui.guard import guarded
from core.ui.layout import nothing_yet, section
from core.ui.uncertainty import figures
from core.ui.uncertainty.choices import Asked
from core.uncertainty.conformal import ALL, BINS


@st.fragment
@guarded()
def calibrated(ws: Workspace, asked: Asked) -> None:
    """The verdict in words; coverage of all and by S/N; PIT and reliability before and after stretching."""
    table, stretches = comparing.predicted_and_true(ws, asked.run_id, asked.target), asked.everyone.stretches
    found = comparing.calibration(table, stretches, asked.target)
    if found is None:
        nothing_yet(f"No test galaxy has a catalogue value of {asked.target} and a prediction with an error bar, so nobody can tell.", "pages/data.py",
                    "Bring in a catalogue")
        return
    icon = ":green[:material/check_circle:]" if found.is_fine else ":orange[:material/error:]"
    st.markdown(f"{icon} **As stated.** {found.verdict}  \n:material/straighten: **Stretched.** "
                f"{found.after}{f' Then: {found.verdict_after}' if found.verdict_after else ''}")
    parts = comparing.by_sn(table, stretches, asked.target, (ALL, *BINS))
    left, right = st.columns([1, 1.7], gap="medium")
    with left, section("How often intervals hold the truth", "Share of the test galaxies, all and in thirds of the S/N of their spectrum, whose catalogue "
                                                             "value lies inside the 68 % and the 95 % interval. "
                       "Dashed: what the intervals claim. Bars: what chance allows in so few galaxies, 95 %."):
        charts.show(figures.coverage(parts), "unsure_coverage", _in_words(parts))
    with right, section("PIT and reliability", "PIT: where the truth falls in the predicted Gaussian, flat when calibrated; a U says too narrow, a hill too "
                                               "wide, a slope biased; grey holds 95 % of a calibrated model's bars, "
                        "the line is the same after stretching. Reliability: how often central intervals hold the truth; below the diagonal they are too "
                        "narrow, dashed is after stretching."):
        charts.show(compare_figures.error_bars({asked.run: found}), "unsure_pit",
                    f"PIT histogram and reliability curve of {asked.run}: {found.verdict} {found.after}")
    scores = ", ".join(f"{row.third} {row.crps:.3g}" for row in parts.itertuples())
    st.caption(f"CRPS (how sharp and right the distribution is, low is good): {scores}.")
    st.page_link("pages/compare.py", label="Compare it with other runs", icon=":material/compare_arrows:",
                 query_params={"run": str(asked.run_id), "target": asked.target, "view": "Error bars"})


def _in_words(parts: pd.DataFrame) -> str:
    said = [f"{r.third}: 68 % intervals hold {r.held_68:.1%} as stated{f' and {r.stretched_68:.1%} stretched' if r.stretched_68 == r.stretched_68 else ''}" for r in parts.itertuples()]
    return f"Coverage. {'; '.join(said)}."
