"""Stopping advice out of a workspace: from its runs and their metrics, and from the posterior of a run."""

import numpy as np
import pandas as pd
import pytest

from core.acquisition.advice import Gain
from core.columns import SFR_TARGETS, TARGET_NAMES, TARGETS
from core.services import advising, suggesting
from core.services.advising import Advice
from core.store import labels, runs
from tests.conftest import target_values, tiny_workspace

SFR = next(t for t in TARGETS if t.name == "sfr_tot_median")


@pytest.fixture
def sky(tmp_path):
    """Two hundred objects, a hundred labelled, one run that was measured."""
    ws = tiny_workspace(tmp_path / "sky", n=200)
    measured(ws, 1, 0.30)
    return ws


def measured(ws, run_id: int, rmse: float) -> None:
    rows = [("test", t, "all", name, value) for t in ("z", "sfr_tot_median") for name, value in (("rmse", rmse), ("nmad", rmse / 10))]
    runs.put_metrics(ws, run_id, pd.DataFrame(rows, columns=["split", "target", "subset", "name", "value"]))


def later_run(ws, rmse: float, config: dict | None = None) -> int:
    """Ten more galaxies labelled, and a run that has learnt from them."""
    ids = suggesting.suggest(ws, size=10).ids
    labels.record(ws, [labels.Decision(int(i), t, "label", "ada", f"c{i}", 1, value=v) for i in ids for t, v in target_values(0.1).items()])
    run_id = runs.create(ws, "linear", "linear", config or {}, 0, {"high_water": labels.high_water(ws), "count": 0, "hash": ""})
    runs.save_arrays(ws, run_id, "predictions", **runs.load_arrays(ws, 1, "predictions"))
    measured(ws, run_id, rmse)
    runs.finish(ws, run_id, "done", {})
    return run_id


def test_before_there_is_a_curve_the_posterior_speaks(sky):
    advice = advising.advise(sky, 1, "sfr_tot_median", 20)
    assert advice.curve is None and advice.counts == 1 and advice.best is advice.posterior
    assert 0 < advice.posterior.gain < 0.3 and advice.posterior.now == 0.30
    assert advising.advise(sky, 1, "sfr_tot_median", 40).posterior.gain > advice.posterior.gain
    assert "By what the model does not know yet; a learning curve needs trainings of linear with 3 different numbers of labels; there is 1" in advising.sources_in_words(advice)


def test_posterior_promises_what_the_batch_at_hand_takes_from_the_pool(sky):
    ground = suggesting.newest_ground(sky)
    learner = suggesting.learnt(sky, ground)
    ids = tuple(ground.ids[learner.pool[:7]].tolist())
    watched = learner.watched
    for row in learner.pool[:7]:
        watched = watched.expect(ground.features_gd[row], ground.noise_gt[row])
    t = TARGET_NAMES.index("z")
    before, after, noise = learner.watched.epistemic_pt[:, t].mean(), watched.epistemic_pt[:, t].mean(), ground.noise_gt[learner.pool, t].mean()
    gain = advising.advise(sky, 1, "z", 7, ids).posterior
    assert gain.gain == pytest.approx(0.03 * (1 - np.sqrt(1 - (before - after) / (before + noise))), rel=1e-6) and gain.now == pytest.approx(0.03)


def test_runs_of_one_model_and_its_settings_make_the_curve(sky):
    for rmse in (0.26, 0.24):
        run_id = later_run(sky, rmse)
    later_run(sky, 9.0, {"modalities": "image"})
    advice = advising.advise(sky, run_id, "sfr_tot_median", 50)
    assert advice.counts == 3 and advice.best is advice.curve and advice.curve.gain > 0 and advice.curve.error > 0
    assert "By the learning curve of 3 numbers of labels; " in advising.sources_in_words(advice)
    assert advising.advise(sky, run_id, "z", 50).metric == "σ NMAD"


def test_run_that_was_not_measured_or_keeps_no_features_says_so(tiny):
    saved = runs.load_arrays(tiny, 1, "predictions")
    del saved["features"]
    runs.save_arrays(tiny, 1, "predictions", **saved)
    advice = advising.advise(tiny, 1, "z", 50)
    assert advice.best is None and "cannot be told" in advising.in_words(advice)
    assert advising.sources_in_words(advice).startswith("A learning curve needs trainings of linear")


def test_one_target_leads_each_group(tiny):
    assert advising.leading(tiny) == ["z", "sfr_tot_median"]
    assert advising.leading(tiny, ("sfr_tot_avg", "sfr_tot_p16")) == ["sfr_tot_avg"] and advising.leading(tiny, SFR_TARGETS) == ["sfr_tot_median"]


@pytest.mark.parametrize(("gain", "minutes", "said"), [
    (Gain(0.27, 0.0081, 0.0031), 12.3, "The next 50 labels should lower the RMSE of SFR by 0.008 ± 0.003 dex (3 %); at your pace that is 12 minutes."),
    (Gain(0.27, 0.0081, 0.0031), None, "The next 50 labels should lower the RMSE of SFR by 0.008 ± 0.003 dex (3 %)."),
    (Gain(0.3, 0.0008, 0.0004), 5.0, "Labels no longer help fusion much: 50 more should lower the RMSE of SFR by 0.0008 ± 0.0004 dex (0.3 %). Stop, or change the model."),
    (Gain(0.3, 0.006, 0.01), 5.0, "Whether 50 more labels lower the RMSE of SFR is not clear yet: 0.01 ± 0.01 dex (2 %). Label a batch and train again to see."),
])  # fmt: skip
def test_advice_in_words(gain, minutes, said):
    assert advising.in_words(Advice(SFR, "RMSE", 50, "fusion", 4, gain, None), minutes) == said


def test_in_short_goes_by_the_posterior_for_a_curve_knows_no_batch():
    advice = Advice(SFR, "RMSE", 50, "fusion", 4, Gain(0.2, 0.1, 0.01), Gain(0.2, 0.003, 0.0015))
    assert advising.in_short(advice) == ("\N{MINUS SIGN}1.5 %", "0.003 ± 0.002 dex")
    assert advising.in_short(Advice(SFR, "RMSE", 50, "fusion", 4, Gain(0.2, 0.1, 0.01), None)) is None


def test_posterior_alone_does_not_say_stop():
    said = advising.in_words(Advice(SFR, "RMSE", 50, "fusion", 1, None, Gain(0.3, 0.0008, 0.0004)))
    assert said == ("As it stands, fusion has little left to learn: 50 more labels should lower the RMSE of SFR by 0.0008 ± 0.0004 dex (0.3 %). "
                    "A learning curve will tell whether to stop.")  # fmt: skip
