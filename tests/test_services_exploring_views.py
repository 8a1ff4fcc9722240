"""Further colourings, filters, saved views, who moved, and stacks."""

import numpy as np
import pandas as pd
import pytest

from core.errors import BadInput, NotFound
from core.preprocess.spectrum import LOGLAM
from core.services import exploring
from core.services.exploring import Filters, View, further, views
from core.spectroscopy.stacking import stack
from core.store import assignments, batches, embeddings, labels, runs
from core.store import views as store_views


@pytest.fixture
def shown(tiny):
    return exploring.map_table(tiny, "pca image", 1)


def test_every_further_colouring_gives_one_value_a_galaxy_that_suits_its_scale(tiny, shown):
    offered = exploring.colourings(tiny)
    assert list(offered)[: len(exploring.COLOURINGS)] == list(exploring.COLOURINGS) and "column:r_mag" in offered and "column:source" in offered
    for name, colouring in offered.items():
        values = colouring.values(shown, 0)
        assert values.shape == (60,) and values.dtype == (object if colouring.scale == "category" else np.float32), name
    assert offered["column:r_mag"].values(shown, 0).min() > 15 and set(offered["column:source"].values(shown, 0)) == {"test"}


def test_annotator_is_whose_label_stands(tiny, shown):
    labels.record(tiny, [labels.Decision(1, "z", "label", "ann", "c", 1, value=0.1), labels.Decision(40, "z", "label", "ann", "c", 2, value=0.1)])
    names = further.annotators(tiny, np.array([40, 1, 2, 50]))
    assert names.tolist() == ["ann", further.SEVERAL, "oracle", further.NOBODY]


def test_batch_is_the_newest_that_asked(tiny):
    batches.save(tiny, "old", "random", {}, 0, [{"object_id": 1}, {"object_id": 2}])
    batches.save(tiny, "new", "random", {}, 0, [{"object_id": 2}])
    assert further.batch_names(tiny, np.array([2, 1, 3])).tolist() == ["new", "old", further.NO_BATCH]


def test_disagreement_is_in_units_of_the_noise_both_admit(tiny, shown):
    assert np.isnan(further.disagreement(tiny, shown, 0)).all()
    snapshot, said = {"high_water": 0, "count": 0, "hash": ""}, runs.load_arrays(tiny, 1, "predictions")
    for model, offset in (("image_cnn", 0.0), ("spectrum_cnn", 0.3)):
        run_id = runs.create(tiny, model, model, {}, 0, snapshot)
        runs.save_arrays(tiny, run_id, "predictions", **said | {"mean": said["mean"] + offset})
        runs.finish(tiny, run_id, "done", {})
    noise = 2 * (said["aleatoric"] + said["epistemic"])[:, 0]
    assert further.disagreement(tiny, shown, 0) == pytest.approx(0.3 / np.sqrt(noise), rel=1e-3)


def test_filters_hide_who_does_not_meet_all_of_them(tiny, shown):
    z, mean = shown.label[:, 0], shown.mean[:, 0]
    kept = Filters(states=(exploring.LABELLED,), sn=(5.0, None), label=(None, 0.2)).visible(tiny, shown, "z")
    assert kept.tolist() == ((shown.state == "labelled") & (shown.sn >= 5) & (z <= 0.2)).tolist() and 0 < kept.sum() < 30
    assert Filters(prediction=(0.1, 0.2)).visible(tiny, shown, "z").tolist() == ((mean >= 0.1) & (mean <= 0.2)).tolist()
    assert Filters(annotators=("oracle",)).visible(tiny, shown, "z").sum() == 30 and not Filters(batches=("none",)).visible(tiny, shown, "z").any()
    assert Filters(splits=("test",)).visible(tiny, shown, "z").tolist() == (shown.split == "test").tolist()
    assert Filters().visible(tiny, shown, "z").all() and Filters().count() == 0 and Filters(splits=("test",), sn=(1, None)).count() == 2


def test_saved_view_comes_back_as_it_was_and_is_replaced_under_its_name(tiny):
    view = View("pca image", 1, "epistemic", "z", Filters(states=(exploring.LABELLED,), sn=(3.0, None), batches=("b",)))
    exploring.save_view(tiny, " mine ", view, "ann")
    assert exploring.view_names(tiny) == ["mine"] and exploring.open_view(tiny, "mine") == view
    exploring.save_view(tiny, "mine", View("pca image", None, "state", "z"), "ann")
    assert exploring.open_view(tiny, "mine") == View("pca image", None, "state", "z")
    exploring.remove_view(tiny, "mine")
    with pytest.raises(NotFound, match="no saved view named mine"):
        exploring.open_view(tiny, "mine")
    with pytest.raises(BadInput, match="The name of a view must have 1 to 60 characters; got 0"):
        exploring.save_view(tiny, "  ", view, "ann")


def test_moved_most_lists_who_left_after_the_maps_are_turned_onto_each_other(tiny, shown):
    turned = -3 * shown.xy + 5
    turned[[7, 30]] += [[90, 0], [30, 0]]
    embeddings.save(tiny, "turned", "pca", "image", shown.object_ids, turned, {})
    ids, far = exploring.moved_most(tiny, shown, "turned", 5)
    assert ids[:2].tolist() == [8, 31] and far[0] > far[1] > 10 * far[2] and len(ids) == 5
    assert len(exploring.moved_most(tiny, shown)[0]) == 0
    embeddings.save(tiny, "again", "pca", "image", shown.object_ids, shown.xy, {}, before=turned)
    assert exploring.moved_most(tiny, exploring.map_table(tiny, "again", 1), None, 2)[0].tolist() == [8, 31]


def test_newcomers_are_counted_for_maps_that_can_take_them(tiny):
    assert exploring.newcomers(tiny, "pca image") == 0
    embeddings.save(tiny, "few", "pca", "image", np.arange(1, 51), np.zeros((50, 2)), {}, space={"features": np.zeros((50, 1))})
    assert exploring.newcomers(tiny, "few") == 10 and exploring.place_newcomers(tiny, "few")


def test_stack_finds_a_line_at_its_rest_wavelength_whatever_the_redshifts():
    rng, z = np.random.default_rng(0), np.linspace(0.02, 0.3, 40)
    line = 20 * np.exp(-0.5 * ((LOGLAM - np.log10(6564.614 * (1 + z))[:, None]) / 4e-4) ** 2)
    spectra = np.stack([(5 + line + rng.normal(0, 0.5, line.shape)) * rng.uniform(0.1, 10, (40, 1)), np.ones_like(line)], axis=1)
    wave, percentiles = stack(spectra, z)
    assert wave[percentiles[1].argmax()] == pytest.approx(6564.6, abs=3.0) and np.median(percentiles[1]) == pytest.approx(1, abs=0.05)
    assert (percentiles[0] <= percentiles[2]).all() and wave[0] < 3548 and stack(spectra[:2], z[:2])[0].size == 0
    assert stack(spectra, np.full(40, np.nan))[0].size == 0


def test_stacked_uses_labels_then_predictions_and_says_how_many(tiny, shown):
    wave, percentiles, count = exploring.stacked(tiny, shown, np.arange(60))
    assert count == 60 and wave[percentiles[1].argmax()] == pytest.approx(6564.6, abs=150)


def test_spread_out_keeps_a_part_that_may_be_asked_about(tiny):
    ids = np.arange(31, 61)
    kept = exploring.spread_out(tiny, ids, 5, 1)
    assert len(set(kept.tolist())) == 5 and np.isin(kept, ids).all()


def test_values_are_the_columns_that_people_read(shown):
    frame = exploring.details(shown, shown.object_ids, "z")
    for column in frame:
        assert pd.Series(exploring.values(shown, column, "z")).equals(frame[column]), column


def test_view_keeps_what_was_caught_however_much_in_a_short_text(tiny):
    many = tuple(range(5, 200_000, 3))
    exploring.save_view(tiny, "all", View("pca image", 1, "sn", "z", Filters(), many), "ann")
    exploring.save_view(tiny, "none", View("pca image", 1, "sn", "z", Filters(), None), "ann")
    exploring.save_view(tiny, "empty", View("pca image", 1, "sn", "z", Filters(), ()), "ann")
    assert exploring.open_view(tiny, "all").caught == many and exploring.open_view(tiny, "none").caught is None and exploring.open_view(tiny, "empty").caught == ()
    rng = np.random.default_rng(0)
    kept = tiny.frame("SELECT name, LENGTH(settings) AS n FROM views").set_index("name")["n"]
    assert kept["all"] < 2000 and len(views.condensed(tuple(rng.choice(200_000, 50_000, replace=False).tolist()))) < 60_000


def test_view_of_an_earlier_version_has_caught_nothing(tiny):
    store_views.save(tiny, "old", {"map": "pca image", "run": 1, "colouring": "sn", "target": "z", "filters": Filters().settings()}, "ann")
    assert exploring.open_view(tiny, "old") == View("pca image", 1, "sn", "z")


def test_labels_of_others_are_kept_from_who_is_to_decide_blind(tiny):
    batch = batches.save(tiny, "Round 1", "random", {}, 0, [{"object_id": 1}, {"object_id": 2}])
    assignments.save(tiny, assignments.Assignment(batch, 2, 0, 0.0, False, "Ada"), [("Ben", 1, 0, None), ("Ben", 2, 1, None), ("Cem", 1, 0, None)])
    sees = {reader: exploring.map_table(tiny, "pca image", 1, reader) for reader in ("", "Ada", "Ben")}
    hidden = np.isin(sees[""].object_ids, [1, 2])
    assert np.isfinite(sees["Ada"].label[hidden]).all() and np.isnan(sees["Ben"].label[hidden]).all()
    assert np.array_equal(sees["Ben"].label[~hidden], sees[""].label[~hidden], equal_nan=True)
    residual = exploring.COLOURINGS["residual"].values(sees["Ben"], 0)
    assert np.isnan(residual[hidden]).all() and exploring.details(sees["Ben"], np.array([1]), "z")["label"].isna().all()
    before = exploring.version(tiny, "pca image", 1, "Ben")
    labels.record(tiny, [labels.Decision(1, "z", "label", "Ben", "desk", 1, value=0.1, grade=4)])
    seen = exploring.map_table(tiny, "pca image", 1, "Ben")
    assert np.isfinite(seen.label[seen.object_ids == 1]).all() and np.isnan(seen.label[seen.object_ids == 2]).all()
    assert exploring.version(tiny, "pca image", 1, "Ben") != before and exploring.version(tiny, "pca image", 1, "Ada")[-1] == ()
