"""Label, updated posterior, next suggestion: the same as learning everything anew from the log, however it came about."""

import numpy as np
import pytest

from core.acquisition.registry import STRATEGIES
from core.columns import TARGET_NAMES
from core.services import suggesting
from core.store import labels, objects, runs
from core.uncertainty import last_layer
from tests.conftest import target_values, tiny_workspace


@pytest.fixture
def sky(tmp_path):
    """Two hundred objects, a hundred labelled, one run with features."""
    return tiny_workspace(tmp_path / "sky", n=200)


def decide(ws, object_id: int, sequence: int, z: float = 0.1, **changes) -> list[int]:
    return labels.record(ws, [labels.Decision(int(object_id), "z", **{"action": "label", "annotator": "ada", "client": "c", "sequence": sequence, "value": z, "grade": 4} | changes)])


def anew(ws) -> suggesting.Learner:
    """What somebody would know who has never looked before."""
    suggesting._newest.clear()
    return suggesting.learnt(ws, suggesting.newest_ground(ws))


def now(ws) -> suggesting.Learner:
    return suggesting.learnt(ws, suggesting.newest_ground(ws))


def same(one: suggesting.Learner, other: suggesting.Learner) -> bool:
    """Whether two know the same; the one that was kept up may hold closed galaxies in its pool."""
    open_one, open_other = (learner.pool[learner.is_open_p] for learner in (one, other))
    return (
        np.array_equal(open_one, open_other) and set(one.labelled) == set(other.labelled)
        and np.allclose(one.watched.posterior.weights_te, other.watched.posterior.weights_te, rtol=1e-7, atol=1e-9)
        and np.allclose(one.watched.epistemic_pt[one.is_open_p], other.watched.epistemic_pt[other.is_open_p], rtol=1e-7)
    )  # fmt: skip


def test_posterior_of_a_run_rests_on_the_labels_of_train_galaxies_and_their_noise(sky):
    ground, learner = suggesting.newest_ground(sky), now(sky)
    table = objects.frame(sky)
    train = table.loc[table["split"] == "train", "id"].tolist()
    assert ground.ids.tolist() == train and [t.name for t in ground.targets] == list(TARGET_NAMES)
    assert ground.ids[learner.labelled].tolist() == [i for i in train if i <= 100]
    assert ground.ids[learner.pool].tolist() == table.loc[(table["split"] == "train") & (table["id"] > 100) & (table["sn"] >= 2), "id"].tolist()
    values, noise = suggesting._standing(sky, ground, learner.labelled, labels.high_water(sky))
    assert noise == pytest.approx(ground.noise_gt[learner.labelled] + 0.01)
    direct = last_layer.fit(ground.features_gd[learner.labelled], values, noise, TARGET_NAMES, ground.prior)
    assert np.allclose(direct.weights_te, learner.watched.posterior.weights_te)


def test_label_is_absorbed_without_a_refit_and_gives_what_a_refit_gives(sky, monkeypatch):
    first = now(sky)
    ids = suggesting.newest_ground(sky).ids[first.pool]
    decide(sky, ids[0], 1, 0.2)
    labels.record(sky, [labels.Decision(int(ids[1]), t, "label", "ada", "c", 2, value=v) for t, v in target_values(0.1).items()])
    decide(sky, ids[2], 3, 0.1, grade=1)
    decide(sky, ids[3], 4, None, action="cannot", grade=None)
    decide(sky, ids[4], 5, None, action="skip", grade=None)
    monkeypatch.setattr(suggesting, "_from_the_log", None)
    absorbed = now(sky)
    monkeypatch.undo()
    assert same(absorbed, anew(sky))
    assert len(absorbed.labelled) == len(first.labelled) + 2 and absorbed.is_open_p.sum() == len(first.pool) - 4
    assert (absorbed.watched.epistemic_pt <= first.watched.epistemic_pt + 1e-12).all()


def test_undo_brings_back_what_was_known_before_and_the_galaxy_into_the_pool(sky):
    first = now(sky)
    object_id = int(suggesting.newest_ground(sky).ids[first.pool[3]])
    row = decide(sky, object_id, 1, 0.25)[0]
    assert not same(now(sky), first)
    labels.retract(sky, row, "ada", "c", 2)
    assert same(now(sky), first) and same(now(sky), anew(sky))


def test_label_that_is_changed_or_taken_back_from_what_the_run_saw_is_learnt_anew(sky):
    first = now(sky)
    object_id = int(suggesting.newest_ground(sky).ids[first.labelled[0]])
    decide(sky, object_id, 1, 0.3)
    changed = now(sky)
    assert same(changed, anew(sky)) and not np.allclose(changed.watched.posterior.weights_te, first.watched.posterior.weights_te)
    old = int(labels.history(sky, object_id)["id"].iloc[0])
    labels.retract(sky, old, "oracle", "test", 10_000)
    assert same(now(sky), anew(sky))


def test_suggestions_are_open_galaxies_with_reasons_and_the_same_for_the_same_log(sky):
    found = suggesting.suggest(sky)
    open_ids = suggesting.newest_ground(sky).ids[now(sky).pool]
    assert len(found.ids) == suggesting.AT_ONCE == len(set(found.ids)) and np.isin(found.ids, open_ids).all()
    assert all(item["reason"].endswith("(run 1)") and (item["control"] or "epistemic variance" in item["reason"]) for item in found.items)
    suggesting._newest.clear()
    assert suggesting.suggest(sky).ids.tolist() == found.ids.tolist()
    assert "run 1 and every label up to now" in found.sentence and suggesting.suggest(sky, annotator="Cecilia").ids.tolist() != found.ids.tolist()


def test_one_suggestion_in_ten_is_drawn_without_looking_at_any_model(sky):
    found = [item for k in range(40) for item in suggesting.suggest(sky, size=5, annotator=f"person {k}").items]
    drawn = [item for item in found if item["control"]]
    assert 8 <= len(drawn) <= 36 and all(item["score"] is None and "Random control" in item["reason"] for item in drawn)
    assert all(item["score"] > 0 and item["distance"] > 0 for item in found if not item["control"])


def test_galaxy_on_the_desk_is_not_suggested_again_and_counts_as_labelled(sky):
    ground, learner = suggesting.newest_ground(sky), now(sky)
    top = ground.ids[learner.pool[learner.watched.epistemic_pt[:, 0].argmax()]]
    beside = ground.rows([top])
    seen = suggesting._candidates(ground, learner, beside, learner.is_open_p)
    before = suggesting._candidates(ground, learner, beside[:0], learner.is_open_p)
    labels.record(sky, [labels.Decision(int(top), t, "label", "ada", "c", 1, value=v) for t, v in target_values(0.1).items()])
    assert top not in suggesting.suggest(sky, [top], size=50).ids
    assert seen.epistemic_pt == pytest.approx(now(sky).watched.epistemic_pt, rel=1e-9) and (seen.epistemic_pt < before.epistemic_pt).all()
    assert len(seen.labelled_ld) == len(before.labelled_ld) + 1


@pytest.mark.parametrize("name", [s.name for s in STRATEGIES.values() if "disagreement_pt" not in s.needs])
def test_every_strategy_can_suggest(sky, name):
    assert len(set(suggesting.suggest(sky, size=4, strategy=name).ids)) == 4


def test_without_a_run_or_its_features_a_sentence_says_what_to_do(ws, sky):
    assert "train a model first" in suggesting.suggest(ws).sentence and not len(suggesting.suggest(ws).ids)
    saved = runs.load_arrays(sky, 1, "predictions")
    del saved["features"]
    runs.save_arrays(sky, 1, "predictions", **saved)
    assert "train a model first" in suggesting.suggest(sky).sentence


def test_newest_run_that_keeps_features_is_chosen(sky):
    saved = runs.load_arrays(sky, 1, "predictions")
    for arrays in (saved, {k: v for k, v in saved.items() if k != "features"}):
        run_id = runs.create(sky, "linear", "linear", {}, 1, {"high_water": labels.high_water(sky), "count": 100, "hash": ""})
        runs.save_arrays(sky, run_id, "predictions", **arrays)
        runs.finish(sky, run_id, "done")
    assert suggesting.newest_ground(sky).run_id == 2


def test_large_pool_is_drawn_from_and_an_empty_one_says_so(sky, monkeypatch):
    monkeypatch.setattr(suggesting, "LARGEST_POOL", 20)
    assert len(anew(sky).pool) == 20
    for k, object_id in enumerate(suggesting.newest_ground(sky).ids[now(sky).pool]):
        decide(sky, int(object_id), k + 1)
    assert suggesting.suggest(sky).sentence == "Every galaxy that run 1 could ask about is decided." and not len(suggesting.suggest(sky).ids)
