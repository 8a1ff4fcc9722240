"""The same files that surveys publish, written from objects and arrays: to hand data on, and to exercise the readers.

Each function takes a `core.data.records.Chunk` (of the mock sky, say) and the numbers of rows
in it. ``python -m core.data.writers [FOLDER]`` writes the samples that are kept in data/sample.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from astropy.io import fits
from scipy.ndimage import gaussian_filter1d

from core.columns import BANDS
from core.data import mock_sky
from core.data.cutout import PIXEL_ARCSEC
from core.data.hisscube import FLUX_UNIT, HEADER_REFERENCES, IMAGE, IMAGE_FACTOR, SPECTRUM, WAVE
from core.data.mpa_jhu import SFR_COLUMNS
from core.data.records import Chunk
from core.preprocess.extinction import SFD_UGRIZ
from core.preprocess.spectrum import LOGLAM, MASKED_BITS, STEP
from core.settings import ROOT
from core.spectroscopy.lines import LINES

SAMPLE = ROOT / "data" / "sample"
SAMPLE_SEED = 2010
_DR7_CLASS = {"STAR": 1, "GALAXY": 2, "QSO": 3}
_FULLREJECT = 1 << MASKED_BITS["FULLREJECT"]


def write_spectrum(folder: Path, chunk: Chunk, row: int, is_upper: bool = True, exposures: int = 0) -> Path:
    """An SDSS DR8+ file, ``spec-PLATE-MJD-FIBER.fits``: coadd, catalogue row, lines; loglam and flux as SDSS writes them.

    Parameters
    ----------
    is_upper : column names of the coadd in upper case and a SPALL row, as some reductions have them;
        otherwise lower case and a SPECOBJ row.
    exposures : HDUs of single exposures after the first four; 0 makes a "lite" file.

    Returns
    -------
    The file. Raises ValueError when the object has no spectrum.
    """
    obj, truth = _object(chunk, row)
    start, flux, ivar = _covered(chunk, row)
    mask = np.where(ivar > 0, 0, _FULLREJECT)
    columns = {"flux": flux, "loglam": LOGLAM[start : start + len(flux)], "ivar": ivar, "and_mask": mask, "or_mask": mask,
               "wdisp": np.full(len(flux), 0.95), "sky": 6 + 4 * np.abs(np.gradient(flux)).clip(0, 1), "model": gaussian_filter1d(flux, 3)}
    coadd = [fits.Column(n.upper() if is_upper else n, "J" if "mask" in n else "E", array=v) for n, v in columns.items()]
    catalogue = fits.BinTableHDU.from_columns(_catalogue_row(obj, truth), name="SPALL" if is_upper else "SPECOBJ")
    hdus = [fits.PrimaryHDU(header=_header(obj, start)), fits.BinTableHDU.from_columns(coadd, name="COADD"), catalogue, _line_table(truth["z"])]
    hdus += [_exposure(columns, number) for number in range(exposures)]
    path = folder / f"spec-{obj['plate']:04d}-{obj['mjd']:05d}-{obj['fiberid']:04d}.fits"
    fits.HDUList(hdus).writeto(path, overwrite=True)
    return path


def write_spectrum_dr7(folder: Path, chunk: Chunk, row: int) -> Path:
    """An SDSS DR7 file, ``spSpec-MJD-PLATE-FIBER.fit``: rows flux, flux without continuum, sigma (0 = bad), mask of one image."""
    obj, truth = _object(chunk, row)
    start, flux, ivar = _covered(chunk, row)
    good = ivar > 0
    sigma = np.where(good, 1 / np.sqrt(np.where(good, ivar, 1)), 0)
    image = np.stack([flux, flux - gaussian_filter1d(flux, 80), sigma, np.where(good, 0, _FULLREJECT)]).astype(np.float32)
    header = _header(obj, start)
    known = {"RAOBJ": obj["ra"], "DECOBJ": obj["dec"], "Z": truth["z"], "Z_ERR": truth["z_err"], "Z_WARNIN": int(obj["zwarning"]), "VACUUM": 1,
             "SPEC_CLN": _DR7_CLASS.get(obj["class"], 0), "OBJID": f"mock {obj['objid']}"}
    header.update({k: v for k, v in known.items() if not (isinstance(v, float) and np.isnan(v))})
    path = folder / f"spSpec-{obj['mjd']:05d}-{obj['plate']:04d}-{obj['fiberid']:03d}.fit"
    fits.PrimaryHDU(image, header).writeto(path, overwrite=True)
    return path


def write_stamp(folder: Path, chunk: Chunk, row: int, is_cube: bool = True) -> list[Path]:
    """A five-band stamp in nanomaggies with a WCS that puts the object in its middle: one (5, 64, 64) cube, or five files ``*-u.fits`` to ``*-z.fits``."""
    obj, _ = _object(chunk, row)
    image = _array(chunk, "image", row)
    name = f"stamp-{obj['objid']}-{obj['plate']}"
    if is_cube:
        path = folder / f"{name}.fits"
        fits.PrimaryHDU(image, _world(obj, "".join(BANDS))).writeto(path, overwrite=True)
        return [path]
    paths = [folder / f"{name}-{band}.fits" for band in BANDS]
    for path, plane, band in zip(paths, image, BANDS, strict=True):
        fits.PrimaryHDU(plane, _world(obj, band)).writeto(path, overwrite=True)
    return paths


def write_hisscube(path: Path, chunk: Chunk, rows: Sequence[int]) -> Path:
    """Images and spectra of some rows in the layout and units of HiSS-Cube's dense cube, zoom 0; all rows need both.

    Spectra are interpolated to an even grid of wavelengths, NaN beyond their coverage, error
    infinite where nothing is known. Each row's FITS header is found through ``spec_metadata_refs``.
    """
    images = np.array([_array(chunk, "image", r) for r in rows])
    spectra = np.array([_linear(_array(chunk, "spectrum", r)) for r in rows]) * FLUX_UNIT
    noise = 1.4826 * np.median(np.abs(images - np.median(images, axis=(2, 3), keepdims=True)), axis=(2, 3), keepdims=True)
    with h5py.File(path, "w", track_order=True) as file:
        file.require_group("dense_cube").attrs["target_count"] = len(rows)
        for name, values, errors in ((IMAGE, _hisscube_units(images), _hisscube_units(np.broadcast_to(noise, images.shape))), (SPECTRUM, spectra[:, 0], spectra[:, 1])):
            data = file.create_dataset(name, data=values.astype("<f4"), compression="gzip", shuffle=True)
            file_errors = data.parent.create_dataset("errors", data=errors.astype("<f4"), compression="gzip", shuffle=True)
            data.attrs["error_ds"] = file_errors.ref
        file[SPECTRUM].parent.create_dataset("wl", data=WAVE)
        _write_headers(file, chunk, rows)
    return path


def write_mpa_jhu(folder: Path, chunk: Chunk, rows: Sequence[int]) -> tuple[Path, Path]:
    """The pair ``gal_totsfr_dr7_v5_2.fits`` and ``gal_info_dr7_v5_2.fit`` for some rows; -99 and FLAG 1 where there is no SFR."""
    known = [_object(chunk, r) for r in rows]
    has_sfr = np.array(["sfr_tot_median" in truth for _, truth in known])
    rates = {column: np.array([truth.get(target, -99.0) for _, truth in known]) for target, column in SFR_COLUMNS.items()}
    sfr = [fits.Column("FLAG", "I", array=np.where(has_sfr, 0, 1))] + [fits.Column(c.upper(), "E", array=v) for c, v in rates.items()]
    info = pd.DataFrame([obj | truth for obj, truth in known])
    z = info["z"].fillna(0.0)
    warning = np.where(np.isin(info["zwarning"], (0, 16)) & info["z"].notna(), 0, 4)
    columns = (("PLATEID", "I", info["plate"]), ("MJD", "J", info["mjd"]), ("FIBERID", "I", info["fiberid"]), ("RA", "D", info["ra"]), ("DEC", "D", info["dec"]),
               ("SPECTROTYPE", "6A", info["class"]), ("Z", "E", z), ("Z_ERR", "E", info["z_err"].fillna(-1.0)), ("Z_WARNING", "I", warning),
               ("SN_MEDIAN", "E", info["sn"]), ("E_BV_SFD", "E", info["ebv"]))
    paths = folder / "gal_totsfr_dr7_v5_2.fits", folder / "gal_info_dr7_v5_2.fit"
    fits.BinTableHDU.from_columns(sorted(sfr, key=lambda c: c.name)).writeto(paths[0], overwrite=True)
    fits.BinTableHDU.from_columns([fits.Column(n, f, array=np.asarray(v)) for n, f, v in columns]).writeto(paths[1], overwrite=True)
    return paths


def write_photometry(path: Path, chunk: Chunk, rows: Sequence[int]) -> Path:
    """A CSV with the columns of a CasJobs query: ids, position, dereddened ugriz and errors, redshift; -9999 = missing."""
    lines = []
    for row in rows:
        obj, truth = _object(chunk, row)
        mag, err = _array(chunk, "photometry", row).astype(float).round(5)
        line = {"objID": obj["objid"], "specObjID": obj["specobjid"], "ra": round(obj["ra"], 7), "dec": round(obj["dec"], 7), "class": obj["class"]}
        line |= {f"dered_{b}": m for b, m in zip(BANDS, mag, strict=True)} | {f"err_{b}": e for b, e in zip(BANDS, err, strict=True)}
        lines.append(line | {"z": round(truth["z"], 7), "zErr": round(truth["z_err"], 8), "zWarning": int(obj["zwarning"])})
    pd.DataFrame(lines).fillna(-9999).to_csv(path, index=False, lineterminator="\n")
    return path


def write_sample(folder: Path = SAMPLE, seed: int = SAMPLE_SEED) -> list[Path]:
    """The committed samples: a few mock objects in every format, about 2 MB; the same seed writes the same values."""
    chunk = mock_sky.part(0, seed)
    galaxies = _complete(chunk, "GALAXY")
    folder.mkdir(parents=True, exist_ok=True)
    others = [_complete(chunk, kind)[0] for kind in ("STAR", "QSO")]
    paths = [write_spectrum(folder, chunk, r, is_upper=k % 2 == 0) for k, r in enumerate([*galaxies[:3], *others])]
    paths.append(write_spectrum(folder, chunk, galaxies[3], is_upper=False, exposures=2))
    paths += [write_spectrum_dr7(folder, chunk, r) for r in galaxies[4:6]]
    paths += [p for k, r in enumerate(galaxies[:3]) for p in write_stamp(folder, chunk, r, is_cube=k < 2)]
    paths.append(write_hisscube(folder / "hisscube.h5", chunk, galaxies[6:9]))
    paths += write_mpa_jhu(folder, chunk, galaxies[:40])
    return [*paths, write_photometry(folder / "photometry.csv", chunk, galaxies[:40])]


def _complete(chunk: Chunk, kind: str) -> list[int]:
    """Rows of a class that have all three modalities and a usable redshift."""
    objects = chunk.objects
    rows = set(np.flatnonzero((objects["class"] == kind) & objects["zwarning"].isin((0, 16))).tolist())
    return sorted(rows.intersection(*(present.tolist() for present, _ in chunk.arrays.values())))


def _object(chunk: Chunk, row: int) -> tuple[dict, dict[str, float]]:
    """An object's columns and its truth by target, with z and z_err NaN where unknown."""
    obj = chunk.objects.iloc[row].to_dict()
    lines = chunk.truth[chunk.truth["row"] == row]
    truth = dict(zip(lines["target"], lines["value"].astype(float), strict=True))
    sigma = dict(zip(lines["target"], lines["sigma"].astype(float), strict=True))
    return obj, {"z": np.nan} | truth | {"z_err": sigma.get("z", np.nan)}


def _array(chunk: Chunk, modality: str, row: int) -> np.ndarray:
    rows, values = chunk.arrays[modality]
    at = np.flatnonzero(rows == row)
    if not len(at):
        raise ValueError(f"object {chunk.objects['key'].iloc[row]} has no {modality}")
    return values[at[0]]


def _covered(chunk: Chunk, row: int) -> tuple[int, np.ndarray, np.ndarray]:
    """First pixel, flux and ivar from the first to the last pixel with information."""
    flux, ivar = _array(chunk, "spectrum", row).astype(float)
    good = np.flatnonzero(ivar > 0)
    inside = slice(good[0], good[-1] + 1)
    return int(good[0]), flux[inside], ivar[inside]


def _header(obj: dict, start: int) -> fits.Header:
    header = fits.Header()
    header.update({"TELESCOP": "SIMULATED", "PLATEID": obj["plate"], "MJD": obj["mjd"], "FIBERID": obj["fiberid"], "PLUG_RA": obj["ra"], "PLUG_DEC": obj["dec"],
                   "RA": round(obj["ra"] - 0.3, 4), "DEC": round(obj["dec"] + 0.2, 4), "COEFF0": round(LOGLAM[start], 4), "COEFF1": STEP, "NWORDER": 2,
                   "BUNIT": "1E-17 erg/cm^2/s/Ang", "VACUUM": True, "WFITTYPE": "LOG-LINEAR"})
    return header


def _catalogue_row(obj: dict, truth: dict[str, float]) -> list[fits.Column]:
    known = np.isfinite(truth["z"])
    values = (
        ("SURVEY", "8A", "mock"), ("RUN2D", "6A", "26"), ("SPECOBJID", "22A", obj["specobjid"]), ("BESTOBJID", "19A", obj["objid"]), ("PLATE", "J", obj["plate"]),
        ("MJD", "J", obj["mjd"]), ("FIBERID", "J", obj["fiberid"]), ("PLUG_RA", "D", obj["ra"]), ("PLUG_DEC", "D", obj["dec"]), ("CLASS", "6A", obj["class"]),
        ("SUBCLASS", "21A", ""), ("Z", "E", truth["z"] if known else 0.0), ("Z_ERR", "E", truth["z_err"] if known else -1.0), ("ZWARNING", "J", obj["zwarning"]),
        ("SN_MEDIAN_ALL", "E", obj["sn"]), ("EXTINCTION", "5E", obj["ebv"] * SFD_UGRIZ),
    )
    return [fits.Column(name, form, array=np.array([value])) for name, form, value in values]


def _line_table(z: float) -> fits.BinTableHDU:
    lines = [entry for entry in LINES if entry.group == "emission"]
    columns = [fits.Column("LINENAME", "13A", array=[entry.name for entry in lines]), fits.Column("LINEWAVE", "D", array=[entry.wave for entry in lines]),
               fits.Column("LINEZ", "E", array=np.full(len(lines), z))]
    return fits.BinTableHDU.from_columns(columns, name="SPZLINE")


def _exposure(columns: dict[str, np.ndarray], number: int) -> fits.BinTableHDU:
    """One exposure of a full file: every third pixel of the blue or the red half."""
    half = slice(0, None, 6) if number % 2 == 0 else slice(3, None, 6)
    kept = [fits.Column(n, "E", array=columns[n][half]) for n in ("flux", "loglam", "ivar", "wdisp", "sky")]
    return fits.BinTableHDU.from_columns(kept, name=f"{'BR'[number % 2]}1-{number + 4124:08d}")


def _world(obj: dict, bands: str) -> fits.Header:
    header = fits.Header()
    step = PIXEL_ARCSEC / 3600
    header.update({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CUNIT1": "deg", "CUNIT2": "deg", "CRPIX1": 32.5, "CRPIX2": 32.5, "CRVAL1": obj["ra"],
                   "CRVAL2": obj["dec"], "CD1_1": -step, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": step, "BUNIT": "nanomaggy", "FILTER": bands, "TELESCOP": "SIMULATED"})
    return header


def _linear(spectrum: np.ndarray) -> np.ndarray:
    """Flux and 1-sigma error on HiSS-Cube's even grid of wavelengths: NaN beyond the coverage, infinite error at bad pixels."""
    flux, ivar = spectrum.astype(float)
    good = np.flatnonzero(ivar > 0)
    loglam = np.log10(WAVE)
    nearest = np.clip(np.round((loglam - LOGLAM[0]) / STEP).astype(int), 0, len(LOGLAM) - 1)
    outside = (nearest < good[0]) | (nearest > good[-1])
    error = np.where(ivar[nearest] > 0, 1 / np.sqrt(np.where(ivar[nearest] > 0, ivar[nearest], 1)), np.inf)
    return np.stack([np.where(outside, np.nan, np.interp(loglam, LOGLAM, flux)), np.where(outside, np.nan, error)])


def _hisscube_units(nanomaggies: np.ndarray) -> np.ndarray:
    return nanomaggies * IMAGE_FACTOR[:, None, None]


def _write_headers(file: h5py.File, chunk: Chunk, rows: Sequence[int]) -> None:
    """FITS headers of all spectra as JSON, those without an image first, and one region reference a row of the dense cube to its own."""
    has_image = set(chunk.arrays["image"][0].tolist())
    listed = [r for r in chunk.arrays["spectrum"][0].tolist() if r not in has_image] + list(rows)
    kind = np.dtype([("path", h5py.string_dtype()), ("header", h5py.string_dtype())])
    lines = [(f"{chunk.objects['key'].iloc[r]}.fits", json.dumps(dict(_header(_object(chunk, r)[0], 0)))) for r in listed]
    table = file.create_dataset("sparse_cube/spectra/metadata", data=np.array(lines, dtype=kind))
    references = file.create_dataset(HEADER_REFERENCES, (len(rows), 1), dtype=h5py.regionref_dtype)
    for i, at in enumerate(range(len(listed) - len(rows), len(listed))):
        references[i, 0] = table.regionref[at : at + 1]


if __name__ == "__main__":
    written = write_sample(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE)
    print(f"{len(written)} files, {sum(p.stat().st_size for p in written) / 1e6:.1f} MB in {written[0].parent}")
