"""The fully connected networks: what is in their row of numbers, and what stands for what is missing."""

import numpy as np
import pytest
import torch

from core.columns import MODALITIES, TARGET_NAMES
from core.models.networks.early import IMAGE_SIDE, LOUDNESS, EarlyFusion, Raw
from core.models.networks.spectrum_mlp import LEVEL_SCALE, SIGNIFICANCE_LIMIT, SIGNIFICANCE_SCALE, SamplesMLP, samples
from core.models.prediction import Inputs, Labels
from core.models.registry import build
from core.preprocess import photometry
from core.training.loop import prepared
from core.training.machine import Machine, settled
from core.training.session import Session
from core.training.standard import standard_of

N = 12


def labels_of(values_nt: np.ndarray, targets: tuple[str, ...] = TARGET_NAMES) -> Labels:
    n = len(values_nt)
    return Labels(values_nt, np.full(values_nt.shape, np.nan), np.ones(n), np.arange(n), targets)


@pytest.fixture(scope="module")
def net() -> EarlyFusion:
    with settled(0):
        made = EarlyFusion(standard_of(labels_of(np.random.default_rng(0).standard_normal((N, 9)))))
        for token in made.missing.values():
            torch.nn.init.normal_(token)
    return made.eval()


@pytest.fixture(scope="module")
def batch(net) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(0)
    arrays = {"image": rng.standard_normal((N, 5, 64, 64)), "spectrum": rng.standard_normal((N, 2, 4620)), "photometry": rng.standard_normal((N, 19))}
    has = {f"has/{m}": np.arange(N) % 3 != i for i, m in enumerate(MODALITIES)}
    return prepared(net, {m: a.astype(np.float32) for m, a in arrays.items()} | has, Machine())


def test_row_of_a_spectrum_holds_every_sample_of_both_channels():
    inputs = torch.zeros(1, 2, 4620)
    inputs[0, 0, 7], inputs[0, 1, 9] = 99.0, 4.5
    row = samples(inputs)[0]
    assert row.shape == (9240,)
    assert float(row[7]) == pytest.approx(SIGNIFICANCE_LIMIT / SIGNIFICANCE_SCALE)
    assert float(row[4620 + 9]) == pytest.approx(4.5 / LEVEL_SCALE)


def test_row_of_an_image_is_its_mean_in_squares():
    image = torch.zeros(1, 5, 64, 64)
    image[0, 2, :8, 8:16] = 1.0
    raw = Raw("image")
    row = raw.prepare(image)["x"].flatten(1)[0] / LOUDNESS["image"]
    assert len(row) == raw.hidden and torch.nonzero(row)[:, 0].tolist() == [2 * IMAGE_SIDE**2 + 1]
    assert float(row.sum()) == pytest.approx(1.0)


@torch.no_grad()
@pytest.mark.parametrize("modality", MODALITIES)
def test_missing_modality_is_a_learned_row_and_a_flag(net, batch, modality):
    other = batch | {f"{modality}/x": batch[f"{modality}/x"] + 5 * (batch[f"has/{modality}"] == 0).reshape(-1, *[1] * (batch[f"{modality}/x"].dim() - 1))}
    assert torch.equal(net(batch).mean_mbt, net(other).mean_mbt)
    gone = batch | {f"has/{modality}": torch.zeros(N)}
    assert torch.equal(net(gone).mean_mbt, net(batch, without=(modality,)).mean_mbt)
    as_token = gone | {f"{modality}/x": net.missing[modality].expand(N, -1).reshape(batch[f"{modality}/x"].shape), f"has/{modality}": torch.ones(N)}
    assert not torch.allclose(net(gone).mean_mbt, net(as_token).mean_mbt, atol=1e-5)


def test_members_of_the_fully_connected_network_share_the_first_layers_alone():
    with settled(0):
        made = SamplesMLP(standard_of(labels_of(np.random.default_rng(0).standard_normal((N, 9)))), members=3, hidden=8)
    made.eval()
    with torch.no_grad():
        before = made({"x": torch.ones(2, 9240)}).mean_mbt.clone()
        made.dense.mix_mdh[1] += 1
        changed = (made({"x": torch.ones(2, 9240)}).mean_mbt - before).abs().amax(dim=(1, 2))
    assert changed[0] == changed[2] == 0 and changed[1] > 0


@pytest.fixture(scope="module")
def coloured() -> tuple[Inputs, Labels]:
    """Redshifts that image, spectrum and photometry tell alike, by their brightness, each with noise of its own; the image least."""
    rng = np.random.default_rng(1)
    z = rng.uniform(0.02, 0.2, 360)
    bright = (z - 0.11) / 0.05
    told = lambda noise: (bright + noise * rng.standard_normal(len(z))).astype(np.float32)  # noqa: E731
    arrays = {
        "image": told(0.5)[:, None, None, None] * np.ones((1, 5, 64, 64), np.float16),
        "spectrum": told(0.2)[:, None, None] * np.ones((1, 2, 4620), np.float16),
        "photometry": told(0.2)[:, None] * np.ones((1, len(photometry.COLUMNS)), np.float32),
    }
    return Inputs(arrays, {m: np.ones(len(z), bool) for m in MODALITIES}), labels_of(z[:, None], ("z",))


@pytest.fixture(scope="module")
def early(coloured):
    inputs, labels = coloured
    model = build("fusion_early", {"epochs": 25, "hidden": 32})
    model.fit(inputs[:240], labels[:240], Session(seed=0, threads=1))
    return model


def error_of(model, inputs: Inputs, labels: Labels, has: tuple[str, ...] = MODALITIES) -> float:
    seen = Inputs(inputs.arrays, {m: np.full(len(inputs), m in has) for m in MODALITIES})
    return float(np.sqrt(np.mean((model.predict(seen).mean[:, 0] - labels.values_nt[:, 0]) ** 2)))


def test_early_fusion_learns_and_all_it_has_is_better_than_some(early, coloured):
    inputs, labels = coloured[0][240:], coloured[1][240:]
    together = error_of(early, inputs, labels)
    assert together < 0.3 * labels.values_nt.std()
    assert together < error_of(early, inputs, labels, ("image",))


def test_early_fusion_without_the_image_is_no_worse_than_a_network_of_photometry(early, coloured):
    inputs, labels = coloured
    alone = build("photometry_mlp", {"epochs": 60})
    alone.fit(inputs[:240], labels[:240], Session(seed=0, threads=1))
    single = error_of(alone, inputs[240:], labels[240:], ("photometry",))
    assert error_of(early, inputs[240:], labels[240:], ("spectrum", "photometry")) < 1.15 * single


def test_spectrum_mlp_learns_what_brightness_says(coloured):
    inputs, labels = coloured
    model = build("spectrum_mlp", {"epochs": 20, "hidden": 32})
    model.fit(inputs[:240], labels[:240], Session(seed=0, threads=1))
    assert error_of(model, inputs[240:], labels[240:], ("spectrum",)) < 0.5 * labels.values_nt.std()
