"""What a map shows, what a lasso catches, and what is near."""

import numpy as np
import pytest

from core.errors import NotFound
from core.services import exploring
from core.store import arrays, batches, embeddings, jobs, labels, runs, truth


def test_map_table_joins_labels_and_predictions_row_by_row(tiny):
    order = np.array([40, 3, 59, 1])
    embeddings.save(tiny, "few", "pca", "image", order, np.arange(8.0).reshape(4, 2), {})
    table = exploring.map_table(tiny, "few", 1)
    z = truth.frame(tiny, order).query("target == 'z'").set_index("object_id")["value"].loc[order].to_numpy()
    c = table.column("z")
    assert table.object_ids.tolist() == order.tolist() and table.xy[1].tolist() == [2.0, 3.0]
    assert table.key.tolist() == [f"mock-{i - 1:05d}" for i in order]
    assert table.mean[:, c] == pytest.approx(z + 0.02)
    assert table.label[:, c] == pytest.approx(np.where(order <= 30, z, np.nan), nan_ok=True)
    assert table.epistemic[:, c] == pytest.approx(table.aleatoric[:, c] / np.sqrt(2))
    residual = exploring.COLOURINGS["residual"].values(table, c)
    assert residual[[1, 3]] == pytest.approx(0.02, abs=1e-6) and np.isnan(residual[[0, 2]]).all()


def test_map_table_without_a_run_knows_no_prediction(tiny):
    table = exploring.map_table(tiny, "pca image")
    assert np.isnan(table.mean).all() and np.isnan(table.epistemic).all() and len(table) == 60
    with pytest.raises(NotFound, match="There is no map named nowhere"):
        exploring.map_table(tiny, "nowhere")


def test_every_colouring_gives_one_value_a_galaxy_that_suits_its_scale(tiny):
    table = exploring.map_table(tiny, "pca image", 1)
    for colouring in exploring.COLOURINGS.values():
        values = colouring.values(table, 0)
        assert values.shape == (60,)
        assert values.dtype == (object if colouring.scale == "category" else np.float32)


def test_label_states_rank_value_over_cannot_over_waiting(tiny):
    labels.record(tiny, [labels.Decision(31, "z", "cannot", "a", "c", 1), labels.Decision(1, "z", "cannot", "a", "c", 2)])
    batches.save(tiny, "b", "random", {}, 0, [{"object_id": i} for i in (1, 31, 32)])
    batches.close(tiny, batches.save(tiny, "closed", "random", {}, 0, [{"object_id": 33}]))
    states = exploring.label_states(tiny, np.array([1, 31, 32, 33]))
    assert states.tolist() == [exploring.LABELLED, exploring.CANNOT, exploring.WAITING, exploring.UNLABELLED]


def test_version_changes_with_labels_batches_and_the_map_only(tiny):
    first = exploring.version(tiny, "pca image", 1)
    assert exploring.version(tiny, "pca image", 1) == first
    labels.record(tiny, [labels.Decision(50, "z", "label", "a", "c", 1, value=0.1)])
    second = exploring.version(tiny, "pca image", 1)
    batches.save(tiny, "b", "random", {}, 0, [{"object_id": 51}])
    third = exploring.version(tiny, "pca image", 1)
    embeddings.save(tiny, "pca image", "pca", "image", np.arange(1, 61), np.zeros((60, 2)), {})
    assert len({first, second, third, exploring.version(tiny, "pca image", 1), exploring.version(tiny, "pca image", None)}) == 5


def test_rows_of_finds_ids_in_any_order():
    assert exploring.rows_of(np.array([9, 2, 7]), np.array([7, 9, 8, 1, 10, 2])).tolist() == [2, 0, -1, -1, -1, 1]
    assert exploring.rows_of(np.empty(0, int), np.array([1])).tolist() == [-1]


def test_points_in_polygon_follows_the_even_odd_rule_in_a_concave_shape():
    u_shape = np.array([[0, 0], [3, 0], [3, 3], [2, 3], [2, 1], [1, 1], [1, 3], [0, 3]], float)
    points = np.array([[0.5, 2], [1.5, 2], [2.5, 2], [1.5, 0.5], [4, 1], [-1, 1]])
    assert exploring.points_in_polygon(points, u_shape).tolist() == [True, False, True, True, False, False]
    assert exploring.points_in_polygon(points, u_shape[::-1]).tolist() == [True, False, True, True, False, False]


def test_points_in_polygon_agrees_with_the_winding_angle_of_a_round_lasso():
    rng = np.random.default_rng(0)
    points, t = rng.uniform(-2, 2, (4000, 2)), np.linspace(0, 2 * np.pi, 150, endpoint=False)
    star = np.column_stack([np.cos(t), np.sin(t)]) * (1 + 0.4 * np.sin(5 * t))[:, None]
    to = star[None] - points[:, None]
    angle = np.angle(np.exp(1j * np.diff(np.arctan2(to[..., 1], to[..., 0]), axis=1, append=np.arctan2(to[:, :1, 1], to[:, :1, 0])))).sum(axis=1)
    assert exploring.points_in_polygon(points, star).tolist() == (np.abs(angle) > 3).tolist()


def test_points_in_polygon_catches_nothing_with_fewer_than_three_corners():
    assert not exploring.points_in_polygon(np.zeros((3, 2)), np.array([[-1, -1], [1, 1]])).any()


def test_details_keep_the_order_and_leave_out_what_is_not_on_the_map(tiny):
    table = exploring.map_table(tiny, "pca image", 1)
    frame = exploring.details(table, np.array([45, 2, 999, 7]), "z")
    assert frame["object_id"].tolist() == [45, 2, 7]
    assert frame["state"].tolist() == [exploring.UNLABELLED, exploring.LABELLED, exploring.LABELLED]
    assert (frame["prediction"] - frame["label"]).iloc[1:].tolist() == pytest.approx([0.02, 0.02], abs=1e-6)
    assert frame["half"].isna().all() and frame["novelty"].isna().all()


def test_details_tell_novelty_and_the_interval_as_calibration_by_sn_has_it(tiny):
    saved = runs.load_arrays(tiny, 1, "predictions")
    runs.save_arrays(tiny, 1, "predictions", **saved, novelty=np.arange(60, dtype=np.float32))
    widths = {"z": {"all": {"68": 1.0}, "sn low": {"68": 3.0}}}
    runs.finish(tiny, 1, "done", {"conformal": {"edges": [8.0, 1e6], "widths": widths}})
    table = exploring.map_table(tiny, "pca image", 1)
    frame = exploring.details(table, table.object_ids, "z")
    assert frame["novelty"].tolist() == (frame["object_id"] - 1).tolist()
    assert (frame["half"] / np.hypot(frame["epistemic"], frame["aleatoric"])).to_numpy() == pytest.approx(np.where(frame["sn"] <= 8, 3.0, 1.0), rel=1e-4)
    assert exploring.details(table, table.object_ids, "sfr_tot_median")["half"].isna().all()


def test_nearest_uses_latent_features_of_the_run_else_the_map(tiny):
    saved = runs.load_arrays(tiny, 1, "predictions")
    features = saved["features"]
    expected = 1 + np.argsort(((features - features[9]) ** 2).sum(1))[1:6]
    assert exploring.nearest(tiny, exploring.map_table(tiny, "pca image", 1), 10, 5).tolist() == expected.tolist()
    table = exploring.map_table(tiny, "pca image")
    expected = 1 + np.argsort(((table.xy - table.xy[9]) ** 2).sum(1))[1:6]
    assert exploring.nearest(tiny, table, 10, 5).tolist() == expected.tolist()
    with pytest.raises(NotFound, match="Object 999 is not on the map"):
        exploring.nearest(tiny, table, 999)


def test_stamps_say_who_has_an_image(tiny):
    images, has_image = exploring.stamps(tiny, np.array([5, 6]))
    assert images.shape == (2, *arrays.SHAPES["image"]) and has_image.all() and np.isfinite(images).all()


def test_feature_choices_follow_what_is_here(ws, tiny):
    assert exploring.feature_choices(ws) == {}
    assert list(exploring.feature_choices(tiny)) == ["image", "spectrum", "photometry", "fused", "run:1"]


def test_make_map_queues_an_embed_job_that_the_page_can_follow(tiny):
    job_id = exploring.make_map(tiny, "tsne", "run:1", {"perplexity": 20})
    job = jobs.one(tiny, job_id)
    assert (job["kind"], job["title"]) == ("embed", "t-SNE of linear (run 1)")
    assert job["parameters"] == {"method": "tsne", "features": "run:1", "parameters": {"perplexity": 20}, "name": "t-SNE of linear (run 1)"}
    assert exploring.maps_being_made(tiny)["id"].tolist() == [job_id]
    assert jobs.one(tiny, exploring.make_map(tiny, "pca", "image", {}, " mine "))["title"] == "mine"
