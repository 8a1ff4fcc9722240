"""SDSS spectra of DR7 and before: ``spSpec-MJD-PLATE-FIBER.fit``.

The primary image holds one quantity a row: 0 flux, 1 flux without its continuum, 2 sigma,
3 mask; the wavelength of pixel i is 10^(COEFF0 + COEFF1 i), in vacuum. See
classic.sdss.org/dr7/dm/flatFiles/spSpec.html.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.fits_files import is_simulated, native, opened
from core.data.identity import is_fibre, spec_key
from core.data.records import Chunk
from core.data.sdss_spectrum import galaxy_truth, median_sn, on_grid
from core.errors import BadInput

CLASSES = {1: "STAR", 2: "GALAXY", 3: "QSO", 4: "QSO", 5: "SKY", 6: "STAR"}
"""SPEC_CLN of DR7: 0 unknown, 1 star, 2 galaxy, 3 and 4 quasar, 5 sky, 6 late-type star."""
_NAME = re.compile(r"spSpec-(\d+)-(\d+)-(\d+)", re.IGNORECASE)


def read(path: Path) -> Chunk:
    """One spectrum, its object and, for a galaxy without a redshift warning, its truth; raises `BadInput`.

    DR7's warning bits mean other things than DR8's, so only 0 is usable. Its key is that of
    the DR8+ files of the same fibre: the two are one object.
    """
    with opened(path) as hdus:
        header, rows = dict(hdus[0].header), native(hdus[0].data)
    if rows.ndim != 2 or len(rows) < 4 or not {"COEFF0", "COEFF1"} <= set(header):
        raise BadInput("an spSpec file", "hold an image of 4 rows or more with COEFF0 and COEFF1", f"shape {rows.shape}", path.name, "Download it again")
    plate, mjd, fiberid = _fibre(header, path)
    values = _spectrum(rows, header, path)
    kind, warning = CLASSES.get(header.get("SPEC_CLN")), header.get("Z_WARNIN")
    obj = {
        "key": spec_key(plate, mjd, fiberid), "plate": plate, "mjd": mjd, "fiberid": fiberid, "class": kind, "zwarning": warning,
        "ra": _degrees(header.get("RAOBJ"), 0, 360), "dec": _degrees(header.get("DECOBJ"), -90, 90), "sn": median_sn(values),
        "source": f"SDSS DR7 spectrum {path.name}", "simulated": int(is_simulated(header)),
    }
    z = _degrees(header.get("Z"), -0.01, 8)
    usable = kind == "GALAXY" and warning == 0 and np.isfinite(z)
    truth = {"truth": galaxy_truth(0, z, float(header.get("Z_ERR", np.nan)))} if usable else {}
    return Chunk(pd.DataFrame([obj]), {"spectrum": (np.array([0]), values[None])}, total=1, **truth)


def _spectrum(rows: np.ndarray, header: dict, path: Path) -> np.ndarray:
    """Sigma 0 marks pixels without information; the mask row has the bits of DR8's and_mask."""
    sigma = rows[2].astype(float)
    ivar = np.divide(1.0, sigma**2, out=np.zeros_like(sigma), where=np.isfinite(sigma) & (sigma > 0))
    loglam = header["COEFF0"] + header["COEFF1"] * np.arange(rows.shape[1])
    return on_grid(loglam, rows[0], ivar, np.nan_to_num(rows[3]).astype(np.int64), path)


def _fibre(header: dict, path: Path) -> tuple[int, int, int]:
    fibre = [header.get(k) for k in ("PLATEID", "MJD", "FIBERID")]
    named = _NAME.search(path.name)
    if not is_fibre(*fibre) and named:
        mjd, plate, fiberid = (int(part) for part in named.groups())
        fibre = [plate, mjd, fiberid]
    if not is_fibre(*fibre):
        raise BadInput("an spSpec file", "name PLATEID, MJD and FIBERID", fibre, path.name, "Rename it spSpec-MJD-PLATE-FIBER.fit")
    return tuple(int(v) for v in fibre)


def _degrees(value: object, low: float, high: float) -> float:
    return float(value) if isinstance(value, (int, float)) and low <= value <= high else np.nan
