"""What the columns of a catalogue mean: well-known names, and values that mean "no value"."""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.columns import BANDS, SENTINELS, TARGET_NAMES
from core.errors import BadInput

ALIASES = {
    "objid": ("objid", "photoobjid", "bestobjid", "dr8objid", "sdssobjid", "objidsdss", "dr7objid", "objectid", "id"),
    "specobjid": ("specobjid", "spobjid", "sdssspecobjid", "specobjiddr8"),
    "plate": ("plate", "plateid"),
    "mjd": ("mjd",),
    "fiberid": ("fiberid", "fiber", "fibre", "fibreid"),
    "ra": ("ra", "raj2000", "radeg", "alpha", "alphaj2000", "raicrs", "plugra", "raobj", "rightascension"),
    "dec": ("dec", "dej2000", "decj2000", "dedeg", "decdeg", "delta", "deltaj2000", "deicrs", "decicrs", "plugdec", "decobj", "declination"),
    "class": ("spclass", "spcl", "specclass", "class"),
    "zwarning": ("zwarning", "zwarn", "fzsp"),
    "sn": ("snmedianall", "snmedian", "sn", "snr"),
    "simulated": ("simulated",),
    "ebv": ("ebv", "ebvsfd", "sfdebv", "ebmv"),
    "z": ("redshift", "zspec", "specz", "zsp", "redshiftspec", "z"),
    "z_err": ("zerr", "redshifterr", "zspecerr", "speczerr", "ezsp", "ez"),
} | {name: (re.sub("_", "", name),) for name in (*TARGET_NAMES[1:], "sfr_tot_flag")}
"""Lookback's field -> names in catalogues, letters and digits only, lower case, the surest first.
SDSS CasJobs, specObj and photoObj files, VizieR's V/147 and V/154, Galaxy Zoo, MPA-JHU."""

FAMILIES = {
    "dered": ("dered{b}", "deredmag{b}", "{b}dered", "dereddened{b}"),
    "modelmag": ("modelmag{b}", "model{b}"),
    "cmodelmag": ("cmodelmag{b}",),
    "petromag": ("petromag{b}", "petro{b}"),
    "mag": ("mag{b}", "{b}mag", "psfmag{b}"),
    "bare": ("{b}",),
}
"""Kinds of magnitudes, the best first; {b} is the band. Only the first are corrected for Galactic extinction."""
ERRORS = ("err{b}", "derederr{b}", "modelmagerr{b}", "cmodelmagerr{b}", "petromagerr{b}", "magerr{b}", "{b}err", "e{b}mag", "{b}magerr", "errmag{b}", "psfmagerr{b}")
EXTINCTIONS = ("extinction{b}", "a{b}", "ext{b}", "extinctions{b}")
FIELDS = (*ALIASES, *(f"{kind}_{b}" for kind in ("dered", "mag", "err", "extinction") for b in BANDS))
"""What a mapping may name, as {field: column of the file}."""
FAINTEST = 40.0
"""No telescope measures a fainter magnitude: 99, 99.99 and 999 are sentinels of other surveys."""


@dataclass(frozen=True)
class Columns:
    """Which column of a table holds what.

    Attributes
    ----------
    fields : Lookback's field (see `ALIASES`) -> column.
    magnitudes, errors, extinctions : band -> column. family : key of `FAMILIES`, "" without magnitudes.
    """

    fields: dict[str, str]
    magnitudes: dict[str, str]
    errors: dict[str, str]
    extinctions: dict[str, str]
    family: str

    @property
    def has_position(self) -> bool:
        """Whether rows can be placed on the sky."""
        return {"ra", "dec"} <= set(self.fields)

    @property
    def has_identity(self) -> bool:
        """Whether rows can be told apart."""
        return self.has_position or bool({"objid", "specobjid"} & set(self.fields)) or {"plate", "mjd", "fiberid"} <= set(self.fields)

    @property
    def has_values(self) -> bool:
        """Whether there is anything to look at, train on or check against."""
        return bool(self.magnitudes) or bool(set(TARGET_NAMES) & set(self.fields))

    def used(self) -> set[str]:
        """All columns that have a meaning."""
        return {c for part in (self.fields, self.magnitudes, self.errors, self.extinctions) for c in part.values()}


@dataclass
class Cleaner:
    """Turns what surveys write for "no value" into NaN and counts it by column."""

    table: pd.DataFrame
    missing: dict[str, int] = field(default_factory=dict)

    def numbers(self, column: str | None, low: float = -np.inf, high: float = np.inf, is_open: bool = False) -> np.ndarray:
        """A column as float64; NaN for text, sentinels and values outside low to high (both excluded when ``is_open``)."""
        if column is None:
            return np.full(len(self.table), np.nan)
        values = pd.to_numeric(self.table[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        inside = (values > low) & (values < high) if is_open else (values >= low) & (values <= high)
        clean = np.where(np.isfinite(values) & ~np.isin(values, SENTINELS) & inside, values, np.nan)
        if np.isnan(clean).any():
            self.missing[column] = int(np.isnan(clean).sum())
        return clean


def recognised(names: list[str], mapping: dict[str, str] | None, where: str, z_is_magnitude: bool = False) -> Columns:
    """What the columns of a table mean, by name; a mapping beats the names.

    Parameters
    ----------
    names : columns of the table. mapping : {field: column}, fields as in `FIELDS`, or None.
    where : the file, for errors. z_is_magnitude : a column ``z`` beside u, g, r and i is the z band.

    Raises `BadInput` for a mapping of an unknown field or to a column that is not there.

    >>> c = recognised(["objID", "dered_u", "dered_z", "err_u", "err_z", "z", "zErr"], None, "t.csv")
    >>> c.fields, c.magnitudes, c.errors
    ({'objid': 'objID', 'z': 'z', 'z_err': 'zErr'}, {'u': 'dered_u', 'z': 'dered_z'}, {'u': 'err_u', 'z': 'err_z'})
    """
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(_plain(name), name)
    mapping = _checked(mapping or {}, names, where)
    magnitudes, family = _magnitudes(plain, mapping, z_is_magnitude)
    taken = set(magnitudes.values())
    fields = {f: next((plain[a] for a in aliases if a in plain and plain[a] not in taken), None) for f, aliases in ALIASES.items()}
    fields = {f: mapping.get(f, c) for f, c in fields.items() if mapping.get(f, c) is not None}
    return Columns(fields, magnitudes, _by_band(plain, mapping, "err", ERRORS), _by_band(plain, mapping, "extinction", EXTINCTIONS), family)


def is_ambiguous(names: list[str]) -> bool:
    """Whether a column ``z`` stands beside bare u, g, r and i, so that only its values tell band from redshift."""
    return {"u", "g", "r", "i", "z"} <= {_plain(n) for n in names}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _checked(mapping: dict[str, str], names: list[str], where: str) -> dict[str, str]:
    for name, column in mapping.items():
        if name not in FIELDS:
            raise BadInput("a mapping", f"name one of {', '.join(FIELDS)}", name, where, "Correct the mapping")
        if column not in names:
            raise BadInput(f"the mapping of {name}", f"name a column of the table ({', '.join(map(str, names[:30]))})", column, where, "Correct the mapping")
    return mapping


def _magnitudes(plain: dict[str, str], mapping: dict[str, str], z_is_magnitude: bool) -> tuple[dict[str, str], str]:
    """The family with the most bands, the best of equals; what a mapping names comes first."""
    for family in ("dered", "mag"):
        mapped = {b: mapping[f"{family}_{b}"] for b in BANDS if f"{family}_{b}" in mapping}
        if mapped:
            return mapped, family
    found = {family: _of_family(plain, family) for family in FAMILIES}
    if not z_is_magnitude:
        found["bare"].pop("z", None)
    if len(found["bare"]) < 4:
        found["bare"] = {}
    family = max(found, key=lambda f: len(found[f]))
    return (found[family], family) if found[family] else ({}, "")


def _of_family(plain: dict[str, str], family: str) -> dict[str, str]:
    hits = {b: next((plain[p.format(b=b)] for p in FAMILIES[family] if p.format(b=b) in plain), None) for b in BANDS}
    return {b: c for b, c in hits.items() if c is not None}


def _by_band(plain: dict[str, str], mapping: dict[str, str], kind: str, patterns: tuple[str, ...]) -> dict[str, str]:
    """The spelling that fits the most bands, two at least: ``zErr`` alone is a redshift's error, no magnitude's."""
    mapped = {b: mapping[f"{kind}_{b}"] for b in BANDS if f"{kind}_{b}" in mapping}
    spelled = [{b: plain[p.format(b=b)] for b in BANDS if p.format(b=b) in plain} for p in patterns]
    best = max(spelled, key=len)
    return mapped or (best if len(best) >= 2 else {})
