"""Noise against ignorance: four corners, and what to do about the galaxies in each."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Corner:
    """One of four: whether ignorance and noise lie above their medians, and what that means.

    Attributes
    ----------
    name : as the code has it. title, sentence : for people who are no statisticians. advice : what to do.
    """

    name: str
    is_ignorant: bool
    is_noisy: bool
    title: str
    sentence: str
    advice: str


CORNERS = (
    Corner("ask", True, False, "Ask", "The data are clear, but the model has seen too few galaxies like these.", "A label here teaches the model most."),
    Corner("both", True, True, "Both", "The model has seen few galaxies like these, and their data are noisy as well.",
           "A label teaches something, but less than its price: ask about the first corner before this one."),
    Corner("known", False, False, "Known", "The data are clear, and the model has seen galaxies like these.",
           "Leave them: a label would tell what is known already."),
    Corner("noisy", False, True, "Noise-limited", "The model knows galaxies like these; it is the data that cannot say more.",
           "More labels do not help; a deeper image or spectrum would."),
)
NAMES = tuple(corner.name for corner in CORNERS)
NOWHERE = -1


def limits(noise_n: np.ndarray, ignorance_n: np.ndarray) -> tuple[float, float]:
    """Medians of noise and of ignorance over the galaxies that have both above 0: the lines that part the corners."""
    both = (noise_n > 0) & (ignorance_n > 0)
    return (float(np.median(noise_n[both])), float(np.median(ignorance_n[both]))) if both.any() else (float("nan"), float("nan"))


def corner_of(noise_n: np.ndarray, ignorance_n: np.ndarray, at: tuple[float, float]) -> np.ndarray:
    """Place in `CORNERS` of each galaxy, int (n,); `NOWHERE` where noise or ignorance is missing or 0. On a line counts as below it.

    >>> corner_of(np.array([1.0, 3.0, 1.0, 3.0, np.nan]), np.array([3.0, 3.0, 1.0, 1.0, 1.0]), (2.0, 2.0)).tolist()
    [0, 1, 2, 3, -1]
    """
    place_n = np.full(len(noise_n), NOWHERE)
    has_both = (noise_n > 0) & (ignorance_n > 0)
    for k, corner in enumerate(CORNERS):
        place_n[has_both & ((ignorance_n > at[1]) == corner.is_ignorant) & ((noise_n > at[0]) == corner.is_noisy)] = k
    return place_n
