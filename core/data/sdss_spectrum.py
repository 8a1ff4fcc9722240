"""SDSS spectra of DR8 and later: ``spec-PLATE-MJD-FIBER.fits``, full and lite.

HDU1 holds flux, loglam, ivar and and_mask by pixel, in upper or lower case; HDU2 one row of
the pipeline's catalogue (SPALL or SPECOBJ). The ``model`` column and the catalogue's redshift
say what the pipeline concluded: the first is never read, the second goes to truth only.
See data.sdss.org/datamodel, "spec-PLATE-MJD-FIBER".
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.fits_files import first_row, is_simulated, native, opened
from core.data.identity import as_ids, is_fibre, spec_key
from core.data.records import Chunk
from core.errors import BadInput
from core.preprocess import spectrum
from core.preprocess.extinction import SFD_UGRIZ

USABLE_ZWARNING = (0, 16)
"""0 = no warning, 16 = MANY_OUTLIERS, which is harmless."""
NAME = re.compile(r"spec-(\d+)-(\d+)-(\d+)\.fits?")
_METADATA = ("subclass", "survey", "programname", "run2d", "objtype", "sourcetype", "platequality", "chunk")
_CARDS = ("PLATEID", "MJD", "FIBERID", "PLUG_RA", "PLUG_DEC", "TELESCOP")
_CATALOGUE = {*_METADATA, "plate", "mjd", "fiberid", "class", "z", "z_err", "zwarning", "plug_ra", "plug_dec", "ra", "dec", "specobjid", "bestobjid",
              "objid", "sn_median_all", "sn_median", "extinction"}


def read(path: Path) -> Chunk:
    """One spectrum, its object and, for a galaxy with a usable redshift, its truth.

    Raises `BadInput` when flux, loglam or ivar is missing, when no pixel holds information, or
    when neither catalogue, header nor file name say which fibre it is.
    """
    with opened(path) as hdus:
        header = {card: hdus[0].header.get(card) for card in _CARDS}
        pixels = columns_of_pixels(hdus[1], path)
        row = first_row(hdus, 2, _CATALOGUE)
    plate, mjd, fiberid = _fibre(row, header, path)
    values = on_grid(pixels["loglam"], pixels["flux"], pixels["ivar"], pixels.get("and_mask"), path)
    kind = _class(row)
    obj = {
        "key": spec_key(plate, mjd, fiberid), "plate": plate, "mjd": mjd, "fiberid": fiberid, "class": kind,
        "ra": _first(row, header, "plug_ra", "ra"), "dec": _first(row, header, "plug_dec", "dec"),
        "specobjid": _text_id(row, "specobjid"), "objid": _text_id(row, "bestobjid") or _text_id(row, "objid"),
        "zwarning": row.get("zwarning"), "sn": _sn(row, values), "ebv": _ebv(row), "source": f"SDSS spectrum {path.name}",
        "simulated": int(is_simulated(header)),
        "metadata": {k: row[k] for k in _METADATA if isinstance(row.get(k), str) and row[k]},
    }
    return Chunk(pd.DataFrame([obj]), {"spectrum": (np.array([0]), values[None])}, _truth(kind, row), total=1)


def columns_of_pixels(hdu: object, path: Path) -> dict[str, np.ndarray]:
    """loglam, flux, ivar and and_mask of a coadd, whatever their case; `BadInput` when one of the first three is missing."""
    names = {n.lower(): n for n in hdu.columns.names}
    lacking = [n for n in ("loglam", "flux", "ivar") if n not in names]
    if lacking:
        raise BadInput("HDU1", "hold flux, loglam and ivar", f"no {' and no '.join(lacking)}", path.name, "Download the coadded spectrum again")
    return {n: native(hdu.data[names[n]]) for n in ("loglam", "flux", "ivar", "and_mask") if n in names}


def on_grid(wave_or_loglam: np.ndarray, flux: np.ndarray, ivar: np.ndarray, mask: np.ndarray | None, path: Path) -> np.ndarray:
    """The spectrum on the common grid, float32 (2, 4620); `BadInput` when its grid is broken or nothing of it is left."""
    try:
        values = spectrum.resample(np.asarray(wave_or_loglam, float), flux, ivar, mask)
    except ValueError as error:
        raise BadInput("the wavelength grid", "ascend and match flux and ivar", error, path.name, "Download the spectrum again") from error
    if not (values[1] > 0).any():
        low, high = spectrum.WAVE[[0, -1]]
        rule = f"have pixels with ivar > 0 and no mask bit between {low:.0f} and {high:.0f} A"
        raise BadInput("a spectrum", rule, "none", path.name, "There is nothing to look at; leave it out")
    return values


def galaxy_truth(row: int, z: float, z_err: float) -> pd.DataFrame:
    """One truth row of a redshift; an error that is 0 or negative is not stated."""
    sigma = float(z_err) if np.isfinite(z_err) and z_err > 0 else np.nan
    return pd.DataFrame({"row": [row], "target": ["z"], "value": [float(z)], "sigma": [sigma]})


def median_sn(values: np.ndarray) -> float:
    """Median signal-to-noise per pixel of (2, p) flux and ivar, over pixels with information."""
    good = values[1] > 0
    return float(np.median(values[0, good] * np.sqrt(values[1, good])))


def _fibre(row: dict, header: dict, path: Path) -> tuple[int, int, int]:
    named = NAME.match(path.name)
    places = ([row.get(k) for k in ("plate", "mjd", "fiberid")], [header.get(k) for k in ("PLATEID", "MJD", "FIBERID")],
              [int(part) for part in named.groups()] if named else [None] * 3)
    for fibre in places:
        if is_fibre(*fibre):
            return tuple(int(v) for v in fibre)
    rule = "name its plate, MJD and fibre in HDU2, in the header or as spec-PLATE-MJD-FIBER"
    raise BadInput("a spectrum", rule, "none of them", path.name, "Rename the file, or ingest it as a plain array with a wavelength grid")


def _class(row: dict) -> str | None:
    """SKY for a fibre that was put on empty sky, whatever the pipeline fitted there; else its class."""
    if "SKY" in (row.get("objtype"), row.get("sourcetype")):
        return "SKY"
    return row.get("class") or None


def _truth(kind: str | None, row: dict) -> pd.DataFrame:
    usable = kind == "GALAXY" and row.get("zwarning") in USABLE_ZWARNING and np.isfinite(row.get("z", np.nan))
    return galaxy_truth(0, row["z"], row.get("z_err", np.nan)) if usable else Chunk(pd.DataFrame()).truth


def _first(row: dict, header: dict, *names: str) -> float:
    """The first position that is one; the header's RA and DEC are the telescope's, so only its PLUG_ cards count."""
    values = [row.get(n) for n in names] + [header.get(names[0].upper())]
    limit = 360 if "ra" in names[0] else 90
    return next((float(v) for v in values if isinstance(v, (int, float)) and -limit <= v <= limit), np.nan)


def _text_id(row: dict, name: str) -> str | None:
    value = row.get(name)
    return None if value is None or isinstance(value, np.ndarray) else as_ids([value])[0]


def _sn(row: dict, values: np.ndarray) -> float:
    for name in ("sn_median_all", "sn_median"):
        if isinstance(row.get(name), (int, float)) and np.isfinite(row[name]):
            return float(row[name])
    return median_sn(values)


def _ebv(row: dict) -> float:
    """E(B-V) from the r-band extinction, where the catalogue row has one."""
    extinction = row.get("extinction")
    is_known = isinstance(extinction, np.ndarray) and extinction.shape == (5,) and extinction[2] > 0
    return float(extinction[2] / SFD_UGRIZ[2]) if is_known else np.nan
