"""Modality balance, against numbers worked out by hand: rates, verdicts, gradients, speeds, windows."""

import math
import re

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import BadInput
from core.training.balance import pareto
from core.training.balance.guided import LIMIT, WARM_EPOCHS, WINDOW, Guide, faster
from core.training.balance.remedies import REMEDIES, remedies_of
from core.training.balance.speed import Speeds, learned
from core.training.balance.utilisation import Answers, rates, skills, utilisation
from core.training.balance.verdict import mixing_gain, sentences, verdicts

RNG = np.random.default_rng(0)
N = 400
A, B, NOISE = RNG.standard_normal((3, N))
"""What image and spectrum see of each galaxy, and what neither sees."""


def answers(truth: np.ndarray, together: np.ndarray, without: dict, alone: dict | None = None) -> Answers:
    column = lambda means: {m: np.asarray(mean, dtype=float).reshape(-1, 1) for m, mean in means.items()}  # noqa: E731
    return Answers(("z",), truth.reshape(-1, 1), np.zeros(1), together.reshape(-1, 1), column(without), column(alone or {}))


def kinds(found: Answers) -> dict[str, str]:
    return {v.modality: v.kind for v in verdicts(found)}


def test_rate_is_the_share_of_skill_that_goes_with_the_modality():
    truth = np.tile([1.0, -1.0], 20)
    found = answers(truth, 0.9 * truth, {"image": 0.5 * truth, "spectrum": 0 * truth})
    assert skills(found)["z"]["together"] == pytest.approx(1 - 0.1**2)
    assert rates(found)["z"]["image"] == pytest.approx((0.99 - 0.75) / 0.99)
    assert rates(found)["z"]["spectrum"] == pytest.approx(1.0)


def test_rate_is_below_zero_when_the_model_does_better_without():
    assert utilisation(0.5, 0.6) == pytest.approx(-0.2)


def test_rate_is_not_told_for_a_model_without_skill_or_for_a_handful_of_galaxies():
    useless = answers(A, 0 * A, {"image": 0 * A, "spectrum": 0 * A})
    assert rates(useless) == {}
    assert rates(answers(A, A, {"image": 0 * A, "spectrum": A})[np.arange(10)]) == {}


def test_rate_counts_only_galaxies_whose_truth_and_answers_are_all_known():
    truth, without = A.copy(), 0 * A
    truth[:100], without[100:200] = np.nan, np.nan
    wild = np.where(np.isfinite(truth) & np.isfinite(without), A, 1e6)
    assert rates(answers(truth, wild, {"image": without, "spectrum": wild})) == {"z": {"image": pytest.approx(1.0), "spectrum": pytest.approx(0.0)}}


def test_stream_of_noise_is_uninformative_and_the_other_is_used():
    found = answers(A, A + 0.1 * NOISE, {"image": A + 0.1 * NOISE, "spectrum": 0 * A}, {"image": 0.01 * B, "spectrum": A + 0.1 * NOISE})
    assert kinds(found) == {"image": "uninformative", "spectrum": "used"}
    assert rates(found)["z"] == {"image": pytest.approx(0.0), "spectrum": pytest.approx(1.0, abs=0.02)}


def test_copies_are_redundant_with_each_other_whether_or_not_the_network_leans_on_both():
    seen = A + 0.3 * NOISE
    leaning = answers(A, seen, {"image": 0.5 * seen, "spectrum": 0.5 * seen}, {"image": seen, "spectrum": seen})
    ignoring = answers(A, seen, {"image": seen, "spectrum": 0 * seen}, {"image": seen, "spectrum": seen})
    assert kinds(leaning) == kinds(ignoring) == {"image": "redundant", "spectrum": "redundant"}
    assert "image is redundant: alone it has a skill of 0.92, but the others know as much (leaving it out costs 20% of the skill, because this model leans" in sentences(leaning)[0]
    assert "image is redundant: alone it has a skill of 0.92, but the others know as much (leaving it out costs none)" in sentences(ignoring)[0]


def test_modality_that_knows_what_the_model_does_not_is_neglected():
    """The truth is A + B; the model reads A and ignores B, which the image alone knows."""
    found = answers(A + B, A, {"image": A, "spectrum": 0 * A}, {"image": B, "spectrum": A})
    assert kinds(found) == {"image": "neglected", "spectrum": "used"}
    assert rates(found)["z"]["image"] == 0.0
    half = A + 0.2 * B
    assert kinds(answers(A + B, half, {"image": A, "spectrum": 0.2 * B}, {"image": B, "spectrum": A}))["image"] == "underused"


def test_two_that_are_both_needed_are_both_used():
    together = A + B + 0.1 * NOISE
    found = answers(A + B, together, {"image": A, "spectrum": B}, {"image": B, "spectrum": A})
    assert kinds(found) == {"image": "used", "spectrum": "used"}


def test_without_a_model_of_the_modality_alone_nobody_says_why_it_is_unneeded():
    found = answers(A, A + 0.1 * NOISE, {"image": A + 0.1 * NOISE, "spectrum": 0 * A})
    assert kinds(found)["image"] == "unneeded"
    assert "without a model of it alone" in sentences(found)[0]


def test_mixing_gain_is_what_the_best_weight_would_save():
    """Errors of equal size and no correlation: half of each halves the squared error."""
    error = np.stack([A, B], axis=1)
    assert mixing_gain(error).mean() / (A**2).mean() == pytest.approx(0.5, abs=0.06)
    assert mixing_gain(np.stack([A, A], axis=1)).tolist() == [0.0] * N
    assert mixing_gain(np.stack([0.1 * A, B], axis=1)).mean() < 0.02 * 0.01


def test_sentences_say_target_modality_and_verdict():
    found = answers(A + B, A, {"image": A, "spectrum": 0 * A}, {"image": B, "spectrum": A})
    (said,) = sentences(found, {"sn low": {"z": {"spectrum": 0.9}}, "sn mid": {}, "sn high": {"z": {"spectrum": 0.3}}})
    assert said.startswith("z: spectrum is used, leaving it out costs 100% of the skill (90% at low S/N, 30% at high); image is neglected: leaving it out costs none")
    assert re.search(r"yet mixing in what it says alone \(skill 0\.5\d\) would lower the squared error by 4\d%\.$", said)
    (nothing,) = sentences(answers(A, 0 * A, {"image": 0 * A, "spectrum": 0 * A}, {"image": 0 * A, "spectrum": 0 * A}))
    assert nothing == "z: the model knows too little of it for any modality to have a share."


def test_min_norm_of_two_gradients_is_the_foot_of_the_perpendicular():
    found = pareto.min_norm(torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 1.0]))
    assert found.tolist() == pytest.approx([0.2, 0.6])
    assert pareto.min_norm(torch.tensor([1.0, 0.0]), torch.tensor([3.0, 1.0])).tolist() == [1.0, 0.0]


def test_conflicting_gradients_take_the_direction_of_the_shortest_and_the_length_of_the_sum():
    found = pareto.combined(torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 1.0]))
    assert found.tolist() == pytest.approx((np.array([0.2, 0.6]) * math.sqrt(2) / math.hypot(0.2, 0.6)).tolist())
    assert found @ torch.tensor([2.0, 0.0]) > 0 and found @ torch.tensor([-1.0, 1.0]) > 0


def test_gradients_that_agree_are_added_and_opposite_ones_cancel():
    assert pareto.combined(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])).tolist() == [1.0, 1.0]
    assert pareto.combined(torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 0.0])).tolist() == [0.0, 0.0]


def test_pareto_backward_combines_on_the_encoder_and_adds_elsewhere():
    encoder, head, trunk = nn.Parameter(torch.tensor([1.0, 1.0])), nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor(1.0))
    joint = (encoder * torch.tensor([2.0, 0.0])).sum() + 3 * trunk
    own = (encoder * torch.tensor([-1.0, 1.0])).sum() + 5 * head + trunk
    pareto.backward(joint, own, [[encoder, head]], [encoder, head, trunk])
    assert encoder.grad.tolist() == pytest.approx(pareto.combined(torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 1.0])).tolist())
    assert (float(head.grad), float(trunk.grad)) == (5.0, 4.0)


def parameter(value: list[float], gradient: list[float] | None) -> nn.Parameter:
    made = nn.Parameter(torch.tensor(value))
    made.grad = None if gradient is None else torch.tensor(gradient)
    return made


def test_learned_is_squared_gradient_over_squared_size_of_all_parameters_together():
    assert float(learned([parameter([3.0], [1.0]), parameter([4.0], [2.0])])) == pytest.approx(5 / 25)
    assert float(learned([parameter([3.0], None)])) == 0.0


def test_speed_is_the_log_of_accumulated_cross_modal_over_own():
    cross, own = parameter([1.0], [1.0]), parameter([1.0], [0.1])
    speeds = Speeds({"image": [cross], "spectrum": [own], "photometry": []}, {"image": [own], "spectrum": [cross], "photometry": [own]})
    assert speeds.log_ratio == {}
    speeds.add()
    cross.grad.fill_(3.0)
    speeds.add()
    assert speeds.log_ratio == {"image": pytest.approx(math.log10(10 / 0.02)), "spectrum": pytest.approx(-math.log10(10 / 0.02))}


def test_speeds_go_on_from_their_numbers():
    cross, own = parameter([1.0], [1.0]), parameter([1.0], [0.3])
    first, second = (Speeds({"image": [cross]}, {"image": [own]}) for _ in range(2))
    first.add()
    second.take(first.numbers())
    assert second.log_ratio == first.log_ratio


def test_guide_holds_the_faster_branch_for_a_window_then_measures_for_a_step():
    guide, apart = Guide("guided", ("image", "spectrum")), {"image": -1.0, "spectrum": -2.0}
    assert [guide.held(WARM_EPOCHS - 1, apart) for _ in range(3)] == [None] * 3
    assert [guide.held(WARM_EPOCHS, apart) for _ in range(2 * (WINDOW + 1))] == 2 * (["image"] * WINDOW + [None])


def test_guide_leaves_branches_alone_that_learn_equally_fast():
    guide = Guide("guided", ("image", "spectrum"))
    assert [guide.held(9, {"image": 0.0, "spectrum": 0.9 * LIMIT}) for _ in range(3)] == [None] * 3
    assert faster({"image": 0.0}) is None and faster({}) is None


def test_guide_goes_on_within_a_window():
    whole, apart = Guide("guided", ("image", "spectrum")), {"image": -2.0, "spectrum": -1.0}
    for _ in range(3):
        whole.held(2, apart)
    resumed = Guide("guided", ("image", "spectrum"))
    resumed.take(whole.numbers())
    assert [resumed.held(2, apart) for _ in range(4)] == [whole.held(2, apart) for _ in range(4)] == ["spectrum"] * 2 + [None, "spectrum"]


def test_random_guide_holds_everyone_and_nobody_equally_often_by_the_seed():
    guide, drawn = Guide("random", ("image", "spectrum")), []
    for _ in range(2):
        torch.manual_seed(3)
        drawn.append([guide.held(5, {}) for _ in range(600)])
    assert drawn[0] == drawn[1]
    assert all(abs(drawn[0].count(name) - 200) < 45 for name in ("image", "spectrum", None))


def test_settings_without_a_guide_hold_nobody():
    assert Guide("none", ("image", "spectrum")).held(9, {"image": 5.0, "spectrum": 0.0}) is None


def test_balance_names_remedies_of_the_list():
    assert remedies_of("auxiliary+dropout") == {"auxiliary", "dropout"} and remedies_of("none") == frozenset()
    assert all(remedies_of(name) <= {name} for name in REMEDIES)
    with pytest.raises(BadInput, match="name remedies among none, auxiliary, mmpareto, dropout, guided, random, joined by \\+; got magic"):
        remedies_of("auxiliary+magic")
    with pytest.raises(BadInput, match="only one of guided and random"):
        remedies_of("guided+random")
