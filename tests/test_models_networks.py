"""What each network answers, and why it should be believed."""

import numpy as np
import pytest
import torch

from core.columns import TARGET_NAMES
from core.models.networks.image import Apertures, BayesianCNN, turned
from core.models.networks.photometry import Perceptrons, PhotometryMLP
from core.models.networks.spectrum import BIN, Lines, MatchedFilter, SpectrumCNN, Templates, _conjugate_product
from core.models.prediction import Inputs, Labels
from core.models.registry import build
from core.preprocess import image, photometry, spectrum
from core.training.losses import variance
from core.training.machine import settled
from core.training.session import Session
from core.training.standard import standard_of


def labels_of(values_nt: np.ndarray, targets: tuple[str, ...] = TARGET_NAMES) -> Labels:
    n = len(values_nt)
    return Labels(values_nt, np.full(values_nt.shape, np.nan), np.ones(n), np.arange(n), targets)


def magnitudes(n: int, seed: int = 0) -> tuple[Inputs, Labels]:
    """Galaxies whose redshift is a smooth function of their colours, known to 0.002."""
    rng = np.random.default_rng(seed)
    mag = np.array([19.2, 17.8, 17.0, 16.6, 16.3]) + rng.normal(0, 0.4, (n, 5))
    z = 0.1 + 0.04 * np.tanh(mag[:, 1] - mag[:, 2] - 0.8) + 0.02 * np.tanh(mag[:, 0] - mag[:, 1] - 1.4) + rng.normal(0, 0.002, n)
    inputs = Inputs({"photometry": photometry.model_input(np.stack([mag, np.full((n, 5), 0.02)], axis=1))}, {"photometry": np.ones(n, bool)})
    return inputs, labels_of(z[:, None], ("z",))


def emission_spectra(z: np.ndarray, rng: np.random.Generator, noise: float = 1.0) -> np.ndarray:
    """Model inputs of spectra with five emission lines on a flat continuum, noise of 1 a pixel."""
    loglam, flux = spectrum.LOGLAM, np.full((len(z), 4620), 5.0)
    for wave, height in ((3728.5, 6), (4862.68, 3), (5008.24, 6), (6564.61, 9), (6718.3, 2)):
        flux += height * np.exp(-0.5 * ((loglam - np.log10(wave * (1 + z))[:, None]) / 1.2e-4) ** 2)
    flux += noise * rng.standard_normal(flux.shape)
    return spectrum.model_input(np.stack([flux, np.full_like(flux, noise**-2)], axis=1), np.zeros(len(z)))


def test_photometry_mlp_learns_a_smooth_relation_and_knows_its_noise():
    inputs, labels = magnitudes(1200)
    model = PhotometryMLP(40, 128, 4e-3, 48, "ensemble", 4)
    model.fit(inputs[:800], labels[:800], Session(seed=1, threads=1))
    p = model.predict(inputs[800:])
    error = p.mean[:, 0] - labels.values_nt[800:, 0]
    assert np.sqrt(np.mean(error**2)) < 0.0045 < np.std(labels.values_nt)
    assert 0.5 < np.mean(np.abs(error) < p.sigma[:, 0]) < 0.9
    assert p.samples_mnt.shape == (4, 400, 1)
    assert p.epistemic[:, 0] == pytest.approx(p.samples_mnt[:, :, 0].var(axis=0))


def test_photometry_mlp_is_less_sure_where_it_has_seen_nothing():
    inputs, labels = magnitudes(600)
    model = PhotometryMLP(30, 128, 4e-3, 48, "ensemble", 6)
    model.fit(inputs, labels, Session(seed=1, threads=1))
    far = Inputs({"photometry": inputs.arrays["photometry"] + 4}, inputs.present)
    assert np.median(model.predict(far).epistemic) > 5 * np.median(model.predict(inputs).epistemic)


def test_members_of_an_ensemble_do_not_share_weights():
    standard = standard_of(magnitudes(50)[1])
    with settled(0):
        network = Perceptrons(standard, members=3, hidden=8)
    before = network({"x": torch.ones(2, 19)}).mean_mbt.detach().clone()
    with torch.no_grad():
        network.layers[0].weight[1] += 1
    changed = (network({"x": torch.ones(2, 19)}).mean_mbt - before).abs().amax(dim=(1, 2))
    assert changed[0] == changed[2] == 0 and changed[1] > 0


def test_matched_filter_scores_are_cross_correlations():
    torch.manual_seed(0)
    templates = Templates(channels=2, shifts=5, members=1, kinds=1)
    features = torch.randn(1, 2, spectrum.LOGLAM.size // 2)
    log_p = templates(features)[0, 0]
    rest = templates.rest_kcl[0]
    expected = torch.stack([(features[0] * rest[:, 4 - s : 4 - s + features.shape[2]]).sum() for s in range(5)]).log_softmax(0)
    assert log_p.detach().numpy() == pytest.approx(expected.detach().numpy(), abs=1e-4)


def test_real_matrix_product_is_the_complex_one():
    torch.manual_seed(0)
    a, b = torch.randn(3, 2, 7, dtype=torch.complex64), torch.randn(4, 2, 7, dtype=torch.complex64)
    assert torch.allclose(_conjugate_product(a, b), torch.einsum("bcf,kcf->bkf", a.conj(), b), atol=1e-5)


@pytest.fixture(scope="module")
def spectral() -> tuple[SpectrumCNN, np.ndarray, Inputs]:
    """A spectrum_cnn fitted to 96 galaxies with z from 0.02 to 0.1, and 60 more that it has not seen."""
    rng = np.random.default_rng(2)
    z = rng.uniform(0.02, 0.1, 156)
    inputs = Inputs({"spectrum": emission_spectra(z, rng)}, {"spectrum": np.ones(156, bool)})
    values = np.full((156, 9), np.nan)
    values[:, 0], values[:, 3] = z, 2 * np.log10(z)
    model = SpectrumCNN(40, 16, 5e-3, "heads", 2)
    model.fit(inputs[:96], labels_of(values[:96]), Session(seed=0, threads=1))
    return model, z[96:], inputs[96:]


def test_spectrum_cnn_finds_redshifts_inside_the_bin(spectral):
    model, z, inputs = spectral
    delta = (model.predict(inputs).mean[:, 0] - z) / (1 + z)
    assert np.mean(np.abs(delta) < 1000 / 299792) > 0.85
    assert 1.4826 * np.median(np.abs(delta)) < 0.6 * BIN * np.log(10)


def test_spectrum_cnn_is_unsure_of_a_redshift_that_noise_hides(spectral):
    model, z, inputs = spectral
    noisy = emission_spectra(z, np.random.default_rng(3), noise=40.0)
    hidden = model.predict(Inputs({"spectrum": noisy}, inputs.present))
    assert np.median(hidden.sigma[:, 0]) > 2 * np.median(model.predict(inputs).sigma[:, 0])


def test_spectrum_cnn_moves_its_redshift_with_the_spectrum(spectral):
    model, z, inputs = spectral
    shifted = np.roll(inputs.arrays["spectrum"], 30, axis=2)
    before, after = (model.predict(Inputs({"spectrum": a}, inputs.present)).mean[:, 0] for a in (inputs.arrays["spectrum"], shifted))
    right = np.abs(before - z) < 1e-3
    step = (np.log10(1 + after) - np.log10(1 + before))[right]
    assert np.median(step) == pytest.approx(30e-4, abs=2e-5)


def test_lines_measures_the_flux_that_was_put_in():
    length, first = 2310, float(spectrum.LOGLAM[0]) + 5e-5
    wave = 10 ** (first + BIN * np.arange(length))
    flux = 2 + 50 / (4 * np.sqrt(2 * np.pi)) * np.exp(-0.5 * ((wave - 6564.614) / 4) ** 2)
    lines = Lines(first, length).eval()
    found = lines(torch.tensor(flux[None], dtype=torch.float32), torch.ones(1, length), torch.zeros(1, 1))
    halpha = 2.0 * np.sinh(float(found[0, 3]))
    assert halpha == pytest.approx(50, rel=0.03)


def test_apertures_sum_the_light_inside_circles():
    stamp = np.zeros((1, 5, 64, 64))
    stamp[:, :, 31:33, 31:33] = 0.25
    found = Apertures()(torch.from_numpy(image.model_input(stamp, np.zeros(1)))).numpy().reshape(5, 5)
    assert found[0] == pytest.approx(np.arcsinh(1.0), rel=1e-3)
    assert found[1:] == pytest.approx(0, abs=1e-5)


def test_turned_images_are_the_eight_symmetries_of_the_square():
    stamp = torch.arange(18.0).reshape(1, 2, 3, 3)
    seen = {tuple(t.flatten().tolist()) for t in turned(stamp.repeat(8, 1, 1, 1))}
    assert len(seen) == 8
    assert all(sorted(t[:9]) == list(range(9)) for t in seen)


def test_turned_images_keep_their_memory_format():
    images = torch.rand(16, 5, 8, 8).to(memory_format=torch.channels_last)
    assert turned(images).is_contiguous(memory_format=torch.channels_last)


@pytest.fixture(scope="module")
def bright() -> tuple[Inputs, Labels]:
    """Forty stamps whose brightness says the redshift."""
    rng = np.random.default_rng(0)
    z = rng.uniform(0.02, 0.3, 40)
    profile = np.exp(-((np.indices((64, 64)) - 31.5) ** 2).sum(0) / 30)
    stamps = (0.1 / z)[:, None, None, None] * profile + rng.normal(0, 0.02, (40, 5, 64, 64))
    return Inputs({"image": image.model_input(stamps, np.zeros(40))}, {"image": np.ones(40, bool)}), labels_of(z[:, None], ("z",))


def test_image_network_has_the_size_it_should():
    network = BayesianCNN(standard_of(labels_of(np.zeros((2, 9)))))
    assert 250_000 < sum(p.numel() for p in network.parameters()) < 350_000


def test_image_cnn_fits_a_small_set_and_its_dropout_says_what_it_does_not_know(bright):
    inputs, labels = bright
    model = build("image_bayesian_cnn", {"epochs": 25, "uncertainty": "mc_dropout", "members": 6})
    model.fit(inputs, labels, Session(seed=0, threads=1))
    p = model.predict(inputs, np.random.default_rng(1))
    assert np.corrcoef(p.mean[:, 0], labels.values_nt[:, 0])[0, 1] > 0.8
    assert (p.epistemic > 0).all()
    assert p.samples_mnt.shape == (6, 40, 1)
    assert not np.array_equal(p.mean, model.predict(inputs, np.random.default_rng(2)).mean)


def test_image_network_without_dropout_has_one_opinion(bright):
    inputs, labels = bright
    model = build("image_bayesian_cnn", {"epochs": 1, "dropout": 0.0, "uncertainty": "mc_dropout", "members": 3})
    model.fit(inputs, labels, Session(seed=0, threads=1))
    assert model.predict(inputs).epistemic.max() < 1e-12


def test_network_answers_a_galaxy_it_cannot_see_with_the_labels_mean(bright):
    inputs, labels = bright
    model = build("image_bayesian_cnn", {"epochs": 1})
    model.fit(inputs, labels, Session(seed=0, threads=1))
    gone = Inputs(inputs.arrays, {"image": np.arange(40) > 0})
    p = model.predict(gone)
    assert p.mean[0, 0] == pytest.approx(labels.values_nt.mean())
    assert p.sigma[0, 0] >= labels.values_nt.std()


def test_stated_noise_of_labels_is_part_of_the_predicted_variance():
    inputs, labels = magnitudes(40)
    noisy = Labels(labels.values_nt, np.full((40, 1), 0.05), labels.weight_n, labels.group_n, ("z",))
    standard = standard_of(noisy)
    network = Perceptrons(standard, 1, 8)
    outputs = network({"x": torch.from_numpy(inputs.arrays["photometry"])})
    extra = variance(network, outputs) - outputs.logvar_mbt.exp()
    expected = (0.5 * 0.05 / standard.scale_t[0]) ** 2
    assert float(extra.detach().mean()) == pytest.approx(expected, rel=0.5)


def test_matched_filter_without_labelled_redshifts_leaves_the_spectrum_where_it_is():
    values = np.full((4, 9), np.nan)
    values[:, 3] = np.arange(4)
    with settled(0):
        network = MatchedFilter(standard_of(labels_of(values)), members=1)
    assert network.shifts == 1 and network.own_targets == ()
    assert network(network.prepare(torch.zeros(2, 2, 4620))).mean_mbt.shape == (1, 2, 9)


def distribution(network: MatchedFilter, z: float, width: float, elsewhere: float) -> torch.Tensor:
    """log p of one galaxy: a Gaussian of so many bins around z, and a share of the probability at the grid's end."""
    place = (np.log10(1 + z) - network.first) / BIN
    peak = np.exp(-0.5 * ((np.arange(network.shifts) - place) / width) ** 2)
    p = (1 - elsewhere) * peak / peak.sum()
    p[-1] += elsewhere
    return torch.from_numpy(p + 1e-30).log().float()[None, None]


@pytest.mark.parametrize(("elsewhere", "factor"), [(0.0, 1.0), (0.05, 1.0768), (0.2, 1.4492)])
def test_redshift_is_as_sharp_as_its_peak_while_that_holds_68_percent(elsewhere, factor):
    with settled(0):
        network = MatchedFilter(standard_of(labels_of(np.linspace(0.02, 0.4, 9)[:, None], ("z",))), members=1)
    mean, logvar = network.redshift(distribution(network, 0.1, 1.0, elsewhere))
    assert float(mean) * network._scale + network._centre == pytest.approx(0.1, abs=2e-5)
    part = (np.log10(1.1) - network.first) / BIN % 1
    core = BIN * np.log(10) * 1.1 * np.sqrt(1 - part * (1 - part))
    assert float(logvar.exp().sqrt()) * network._scale == pytest.approx(factor * core, rel=0.03)


def test_redshift_with_two_answers_is_as_wide_as_both():
    with settled(0):
        network = MatchedFilter(standard_of(labels_of(np.linspace(0.02, 0.4, 9)[:, None], ("z",))), members=1)
    _, logvar = network.redshift(distribution(network, 0.1, 0.5, 0.4))
    end = float(10 ** network.loglam1z_s[-1] - 1)
    expected = np.sqrt(0.4) * (end - 0.1)
    assert float(logvar.exp().sqrt()) * network._scale == pytest.approx(expected, rel=0.01)
