"""Latent fusion: what each stream sends, what stands for what is missing, and how the redshift is answered."""

import numpy as np
import pytest
import torch

from core.columns import MODALITIES, TARGET_NAMES
from core.errors import BadInput, Cancelled
from core.models.networks.latent import Expectation, LatentFusion
from core.models.networks.streams import Join
from core.models.prediction import Inputs, Labels
from core.models.registry import build
from core.training.loop import prepared, targets_of
from core.training.losses import per_galaxy, stream_losses, variance
from core.training.machine import Machine, settled
from core.training.session import Session
from core.training.standard import standard_of

N = 24


def galaxies(n: int = N, seed: int = 0) -> tuple[Inputs, Labels]:
    """Random inputs of no meaning; every third galaxy lacks its image, the second its photometry."""
    rng = np.random.default_rng(seed)
    arrays = {
        "image": rng.standard_normal((n, 5, 64, 64)).astype(np.float16),
        "spectrum": rng.standard_normal((n, 2, 4620)).astype(np.float16),
        "photometry": rng.standard_normal((n, 19)).astype(np.float32),
    }
    present = {"image": np.arange(n) % 3 > 0, "spectrum": np.ones(n, bool), "photometry": np.arange(n) != 1}
    values = rng.uniform(0.02, 0.1, (n, 9))
    return Inputs(arrays, present), Labels(values, np.full_like(values, np.nan), np.ones(n), np.arange(n), TARGET_NAMES)


def network(join: str = "gated", **settings) -> LatentFusion:
    with settled(0):
        made = LatentFusion(standard_of(galaxies()[1]), join, **settings)
        for token in made.missing.values():
            torch.nn.init.normal_(token)
    return made.eval()


def batch_of(net: LatentFusion, inputs: Inputs) -> dict[str, torch.Tensor]:
    return prepared(net, {**inputs.arrays, **{f"has/{m}": inputs.present[m] for m in inputs.arrays}}, Machine())


@pytest.fixture(scope="module")
def net() -> LatentFusion:
    return network()


@pytest.fixture(scope="module")
def batch(net) -> dict[str, torch.Tensor]:
    return batch_of(net, galaxies()[0])


@torch.no_grad()
@pytest.mark.parametrize("modality", MODALITIES)
def test_leaving_a_modality_out_is_the_same_as_nobody_having_it(net, batch, modality):
    gone = batch | {f"has/{modality}": torch.zeros(N)}
    assert torch.equal(net(batch, without=(modality,)).mean_mbt, net(gone).mean_mbt)
    assert modality not in net(gone).own


@torch.no_grad()
def test_answer_does_not_depend_on_what_a_missing_modality_holds(net, batch):
    other = batch | {"image/x": torch.where(batch["has/image"][:, None, None, None] > 0, batch["image/x"], 9.0)}
    assert torch.equal(net(batch).mean_mbt, net(other).mean_mbt)
    missing = batch["has/image"] == 0
    assert net.messages(batch, (), ())[0]["image"][missing][0].tolist() == net.missing["image"].tolist()


@torch.no_grad()
def test_held_stream_sends_its_mean_to_who_has_it(net, batch):
    net.mean_photometry.fill_(0.25)
    sent = net.messages(batch, (), ("photometry",))[0]["photometry"]
    assert sent[0].tolist() == [0.25] * 96
    assert sent[1].tolist() == net.missing["photometry"].tolist()


def test_running_mean_follows_what_is_sent_while_fitting():
    net = network().train()
    inputs, _ = galaxies()
    batch = batch_of(net, inputs)
    before = net.mean_photometry.clone()
    sent = net.look("photometry", {"x": batch["photometry/x"][batch["has/photometry"] > 0]})[0].mean(dim=0)
    net(batch)
    assert torch.allclose(net.mean_photometry, before + 0.05 * (sent - before), atol=1e-6)


def test_modality_dropout_leaves_every_galaxy_something():
    net = network(modality_dropout=0.9).train()
    torch.manual_seed(0)
    shown = net._shown({f"has/{m}": torch.ones(2000) for m in MODALITIES}, ())
    total = sum(shown.values())
    assert float(total.min()) == 1
    assert float((total == 1).float().mean()) == pytest.approx(3 * 0.1 * 0.81, abs=0.03)
    assert float((total == 3).float().mean()) == pytest.approx(0.729 + 0.001, abs=0.03)


def test_streams_are_judged_by_what_they_say_of_the_galaxies_they_see(net, batch):
    labels = galaxies()[1]
    standard = standard_of(labels)
    targets = targets_of(labels, standard, np.ones((4, N)), Machine())
    weight = torch.from_numpy(standard.weight_t).float()
    outputs = net(batch)
    own = stream_losses(net, outputs, targets, weight, 0.5, False)
    assert list(own) == list(MODALITIES)
    seen = torch.nonzero(batch["has/image"])[:, 0]
    image = per_galaxy(net.streams["image"], outputs.own["image"][1], targets.at(seen), weight, 0.5, False)
    assert float(own["image"].detach()) == pytest.approx(float(image.sum(dim=1).mean().detach()) / N, rel=1e-5)


@pytest.mark.parametrize("probing", [False, True])
def test_probing_streams_do_not_steer_what_they_read(batch, probing):
    net = network()
    net.probing = probing
    rows, said = net(batch).own["image"]
    said.mean_mbt.sum().backward()
    assert (net.streams["image"].mix[0].weight.grad is None) == probing
    assert net.streams["image"].heads.weight_mdo.grad is not None


def test_gates_alone_carry_what_other_streams_say():
    gated, joined = network(), network("concatenated")
    assert [p.shape for p in gated.cross_parameters("image")] == [(96, sum(gated.widths.values())), (96,)]
    assert joined.cross_parameters("image") == []


def test_join_of_three_messages_is_their_concatenation_times_one_matrix():
    torch.manual_seed(0)
    join = Join({"a": 2, "b": 3}, hidden=4, members=2)
    messages = {"a": torch.randn(5, 2), "b": torch.randn(5, 3)}
    expected = torch.cat([messages["a"], messages["b"]], dim=1) @ torch.cat([join.weight["a"], join.weight["b"]], dim=1)
    assert torch.allclose(join(messages), expected, atol=1e-6)


@torch.no_grad()
def test_held_gate_does_not_look_at_the_other_streams():
    torch.manual_seed(0)
    join = Join({"a": 2, "b": 3}, hidden=4, members=2, gated=True).eval()
    messages = {"a": torch.ones(1, 2), "b": torch.randn(1, 3)}
    other = messages | {"b": torch.zeros(1, 3)}
    share = lambda m: (join(m, "a") - join.gate["b"](torch.cat([m["a"], m["b"]], 1), False) * (m["b"] @ join.weight["b"]))  # noqa: E731
    assert torch.allclose(share(messages), share(other), atol=1e-6)


@torch.no_grad()
def test_expected_redshift_is_believed_as_far_as_it_is_sure():
    expectation = Expectation({"image": 2}, 4, 1)
    grid = torch.linspace(-3, 3, 601)
    sure = expectation.believed(torch.tensor([[1.0]]), torch.tensor([[-4.0]]), grid).exp()[0, 0]
    unsure = expectation.believed(torch.tensor([[1.0]]), torch.tensor([[4.0]]), grid).exp()[0, 0]
    doubt = 1 / (1 + np.exp(3.0))
    assert float(sure.sum()) == pytest.approx(1, abs=1e-4) and float(unsure.max() / unsure.min()) < 2
    assert float(grid[sure.argmax()]) == pytest.approx(1.0, abs=1e-6)
    assert float(sure[0]) == pytest.approx(doubt / 601, rel=1e-2)


@torch.no_grad()
def test_redshift_is_the_spectrums_where_nothing_else_is_expected_of_it(net, batch):
    open_minded = network()
    open_minded.load_state_dict(net.state_dict())
    open_minded.expectation.doubt.fill_(30.0)
    alone = open_minded.streams["spectrum"]({"views": batch["spectrum/views"]})
    assert torch.allclose(open_minded(batch).mean_mbt[..., 0], alone.mean_mbt[..., 0], atol=1e-3)


@torch.no_grad()
def test_redshift_without_a_spectrum_is_what_the_other_streams_expect(net, batch):
    outputs = net(batch, without=("spectrum",))
    two = (batch["has/image"] + batch["has/photometry"]) == 2
    assert torch.equal(outputs.mean_mbt[:, two, 0], outputs.extra["expected"][:, two])
    assert torch.equal(outputs.logvar_mbt[:, two, 0], outputs.extra["expected_logvar"][:, two])


@torch.no_grad()
@pytest.mark.parametrize("modality", MODALITIES)
def test_galaxy_with_one_modality_is_answered_by_its_stream_alone(net, batch, modality):
    outputs = net(batch, without=[m for m in MODALITIES if m != modality])
    rows, said = outputs.own[modality]
    assert torch.allclose(outputs.mean_mbt[:, rows].mean(dim=0), said.mean_mbt.mean(dim=0), atol=1e-5)
    assert torch.allclose(variance(net, outputs)[:, rows].mean(dim=0), variance(net.streams[modality], said).mean(dim=0), rtol=1e-3)
    assert modality != "image" or len(rows) == N - N // 3


@torch.no_grad()
def test_streams_that_never_learn_to_answer_are_not_asked(batch):
    net = network(auxiliary=0.0)
    outputs = net(batch, without=("spectrum", "image"))
    assert not torch.allclose(outputs.mean_mbt.mean(dim=0)[0], outputs.own["photometry"][1].mean_mbt[0, 0], atol=1e-3)


class Stopped(Session):
    """Cancelled when the given number of mini-batches has been done."""

    def __init__(self, after: int):
        super().__init__(seed=2, threads=1)
        self.after = after

    def check(self) -> None:
        self.after -= 1
        if self.after == 0:
            raise Cancelled("Job 1 was cancelled.")


def test_resumed_fit_of_all_streams_has_the_weights_of_an_uninterrupted_one():
    inputs, labels = galaxies(16)
    whole, broken, resumed = (build("fusion_latent", {"epochs": 3}) for _ in range(3))
    whole.fit(inputs, labels, Session(seed=2, threads=1))
    session = Stopped(3)
    with pytest.raises(Cancelled):
        broken.fit(inputs, labels, session)
    resumed.fit(inputs, labels, session)
    assert all(np.array_equal(v, resumed.state()[k]) for k, v in whole.state().items())


def test_modality_that_nobody_has_is_done_without():
    inputs, labels = galaxies(8)
    model = build("fusion_latent", {"epochs": 1})
    only = Inputs({"photometry": inputs.arrays["photometry"]}, {"photometry": np.ones(8, bool)})
    model.fit(only, labels, Session(seed=2, threads=1))
    assert np.isfinite(model.predict(only).mean).all()


def test_join_that_does_not_exist_is_refused():
    with pytest.raises(BadInput, match="join must be one of concatenated, gated; got summed, for model fusion_latent. Choose one of them"):
        build("fusion_latent", {"join": "summed"})


def told(n: int = 130) -> tuple[Inputs, Labels]:
    """Star formation that image, spectrum and photometry tell alike, by their brightness, each with noise of its own."""
    rng = np.random.default_rng(1)
    value = rng.standard_normal(n)
    bright = lambda noise: (value + noise * rng.standard_normal(n)).astype(np.float32)  # noqa: E731
    arrays = {
        "image": bright(0.4)[:, None, None, None] * np.ones((1, 5, 64, 64), np.float32),
        "spectrum": bright(0.4)[:, None, None] * np.ones((1, 2, 4620), np.float32) + 1,
        "photometry": bright(0.4)[:, None] * np.ones((1, 19), np.float32),
    }
    labels = Labels(value[:, None], np.full((n, 1), np.nan), np.ones(n), np.arange(n), ("sfr_tot_avg",))
    return Inputs(arrays, {m: np.ones(n, bool) for m in MODALITIES}), labels


def test_fusion_without_the_image_is_no_worse_than_a_network_of_photometry():
    inputs, labels = told()
    fused, alone = build("fusion_latent", {"epochs": 8, "batch_size": 16}), build("photometry_mlp", {"epochs": 60})
    errors = []
    for model in (fused, alone):
        model.fit(inputs[:90], labels[:90], Session(seed=0, threads=1))
        seen = Inputs(inputs.arrays, inputs.present | {"image": np.zeros(len(inputs), bool)})[90:]
        errors.append(np.sqrt(np.mean((model.predict(seen).mean - labels.values_nt[90:]) ** 2)))
    assert errors[0] < 1.1 * errors[1]
    assert errors[0] < 0.6 * labels.values_nt[90:].std()
