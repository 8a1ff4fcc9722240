"""What each way of being unsure costs and is worth: an image network on the mock sky, the same galaxies and labels for all.

    python -m benchmarks.heads [--galaxies 3500] [--labels 1500] [--seeds 2] [--threads 1] [--skip-ensemble]
    python -m benchmarks.heads --planted [--seeds 2]

The first prints for each kind of `uncertainty` the seconds of the fit, microseconds per galaxy of asking (median of rounds in turns, so that
a busy machine slows all alike), and on held-out galaxies CRPS, RMSE and the share inside one sigma. ``mc_dropout, whole`` is the
textbook's: all of the network in every one of 50 passes; ``mc_dropout`` is the app's, which computes what lies before the first dropout once.

The second plants noise of known size, which depends on brightness, in labels that are a colour, and prints by rank correlation how the
predicted noise (aleatoric), the ignorance (epistemic) and their ratio, which `bald` ranks by, follow it, for images and for photometry.
Where labels are noisy less is known of the function, too, so ignorance rises with the noise if less than it does: the ratio falls. How much of a
rise is right is said by the last row: the exact posterior of a Gaussian process that is told the noise, magnitude and colour.
"""

import argparse
import time
from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr

from benchmarks.throughput import Whole
from core import metrics
from core.columns import TARGET_NAMES
from core.data import mock_sky
from core.data.records import Chunk
from core.data.splits import sky_groups, split_of
from core.models.base import Model
from core.models.networks.image import ImageBayesianCNN
from core.models.options import OPTIONS
from core.models.prediction import Inputs, Labels
from core.models.registry import build
from core.preprocess import image, photometry
from core.preprocess.photometry import COLUMNS
from core.training.machine import settled
from core.training.network import Network
from core.training.session import Session
from core.training.standard import Standard

SHOWN = ("z", "sfr_tot_median")
ROUNDS = 5
FOLLOWED = ("aleatoric follows", "epistemic follows", "their ratio follows", "sigma/planted")
PLANTED = (0.1, 1.0)
"""Smallest and largest planted sigma, in units of the colour's spread."""
MAGNITUDE, COLOUR = COLUMNS.index("r"), COLUMNS.index("g-r")
"""Columns of photometry's model input: what the planted noise depends on, and what is labelled."""


class WholeModel(ImageBayesianCNN):
    """`image_bayesian_cnn` whose every pass runs all of the network."""

    def _network(self, standard: Standard) -> Network:
        return Whole(standard, dropout=self._dropout, members=self.kind.heads, everywhere=self.kind.passes > 0)


def galaxies(n: int) -> tuple[Inputs, Labels]:
    """Images and photometry of a mock sky's galaxies that have both and all nine catalogue values."""
    parts = [_part(chunk) for chunk in mock_sky.simulate(n, seed=0, workers=None)]
    images, rows, values, sigma, group = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
    present = np.ones(len(group), dtype=bool)
    inputs = Inputs({"image": images, "photometry": rows}, {"image": present, "photometry": present})
    return inputs, Labels(values, sigma, np.ones(len(group)), group, TARGET_NAMES)


def _part(chunk: Chunk) -> tuple[np.ndarray, ...]:
    table, known = chunk.objects, chunk.truth[chunk.truth["target"].isin(TARGET_NAMES)]
    values, sigma = np.full((2, len(table), len(TARGET_NAMES)), np.nan)
    at = known["row"].to_numpy(int), known["target"].map(TARGET_NAMES.index).to_numpy(int)
    values[at], sigma[at] = known["value"], known["sigma"]
    place = [dict(zip(chunk.arrays[m][0].tolist(), range(len(table)), strict=False)) for m in ("image", "photometry")]
    use = [i for i in np.flatnonzero(np.isfinite(values).all(axis=1)) if all(i in p for p in place)]
    stamps, magnitudes = (chunk.arrays[m][1][[p[i] for i in use]] for m, p in zip(("image", "photometry"), place, strict=True))
    group = sky_groups(table["key"].tolist(), table["ra"].to_numpy(float), table["dec"].to_numpy(float))
    images = image.model_input(stamps, table["ebv"].to_numpy(float)[use]).astype(np.float16)
    return images, photometry.model_input(magnitudes), values[use], sigma[use], group[use]


def drawn(labels: Labels, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of ``count`` galaxies of the train split, another draw for each seed, and of the test split."""
    split = split_of(labels.group_n)
    return np.random.default_rng(seed).permutation(np.flatnonzero(split == "train"))[:count], np.flatnonzero(split == "test")


def fitted(name: str, word: str, inputs: Inputs, labels: Labels, seed: int, threads: int) -> tuple[Model, float]:
    """A model that is unsure in a certain way, and the seconds of its fit."""
    model, started = build(name, {"uncertainty": word}), time.perf_counter()
    model.fit(inputs, labels, Session(seed, threads))
    return model, time.perf_counter() - started


def whole(model: ImageBayesianCNN) -> WholeModel:
    """The same fitted model, asked as a textbook does."""
    made = WholeModel(0, 64, 3e-3, 0.1, model.kind.word, model.kind.members)
    made.load_state(model.state())
    return made


def seconds(ask: Callable[[], object]) -> float:
    started = time.perf_counter()
    ask()
    return time.perf_counter() - started


def scores(model: Model, inputs: Inputs, labels: Labels) -> dict[str, float]:
    """CRPS, RMSE and coverage of each target shown, and the median ignorance over the total sigma."""
    said, out = model.predict(inputs), {}
    for target in SHOWN:
        truth, (mean, _, epistemic), sigma = labels.values_nt[:, TARGET_NAMES.index(target)], said.of(target), said.sigma[:, said.targets.index(target)]
        out |= {f"{target} CRPS": metrics.crps_gaussian(truth, mean, sigma).mean(), f"{target} RMSE": metrics.rmse(truth, mean),
                f"{target} in 1 sigma": metrics.coverage(truth, mean, sigma), f"{target} ignorance/sigma": np.median(np.sqrt(epistemic) / sigma)}
    return out


def compared(inputs: Inputs, labels: Labels, count: int, seed: int, threads: int, words: list[str]) -> list[dict]:
    """A row for each kind of one seed; asking is timed in turns."""
    fit, test = drawn(labels, count, seed)
    models = {word: fitted("image_bayesian_cnn", word, inputs[fit], labels[fit], seed, threads) for word in words}
    models["mc_dropout, whole"] = whole(models["mc_dropout"][0]), models["mc_dropout"][1]
    with settled(0, threads):
        rounds = [{name: seconds(lambda model=model: model.predict(inputs[test])) for name, (model, _) in models.items()} for _ in range(ROUNDS)]
    asking = pd.DataFrame(rounds).median() / len(test) * 1e6
    told = {name: scores(model, inputs[test], labels[test]) for name, (model, _) in models.items()}
    return [{"uncertainty": name, "fit s": spent, "asking us": asking[name]} | told[name] for name, (_, spent) in models.items()]


def planted(inputs: Inputs, labels: Labels, count: int, seed: int, threads: int) -> list[dict]:
    """How the predicted variances follow planted noise, a row for each model and kind.

    The label is a colour, which images and photometry tell exactly. The noise depends on brightness, growing with it in one fit and falling
    in another, and correlations are the mean of both: so what brightness does to ignorance by itself, faint galaxies being many, cancels.
    """
    magnitude, colour = inputs.arrays["photometry"][:, MAGNITUDE], inputs.arrays["photometry"][:, COLOUR]
    share = np.argsort(np.argsort(magnitude)) / len(magnitude)
    (fit, test), rows = drawn(labels, count, seed), []
    for name, word in product(("image_bayesian_cnn", "photometry_mlp"), ("heads", "last_layer")):
        found = []
        for rank in (share, 1 - share):
            sigma = _planted_sigma(rank)
            values = colour + sigma * np.random.default_rng([seed, 1]).standard_normal(len(sigma))
            noisy = Labels(values[:, None], np.full((len(values), 1), np.nan), labels.weight_n, labels.group_n, ("colour",))
            _, aleatoric, epistemic = fitted(name, word, inputs[fit], noisy[fit], seed, threads)[0].predict(inputs[test]).of("colour")
            found.append(_followed(aleatoric, epistemic, sigma[test]))
        rows.append({"model": name, "uncertainty": word} | dict(zip(FOLLOWED, np.mean(found, axis=0), strict=True)))
    exact = [_followed(sigma[test] ** 2, exact_ignorance(np.column_stack([magnitude, colour]), sigma, fit, test), sigma[test]) for sigma in map(_planted_sigma, (share, 1 - share))]
    return [*rows, {"model": "exact posterior", "uncertainty": "noise is told"} | dict(zip(FOLLOWED, np.mean(exact, axis=0), strict=True))]


def _followed(aleatoric_n: np.ndarray, epistemic_n: np.ndarray, sigma_n: np.ndarray) -> list[float]:
    """What `FOLLOWED` names, of variances where noise of ``sigma_n`` was planted."""
    return [*(spearmanr(variance_n, sigma_n).statistic for variance_n in (aleatoric_n, epistemic_n, epistemic_n / aleatoric_n)), np.median(np.sqrt(aleatoric_n) / sigma_n)]


def _planted_sigma(rank_n: np.ndarray) -> np.ndarray:
    """Sigma of the noise (n,), in the colour's unit, for ranks from 0 to 1."""
    return PLANTED[0] * (PLANTED[1] / PLANTED[0]) ** rank_n


def exact_ignorance(points_nd: np.ndarray, sigma_n: np.ndarray, fit: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Variance (t,) that is left of a function by the labels of ``fit``, by a Gaussian process with a squared-exponential kernel of one spread
    of each column that knows each label's noise (Rasmussen & Williams 2006, eq. 2.26); in units of its variance before any label.
    """
    points_nd = (points_nd - points_nd.mean(axis=0)) / points_nd.std(axis=0)
    near = lambda a, b: np.exp(-cdist(points_nd[a], points_nd[b], "sqeuclidean") / 2)  # noqa: E731
    known, between = near(fit, fit) + np.diag(sigma_n[fit] ** 2 / points_nd[:, -1].var()), near(fit, test)
    return 1 - (between * cho_solve(cho_factor(known), between)).sum(axis=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--galaxies", type=int, default=3500)
    parser.add_argument("--labels", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--skip-ensemble", action="store_true", help="it takes as long to fit as all others together")
    parser.add_argument("--planted", action="store_true")
    chosen = parser.parse_args()
    inputs, labels = galaxies(chosen.galaxies)
    words = [word for word in OPTIONS["uncertainty"] if not (chosen.skip_ensemble and word == "ensemble")]
    each = (planted if chosen.planted else lambda *given: compared(*given, words))
    table = pd.DataFrame([row for seed in range(chosen.seeds) for row in each(inputs, labels, chosen.labels, seed, chosen.threads)])
    names = ["model", "uncertainty"] if chosen.planted else ["uncertainty"]
    table = table.groupby(names, sort=False).mean()
    if not chosen.planted:
        table.insert(2, "times heads", table["asking us"] / table.loc["heads", "asking us"])
    print(f"{chosen.labels} labels, {chosen.seeds} seeds, {chosen.threads} threads\n{table.to_string(float_format=lambda v: f'{v:.4g}')}")


if __name__ == "__main__":
    main()
