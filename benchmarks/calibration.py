"""Do calibrated intervals hold what they claim, and does novelty find what is no galaxy? Mock sky, and real photometric redshifts.

    python -m benchmarks.calibration [--galaxies 36000] [--labels 1500] [--models NAME ...] [--splits 50] [--table TABLE] [--out FILE.csv]

The mock sky: models are trained as the app does it, on galaxies that a catalogue labels at random. Intervals are measured on every
galaxy that no model has seen and nobody chose, of another sky group than any labelled one. TABLE is the CSV of `benchmarks.photometry`: `photometry_mlp` is fitted to a
third of its galaxies, and thirds of the r magnitude's error stand for S/N.

Columns, percent: galaxies measured and the sampling error of so few; `stated` as the model has it; `one stretch` for all galaxies; `by S/N`,
both with one calibration set (mock sky: the calibration split that the app uses); `mean` of as many random splits of
the unseen galaxies as asked for, and `worst` of them: a stretch from few galaxies is itself uncertain, whoever computes it.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from benchmarks.first_models import build
from benchmarks.photometry import read
from core import metrics
from core.jobs.evaluation import CALIBRATION_SPLIT, SN_NAMES, TOGETHER
from core.jobs.foreground import follow
from core.jobs.inputs import training_ids, wide
from core.models.prediction import Inputs, Labels
from core.models.registry import build as build_model
from core.store import Workspace, jobs, objects, runs, truth
from core.training.session import Session
from core.uncertainty.conformal import ALL, LEVELS, Stretches, calibrated

MODELS = ("photometry_mlp", "image_bayesian_cnn", "spectrum_cnn", "fusion_latent")
STATED = ("68", "95")
CALIBRATION_SHARE = 0.3
"""Of the unseen galaxies, in random splits: large enough for the stretch to be good to a point or two in each third."""
KINDS = ("star", "quasar", "artefact")


class Unseen:
    """Galaxies that a model has not seen, with what it says of them: truth, mean, sigma (n, T), sn (n,), targets."""

    def __init__(self, truth_nt: np.ndarray, mean_nt: np.ndarray, sigma_nt: np.ndarray, sn_n: np.ndarray, targets: tuple[str, ...]):
        self.said, self.sn_n, self.targets = (truth_nt, mean_nt, sigma_nt), sn_n, targets
        self.third_n = np.where(np.isfinite(sn_n), np.searchsorted(np.nanpercentile(sn_n, [100 / 3, 200 / 3]), sn_n), -1)

    def calibrated(self, rows: np.ndarray) -> Stretches:
        """What the galaxies at ``rows`` ask for."""
        return calibrated(*(a[rows] for a in self.said), self.sn_n[rows], self.targets, TOGETHER if set(TOGETHER) <= set(self.targets) else ())

    def held(self, stretches: Stretches, rows: np.ndarray) -> dict[tuple[str, str, str], float]:
        """(target or joint, third or all, level) -> share of the galaxies at ``rows`` inside the stretched interval."""
        found = {}
        for third, mask in {ALL: np.ones(len(rows), bool), **{name: self.third_n[rows] == k for k, name in enumerate(SN_NAMES)}}.items():
            here = rows[mask]
            for level in STATED:
                for target in self.targets:
                    found[target, third, level] = self._share([target], np.column_stack([stretches.half_width(target, level, self.sn_n[here])]), here)
                if stretches.together:
                    width_nj = np.column_stack([stretches.joint_half_width(t, level, self.sn_n[here]) for t in stretches.together])
                    found[stretches.joint_name, third, level] = self._share(stretches.together, width_nj, here)
        return found

    def _share(self, targets: list[str], width_nj: np.ndarray, rows: np.ndarray) -> float:
        at = [self.targets.index(t) for t in targets]
        truth_nj, mean_nj, sigma_nj = (a[np.ix_(rows, at)] for a in self.said)
        return metrics.joint_coverage(truth_nj, mean_nj, sigma_nj * width_nj)


def coverage(unseen: Unseen, first: np.ndarray, splits: int) -> pd.DataFrame:
    """One row for each target, third and level; ``first`` bool (n,): the galaxies of the calibration set that is looked at closely."""
    rows, rng = np.arange(len(unseen.sn_n)), np.random.default_rng(0)
    own, rest = unseen.calibrated(rows[first]), rows[~first]
    plain = Stretches(widths={t: {ALL: {"68": 1.0, "95": 2.0}} for t in unseen.targets})
    single = Stretches(widths={t: {ALL: bins[ALL]} for t, bins in own.widths.items()}, together=own.together)
    stated, one, by_sn = (unseen.held(s, rest) for s in (plain, single, own))
    drawn = []
    for _ in range(splits):
        order = rng.permutation(rows)
        half = int(CALIBRATION_SHARE * len(rows))
        drawn.append(unseen.held(unseen.calibrated(order[:half]), order[half:]))
    table = []
    for (target, third, level), share in by_sn.items():
        at = [unseen.targets.index(t) for t in target.split(" + ")]
        n = int((np.isfinite(unseen.said[0][np.ix_(rest, at)]).all(axis=1) & ((third == ALL) | (unseen.third_n[rest] == [*SN_NAMES, ALL].index(third)))).sum())
        each = np.array([d[target, third, level] for d in drawn])
        table.append({"target": target, "third": third, "level": level, "galaxies": n, "error": metrics.binomial_error(LEVELS[level], n), "stated": stated.get((target, third, level), np.nan),
                      "one stretch": one[target, third, level], "by S/N": share, "mean": each.mean(), "worst": each[np.abs(each - LEVELS[level]).argmax()]})
    return pd.DataFrame(table)


def mock_sky(ws: Workspace, model: str, splits: int) -> tuple[pd.DataFrame, dict]:
    """Train a model; what its intervals hold, and the area under the ROC curve of its novelty."""
    job = jobs.enqueue(ws, "train", f"train {model}", {"model": model, "config": {}, "seed": 0})
    ended = follow(ws, job, say=lambda line: None)
    if ended["status"] != "done":
        raise SystemExit(f"{model}: {ended['error']}")
    kept = runs.load_arrays(ws, runs.of_job(ws, job)["id"], "predictions")
    table = objects.frame(ws, kept["object_ids"])
    unseen = ~table["sky_group"].isin(table["sky_group"][table["id"].isin(training_ids(ws))]).to_numpy() & (table["class"] == "GALAXY").to_numpy()
    ids, columns = kept["object_ids"][unseen], [list(kept["targets"]).index(t) for t in TOGETHER]
    sigma = np.sqrt(kept["aleatoric"] + kept["epistemic"])
    known = wide(truth.frame(ws, ids), ids, TOGETHER)
    galaxies = Unseen(known, kept["mean"][np.ix_(unseen, columns)], sigma[np.ix_(unseen, columns)], table["sn"].to_numpy(float)[unseen], TOGETHER)
    found = coverage(galaxies, (table["split"] == CALIBRATION_SPLIT).to_numpy()[unseen], splits)
    return found.assign(model=model), {"model": model, **_areas(table, kept["novelty"], table["id"].isin(training_ids(ws)).to_numpy())}


def _areas(table: pd.DataFrame, novelty_n: np.ndarray, is_labelled_n: np.ndarray) -> dict:
    """Area under the ROC curve of each kind of contaminant against galaxies that are not labelled, and how many there are of them."""
    kind = np.array([json.loads(text)["true_kind"] for text in table["metadata"]])
    is_galaxy = np.isin(kind, ("galaxy", "repeat")) & ~is_labelled_n & np.isfinite(novelty_n)
    wanted = {**{k: kind == k for k in KINDS}, "all three": np.isin(kind, KINDS)}
    return {name: _area(novelty_n[is_galaxy], novelty_n[mask & np.isfinite(novelty_n)]) for name, mask in wanted.items()}


def _area(usual: np.ndarray, strange: np.ndarray) -> float:
    """Mann-Whitney: how often the strange one of a pair has the larger value."""
    if not len(strange):
        return float("nan")
    rank = rankdata(np.concatenate([strange, usual]))[: len(strange)]
    return float((rank.sum() - len(strange) * (len(strange) + 1) / 2) / (len(strange) * len(usual)))


def real_photometry(path: Path, splits: int) -> pd.DataFrame:
    """The same for photometric redshifts of real galaxies; an object that was observed twice stands on one side only."""
    table, x = read(path)
    z, group = table["z"].to_numpy(float), pd.factorize(table["objID"])[0]
    order = np.random.default_rng(0).permutation(group.max() + 1)[group] / (group.max() + 1)
    fitted, first = order < 1 / 3, order[order >= 1 / 3] < 5 / 9
    model = build_model("photometry_mlp")
    model.fit(_inputs(x[fitted]), Labels(z[fitted, None], np.full((fitted.sum(), 1), np.nan), np.ones(fitted.sum()), group[fitted], ("z",)), Session(0))
    said = model.predict(_inputs(x[~fitted]))
    unseen = Unseen(z[~fitted, None], said.mean, said.sigma, 1 / table["err_r"].where(table["err_r"] > 0).to_numpy(float)[~fitted], ("z",))
    return coverage(unseen, first, splits).assign(model="photometry_mlp, real")


def _inputs(x: np.ndarray) -> Inputs:
    return Inputs({"photometry": x}, {"photometry": np.ones(len(x), dtype=bool)})


def _told(table: pd.DataFrame) -> pd.DataFrame:
    """Print what was found of a model, as percentages; and hand it on."""
    shares = ["error", "stated", "one stretch", "by S/N", "mean", "worst"]
    shown = table[["model", "target", "third", "level", "galaxies", *shares]]
    print(shown.assign(**{c: 100 * table[c] for c in shares}).to_string(index=False, float_format=lambda v: f"{v:.1f}", na_rep=""), flush=True)
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--galaxies", type=int, default=36_000)
    parser.add_argument("--labels", type=int, default=1500)
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--splits", type=int, default=50)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    found, areas = [], []
    if chosen.models:
        with tempfile.TemporaryDirectory() as folder:
            ws = build(Path(folder) / "sky", chosen.galaxies, chosen.labels)
            for model in chosen.models:
                held, area = mock_sky(ws, model, chosen.splits)
                found.append(_told(held))
                areas.append(area)
    if chosen.table:
        found.append(_told(real_photometry(chosen.table, chosen.splits)))
    if areas:
        print("\nArea under the ROC curve of novelty, against galaxies\n" + pd.DataFrame(areas).to_string(index=False, float_format=lambda v: f"{v:.3f}", na_rep="nothing to read"))
    if chosen.out:
        pd.concat(found, ignore_index=True).to_csv(chosen.out, index=False)


if __name__ == "__main__":
    main()
