"""What a run's summary says of its modalities: measured on test galaxies, with whatever else is known of them."""

import numpy as np
import pytest

from core.columns import TARGET_NAMES
from core.errors import Cancelled
from core.jobs.inputs import load_inputs, wide
from core.jobs.modality_use import modality_use
from core.models.base import Model
from core.models.prediction import Prediction
from core.models.registry import build
from core.store import Workspace, labels, objects, runs, truth
from core.training.session import Session
from tests.conftest import tiny_workspace
from tests.test_models_latent import galaxies


class Told(Model):
    """Knows every galaxy's values by its photometry; the image changes nothing."""

    modalities = ("image", "photometry")

    def __init__(self, known: dict[float, np.ndarray]):
        self.known, self.mean = known, np.nanmean(list(known.values()), axis=0)

    def fit(self, inputs, labels_, session):
        raise AssertionError("never fitted")

    def _predict(self, inputs, rng):
        told = [self.known[float(x)] if seen else self.mean for x, seen in zip(inputs.arrays["photometry"][:, 0], inputs.present["photometry"], strict=True)]
        noise = np.full((len(inputs), 9), 0.01)
        return Prediction(np.array(told), noise, noise, targets=TARGET_NAMES)

    def state(self):
        return {}

    def load_state(self, state):
        raise AssertionError("never loaded")


@pytest.fixture(scope="module")
def sky(tmp_path_factory) -> tuple[Workspace, Told, np.ndarray]:
    ws = tiny_workspace(tmp_path_factory.mktemp("use") / "ws", n=160)
    ids = objects.frame(ws)["id"].to_numpy(np.int64)
    magnitude = load_inputs(ws, ids, ("photometry",)).arrays["photometry"][:, 0]
    return ws, Told(dict(zip(magnitude.tolist(), wide(truth.frame(ws, ids), ids, TARGET_NAMES), strict=True))), ids


def begun(ws: Workspace, model: str, seed: int = 0, **predictions) -> int:
    """A run, with predictions if it is to be a finished one."""
    seen = labels.training(ws)
    run_id = runs.create(ws, model, model, {}, seed, {"high_water": labels.high_water(ws), "count": len(seen), "hash": labels.snapshot_hash(seen)})
    if predictions:
        runs.save_arrays(ws, run_id, "predictions", targets=np.array(TARGET_NAMES), **predictions)
        runs.finish(ws, run_id, "done")
    return run_id


def test_rates_are_told_by_target_and_by_thirds_of_signal_to_noise(sky):
    ws, model, ids = sky
    found = modality_use(ws, begun(ws, "fusion_late", seed=1), model, ids)
    assert found["modality_use"]["z"] == {"image": 0.0, "photometry": pytest.approx(1.0, abs=0.2)}
    assert set(found["modality_use"]) == set(TARGET_NAMES) and set(found["modality_use_sn"]) <= {"sn low", "sn mid", "sn high"}
    assert found["modality_skill"]["z"]["together"] == 1.0
    assert len(found["modality_verdicts"]) == 9 and "photometry is used" in found["modality_verdicts"][0]


def test_run_of_a_single_model_that_knows_as_much_makes_the_other_modality_redundant(sky):
    ws, model, ids = sky
    values = wide(truth.frame(ws, ids), ids, TARGET_NAMES)
    begun(ws, "image_bayesian_cnn", seed=2, object_ids=ids, mean=values)
    found = modality_use(ws, begun(ws, "fusion_late", seed=2), model, ids)
    assert found["modality_skill"]["z"]["image"] == 1.0
    assert "image is redundant" in found["modality_verdicts"][0] and "photometry is redundant" in found["modality_verdicts"][0]
    other_seed = modality_use(ws, begun(ws, "fusion_late", seed=3), model, ids)
    assert "image" not in other_seed["modality_skill"]["z"]


def test_models_of_one_modality_and_skies_with_few_complete_galaxies_have_nothing_to_tell(sky):
    ws, model, ids = sky
    assert modality_use(ws, begun(ws, "linear"), model, ids) == {}
    assert modality_use(ws, begun(ws, "fusion_late", seed=4), model, ids[:30]) == {}


def test_cancel_stops_between_two_questions(sky):
    ws, model, ids = sky

    def check() -> None:
        raise Cancelled("Job 1 was cancelled.")

    with pytest.raises(Cancelled):
        modality_use(ws, begun(ws, "fusion_late", seed=5), model, ids, check)


def test_latent_fusion_is_asked_without_each_stream_and_for_each_alone(sky):
    ws, _, ids = sky
    model = build("fusion_latent", {"epochs": 1})
    model.fit(*galaxies(24), Session(seed=1, threads=1))
    found = modality_use(ws, begun(ws, "fusion_latent", seed=6), model, ids)
    assert set(found["modality_skill"]["z"]) == {"together", "image", "spectrum", "photometry"}
    assert [said.split(":")[0] for said in found["modality_verdicts"]] == list(TARGET_NAMES)
