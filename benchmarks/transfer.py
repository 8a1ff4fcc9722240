"""A spectral network that has seen the mock sky only, asked about real spectra: how far simulation carries.

    python -m benchmarks.transfer FOLDER... [--galaxies 3000] [--labels 1500] [--seeds 1] [--model spectrum_cnn]

FOLDER holds SDSS spectra. Galaxies whose pipeline redshift is trusted (CLASS GALAXY, ZWARNING 0 or 16) and lies
in the range of redshifts that the network was taught are asked; the template fit of `core.spectroscopy` is
asked about the same spectra beside it. Good is within 1000 km/s of the pipeline.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.first_models import build
from core.jobs.inputs import load_inputs, load_labels, training_ids
from core.metrics import SPEED_OF_LIGHT_KMS, nmad
from core.models.registry import build as build_model
from core.services import ingesting
from core.spectroscopy.redshift import fit_redshift
from core.store import Workspace, arrays, labels, objects, open_workspace, truth
from core.training.session import Session

GOOD_KMS = 1000.0


def taught(ws: Workspace, model: str, seed: int) -> tuple[object, float, float]:
    """A model fitted to the labels of a mock sky, and the range of redshifts among them."""
    mark = labels.high_water(ws)
    ids = training_ids(ws, mark)
    known = load_labels(ws, ids, mark)
    fitted = build_model(model)
    fitted.fit(load_inputs(ws, ids, fitted.modalities), known, Session(seed))
    z = known.values_nt[:, known.targets.index("z")]
    return fitted, float(np.nanmin(z)), float(np.nanmax(z))


def real(folders: list[Path], into: Path) -> tuple[Workspace, pd.DataFrame]:
    """Real spectra with a trusted redshift: id, z, sn."""
    ws = open_workspace(into)
    ingesting.run_here(ws, folders, say=lambda line: None)
    table = truth.frame(ws).query("target == 'z'").rename(columns={"object_id": "id", "value": "z"})[["id", "z"]]
    return ws, table.merge(objects.frame(ws)[["id", "sn", "spectrum"]]).query("spectrum").reset_index(drop=True)


def row(name: str, z_pred: np.ndarray, sure: np.ndarray, z: np.ndarray, sn: np.ndarray) -> dict:
    """Shares in per cent; ``sure`` is the half of the galaxies that the model says it is surest of."""
    kms = SPEED_OF_LIGHT_KMS * (z_pred - z) / (1 + z)
    good, bright = np.abs(kms) < GOOD_KMS, sn > np.median(sn)
    return {"model": name, "galaxies": len(z), "within 1000 km/s %": 100 * good.mean(), "of the surer half %": 100 * good[sure].mean(),
            "of the brighter half %": 100 * good[bright].mean(), "NMAD of the good, km/s": nmad(kms[good]) if good.any() else np.nan}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--galaxies", type=int, default=3000)
    parser.add_argument("--labels", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--model", default="spectrum_cnn")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sky = build(Path(folder) / "sky", chosen.galaxies, chosen.labels)
        ws, table = real(chosen.folders, Path(folder) / "real")
        for seed in range(chosen.seeds):
            model, low, high = taught(sky, chosen.model, seed)
            asked = table[table["z"].between(low, high)]
            z, sn = asked["z"].to_numpy(float), asked["sn"].to_numpy(float)
            answer = model.predict(load_inputs(ws, asked["id"], model.modalities)).of("z")
            sigma = np.sqrt(answer[1] + answer[2])
            rows = [row(f"{chosen.model}, seed {seed}", answer[0], sigma <= np.median(sigma), z, sn)]
            if not seed:
                fits = [fit_redshift(spectrum) for spectrum in arrays.read(ws, "spectrum", asked["id"].to_numpy())[0]]
                confidence = np.array([f.confidence for f in fits])
                rows.append(row("template fit", np.array([f.z for f in fits]), confidence >= np.median(confidence), z, sn))
                print(f"{len(table)} real galaxies with a trusted redshift, {len(asked)} of them at z {low:.3f} to {high:.3f}")
            print(pd.DataFrame(rows).to_string(index=False, header=not seed, float_format=lambda v: f"{v:.4g}"))


if __name__ == "__main__":
    main()
