"""The lines a galaxy's redshift is read from: vacuum wavelengths in A, as SDSS and the UI name them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Line:
    """A spectral line at rest.

    Attributes
    ----------
    name : species and rounded wavelength, unique. label : short text for a plot.
    wave : vacuum wavelength in A. group : one of `GROUPS`. is_strong : shown when there is room for few.
    """

    name: str
    label: str
    wave: float
    group: str
    is_strong: bool = False


GROUPS = ("emission", "absorption", "quasar")
"""emission: gas (Balmer lines may sit in stellar absorption); absorption: stars and, for Na D, gas; quasar: broad."""

# Vacuum values of the SDSS DR8+ line table and of NIST; blends (G band, Mg b, Na D, quasars) are their centroids.
LINES = (
    Line("Lya 1216", "Lyα", 1215.67, "quasar", True),
    Line("CIV 1549", "C IV", 1549.48, "quasar", True),
    Line("CIII] 1909", "C III]", 1908.73, "quasar", True),
    Line("MgII 2800", "Mg II", 2800.3, "quasar", True),
    Line("[OII] 3727", "[O II]", 3727.092, "emission", True),
    Line("[OII] 3730", "[O II]", 3729.875, "emission"),
    Line("[NeIII] 3870", "[Ne III]", 3869.857, "emission"),
    Line("Ca K 3935", "K", 3934.777, "absorption", True),
    Line("Ca H 3970", "H", 3969.588, "absorption", True),
    Line("Hdelta 4103", "Hδ", 4102.89, "emission"),
    Line("G band 4306", "G", 4305.61, "absorption", True),
    Line("Hgamma 4342", "Hγ", 4341.684, "emission"),
    Line("[OIII] 4364", "[O III]", 4364.435, "emission"),
    Line("HeII 4687", "He II", 4686.99, "emission"),
    Line("Hbeta 4863", "Hβ", 4862.683, "emission", True),
    Line("[OIII] 4960", "[O III]", 4960.295, "emission"),
    Line("[OIII] 5008", "[O III]", 5008.240, "emission", True),
    Line("Mg b 5177", "Mg b", 5176.7, "absorption", True),
    Line("HeI 5877", "He I", 5877.31, "emission"),
    Line("Na D 5896", "Na D", 5895.6, "absorption", True),
    Line("[OI] 6302", "[O I]", 6302.05, "emission"),
    Line("[OI] 6366", "[O I]", 6365.54, "emission"),
    Line("[NII] 6550", "[N II]", 6549.86, "emission"),
    Line("Halpha 6565", "Hα", 6564.614, "emission", True),
    Line("[NII] 6585", "[N II]", 6585.27, "emission"),
    Line("[SII] 6718", "[S II]", 6718.29, "emission", True),
    Line("[SII] 6733", "[S II]", 6732.68, "emission"),
    Line("[ArIII] 7138", "[Ar III]", 7137.76, "emission"),
    Line("Ca II 8500", "Ca II", 8500.36, "absorption"),
    Line("Ca II 8544", "Ca II", 8544.44, "absorption"),
    Line("Ca II 8665", "Ca II", 8664.52, "absorption"),
)


@dataclass(frozen=True)
class LineGroup:
    """Neighbouring lines that a redshift is checked by, ``low`` to ``high`` in rest-frame A; ``label`` for a plot."""

    label: str
    low: float
    high: float


LINE_GROUPS = (
    LineGroup("Lyα", 1175, 1275),
    LineGroup("C IV", 1490, 1610),
    LineGroup("C III]", 1840, 1980),
    LineGroup("Mg II", 2730, 2870),
    LineGroup("[O II]", 3690, 3766),
    LineGroup("K H, 4000 Å", 3840, 4130),
    LineGroup("G, Hγ", 4260, 4400),
    LineGroup("Hβ, [O III]", 4820, 5050),
    LineGroup("Mg b", 5100, 5280),
    LineGroup("Na D", 5840, 5950),
    LineGroup("Hα, [N II], [S II]", 6500, 6780),
)
"""What the desk enlarges: where the lines are that people look at first."""


def line(name: str) -> Line:
    """The line called ``name``; raises ValueError with the choices.

    >>> line("Halpha 6565").wave
    6564.614
    """
    found = {entry.name: entry for entry in LINES}
    if name not in found:
        raise ValueError(f"no line is called {name!r}; choose one of {', '.join(found)}")
    return found[name]


def observed(z: float, low: float, high: float, groups: tuple[str, ...] = GROUPS) -> list[tuple[Line, float]]:
    """Lines that fall between ``low`` and ``high`` (A, observed) at redshift ``z``, with where they fall, ascending.

    >>> [(entry.label, round(wave, 2)) for entry, wave in observed(0.1, 7200, 7230)]
    [('[N II]', 7204.85), ('Hα', 7221.08)]
    """
    placed = [(entry, entry.wave * (1 + z)) for entry in LINES if entry.group in groups]
    return sorted(((entry, wave) for entry, wave in placed if low <= wave <= high), key=lambda pair: pair[1])


def redshifts_of(wave: float, low: float = 0.0, high: float = 8.0) -> list[tuple[Line, float]]:
    """What the redshift would be if the feature at ``wave`` (A, observed) were each line; within ``low`` and ``high``, ascending."""
    shifts = [(entry, wave / entry.wave - 1) for entry in LINES]
    return sorted(((entry, z) for entry, z in shifts if low <= z <= high), key=lambda pair: pair[1])


def wavelengths(group: str) -> np.ndarray:
    """Rest wavelengths (A, vacuum) of one of `GROUPS`, float (k,)."""
    return np.array([entry.wave for entry in LINES if entry.group == group])
