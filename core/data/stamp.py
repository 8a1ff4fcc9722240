"""Five-band FITS stamps: five files ``*_u`` to ``*_z``, five images in one file, or one (5, h, w) cube.

Any size and pixel scale comes out as 64 x 64 pixels of 0.396 arcsec around the stamp's middle, in
nanomaggies per pixel.
"""

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning

from core.data import cutout
from core.data.fits_files import is_simulated, opened, stem_of
from core.data.identity import content_key, position_key
from core.data.records import Chunk
from core.errors import BadInput

FRAME_REFERENCE = (1025.0, 745.0)
"""CRPIX of every SDSS frame; in a smaller image it was copied from the frame the stamp was cut from."""
_BAND_AT_END = re.compile(r"(.*?)[-_. ]?([ugriz])$")
_NANOMAGGIES = re.compile(r"nano?-?mag|nmgy", re.IGNORECASE)


def band_of(path: Path) -> tuple[str, str] | None:
    """The name that a stamp's bands share and this file's band, from a name that ends in one.

    >>> band_of(Path("galaxy_stamp_u.fits"))
    ('galaxy_stamp', 'u')
    """
    found = _BAND_AT_END.match(stem_of(path))
    return found.groups() if found and (found[1] == "" or re.search(r"[-_. ]$", stem_of(path)[:-1])) else None


def read(paths: list[Path]) -> Chunk:
    """One object with its image; paths in the order ugriz, or one file with all five.

    The position is that of the middle of r by its WCS, or the header's RA and DEC where a stamp
    kept the WCS of the frame it was cut from. Raises `BadInput` for a missing or odd image.
    """
    images, headers = _images(paths)
    name = stem_of(paths[0]) if len(paths) == 1 else (band_of(paths[2]) or (stem_of(paths[2]), ""))[0] or paths[2].parent.name
    _check_units(headers, paths)
    wcss, notes = _world(headers, images, paths)
    bands = [cutout.band_image(image, wcs, _arcsec(header)) for image, wcs, header in zip(images, wcss, headers, strict=True)]
    h, w = images[2].shape
    image = cutout.cut(bands, (w - 1) / 2, (h - 1) / 2, is_padded=True)
    ra, dec = _position(wcss[2], headers[2], (w - 1) / 2, (h - 1) / 2)
    if min(h, w) * bands[2].arcsec < cutout.SIZE * cutout.PIXEL_ARCSEC - bands[2].arcsec:
        notes.append(f"{paths[0].name} covers {w * bands[2].arcsec:.1f} by {h * bands[2].arcsec:.1f} arcsec; the rest of the 25 arcsec is filled with 0.")
    key = position_key(ra, dec) if np.isfinite(ra + dec) else content_key(name, 0, image)
    obj = {"key": key, "ra": ra, "dec": dec, "source": f"stamp {paths[0].parent.name}/{paths[0].name}", "simulated": int(is_simulated(headers[2])),
           "metadata": {"name": _name(name, paths)}}
    return Chunk(pd.DataFrame([obj]), {"image": (np.array([0]), image[None])}, notes=tuple(notes), total=1)


def _images(paths: list[Path]) -> tuple[list[np.ndarray], list[dict]]:
    planes: list[tuple[np.ndarray, dict]] = []
    for path in paths:
        with opened(path) as hdus:
            found = [(np.array(h.data, dtype=float), h.header.copy()) for h in hdus if isinstance(h, (fits.PrimaryHDU, fits.ImageHDU, fits.CompImageHDU)) and h.data is not None]
        if not found:
            raise BadInput("a stamp", "hold an image", "none", path.name, "Download it again")
        planes += found[:1] if len(paths) == 5 else [(layer, header) for data, header in found for layer in (data if data.ndim == 3 else data[None])][:5]
    if len(planes) != 5 or any(p.ndim != 2 for p, _ in planes):
        shapes = ", ".join(str(p.shape) for p, _ in planes)
        raise BadInput("a stamp", "hold one image for each of u, g, r, i and z", shapes, paths[0].name, "Put all five bands side by side")
    return [p for p, _ in planes], [h for _, h in planes]


def _check_units(headers: list[fits.Header], paths: list[Path]) -> None:
    for header in headers:
        unit = str(header.get("BUNIT", "nanomaggy"))
        if not _NANOMAGGIES.search(unit):
            raise BadInput("a stamp", "be in nanomaggies", f"BUNIT = {unit}", paths[0].name, "Calibrate it (22.5 mag is 1 nanomaggy), or remove BUNIT if it is wrong")


def _world(headers: list[fits.Header], images: list[np.ndarray], paths: list[Path]) -> tuple[list[WCS | None], list[str]]:
    """The WCS of each band, None for all when one has none that can be right."""
    if any("CTYPE1" not in h or "RA" not in str(h["CTYPE1"]) for h in headers):
        same = len({i.shape for i in images}) == 1
        if not same:
            raise BadInput("bands without WCS", "have one size", ", ".join(str(i.shape) for i in images), paths[0].name, "Cut them alike, or add a WCS")
        return [None] * 5, [f"{paths[0].name} has no WCS: its bands are taken as registered pixel by pixel."]
    if _is_copied(headers[2], images[2]):
        return [None] * 5, [f"{paths[0].name} kept the WCS of the frame it was cut from (CRPIX 1025, 745): "
                            "bands are taken as registered pixel by pixel, the position from RA and DEC of the header."]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        return [WCS(h, naxis=2) for h in headers], []


def _is_copied(header: fits.Header, image: np.ndarray) -> bool:
    return (header.get("CRPIX1"), header.get("CRPIX2")) == FRAME_REFERENCE and image.shape != (1489, 2048)


def _arcsec(header: fits.Header) -> float:
    """Size of a pixel: from the WCS matrix even of a copied WCS, from PIXSCALE, else SDSS's own."""
    if "CD1_1" in header:
        matrix = [[header.get(f"CD{i}_{j}", 0.0) for j in (1, 2)] for i in (1, 2)]
        return float(np.sqrt(abs(np.linalg.det(matrix)))) * 3600
    return float(header.get("PIXSCALE", cutout.PIXEL_ARCSEC))


def _position(wcs: WCS | None, header: fits.Header, x: float, y: float) -> tuple[float, float]:
    if wcs is not None:
        ra, dec = wcs.all_pix2world([[x, y]], 0)[0]
        return float(ra), float(dec)
    ra, dec = header.get("RA"), header.get("DEC")
    is_known = isinstance(ra, (int, float)) and isinstance(dec, (int, float)) and 0 <= ra <= 360 and -90 <= dec <= 90
    return (float(ra), float(dec)) if is_known else (np.nan, np.nan)


def _name(shared: str, paths: list[Path]) -> str:
    """What people call the stamp: its folder when the files have a general name."""
    return paths[0].parent.name if shared.lower() in ("galaxy_stamp", "stamp", "cutout", "image", "") else shared
