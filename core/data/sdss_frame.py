"""SDSS fields: five ``frame-{ugriz}-RUN-CAMCOL-FIELD`` files, cut into stamps at given places.

HDU0 holds 2048 x 1489 pixels of sky-subtracted nanomaggies with a WCS. The bands were
observed one after another and their pixels do not coincide; every band is put on r's.
See data.sdss.org/datamodel, "frame".
"""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.wcs import WCS, FITSFixedWarning
from scipy.ndimage import gaussian_filter, label, sum_labels

from core.columns import BANDS
from core.data import cutout
from core.data.fits_files import opened
from core.data.identity import position_key
from core.data.records import Chunk
from core.errors import BadInput

NAME = re.compile(r"frame-([ugriz])-(\d{6}-\d-\d{4})\.fits?(\.bz2|\.gz|\.fz)?$")
SMOOTH_PIXELS = 1.5
DETECT_SIGMA = 5.0
DETECT_PIXELS = 12
FAINTEST_R = 22.0
CHUNK = 256


def read(paths: list[Path], positions: pd.DataFrame | None = None) -> Iterator[Chunk]:
    """Stamps at positions, or at the sources found in r when none are given.

    Parameters
    ----------
    paths : the five frames in the order ugriz.
    positions : columns ra and dec (deg) and optionally further object columns (key, objid, source ...); those outside
        the field, and those that an earlier cut of this field found by itself, are passed over. None or none
        left: `sources` looks for them.

    Yields
    ------
    Chunks of up to 256 objects with images. Stamps that reach over an edge of any band are counted, not taken.
    """
    bands = [_band(path) for path in paths]
    field = NAME.search(paths[2].name)[2]
    table, notes = _places(bands[2], positions, field)
    stamps = [cutout.cut(bands, x, y) for x, y in zip(table["x"], table["y"], strict=True)]
    inside = np.array([s is not None for s in stamps], dtype=bool)
    left_out = {"stamp reaches over an edge of the field": int((~inside).sum())}
    objects = table[inside].drop(columns=["x", "y"]).assign(source=source_of(field)).reset_index(drop=True)
    images = [s for s in stamps if s is not None]
    for start in range(0, max(len(images), 1), CHUNK):
        part = images[start : start + CHUNK]
        arrays = {"image": (np.arange(len(part)), np.stack(part))} if part else {}
        yield Chunk(objects.iloc[start : start + CHUNK].reset_index(drop=True), arrays, notes=() if start else notes, left_out={} if start else left_out, total=len(images))


def source_of(field: str) -> str:
    """What objects found in a field say of where they came from."""
    return f"SDSS frame {field}"


def sources(pixels: np.ndarray) -> pd.DataFrame:
    """Bright spots of an image, the simple way; stars are among them, and touching galaxies are one.

    The image is smoothed by a Gaussian of 1.5 pixels, divided by its noise (1.4826 median |deviation|), and
    connected groups of 12 or more pixels above 5 sigma are kept when they are brighter than r = 22.

    Returns
    -------
    x, y : flux-weighted centre in pixels, 0 = middle of the first. r_mag : 22.5 - 2.5 log10 of the group's flux
    in nanomaggies. area : pixels above the threshold. Brightest first.
    """
    smooth = gaussian_filter(pixels, SMOOTH_PIXELS)
    level = np.median(smooth)
    noise = 1.4826 * np.median(np.abs(smooth - level))
    groups, count = label(smooth - level > DETECT_SIGMA * noise)
    index = np.arange(1, count + 1)
    area = sum_labels(np.ones_like(smooth), groups, index)
    flux = sum_labels(pixels - np.median(pixels), groups, index)
    weight = np.clip(smooth - level, 0, None)
    total = sum_labels(weight, groups, index)
    y, x = np.indices(pixels.shape, dtype=np.float32)
    keep = (area >= DETECT_PIXELS) & (flux > 10 ** (0.4 * (22.5 - FAINTEST_R)))
    table = pd.DataFrame({"x": sum_labels(x * weight, groups, index) / total, "y": sum_labels(y * weight, groups, index) / total,
                          "flux": flux, "area": area.astype(int)})[keep].sort_values("flux", ascending=False, ignore_index=True)
    return table.assign(r_mag=22.5 - 2.5 * np.log10(table["flux"])).drop(columns="flux")


def _band(path: Path) -> cutout.BandImage:
    with opened(path) as hdus:
        header, pixels = hdus[0].header.copy(), hdus[0].data
        pixels = None if pixels is None else np.array(pixels, dtype=np.float32)
    if pixels is None or pixels.ndim != 2 or "CTYPE1" not in header:
        raise BadInput("a frame", "hold an image with a WCS in HDU0", "none", path.name, "Download it again")
    return cutout.band_image(pixels, _wcs(header))


def _wcs(header: object) -> WCS:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        return WCS(header, naxis=2)


def _places(r: cutout.BandImage, positions: pd.DataFrame | None, field: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Objects with their pixel in r, and how they were found."""
    if positions is not None and "source" in positions:
        positions = positions[positions["source"] != source_of(field)]
    given = _inside(r, positions) if positions is not None and len(positions) else pd.DataFrame()
    if len(given):
        return _keyed(given), (f"{len(given)} of {len(positions)} given positions lie in field {field}.",)
    found = sources(r.pixels)
    ra, dec = r.wcs.all_pix2world(found[["x", "y"]].to_numpy(), 0).T
    metadata = [{"r_mag": round(m, 3), "area_px": int(a)} for m, a in zip(found["r_mag"], found["area"], strict=True)]
    table = _keyed(found[["x", "y"]].assign(ra=ra, dec=dec, metadata=metadata))
    return table, (f"No positions were given for field {field}: {len(found)} sources brighter than r = {FAINTEST_R:g} were found in r, stars among them.",)


def _inside(r: cutout.BandImage, positions: pd.DataFrame) -> pd.DataFrame:
    """Positions that fall on the image, stamps over its edge included."""
    near = positions[np.isfinite(positions["ra"]) & np.isfinite(positions["dec"])]
    h, w = r.pixels.shape
    ra, dec = r.wcs.all_pix2world([[w / 2, h / 2]], 0)[0]
    turn = ((near["ra"] - ra + 180) % 360 - 180) * np.cos(np.radians(dec))
    near = near[np.hypot(turn, near["dec"] - dec) < np.hypot(h, w) * r.arcsec / 3600]
    if near.empty:
        return near
    x, y = r.wcs.all_world2pix(near[["ra", "dec"]].to_numpy(float), 0).T
    return near.assign(x=x, y=y)[(x > -0.5) & (x < w - 0.5) & (y > -0.5) & (y < h - 0.5)]


def _keyed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a key made of the position where it has none, each key once."""
    made = pd.Series([position_key(a, d) for a, d in zip(table["ra"], table["dec"], strict=True)], index=table.index, dtype=object)
    key = made if "key" not in table else table["key"].where(table["key"].notna(), made)
    return table.assign(key=key).drop_duplicates("key", ignore_index=True)


def in_order(paths: list[Path]) -> list[Path]:
    """The five files of a field in the order ugriz; raises `BadInput` naming the bands that lack."""
    by_band = {NAME.search(p.name)[1]: p for p in paths}
    lacking = [b for b in BANDS if b not in by_band]
    if lacking:
        field = NAME.search(paths[0].name)[2]
        raise BadInput("a field", "have all five bands", f"no {', '.join(lacking)}", f"frame-*-{field}", "Download the frames that lack and give all five together")
    return [by_band[b] for b in BANDS]
