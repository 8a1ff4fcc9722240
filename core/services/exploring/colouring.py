"""What a map can be coloured by: one registry."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.services.exploring.table import MapTable


@dataclass(frozen=True)
class Colouring:
    """One thing that a map can be coloured by.

    Attributes
    ----------
    title : for the list. scale : ``category``, ``sequential``, ``logarithmic`` or ``diverging`` about 0.
    values : (table, target column) -> (n,) names or numbers, NaN = no value.
    needs_run, per_target : whether it takes a run, a target. sentence : help.
    """

    title: str
    scale: str
    values: Callable[[MapTable, int], np.ndarray]
    sentence: str
    needs_run: bool = False
    per_target: bool = False


COLOURINGS: dict[str, Colouring] = {
    "state": Colouring("Label state", "category", lambda t, c: t.state, "Unlabelled, waiting in an open batch, labelled, or nobody could tell"),
    "epistemic": Colouring(
        "Epistemic uncertainty", "logarithmic", lambda t, c: t.epistemic[:, c], "1 sigma of what the model does not know and labels could teach it", True, True),
    "aleatoric": Colouring(
        "Aleatoric uncertainty", "logarithmic", lambda t, c: t.aleatoric[:, c], "1 sigma of noise that more labels cannot remove, as the model sees it", True, True),
    "half": Colouring(
        "Total uncertainty, calibrated", "logarithmic", lambda t, c: t.half[:, c], "Half-width of the 68 % interval, ignorance and noise together, stretched until it held 68 % of calibration galaxies of like S/N", True, True),
    "sigma": Colouring(
        "Total uncertainty, as stated", "logarithmic", lambda t, c: np.hypot(t.epistemic[:, c], t.aleatoric[:, c]), "1 sigma of ignorance and noise together, as the model states it", True, True),
    "novelty": Colouring(
        "Novelty", "logarithmic", lambda t, c: t.novelty, "How unlike anything labelled, by what the model sees: about 1 is alike, from 2 on look at it; stars, quasars and artefacts stand out", True),
    "prediction": Colouring("Prediction", "sequential", lambda t, c: t.mean[:, c], "What the model says", True, True),
    "residual": Colouring(
        "Prediction minus label", "diverging", lambda t, c: t.mean[:, c] - t.label[:, c], "Where the model disagrees with the label; labelled galaxies only", True, True),
    "label": Colouring("Label", "sequential", lambda t, c: t.label[:, c], "The value that people or a catalogue gave; labelled galaxies only", False, True),
    "sn": Colouring("Signal-to-noise", "logarithmic", lambda t, c: t.sn, "Median S/N per pixel of the spectrum"),
    "class": Colouring("Class", "category", lambda t, c: t.object_class, "What the catalogue says the object is"),
    "split": Colouring("Split", "category", lambda t, c: t.split, "Train, calibration and test; strategies ask about train only"),
}
