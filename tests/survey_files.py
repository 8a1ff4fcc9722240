"""Small survey files written by hand, so that what a reader should make of them is known."""

from pathlib import Path

import h5py
import numpy as np
from astropy.io import fits

from core.columns import BANDS

FIBRE = (390, 51900, 2)


def spec(folder: Path, fibre: tuple[int, int, int] = FIBRE, is_upper: bool = False, **row) -> Path:
    """An SDSS spectrum: flux = 1, 2, 3 ... on 100 native pixels from 4000 A, ivar 4; pixel 5 is masked, pixel 7 has no ivar."""
    loglam = (3.6021 + 1e-4 * np.arange(100)).astype("f4")
    ivar = np.full(100, 4.0, dtype="f4")
    ivar[7] = 0
    mask = np.zeros(100, dtype="i4")
    mask[5] = 1 << 24
    columns = dict(flux=np.arange(1, 101, dtype="f4"), loglam=loglam, ivar=ivar, and_mask=mask, model=np.full(100, 777, dtype="f4"))
    values = dict(PLATE=fibre[0], MJD=fibre[1], FIBERID=fibre[2], PLUG_RA=10.0, PLUG_DEC=0.5, CLASS="GALAXY", Z=0.1, Z_ERR=2e-5, ZWARNING=0,
                  SN_MEDIAN_ALL=7.5, SPECOBJID="439101545301174272", BESTOBJID="1237663782589366427", OBJTYPE="GALAXY") | row
    coadd = fits.BinTableHDU.from_columns([_column(n.upper() if is_upper else n, v) for n, v in columns.items()], name="COADD")
    catalogue = fits.BinTableHDU.from_columns([_column(n, np.array([v])) for n, v in values.items()], name="SPECOBJ")
    path = folder / "spec-{:04d}-{:05d}-{:04d}.fits".format(*fibre)
    fits.HDUList([fits.PrimaryHDU(), coadd, catalogue]).writeto(path, overwrite=True)
    return path


def sp_spec(folder: Path, **cards) -> Path:
    """A DR7 spectrum of the same fibre and grid: flux 3, sigma 0.5, pixel 7 without sigma."""
    rows = np.stack([np.full(100, 3.0), np.zeros(100), np.full(100, 0.5), np.zeros(100)]).astype("f4")
    rows[2, 7] = 0
    header = fits.Header(dict(COEFF0=3.6021, COEFF1=1e-4, PLATEID=390, MJD=51900, FIBERID=2, RAOBJ=10.0, DECOBJ=0.5, Z=0.1, Z_ERR=3e-5, Z_WARNIN=0, SPEC_CLN=2) | cards)
    path = folder / "spSpec-51900-0390-002.fit"
    fits.PrimaryHDU(rows, header).writeto(path, overwrite=True)
    return path


def sky_header(ra: float, dec: float, x: float, y: float, arcsec: float = 0.396, turn: float = 0.0) -> fits.Header:
    """A gnomonic WCS with ra, dec at pixel x, y (0 = middle of the first)."""
    step, c, s = arcsec / 3600, np.cos(turn), np.sin(turn)
    return fits.Header(dict(CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CRPIX1=x + 1, CRPIX2=y + 1, CRVAL1=ra, CRVAL2=dec,
                            CD1_1=-step * c, CD1_2=step * s, CD2_1=step * s, CD2_2=step * c, BUNIT="nanomaggy"))


def blob(shape: tuple[int, int], x: float, y: float, flux: float, sigma: float = 2.0) -> np.ndarray:
    """A round Gaussian whose pixels sum to flux."""
    yy, xx = np.indices(shape)
    return flux / (2 * np.pi * sigma**2) * np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * sigma**2))


def frames(folder: Path, places: list[tuple[float, float]], field: str = "001234-5-0678", shape: tuple[int, int] = (200, 220), shift: float = 3.3) -> list[Path]:
    """Five frames with a source of 100, 200 ... 500 nanomaggies in u ... z at each (x, y) of r; band b lies b times ``shift`` pixels aside."""
    rng = np.random.default_rng(1)
    out = []
    for b, band in enumerate(BANDS):
        dx = shift * (b - 2)
        image = sum((blob(shape, x + dx, y - dx, 100.0 * (b + 1)) for x, y in places), start=rng.normal(0, 0.02, shape))
        out.append(folder / f"frame-{band}-{field}.fits")
        fits.PrimaryHDU(image.astype("f4"), sky_header(150.0, 20.0, 110 + dx, 100 - dx)).writeto(out[-1], overwrite=True)
    return out


def hisscube(path: Path, image: np.ndarray, flux: np.ndarray, error: np.ndarray, wave: np.ndarray, **columns) -> Path:
    """A dense cube with zoom 0 only; ``image`` in HiSS-Cube's units, flux and error with 1e-17 applied."""
    with h5py.File(path, "w") as file:
        file["dense_cube/0/ml_image/cutout_3d_cube_zoom_0"] = image.astype("f4")
        file["dense_cube/0/ml_spectrum/spectral_1d_cube_zoom_0"] = flux.astype("f4")
        file["dense_cube/0/ml_spectrum/errors"] = error.astype("f4")
        file["dense_cube/0/ml_spectrum/wl"] = wave
        for name, values in columns.items():
            file[f"dense_cube/{name}"] = values
    return path


def mpa_jhu(folder: Path, rates: dict[str, list], info: dict[str, list]) -> list[Path]:
    """The pair of MPA-JHU files; columns that are not given hold a plausible row."""
    n = len(info["PLATEID"])
    default = dict(AVG=0.1, ENTROPY=2.0, FLAG=0, MEDIAN=0.1, MODE=0.2, P16=-0.3, P2P5=-0.7, P84=0.5, P97P5=0.9)
    first = {k: rates.get(k, [v] * n) for k, v in default.items()}
    second = {k: info.get(k, [v] * n) for k, v in dict(PLATEID=0, MJD=0, FIBERID=0, RA=10.0, DEC=0.5, Z=0.1, Z_ERR=1e-5, Z_WARNING=0, SN_MEDIAN=9.0, E_BV_SFD=0.03).items()}
    paths = [folder / "gal_totsfr_dr7_v5_2.fits", folder / "gal_info_dr7_v5_2.fit"]
    for path, columns in zip(paths, (first, second), strict=True):
        table = fits.BinTableHDU.from_columns([_column(k, np.array(v)) for k, v in columns.items()])
        fits.HDUList([fits.PrimaryHDU(), table]).writeto(path, overwrite=True)
    return paths


def damaged(path: Path, share: float = 0.5) -> Path:
    """The file cut off at a share of its length."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


def _column(name: str, values: np.ndarray) -> fits.Column:
    kind = {"f": "E", "i": "J", "U": f"{max(values.dtype.itemsize // 4, 1)}A"}[values.dtype.kind]
    return fits.Column(name, "D" if values.dtype == np.float64 else kind, array=values)
