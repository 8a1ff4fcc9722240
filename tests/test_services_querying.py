"""Who may be asked, what a preview holds, and what is saved of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core.acquisition.registry import STRATEGIES
from core.columns import SFR_TARGETS, TARGET_NAMES
from core.errors import BadInput, NotFound
from core.services import querying
from core.services.querying import Request
from core.services.querying.views import view_runs
from core.store import arrays, batches, embeddings, labels, objects, runs
from tests.conftest import tiny_workspace


@pytest.fixture
def sky(tmp_path):
    """Two hundred objects, a hundred labelled, one run, one map."""
    return tiny_workspace(tmp_path / "sky", n=200)


def view_pair(sky, offset: float = 0.0, known: int = 200) -> tuple[int, int]:
    """A run of images and one of spectra whose sigmas are 0.3 and 0.4 and whose answers differ by ``offset``."""
    found = []
    for model, add in (("image_cnn", 0.0), ("spectrum_cnn", offset)):
        run_id = runs.create(sky, model, model, {}, 0, {"high_water": 0, "count": 0, "hash": ""})
        shape = (known, len(TARGET_NAMES))
        variance = 0.09 if model == "image_cnn" else 0.16
        runs.save_arrays(sky, run_id, "predictions", object_ids=np.arange(1, known + 1), targets=np.array(TARGET_NAMES), mean=np.full(shape, 0.1 + add),
                         aleatoric=np.full(shape, 0.75 * variance), epistemic=np.full(shape, 0.25 * variance))
        runs.finish(sky, run_id, "done")
        found.append(run_id)
    return tuple(found)


def request(**changes) -> Request:
    return Request(**{"size": 10, "run_id": 1, "least_sn": 0.0} | changes)


def test_pool_is_train_without_a_decision_and_counts_who_is_left_out(sky):
    table = objects.frame(sky)
    here = querying.pool(sky, request())
    expected = table[(table["split"] == "train") & (table["id"] > 100)]["id"].tolist()
    assert here.object_ids.tolist() == expected
    assert here.labelled_ids.tolist() == list(range(1, 101))
    assert here.counts["kept for calibration and test"] == (table["split"] != "train").sum()
    assert here.counts["already decided on"] == ((table["split"] == "train") & (table["id"] <= 100)).sum()
    assert len(here) + sum(here.counts.values()) == 200


def test_pool_gates_what_nobody_could_label(sky):
    with sky.write() as db:
        db.conn.execute("UPDATE objects SET sn = NULL WHERE id % 4 = 0")
        db.conn.execute("DELETE FROM arrays WHERE modality = 'spectrum' AND object_id % 4 = 1")
        db.conn.execute("UPDATE objects SET class = CASE id % 4 WHEN 2 THEN 'STAR' ELSE NULL END")
    everybody = querying.pool(sky, request(only_galaxies=False))
    ids, sn = everybody.object_ids, everybody.sn
    gated = querying.pool(sky, request(least_sn=10.0, needs_spectrum=True))
    assert gated.object_ids.tolist() == ids[~(sn < 10) & (ids % 4 != 1) & (ids % 4 != 2)].tolist()
    assert gated.counts["called a star, a quasar or sky"] == (ids % 4 == 2).sum() > 0
    assert gated.counts["below S/N 10"] == ((sn < 10) & (ids % 4 != 2)).sum() > 0
    assert gated.counts["without a spectrum"] == (~(sn < 10) & (ids % 4 == 1)).sum() > 0


def test_pool_leaves_out_what_the_model_cannot_see(sky):
    with sky.write() as db:
        db.conn.execute("UPDATE runs SET model = 'photometry_mlp'")
        db.conn.execute("DELETE FROM arrays WHERE modality = 'photometry' AND object_id > 150")
    here = querying.pool(sky, request())
    assert here.object_ids.max() <= 150 and here.counts["without photometry, which run 1 reads"] > 0


def test_pool_forgets_a_decision_that_was_undone_and_heeds_one_that_nobody_could_make(sky):
    first, second = querying.pool(sky, request()).object_ids[:2].tolist()
    row = labels.record(sky, [labels.Decision(first, "z", "cannot", "a", "c", 1)])[0]
    assert querying.pool(sky, request()).object_ids[0] == second
    labels.retract(sky, row, "a", "c", 2)
    assert querying.pool(sky, request()).object_ids[0] == first


def test_pool_looks_at_the_chosen_targets_only(sky):
    first = int(querying.pool(sky, request()).object_ids[0])
    labels.record(sky, [labels.Decision(first, "z", "label", "a", "c", 1, value=0.1)])
    assert first not in querying.pool(sky, request(targets=("z",))).object_ids
    assert first in querying.pool(sky, request(targets=SFR_TARGETS)).object_ids


def test_pool_can_be_held_to_a_region(sky):
    assert querying.pool(sky, request(region=tuple(range(100, 140)))).object_ids.max() < 140


def decide(sky, object_ids, action: str, **fields) -> list[int]:
    """One decision about the redshift of each object, by ada."""
    first = labels.high_water(sky)
    value = 0.1 if action == "label" else None
    return labels.record(sky, [labels.Decision(int(i), "z", action, "ada", "c", first + k, value=value, **fields) for k, i in enumerate(object_ids)])


def test_pool_leaves_out_who_is_named_or_flagged_until_the_flag_is_taken_back(sky):
    named, flagged, kept = querying.pool(sky, request()).object_ids[:3].tolist()
    rows = decide(sky, [flagged], "flag", flags="blend, artefact") + decide(sky, [kept], "flag", flags="blend")
    here = querying.pool(sky, request(excluded=(named,)))
    assert here.object_ids[0] == kept
    assert here.counts["named as not to be asked about"] == here.counts["flagged artefact"] == 1
    assert flagged in querying.pool(sky, request(not_flagged=())).object_ids
    labels.retract(sky, rows[0], "ada", "c", 999)
    assert flagged in querying.pool(sky, request()).object_ids


def test_named_reads_keys_and_numbers_and_refuses_what_is_not_there(sky):
    assert querying.named(sky, " mock-00004,7\n mock-00000 ") == (5, 7, 1)
    assert querying.named(sky, " ") == ()
    with pytest.raises(NotFound, match="There is no object mock-9 in this workspace"):
        querying.named(sky, "7 mock-9")


def test_pool_gates_spectra_that_are_mostly_masked(sky):
    everybody = querying.pool(sky, request()).object_ids
    empty, half = everybody[:2].tolist()
    masked = np.stack([np.ones((2, 4620)), np.ones((2, 4620))], axis=1)
    masked[0, 1, 900:], masked[1, 1, 2310:] = 0, 0
    with arrays.appending(sky) as appender:
        rows = appender.stage("spectrum", masked)
        with sky.write() as db:
            appender.publish(db)
            for object_id, row in zip((empty, half), rows.tolist(), strict=True):
                db.conn.execute("UPDATE arrays SET row = ? WHERE object_id = ? AND modality = 'spectrum'", (row, object_id))
    gated = querying.pool(sky, request())
    assert gated.object_ids[0] == half and gated.counts["with under 30 % of the spectrum's pixels"] == 1
    assert querying.pool(sky, request(least_good=0.1)).object_ids[0] == empty
    assert half not in querying.pool(sky, request(least_good=0.6)).object_ids


def test_pool_learns_from_what_nobody_could_tell_and_leaves_out_its_like(sky):
    table = objects.frame(sky).set_index("id")
    ids = querying.pool(sky, request()).object_ids
    faint = [i for i in table.index[100:] if table["sn"][i] < 8]
    with sky.write() as db:
        db.conn.execute("UPDATE objects SET sn = 0.4 WHERE sn < 8")
    assert querying.pool(sky, request()).chance.tolist() == [1.0] * len(ids)
    decide(sky, faint[:-4], "cannot")
    decide(sky, table.index[table["sn"] > 12], "label")
    here = querying.pool(sky, request())
    reason = next(r for r in here.counts if r.startswith("hardly to be told (a chance under 20 % by"))
    left = [i for i in faint[-4:] if i in ids]
    assert here.counts[reason] == len(left) > 0 and not np.isin(left, here.object_ids).any()
    assert here.chance.min() > 0.8 and len(here.chance) == len(here)
    assert np.isin(left, querying.pool(sky, request(least_chance=0.0)).object_ids).all()


def test_pool_does_not_learn_from_stars_nor_from_what_the_catalogue_revealed(sky):
    ids = querying.pool(sky, request()).object_ids
    decide(sky, ids[:10], "cannot", flags="star")
    assert (querying.pool(sky, request()).chance == 1).all()
    decide(sky, ids[10:13], "cannot")
    assert any("by 3 decisions" in reason for reason in querying.pool(sky, request()).counts)


def test_preview_leaves_out_what_is_most_like_the_stars_that_were_met(sky):
    run = runs.load_arrays(sky, 1, "predictions")
    ids = querying.pool(sky, request()).object_ids
    features = run["features"].copy()
    features[np.isin(run["object_ids"], ids[:8])] += 1e3
    runs.save_arrays(sky, 1, "predictions", **{**run, "features": features})
    decide(sky, ids[20:60], "label")
    decide(sky, ids[:5], "cannot", flags="star")
    shown = querying.preview(sky, request(strategy="k_centre", control_share=0.0, size=5))
    assert shown.pool.counts["most like those of which nobody could tell"] == 3 and not np.isin(ids[5:8], shown.pool.object_ids).any()
    careless = querying.preview(sky, request(strategy="k_centre", control_share=0.0, size=5, least_chance=0.0))
    assert np.isin(ids[5:8], careless.table["object_id"]).any()


def test_preview_per_minute_prefers_what_is_quick_to_label(sky):
    ids = querying.pool(sky, request()).object_ids
    with pytest.raises(BadInput, match="The time that a label takes must be known from a decision at least"):
        querying.preview(sky, request(strategy="epistemic", per_minute=True))
    with sky.write() as db:
        db.conn.execute("UPDATE objects SET sn = CASE id % 2 WHEN 0 THEN 1 ELSE 30 END")
    for parity, spent in ((0, 200_000), (1, 2_000)):
        decide(sky, [i for i in range(1, 101) if i % 2 == parity], "label", milliseconds=spent)
    shown = querying.preview(sky, request(strategy="epistemic", per_minute=True, control_share=0.0, size=5))
    assert (shown.table["object_id"] % 2 == 1).all() and shown.table["reason"].str.contains(r"; a label should take [\d.]+ s$").all()
    assert shown.table["chance"].tolist() == [1.0] * 5 and len(ids) == len(shown.pool)
    with pytest.raises(BadInput, match="Cost must be heeded by the strategy; got random"):
        querying.preview(sky, request(strategy="random", per_minute=True))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_preview_offers_unlabelled_train_objects_with_reasons_for_every_strategy(sky, strategy):
    view_pair(sky, 0.1)
    shown = querying.preview(sky, request(strategy=strategy))
    table = shown.table
    assert table["object_id"].isin(querying.pool(sky, request()).object_ids).all() and table["object_id"].is_unique
    assert table["rank"].tolist() == list(range(10)) and table["control"].sum() == 1
    assert table["distance"].gt(0).all() and table["reason"].str.len().gt(10).all()
    assert 0 < shown.worth["covered"] <= 1 and 0 <= shown.worth["redundancy"] < 1 and 0 < shown.worth["random_covered"] <= 1
    assert shown.features == "latent features of run 1"


def test_preview_is_the_same_for_the_same_seed_and_another_for_another(sky):
    ids = [querying.preview(sky, request(strategy="random", seed=s)).table["object_id"].tolist() for s in (3, 3, 4)]
    assert ids[0] == ids[1] != ids[2]


def test_preview_takes_the_most_uncertain_of_the_run(sky):
    saved = runs.load_arrays(sky, 1, "predictions")
    pool = querying.pool(sky, request()).object_ids
    expected = pool[np.argsort(-saved["epistemic"][pool - 1, 0])][:10]
    shown = querying.preview(sky, request(strategy="epistemic", control_share=0.0))
    assert shown.table["object_id"].tolist() == expected.tolist()


def test_preview_holds_no_more_of_the_strangest_than_a_random_batch_unless_told_otherwise(sky):
    saved, pool = runs.load_arrays(sky, 1, "predictions"), querying.pool(sky, request()).object_ids
    strange = pool[: len(pool) // 10]
    saved["epistemic"][strange - 1] = 100.0
    saved["novelty"] = np.where(np.isin(saved["object_ids"], strange), 9.0, 1.0)
    runs.save_arrays(sky, 1, "predictions", **saved)
    asked = lambda **changes: querying.preview(sky, request(strategy="epistemic", control_share=0.0, **changes)).table["object_id"].isin(strange).sum()  # noqa: E731
    assert asked(strange_share=0.0) == min(10, len(strange))
    assert asked(strange_share=len(strange) / len(pool)) == 1


def test_preview_counts_galaxies_that_the_run_does_not_know(sky):
    saved = runs.load_arrays(sky, 1, "predictions")
    saved["mean"][150:, 0] = np.nan
    runs.save_arrays(sky, 1, "predictions", **saved)
    shown = querying.preview(sky, request(strategy="epistemic"))
    assert shown.table["object_id"].max() <= 150
    assert shown.pool.counts["not predicted by run 1"] == (querying.pool(sky, request()).object_ids > 150).sum()


def test_preview_compares_an_image_run_with_a_spectrum_run_in_sigmas(sky):
    view_pair(sky, offset=1.0)
    shown = querying.preview(sky, request(strategy="disagreement", control_share=0.0))
    assert shown.table["score"].tolist() == pytest.approx([4.0] * 10)
    assert shown.table["reason"].iloc[0] == "Image and spectrum differ by 2 sigma, most about z (2 sigma)"


def test_preview_compares_only_galaxies_that_both_runs_can_see(sky):
    view_pair(sky, offset=1.0, known=180)
    with sky.write() as db:
        db.conn.execute("DELETE FROM arrays WHERE modality = 'spectrum' AND object_id % 3 = 0")
    shown = querying.preview(sky, request(strategy="disagreement", run_id=None, targets=SFR_TARGETS, control_share=0.0))
    pool = querying.pool(sky, request(run_id=None)).object_ids
    assert shown.table["object_id"].max() <= 180 and (shown.table["object_id"] % 3 > 0).all()
    assert shown.pool.counts["without an answer of runs 2 (image) and 3 (spectrum)"] == ((pool > 180) | (pool % 3 == 0)).sum() > 0


def test_preview_compares_the_newest_runs_unless_the_chosen_run_is_one_of_them(sky):
    first, second = view_pair(sky), view_pair(sky)
    assert view_runs(sky, None) == second
    assert view_runs(sky, first[0]) == (first[0], second[1])
    assert view_runs(sky, first[1]) == (second[0], first[1])


def test_preview_refuses_to_compare_when_one_of_the_two_models_is_missing(sky):
    with sky.write() as db:
        db.conn.execute("UPDATE runs SET model = 'image_cnn'")
    with pytest.raises(BadInput, match="Answers of a model of images and of a model of spectra must be known for disagreement; got nothing, .* Train one model that reads only images"):
        querying.preview(sky, request(strategy="disagreement"))


def test_preview_serves_a_population_that_is_not_asked_about(sky):
    saved = runs.load_arrays(sky, 1, "predictions")
    features = 0.01 * np.random.default_rng(1).standard_normal((200, 8))
    features[np.arange(200), np.arange(200) % 2] += 1 + 0.5 * (np.arange(200) % 2)
    runs.save_arrays(sky, 1, "predictions", **(saved | {"features": features, "aleatoric": np.ones_like(saved["mean"])}))
    asked = request(strategy="bait", size=1, control_share=0.0, targets=("z",))
    shown = querying.preview(sky, replace(asked, population=(2, 4, 6, 999)))
    assert shown.features == "latent features of run 1, known for 3 of the 4 to be served"
    assert shown.table["object_id"].iloc[0] % 2 == 0
    odd = querying.preview(sky, replace(asked, population=(1, 3, 5)))
    assert odd.table["object_id"].iloc[0] % 2 == 1
    with pytest.raises(BadInput, match="The population to be served must hold at least one object with features; got none"):
        querying.preview(sky, replace(asked, population=(999,)))


def test_preview_without_a_run_measures_on_the_newest_map(sky):
    embeddings.save(sky, "half", "pca", "image", np.arange(1, 151), np.random.default_rng(0).normal(size=(150, 2)), {})
    covering = querying.preview(sky, request(run_id=None, strategy="k_means"))
    assert covering.features == "a place on the map half" and covering.table["object_id"].max() <= 150
    assert covering.pool.counts["without a place on the map half"] > 0
    chance = querying.preview(sky, request(run_id=None, strategy="random"))
    assert len(chance.pool) == len(querying.pool(sky, request())) and chance.table["distance"].isna().all()
    assert 0 < chance.worth["covered"] <= 1 and chance.worth["measured"] == (chance.table["object_id"] <= 150).sum() < 10
    assert chance.features == "a place on the map half"


def test_preview_refuses_what_cannot_be_served(sky):
    with pytest.raises(BadInput, match="Epistemic variances must be known for epistemic; got nothing"):
        querying.preview(sky, request(strategy="epistemic", run_id=None))
    with pytest.raises(BadInput, match="The targets must be one or more of z, .*; got mass"):
        querying.preview(sky, request(targets=("mass",)))
    with pytest.raises(BadInput, match="The pool must hold at least one galaxy"):
        querying.preview(sky, request(region=()))
    with pytest.raises(NotFound, match="There is no run 9 in this workspace"):
        querying.preview(sky, request(run_id=9))


def test_submit_keeps_items_seed_and_enough_to_draw_the_batch_again(sky):
    shown = querying.preview(sky, request(strategy="k_centre", seed=7, region=tuple(range(101, 180)), population=(7, 9)))
    batch_id = querying.submit(sky, shown, " first look ", "ada")
    row = querying.batch_list(sky).iloc[0]
    parameters = json.loads(row["parameters"])
    assert (row["id"], row["name"], row["strategy"], row["seed"], row["run_id"], row["annotator"]) == (batch_id, "first look", "k_centre", 7, 1, "ada")
    assert (row["size"], row["done"], row["share"]) == (10, 0, 0.0)
    assert parameters["region"]["objects"] == 79 and parameters["population"]["objects"] == 2 and parameters["targets"] == list(TARGET_NAMES) and parameters["pool"] == len(shown.pool)
    items = batches.items(sky, batch_id)
    assert items["object_id"].tolist() == shown.table["object_id"].tolist()
    assert items["score"].isna().tolist() == shown.table["control"].tolist()
    assert items["distance"].tolist() == pytest.approx(shown.table["distance"].tolist())


def test_submit_takes_its_galaxies_out_of_the_next_pool_unless_told_otherwise(sky):
    shown = querying.preview(sky, request())
    querying.submit(sky, shown, "one")
    assert not np.isin(shown.table["object_id"], querying.pool(sky, request()).object_ids).any()
    assert querying.pool(sky, request()).counts["waiting in an open batch"] == 10
    assert np.isin(shown.table["object_id"], querying.pool(sky, request(skip_waiting=False)).object_ids).all()


def test_submit_refuses_a_nameless_or_outdated_batch(sky):
    shown = querying.preview(sky, request())
    with pytest.raises(BadInput, match="The name of a batch must not be empty"):
        querying.submit(sky, shown, "  ")
    labels.record(sky, [labels.Decision(int(shown.table["object_id"].iloc[0]), "z", "label", "a", "c", 1, value=0.1)])
    with pytest.raises(BadInput, match="1 decided on since the preview"):
        querying.submit(sky, shown, "late")
    assert querying.batch_list(sky).empty


def test_preview_balances_z_against_star_formation_in_choice_and_in_worth(sky):
    saved = runs.load_arrays(sky, 1, "predictions")
    epistemic = np.random.default_rng(3).gamma(2, 1, (200, 9))
    runs.save_arrays(sky, 1, "predictions", **(saved | {"epistemic": epistemic}))
    pool = querying.pool(sky, request()).object_ids
    asked = request(strategy="epistemic", control_share=0.0)
    of_z = querying.preview(sky, replace(asked, balance=1.0))
    assert of_z.table["object_id"].tolist() == pool[np.argsort(-epistemic[pool - 1, 0])][:10].tolist()
    assert of_z.table["score"].iloc[0] == pytest.approx(epistemic[pool - 1, 0].max() / epistemic[pool - 1, 0].mean())
    of_sfr, even = querying.preview(sky, replace(asked, balance=0.0)), querying.preview(sky, asked)
    relative = epistemic[pool - 1, 1:] / epistemic[pool - 1, 1:].mean(axis=0)
    assert of_sfr.table["object_id"].iloc[0] == pool[relative.mean(axis=1).argmax()]
    assert len({v.worth["covered"] for v in (of_z, of_sfr, even)}) == 3
    querying.submit(sky, of_z, "z first")
    assert json.loads(querying.batch_list(sky)["parameters"].iloc[0])["balance"] == 1.0
    with pytest.raises(BadInput, match="The balance of z and the other targets must be from 0 to 1"):
        querying.preview(sky, replace(asked, balance=1.5))


def test_preview_of_more_diversity_goes_farther_from_labels(sky):
    saved = runs.load_arrays(sky, 1, "predictions")
    features = np.random.default_rng(1).standard_normal((200, 8))
    features[saved["epistemic"][:, 0] > np.median(saved["epistemic"][:, 0])] *= 0.1
    runs.save_arrays(sky, 1, "predictions", **(saved | {"features": features}))
    asked = request(strategy="epistemic", control_share=0.0, size=20, balance=1.0)
    plain, diverse = querying.preview(sky, asked), querying.preview(sky, replace(asked, diversity=0.8))
    assert diverse.table["distance"].mean() > 1.5 * plain.table["distance"].mean()
    assert diverse.table["reason"].str.contains("weighed against how far").all()
    with pytest.raises(BadInput, match="Diversity must be heeded by the strategy; got k_centre"):
        querying.preview(sky, replace(asked, strategy="k_centre", diversity=0.5))


def test_heeded_leaves_out_what_the_strategy_cannot_heed(sky):
    asked = request(strategy="bait", per_minute=True, diversity=0.5, population=(1, 2), whom="my list", balance=0.7)
    kept = querying.heeded(asked)
    assert (kept.per_minute, kept.diversity, kept.population, kept.whom) == (True, 0.0, (1, 2), "my list")
    chance = querying.heeded(replace(asked, strategy="random"))
    assert (chance.per_minute, chance.population, chance.whom, chance.balance) == (False, None, "all of the pool", 0.7)
    assert querying.heeded(replace(asked, strategy="bald")).diversity == 0.5


def test_preview_holds_a_batch_against_the_mean_of_random_ones_and_the_chance_that_nobody_can_tell(sky):
    first, second = (querying.preview(sky, request(strategy=name)) for name in ("lcmd", "random"))
    assert first.worth["random_covered"] == second.worth["random_covered"] and first.worth["cannot"] == 0
    with sky.write() as db:
        db.conn.execute("UPDATE objects SET sn = CASE WHEN sn < 8 THEN 0.4 ELSE sn END")
    table = objects.frame(sky)
    decide(sky, table.loc[(table["sn"] < 1) & (table["id"] <= 100), "id"], "cannot")
    shown = querying.preview(sky, request(least_chance=0.0))
    assert shown.worth["cannot"] == pytest.approx(1 - shown.table["chance"].mean()) and 0 < shown.worth["cannot"] < 1


def test_minutes_follow_the_annotators_own_pace(sky):
    assert querying.minutes(sky, "nobody", 50) is None
    labels.record(sky, [labels.Decision(150 + i, "z", "label", "ada", "c", i, value=0.1) for i in range(5)])
    assert 0 < querying.minutes(sky, "ada", 50) < 1
