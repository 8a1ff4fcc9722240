"""Template-fit redshifts of real SDSS spectra against the survey's own pipeline, and whether their confidence can be believed.

    python -m benchmarks.redshift FOLDER [--templates FILE...] [--seed 0]

FOLDER is searched to the bottom for spec-PLATE-MJD-FIBER files. The pipeline's redshift counts as the truth where its
warning is harmless. A redshift is right within 1000 km/s (3000 km/s for what is fitted as a quasar), and confident at
0.9 or more. Confidence is judged on these spectra, on copies with noise added (so that some fail), and on sky fibres,
where no redshift is right: its logistic is fitted to four fifths of the files and applied to the rest, in turns.
"""

import argparse
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from core.data import sdss_spectrum
from core.data.fits_files import first_row, opened
from core.engine import map_chunks
from core.metrics import nmad
from core.spectroscopy.basis import LN10_C
from core.spectroscopy.redshift import CONFIDENCE, CONFIDENT, MOST_EVIDENCE, RIGHT_KM_S, confidence, fit_redshift, fitters_with

NOISIER = (1.5, 2.0, 3.0, 4.0, 6.0)
"""How many times the noise of a file is that of its copies."""
Z_LIMIT = 1.25
BINS = (0.0, 0.5, 0.9, 1.0)
FOLDS, BATCH = 5, 16


@dataclass(frozen=True)
class File:
    """A spectrum and what the pipeline says of it; ``is_sky`` when the fibre was put on empty sky."""

    name: str
    folder: str
    spectrum: np.ndarray
    spectral_class: str
    z: float
    zwarning: int
    is_sky: bool

    @property
    def has_truth(self) -> bool:
        return not self.is_sky and self.zwarning in sdss_spectrum.USABLE_ZWARNING


def read(path: Path) -> File:
    """One file, with the pipeline's row, which the product's reader keeps out of sight unless it is a usable galaxy's."""
    with opened(path) as hdus:
        row = first_row(hdus, 2, {"class", "z", "zwarning"})
    chunk = sdss_spectrum.read(path)
    is_sky = chunk.objects["class"].iloc[0] == "SKY" or path.parent.name.startswith("sky")
    return File(path.name, path.parent.name, chunk.arrays["spectrum"][1][0], row["class"], row["z"], row["zwarning"], is_sky)


def noisier(spectrum: np.ndarray, factor: float, rng: np.random.Generator) -> np.ndarray:
    """The spectrum with so many times its noise."""
    flux, ivar = np.asarray(spectrum, float)
    sigma = np.where(ivar > 0, 1 / np.sqrt(np.where(ivar > 0, ivar, 1)), 0)
    return np.stack([flux + np.sqrt(factor**2 - 1) * sigma * rng.standard_normal(len(flux)), ivar / factor**2])


def fitted(spectra: list[np.ndarray], templates: tuple[Path, ...]) -> list[tuple[float, float, str, float]]:
    """z, evidence, class and processor seconds of each fit."""
    rows, fitters = [], fitters_with(templates)
    for spectrum in spectra:
        started = time.process_time()
        fit = fit_redshift(spectrum, fitters)
        rows.append((fit.z, fit.evidence, fit.spectral_class, time.process_time() - started))
    return rows


def table_of(files: list[File], templates: tuple[Path, ...], rng: np.random.Generator) -> pd.DataFrame:
    """One row a fit: the files as they are (factor 1) and, where the truth is known, their noisier copies."""
    wanted = [(i, 1.0, f.spectrum) for i, f in enumerate(files)]
    wanted += [(i, k, noisier(f.spectrum, k, rng)) for i, f in enumerate(files) if f.has_truth for k in NOISIER]
    batches = [[spectrum for *_, spectrum in wanted[start : start + BATCH]] for start in range(0, len(wanted), BATCH)]
    found = [row for rows in map_chunks(partial(fitted, templates=templates), batches) for row in rows]
    rows = [vars(files[i]) | {"file": i, "factor": k, "has_truth": files[i].has_truth} for i, k, _ in wanted]
    table = pd.DataFrame(rows).drop(columns="spectrum").assign(**dict(zip(("found", "evidence", "found_class", "seconds"), zip(*found, strict=True), strict=True)))
    off = np.abs(np.log10((1 + table["found"]) / (1 + table["z"]))) * LN10_C
    table["is_right"] = (off < table["found_class"].map(RIGHT_KM_S)) & ~table["is_sky"]
    table["confidence"] = table["evidence"].map(confidence)
    return table.assign(is_confident=table["confidence"] >= CONFIDENT)


def outcomes(table: pd.DataFrame) -> pd.DataFrame:
    """One row a kind of spectrum, as they are."""
    real = table[table["factor"] == 1]
    legacy = real["folder"].str.startswith("legacy")
    galaxy = ~real["is_sky"] & (real["spectral_class"] == "GALAXY") & (real["z"] < Z_LIMIT)
    other = ~real["is_sky"] & real["spectral_class"].isin(["QSO", "STAR"])
    kinds = {
        f"galaxies, z < {Z_LIMIT}, no warning": real[galaxy & real["has_truth"] & ~legacy],
        "galaxies with a warning": real[galaxy & ~real["has_truth"] & ~legacy],
        "quasars, no warning": real[other & real["has_truth"] & (real["spectral_class"] == "QSO")],
        "stars, no warning": real[other & real["has_truth"] & (real["spectral_class"] == "STAR")],
        "quasars and stars, all": real[other], "sky fibres": real[real["is_sky"]], "legacy": real[legacy & galaxy],
    }
    return pd.DataFrame([{"spectra": name} | _outcome(part) for name, part in kinds.items() if len(part)])


def _outcome(part: pd.DataFrame) -> dict:
    sure, is_sky = part["is_confident"], part["is_sky"].all()
    right = part.loc[part["is_right"]]
    return {
        "number": len(part), "right %": np.nan if is_sky else 100 * part["is_right"].mean(),
        "sigma_NMAD": nmad(((right["found"] - right["z"]) / (1 + right["z"])).to_numpy()) if len(right) > 2 else np.nan,
        "confident %": 100 * sure.mean(), "confident and wrong %": 100 * (sure & ~part["is_right"]).mean(),
        "confident galaxy %": 100 * (sure & (part["found_class"] == "GALAXY")).mean(),
    }


def cross_validated(table: pd.DataFrame) -> tuple[np.ndarray, tuple[float, float]]:
    """Confidence of each row by logistics fitted to other files, (n,), and the logistic of all files."""
    x = np.sqrt(np.minimum(table["evidence"], MOST_EVIDENCE)).to_numpy()[:, None]
    right, fold = table["is_right"].to_numpy(), table["file"].to_numpy() % FOLDS
    out = np.empty(len(table))
    for k in range(FOLDS):
        out[fold == k] = _logistic(x[fold != k], right[fold != k]).predict_proba(x[fold == k])[:, 1]
    all_of_them = _logistic(x, right)
    return out, (float(all_of_them.intercept_[0]), float(all_of_them.coef_[0, 0]))


def _logistic(x: np.ndarray, right: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=1e6).fit(x, right)


def reliability(stated: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    """Stated confidence against the share that is right, in three bins."""
    place = np.clip(np.digitize(stated, BINS) - 1, 0, len(BINS) - 2)
    rows = [{"confidence": f"{low:g} to {high:g}", "number": (place == k).sum(), "stated %": 100 * stated[place == k].mean(), "right %": 100 * right[place == k].mean()}
            for k, (low, high) in enumerate(zip(BINS, BINS[1:], strict=False)) if (place == k).any()]
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--templates", nargs="+", type=Path, default=[], help="eigentemplates in SDSS's format")
    parser.add_argument("--seed", type=int, default=0, help="of the added noise")
    chosen = parser.parse_args()
    files = [read(path) for path in sorted(chosen.folder.rglob("spec-*.fits"))]
    table = table_of(files, tuple(chosen.templates), np.random.default_rng(chosen.seed))
    judged = table[table["has_truth"] | table["is_sky"]]
    stated, logistic = cross_validated(judged)
    print(outcomes(table).to_string(index=False, float_format=lambda v: f"{v:.3g}"))
    print(f"\nConfidence, cross-validated over files; the logistic of all is {logistic[0]:.2f} {logistic[1]:+.3f} sqrt(evidence), the product's {CONFIDENCE[0]:.2f} {CONFIDENCE[1]:+.3f}:")
    print(reliability(stated, judged["is_right"].to_numpy()).to_string(index=False, float_format=lambda v: f"{v:.1f}"))
    print("\nThe product's:")
    print(reliability(judged["confidence"].to_numpy(), judged["is_right"].to_numpy()).to_string(index=False, float_format=lambda v: f"{v:.1f}"))
    print(f"\n{table['seconds'].median():.4f} processor seconds a spectrum (median of {len(table)})")


if __name__ == "__main__":
    main()
