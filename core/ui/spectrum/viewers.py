"""Pages of others that show a place on the sky; ``{ra}`` and ``{dec}`` stand for degrees (ICRS)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Viewer:
    """A page elsewhere: its name on the desk, its address, what is seen there."""

    name: str
    url: str
    sentence: str


VIEWERS = (
    Viewer("SkyServer", "https://skyserver.sdss.org/dr18/VisualTools/explore/summary?ra={ra}&dec={dec}", "SDSS: image, spectrum and catalogue values of the nearest object"),
    Viewer("Legacy", "https://www.legacysurvey.org/viewer?ra={ra}&dec={dec}&zoom=16&layer=ls-dr10&mark={ra},{dec}", "Legacy Surveys: deeper images of this place"),
    Viewer("SIMBAD", "https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={ra}+{dec}&CooFrame=ICRS&Radius=10&Radius.unit=arcsec", "SIMBAD: what is known and published within 10 arcsec"),
)
