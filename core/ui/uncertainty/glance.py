"""The uncertainty of a run in four figures."""

import numpy as np
import streamlit as st

from core.services import doubting
from core.store import Workspace
from core.ui.uncertainty.choices import Asked

HALF_HELP = "Half-width of the 68 % interval of the typical galaxy, ignorance and noise together, stretched until it held 68 % of calibration galaxies of like S/N."


def glance(ws: Workspace, asked: Asked) -> None:
    """The typical uncertainty, how much of it is noise, how many galaxies are worth asking about, and whether the intervals hold."""
    noise, ignorance, columns = asked.everyone.noise(asked.target), asked.everyone.ignorance(asked.target), st.columns(4)
    half = asked.everyone.table.half[:, asked.everyone.table.column(asked.target)]
    is_calibrated = bool(np.isfinite(half).any())
    typical = _median(half if is_calibrated else np.hypot(noise, ignorance))
    columns[0].metric(f"Typical uncertainty of {asked.target}", f"± {asked.of(typical)}" if np.isfinite(typical) else "–", border=True,
                      help=HALF_HELP if is_calibrated else "1 σ of the typical galaxy as the model states it; too few calibration galaxies had a catalogue "
                                                           "value to correct it.")
    knows_both = asked.everyone.knows_both(asked.target)
    share = _median(noise**2 / (noise**2 + ignorance**2)) if knows_both else float("nan")
    columns[1].metric("Of its variance, noise", f"{share:.0%}" if knows_both else "–", border=True,
                      help="Aleatoric: the part of the typical galaxy's variance that no label takes away. The rest is ignorance (epistemic), which labels "
                           "take away. – for a model that does not tell them apart.")
    place = doubting.corner_of(noise, ignorance, doubting.limits(noise, ignorance))
    columns[2].metric("Worth asking about", f"{int(((place == 0) & asked.everyone.is_free).sum()):,}" if knows_both else "–", border=True,
                      help="Galaxies that can still be asked about, whose ignorance lies above its median and whose noise lies below its own: the data are "
                           "clear, but the model does not know them. See Noise or ignorance.")
    found = doubting.held(ws, asked.run_id, asked.target)
    columns[3].metric("68 % intervals hold", "–" if found is None else f"{found.share:.1%}", border=True,
                      help="Share of the test galaxies whose catalogue value lies inside the model's 68 % interval, stretched where it was calibrated. Should "
                           "be "
                           "68 %. See Can it be believed.")


def _median(values_n: np.ndarray) -> float:
    known = values_n[np.isfinite(values_n)]
    return float(np.median(known)) if len(known) else float("nan")
