"""Every target and catalogue column: name, unit, missing value, source.

The one list; the interface, the store, readers, README tables and tests enumerate it.
Missing is NaN everywhere inside Lookback; `SENTINELS` is what surveys write instead.
"""

from dataclasses import dataclass

BANDS = ("u", "g", "r", "i", "z")
MODALITIES = ("image", "spectrum", "photometry")
SENTINELS = (-9999.0, -999.0, -99.0, -9.999e3)
"""Values that SDSS, CAS and MPA-JHU write for "no value"; a magnitude of 0 is one more."""

LOG_SFR = "log10(Msun/yr)"


@dataclass(frozen=True)
class Target:
    """A quantity that people label and models predict.

    Attributes
    ----------
    name : the catalogue's spelling. unit : "" when dimensionless.
    task_group : targets of one group share one vote in losses and acquisition.
    low, high : a label outside is refused. sentence : help on hover.
    """

    name: str
    unit: str
    task_group: str
    low: float
    high: float
    sentence: str


_SFR = "of the posterior of log10 total star-formation rate (Kroupa IMF, H0=70, Om=0.3; MPA-JHU DR7)"
TARGETS = (
    Target("z", "", "z", -0.01, 8.0, "Spectroscopic redshift, heliocentric"),
    Target("sfr_tot_avg", LOG_SFR, "sfr", -9, 5, f"Mean {_SFR}"),
    Target("sfr_tot_entropy", "nat", "sfr", -20, 20, f"Entropy, sum p log p, {_SFR}"),
    Target("sfr_tot_median", LOG_SFR, "sfr", -9, 5, f"50th percentile {_SFR}"),
    Target("sfr_tot_mode", LOG_SFR, "sfr", -9, 5, f"Peak {_SFR}"),
    Target("sfr_tot_p16", LOG_SFR, "sfr", -9, 5, f"16th percentile {_SFR}"),
    Target("sfr_tot_p2p5", LOG_SFR, "sfr", -9, 5, f"2.5th percentile {_SFR}"),
    Target("sfr_tot_p84", LOG_SFR, "sfr", -9, 5, f"84th percentile {_SFR}"),
    Target("sfr_tot_p97p5", LOG_SFR, "sfr", -9, 5, f"97.5th percentile {_SFR}"),
)
TARGET_NAMES = tuple(t.name for t in TARGETS)
SFR_TARGETS = tuple(t.name for t in TARGETS if t.task_group == "sfr")
PERCENTILES = ("sfr_tot_p2p5", "sfr_tot_p16", "sfr_tot_median", "sfr_tot_p84", "sfr_tot_p97p5")
"""Ascending; a valid row of labels or predictions never crosses."""


@dataclass(frozen=True)
class Column:
    """A catalogue column of an object: SQLite type, unit and what it means."""

    name: str
    kind: type
    unit: str
    sentence: str


OBJECT_COLUMNS = (
    Column("key", str, "", "Identity in its survey, e.g. spec-3586-55181-0003; the same key is the same object"),
    Column("ra", float, "deg", "Right ascension, J2000"),
    Column("dec", float, "deg", "Declination, J2000"),
    Column("specobjid", str, "", "SDSS spectroscopic id; text, because 64 bits do not survive a float"),
    Column("objid", str, "", "SDSS photometric id; text"),
    Column("plate", int, "", "Spectroscopic plate"),
    Column("mjd", int, "d", "Modified Julian date of the spectrum"),
    Column("fiberid", int, "", "Fibre on the plate"),
    Column("class", str, "", "GALAXY, QSO, STAR, SKY or empty, as the catalogue says"),
    Column("zwarning", int, "", "SDSS warning bits; 0 and 16 are usable"),
    Column("sn", float, "", "Median signal-to-noise per pixel of the spectrum"),
    Column("ebv", float, "mag", "Galactic E(B-V), Schlegel, Finkbeiner & Davis 1998"),
    Column("source", str, "", "Product and file that brought the object"),
    Column("simulated", int, "", "1 when the object comes from the mock sky"),
)
OBJECT_COLUMN_NAMES = tuple(c.name for c in OBJECT_COLUMNS)


def task_groups(targets: tuple[Target, ...] = TARGETS) -> dict[str, list[int]]:
    """Indices of the targets of each task group, in table order.

    >>> task_groups()["z"]
    [0]
    """
    groups: dict[str, list[int]] = {}
    for i, target in enumerate(targets):
        groups.setdefault(target.task_group, []).append(i)
    return groups
