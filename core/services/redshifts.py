"""What spectra say by themselves: redshifts of many files, and the star formation of one object.

The fits are imported where they are used: the app's start does not pay for them.
"""

import csv
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

import numpy as np

from core.columns import BANDS
from core.engine import map_chunks
from core.errors import BadInput, LookbackError
from core.store import Workspace, arrays, objects

RUNNERS_UP = 4
COLUMNS = ("file", "specobjid", "z", "z_err", "confidence", "class", "warning",
           *(f"{name}_{rank}" for rank in range(2, 2 + RUNNERS_UP) for name in ("z", "class", "delta_chi2")))
"""Of the CSV: a row a spectrum, or a file that could not be read, which has nothing but a warning."""
BATCH_FILES = 8
FEW_FILES = 4 * BATCH_FILES
"""Up to so many are fitted in this process: a pool takes half a second to start."""


def redshifts_from_command_line(paths: Iterable[Path], templates: Iterable[Path], out: Path) -> int:
    """Fit spectra into a CSV, saying how far it is and which files could not be read; 0 when at least one spectrum was fitted."""
    fitted, sure, refused, started = 0, 0, 0, time.perf_counter()
    rows = fit_files(paths, templates, _say)
    with _opened(out) as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
            fitted, refused = fitted + (row["z"] != ""), refused + (row["z"] == "")
            sure += row["z"] != "" and row["confidence"] >= _confident()
            if row["z"] == "":
                _say(f"{Path(row['file']).name}: {row['warning']}")
    print(f"{fitted} spectra in {time.perf_counter() - started:.0f} s, {sure} with a confident redshift; {refused} without any. All are in {out}.")
    return 0 if fitted else 1


def fit_files(paths: Iterable[Path], templates: Iterable[Path] = (), say: Callable[[str], None] = lambda line: None) -> Iterator[dict]:
    """Rows of `COLUMNS`, in order of product and file, as they come.

    Parameters
    ----------
    paths : files of any product with spectra, or folders of them.
    templates : eigentemplate files in SDSS's format; the product's own bases serve the classes that none of them holds.
    say : told how far it is, once a percent.

    A file that cannot be read, or holds no spectrum, is a row whose ``z`` is "" and whose ``warning`` says why. Raises
    `BadInput` for eigentemplates that cannot serve.
    """
    from core.data import recognise
    from core.spectroscopy.redshift import fitters_with

    templates = tuple(templates)
    fitters_with(templates)
    plan = recognise.plan(paths)
    return chain((_refused(r.path, r.sentence) for r in plan.refusals), _fitted(plan.items, templates, say))


def _fitted(items: tuple, templates: tuple[Path, ...], say: Callable[[str], None]) -> Iterator[dict]:
    batches = [items[start : start + BATCH_FILES] for start in range(0, len(items), BATCH_FILES)]
    results = map_chunks(partial(fit_items, templates=templates), batches, 1 if len(items) <= FEW_FILES else None)
    for number, rows in enumerate(results, 1):
        yield from rows
        if 100 * number // len(batches) > 100 * (number - 1) // len(batches):
            say(f"{number / len(batches):4.0%}  {min(number * BATCH_FILES, len(items)):,} of {len(items):,} files")


def fit_items(items: tuple, templates: tuple[Path, ...] = ()) -> list[dict]:
    """Rows of `COLUMNS` of some `core.data.products.Item`; what was fitted before a file turned out broken is kept."""
    from core.data import recognise

    rows: list[dict] = []
    for item in items:
        try:
            for row in _rows(item, templates):
                rows.append(row)
        except (LookbackError, OSError) as error:
            rows.append(_refused(item.path, str(error)))
        except Exception as error:
            rows.append(_refused(item.path, recognise.unexpected(item.path, error)))
    return rows


def measured(ws: Workspace, object_id: int, z: float) -> dict:
    """What an object's spectrum at redshift ``z``, and its image, say of the star-formation rate: proposals for the eight targets.

    Returns
    -------
    values : SFR target -> value; empty when nothing can be told. method : Halpha, D4000 or none.
    reason : why Halpha was not used, a sentence, or "". bpt : star-forming, composite, AGN or unclassified.
    lines : name -> flux, error (1e-17 erg/s/cm2) and equivalent_width (A) of the lines that are covered.
    aperture : {dex, error, is_measured} of the correction for light outside the fibre.

    Raises `NotFound` when there is no such object; one without a spectrum has method ``none`` and the reason.
    """
    from core.services.labelling.desk import fibre_arcsec
    from core.spectroscopy.sfr import TYPICAL_APERTURE, measure_sfr

    known = objects.one(ws, object_id)
    spectrum, has_spectrum = arrays.read(ws, "spectrum", [object_id])
    image, has_image = arrays.read(ws, "image", [object_id])
    if not has_spectrum[0]:
        return {"values": {}, "method": "none", "reason": "There is no spectrum of this object.", "bpt": "unclassified", "lines": {}, "aperture": None}
    ebv = np.nan if known["ebv"] is None else known["ebv"]
    found = measure_sfr(spectrum[0], z, ebv, image[0, BANDS.index("r")] if has_image[0] else None, fibre_arcsec(known))
    correction, error = found.aperture_dex
    return {
        "values": {f"sfr_tot_{name}": value for name, value in found.values.items()}, "method": found.method, "reason": found.reason, "bpt": found.bpt,
        "lines": {name: {k: getattr(flux, k) for k in ("flux", "error", "equivalent_width")} for name, flux in found.lines.items() if np.isfinite(flux.flux)},
        "aperture": {"dex": correction, "error": error, "is_measured": found.aperture_dex != TYPICAL_APERTURE},
    }


def _rows(item: object, templates: tuple[Path, ...]) -> Iterator[dict]:
    """One row a spectrum; those of a file of many are told apart by their number in it, from 0."""
    from core.data import products
    from core.spectroscopy.redshift import fit_redshift, fitters_with

    number = 0
    for chunk in products.read(item):
        for place, spectrum in zip(*chunk.arrays.get("spectrum", ((), ())), strict=True):
            name = item.path if chunk.total == 1 else f"{item.path}[{number}]"
            specobjid = chunk.objects["specobjid"].iloc[place] if "specobjid" in chunk.objects else None
            yield _row(name, specobjid, fit_redshift(spectrum, fitters_with(templates)))
            number += 1
    if not number:
        raise BadInput("a file", "hold a spectrum", "none", Path(item.path).name, "Leave it out")


def _row(name: str, specobjid: str | None, fit: object) -> dict:
    row = dict.fromkeys(COLUMNS, "") | {"file": name, "specobjid": specobjid if isinstance(specobjid, str) else "", "confidence": round(fit.confidence, 4), "warning": fit.warning}
    if np.isfinite(fit.z):
        row |= {"z": round(fit.z, 7), "z_err": round(fit.z_err, 8), "class": fit.spectral_class}
    for rank, other in enumerate(fit.candidates[1 : 1 + RUNNERS_UP], 2):
        row |= {f"z_{rank}": round(other.z, 7), f"class_{rank}": other.spectral_class, f"delta_chi2_{rank}": round(other.delta_chi2, 2)}
    return row


def _refused(path: str, sentence: str) -> dict:
    return dict.fromkeys(COLUMNS, "") | {"file": path, "confidence": 0.0, "warning": sentence}


def _confident() -> float:
    from core.spectroscopy.redshift import CONFIDENT

    return CONFIDENT


def _opened(out: Path) -> IO[str]:
    try:
        return open(out, "w", newline="", encoding="utf-8", buffering=1)
    except OSError as error:
        raise BadInput("--out", "be a file that can be written", error.strerror, str(out), "Choose another") from error


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
