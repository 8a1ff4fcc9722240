"""The fit of a network with two streams: its curves, its remedies, its exact resumption."""

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import Cancelled
from core.models.networks.heads import Heads
from core.models.prediction import Labels
from core.training import checkpoint
from core.training.balance.fit import BalancedFit
from core.training.balance.remedies import REMEDIES
from core.training.loop import data_of, fit
from core.training.machine import Machine, settled
from core.training.network import Network, Outputs
from core.training.plan import Plan
from core.training.session import Session
from core.training.standard import Standard, standard_of
from tests.test_training_loop import Interrupted, same

NAMES = ("image", "spectrum")
WIDTH = 8


class Stream(Network):
    """A layer, and heads of its own."""

    def __init__(self, standard: Standard):
        super().__init__(len(standard.targets))
        self.layer, self.heads = nn.Linear(4, WIDTH), Heads(WIDTH, standard)

    def forward(self, batch):
        raise AssertionError("never asked")


class Two(Network):
    """Two streams, each gated by what both say, then heads; what `BalancedFit` asks of a network and no more."""

    def __init__(self, standard: Standard):
        super().__init__(len(standard.targets))
        self.streams = nn.ModuleDict({name: Stream(standard) for name in NAMES})
        self.gates = nn.ModuleDict({name: nn.Linear(2 * WIDTH, WIDTH) for name in NAMES})
        self.heads = Heads(2 * WIDTH, standard)
        self.auxiliary, self.modality_dropout, self.gate_held, self.probing = 0.5, 0.3, None, False
        self.register_buffer("mean", torch.zeros(2, WIDTH))

    def own_parameters(self, name):
        return list(self.streams[name].parameters())

    def cross_parameters(self, name):
        return list(self.gates[name].parameters())

    def prepare(self, inputs):
        return {name: array.float() for name, array in inputs.items()}

    def forward(self, batch, without=(), held=()):
        sent, own, rows = {}, {}, torch.arange(len(batch["image"]))
        for k, name in enumerate(NAMES):
            h = torch.tanh(self.streams[name].layer(batch[name]))
            own[name] = rows, self.streams[name].heads((h.detach() if self.probing else h)[None], h)
            if self.training:
                self.mean[k].lerp_(h.detach().mean(dim=0), 0.1)
                h = h * (torch.rand(len(h), 1) >= self.modality_dropout)
            sent[name] = self.mean[k].expand_as(h) if name in held else h
        both = torch.cat(list(sent.values()), dim=1)
        gated = [sent[name] * (0.5 if name == self.gate_held else self.gates[name](both).sigmoid()) for name in NAMES]
        latent = torch.cat(gated, dim=1)
        outputs = self.heads(latent[None], latent)
        return Outputs(outputs.mean_mbt, outputs.logvar_mbt, outputs.lognoise_mbt, latent, {}, own)


def sky(n: int = 400) -> tuple[dict[str, np.ndarray], Labels]:
    """z is in the spectrum alone, star formation half in each; the image's noise says nothing of z."""
    rng = np.random.default_rng(0)
    image, spectrum = rng.standard_normal((2, n, 4)).astype(np.float32)
    values = np.stack([0.1 + 0.03 * spectrum[:, 0], image[:, 1] + spectrum[:, 1]], axis=1)
    has = {f"has/{name}": np.ones(n, bool) for name in NAMES}
    return {"image": image, "spectrum": spectrum, **has}, Labels(values, np.full((n, 2), np.nan), np.ones(n), np.arange(n), ("z", "sfr_tot_median"))


def fitted(balance: str, session: Session, epochs: int = 24, network: type[Two] = Two) -> Two:
    inputs, labels = sky()
    standard = standard_of(labels)
    with settled(session.seed, 1):
        made = network(standard)
        fit(made, inputs, labels, standard, Plan(epochs=epochs, batch_size=32, learning_rate=0.02, balance=balance), session, Machine())
    return made


@pytest.fixture(scope="module")
def plain() -> tuple[Two, dict[str, float]]:
    """A network without a remedy and the last values of its curves."""
    session = Session(seed=1, threads=1)
    return fitted("none", session), session.curves[-1][1]


def test_use_tells_which_stream_each_target_lives_in(plain):
    _, values = plain
    assert values["use/z/spectrum"] > 0.9 and abs(values["use/z/image"]) < 0.05
    assert values["use/sfr_tot_median/spectrum"] == pytest.approx(0.5, abs=0.2)
    assert values["use/sfr_tot_median/image"] == pytest.approx(0.5, abs=0.2)


def test_speed_of_each_branch_is_drawn_every_epoch_and_use_now_and_then():
    session = Session(seed=1, threads=1)
    fitted("none", session, epochs=3)
    assert all({"speed/image", "speed/spectrum"} <= set(values) for _, values in session.curves)
    long = Session(seed=1, threads=1)
    fitted("none", long, epochs=36)
    assert [epoch for epoch, values in long.curves if "use/z/image" in values][:3] == [2, 5, 8]


def test_probes_learn_without_a_remedy_and_do_not_steer_the_streams(plain):
    network, _ = plain
    inputs, labels = sky()
    with torch.no_grad():
        own = network(network.prepare({name: torch.from_numpy(array) for name, array in inputs.items()})).own["spectrum"][1]
    z = (labels.values_nt[:, 0] - labels.values_nt[:, 0].mean()) / labels.values_nt[:, 0].std()
    assert np.mean((own.mean_mbt[0, :, 0].numpy() - z) ** 2) < 0.2
    assert network.probing and network.modality_dropout == 0.0


def test_auxiliary_losses_steer_the_streams():
    assert not same(checkpoint.weights(fitted("none", Session(seed=1), 2).streams["image"].layer), checkpoint.weights(fitted("auxiliary", Session(seed=1), 2).streams["image"].layer))
    steered = fitted("auxiliary+dropout", Session(seed=1), 2)
    assert not steered.probing and steered.modality_dropout == 0.3


@pytest.mark.parametrize("balance", [*(name for name in REMEDIES if name != "none"), "auxiliary+guided"])
def test_resumed_fit_has_the_weights_of_an_uninterrupted_one_under_every_remedy(balance):
    steps = 340 // 32
    session = Interrupted(4 * steps + 3, seed=2, threads=1)
    whole = fitted(balance, Session(seed=2, threads=1), 6)
    with pytest.raises(Cancelled):
        fitted(balance, session, 6)
    assert len(session.curves) > 2
    assert same(checkpoint.weights(whole), checkpoint.weights(fitted(balance, session, 6)))


def test_every_remedy_fits_differently():
    fits = {name: checkpoint.weights(fitted(name, Session(seed=2, threads=1), 4)) for name in REMEDIES}
    assert all(not same(fits[a], fits[b]) for a in fits for b in fits if a < b)


def test_guided_fit_never_lets_the_held_branch_learn_from_the_other():
    gradients: list[tuple[str, bool]] = []

    class Watched(Two):
        def forward(self, batch, without=(), held=()):
            if self.training:
                gradients.append(self.gate_held)
            return super().forward(batch, without, held)

    fitted("guided", Session(seed=2, threads=1), 5, Watched)
    per_epoch = len(gradients) // 5
    assert set(gradients[: 2 * per_epoch]) == {None}
    held = [name for name in gradients[2 * per_epoch :] if name]
    assert len(held) > 0.7 * 3 * per_epoch


def test_modality_that_no_galaxy_has_is_left_out_of_the_balance():
    inputs, labels = sky()
    blind = inputs | {"image": np.zeros_like(inputs["image"]), "has/image": np.zeros(400, bool)}
    standard, session = standard_of(labels), Session(seed=1, threads=1)
    with settled(1, 1):
        fit(Two(standard), blind, labels, standard, Plan(epochs=3, batch_size=32, balance="guided"), session, Machine())
    assert {name for name in session.curves[-1][1] if "/" in name} == {"speed/spectrum"}


def test_speed_counts_what_the_joint_loss_steers_and_not_the_streams_own_heads():
    inputs, labels = sky(60)
    standard = standard_of(labels)
    with settled(1, 1):
        network, plan = Two(standard), Plan(epochs=1, batch_size=32)
        data = data_of(network, inputs, labels, standard, np.arange(60) >= 50, plan, 1, Machine())
        made = BalancedFit(network, data, standard, plan, Session(seed=1), Machine(), np.zeros(1))
    own = {id(p) for p in made.speeds.own["image"]}
    assert own == {id(p) for p in network.streams["image"].layer.parameters()}
