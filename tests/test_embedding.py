"""Maps: what goes in, how little is enough, and that they do not jump."""

import numpy as np
import pytest

from core import embedding
from core.embedding import FEWEST, METHODS, Axes, align, axes_of, components, displacement, embed, fused, method_for, place, summary
from core.errors import BadInput

EVERY = pytest.mark.parametrize("method", METHODS)


def clusters(n: int = 120, d: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three far-apart groups and which galaxy is in which."""
    rng = np.random.default_rng(seed)
    group = np.arange(n) % 3
    return rng.normal(0, 1, (n, d)) + 30 * np.eye(d)[group], group


@EVERY
@pytest.mark.parametrize("n", [1, 2, 3, 5, FEWEST - 1, FEWEST, FEWEST + 3])
def test_embed_places_any_number_of_galaxies(method, n):
    xy = embed(components(clusters(n)[0]), method)
    assert xy.shape == (n, 2) and xy.dtype == np.float32 and np.isfinite(xy).all()
    assert xy.mean(axis=0) == pytest.approx([0, 0], abs=1e-4)


@EVERY
def test_embed_keeps_groups_together(method):
    features, group = clusters()
    xy = embed(features, method)
    squared = ((xy[:, None] - xy[None]) ** 2).sum(-1) + np.diag(np.full(len(xy), np.inf))
    assert (group[squared.argmin(axis=1)] == group).mean() > 0.98


@EVERY
def test_embed_gives_the_same_map_for_the_same_seed(method):
    features, _ = clusters()
    assert np.array_equal(embed(features, method, seed=3), embed(features, method, seed=3))


@EVERY
def test_embed_does_not_jump_away_from_the_map_before(method):
    features, group = clusters()
    before = embed(features, method, seed=0) @ np.array([[0.0, 2.0], [-2.0, 0.0]]) + 7
    known = np.where(np.arange(120)[:, None] % 4 > 0, before, np.nan)
    after = embed(features + np.random.default_rng(1).normal(0, 0.1, features.shape), method, seed=1, previous_n2=known)
    centres = lambda xy: np.stack([xy[group == g].mean(axis=0) for g in range(3)])  # noqa: E731
    size = np.linalg.norm(centres(before) - before.mean(axis=0), axis=1).mean()
    assert np.linalg.norm(centres(after) - centres(before), axis=1).max() < 0.5 * size


def test_embed_pca_is_the_plane_of_largest_variance():
    rng = np.random.default_rng(0)
    plane = rng.normal(0, 1, (500, 2)) * [5, 2]
    xy = embed(np.hstack([plane, 0.01 * rng.normal(0, 1, (500, 3))]), "pca")
    assert np.abs(xy) == pytest.approx(np.abs(plane - plane.mean(axis=0)), abs=0.2)


def test_embed_says_how_far_it_is():
    told = []
    embed(clusters()[0], "tsne", report=lambda fraction, message: told.append((fraction, message)))
    fractions = [f for f, _ in told]
    assert told[0] == (0.0, "Finding neighbours") and fractions == sorted(fractions) and fractions[-1] > 0.9


@pytest.mark.parametrize("call, message", [
    (lambda: embed(np.zeros((0, 3))), "A map must have at least one galaxy; got 0"),
    (lambda: embed(np.zeros((20, 3)), "sorting"), "The method of a map must be one of umap, tsne, pca; got sorting"),
    (lambda: embed(np.zeros((20, 3)), "umap", {"perplexity": 3}), "A parameter of umap must be one of n_neighbors, min_dist; got perplexity"),
    (lambda: embed(np.zeros((20, 3)), "umap", {"min_dist": 2}), "min_dist must be from 0 to 0.99; got 2"),
    (lambda: components(np.array([[0.0, np.nan]])), "Features of a map must be finite; got NaN or inf in 1 rows"),
])
def test_embed_refuses_with_a_sentence(call, message):
    with pytest.raises(BadInput, match=message):
        call()


def test_method_for_is_pca_for_a_handful_only():
    assert [method_for(n, "umap") for n in (1, FEWEST - 1, FEWEST)] == ["pca", "pca", "umap"]


def test_align_undoes_rotation_mirror_scale_and_shift_and_takes_new_galaxies_along():
    rng = np.random.default_rng(0)
    old = rng.normal(0, 3, (50, 2))
    angle, mirror = 1.1, np.diag([1, -1])
    new = 0.2 * old @ mirror @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) - 4
    known = np.where(np.arange(50)[:, None] < 30, old, np.nan)
    assert align(new, known) == pytest.approx(old, abs=1e-4)


def test_align_leaves_a_map_with_fewer_than_three_shared_galaxies_alone():
    xy = np.arange(8.0).reshape(4, 2)
    previous = np.full((4, 2), np.nan)
    previous[:2] = 1.0
    assert np.array_equal(align(xy, previous), xy)


def test_components_ignore_units_and_constant_features():
    features, _ = clusters()
    scaled = np.column_stack([features * [1, 1e3, 1, 1, 1e-3, 1], np.full(120, 5.0)])
    assert np.abs(components(scaled)) == pytest.approx(np.abs(components(features)), abs=1e-2)
    assert components(np.ones((4, 3))).shape == (4, 1) and not components(np.ones((4, 3))).any()


def test_components_are_at_most_fifty():
    assert components(np.random.default_rng(0).normal(size=(200, 90))).shape == (200, 50)


def test_fused_lets_no_modality_outvote_another():
    rng = np.random.default_rng(0)
    joined = fused([rng.normal(0, 100, (500, 40)), rng.normal(0, 1, (500, 2))])
    assert joined[:, :40].var(axis=0).sum() == pytest.approx(1, rel=1e-4) == joined[:, 40:].var(axis=0).sum()


def test_summary_of_an_image_does_not_see_how_it_is_turned():
    image = np.random.default_rng(0).gamma(1, 1, (1, 5, 64, 64))
    turned = np.concatenate([image, np.rot90(image, 1, axes=(2, 3)), image[..., ::-1], image + 1])
    rows = summary("image", turned)
    assert rows.shape == (4, 5 * 2 * 36)
    assert rows[1] == pytest.approx(rows[0], abs=1e-5) and rows[2] == pytest.approx(rows[0], abs=1e-5)
    assert np.abs(rows[3] - rows[0]).max() == pytest.approx(1, abs=1e-4)


def test_summary_of_a_spectrum_averages_ten_pixels():
    spectrum = np.zeros((1, 2, 4620), np.float16)
    spectrum[0, 1, 10:20] = np.arange(10)
    row = summary("spectrum", spectrum)
    assert row.shape == (1, 924) and row[0, 462 + 1] == 4.5 and np.count_nonzero(row) == 1


def test_title_names_what_the_map_is_of():
    assert embedding.title("pca", "fused") == "PCA of all modalities"


def test_axes_give_later_galaxies_the_components_of_earlier_ones_and_survive_being_stored():
    features, _ = clusters()
    axes = axes_of(features)
    again = Axes.from_arrays(axes.arrays("image"), "image")
    assert again.of(features[:7]) == pytest.approx(components(features)[:7], abs=1e-5)


@EVERY
def test_place_puts_newcomers_among_their_like_without_a_new_fit(method):
    features, group = clusters()
    known = np.arange(120) < 90
    xy = embed(features[known], method)
    placed = place(features[~known], features[known], xy, method)
    centres = np.stack([xy[group[known] == g].mean(axis=0) for g in range(3)])
    nearest = np.linalg.norm(placed[:, None] - centres[None], axis=2).argmin(axis=1)
    assert placed.dtype == np.float32 and (nearest == group[~known]).all()


def test_place_on_a_pca_map_is_its_projection_even_after_it_was_turned():
    features, _ = clusters()
    turned = embed(features, "pca") @ np.array([[0.0, 2.0], [-2.0, 0.0]]) + 3
    assert place(features[90:], features[:90], turned[:90], "pca") == pytest.approx(turned[90:], abs=1e-2)


def test_displacement_is_a_share_of_the_map():
    old = np.array([[0.0, 0], [2, 0], [0, 2], [2, 2]])
    assert displacement(old + [0.0, np.sqrt(2)], old) == pytest.approx([0.5] * 4)
    assert np.isnan(displacement(old, np.full((4, 2), np.nan))).all()


def test_align_does_not_heed_the_few_that_moved_far():
    rng = np.random.default_rng(0)
    old = rng.normal(0, 3, (200, 2))
    new = old + rng.normal(0, 0.01, old.shape)
    new[:10] += 40
    assert np.abs(align(new, old) - old)[10:].max() < 0.1


@pytest.mark.parametrize("method", ["umap", "tsne"])
def test_embed_settles_a_known_map_and_moves_only_who_has_changed(method):
    features, group = clusters(300)
    before = embed(features, method)
    changed = features.copy()
    changed[0] = features[1]
    after = embed(changed, method, seed=1, previous_n2=before)
    far = displacement(after, before)
    assert np.median(far[1:]) < 0.08 and far[0] > 0.3 and group[np.linalg.norm(after - after[0], axis=1).argsort()[1]] == group[1]
