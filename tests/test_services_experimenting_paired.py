"""Whether a gain is real: bootstrap over sky groups, t over seeds, and what many comparisons cost."""

import numpy as np
import pytest
from scipy import stats

from core import metrics
from core.services.experimenting import drawings
from core.services.experimenting.paired import compare, draws, holm, nmad_draws, rmse_draws

RNG = np.random.default_rng(7)
ERROR = RNG.normal(0, 1, (3, 300))
ONCE = np.ones((1, 300), dtype=np.float32)


def test_draws_take_whole_sky_groups_as_often_as_there_are_groups():
    group = np.repeat(np.arange(50), 3)
    weight = draws(group, np.random.default_rng(0), 200)
    assert weight.shape == (200, 150) and (weight[:, ::3] == weight[:, 1::3]).all() and (weight[:, ::3] == weight[:, 2::3]).all()
    assert (weight[:, ::3].sum(axis=1) == 50).all() and weight.mean() == 1


def test_statistics_of_the_galaxies_as_they_are_agree_with_the_metrics():
    assert rmse_draws(ERROR, ONCE)[0] == pytest.approx(np.sqrt(np.mean(ERROR**2)), rel=1e-6)
    assert nmad_draws(ERROR, ONCE)[0] == pytest.approx(np.mean([metrics.nmad(e) for e in ERROR]), rel=1e-6)


def test_nmad_of_a_draw_is_that_of_the_galaxies_repeated_so_often():
    weight = draws(np.arange(300), np.random.default_rng(1), 5)
    by_hand = [np.mean([metrics.nmad(np.repeat(e, w.astype(int))) for e in ERROR]) for w in weight]
    assert nmad_draws(ERROR, weight) == pytest.approx(by_hand, rel=1e-6)


def test_gain_that_is_there_is_found_with_an_interval_that_holds_it():
    found = compare(0.9 * ERROR + RNG.normal(0, 0.05, ERROR.shape), ERROR, draws(np.arange(300), np.random.default_rng(2), 500))
    assert found.low < 0.099 < found.high and found.low > 0 and found.p_galaxies == 2 / 500


def test_no_gain_is_found_between_configurations_that_are_equally_good():
    low_p = 0
    for k in range(40):
        rng = np.random.default_rng(k)
        first, second = rng.normal(0, 1, (2, 1, 200))
        low_p += compare(first, second, draws(np.arange(200), rng, 200)).p_galaxies < 0.05
    assert low_p <= 5


def test_seeds_are_compared_in_pairs():
    better = ERROR * np.array([[0.8], [0.9], [0.7]])
    found = compare(better, ERROR, ONCE)
    single = [np.sqrt(np.mean(e**2)) for e in ERROR]
    assert found.p_seeds == pytest.approx(stats.ttest_rel([0.8 * single[0], 0.9 * single[1], 0.7 * single[2]], single).pvalue, rel=1e-4)


@pytest.mark.parametrize("seeds", [1, 3])
def test_one_seed_or_seeds_that_change_nothing_have_no_p(seeds):
    same = np.repeat(ERROR[:1], seeds, axis=0)
    assert np.isnan(compare(0.5 * same, same, ONCE).p_seeds)


def test_correction_for_many_comparisons_never_lowers_p_and_keeps_its_order():
    p = np.array([0.2, 0.001, 0.04, 0.9])
    assert holm(p).tolist() == pytest.approx([0.4, 0.004, 0.12, 0.9])


def test_figures_leave_out_what_is_not_known_and_escape_names():
    items = [drawings.Dot("a<b", "image", 0.2, 0.1, 0.3), drawings.Dot("gone", "fused", np.nan, np.nan, np.nan)]
    svg = drawings.dots(items, "RMSE", "dex")
    assert svg.count("<circle") == 1 and "a&lt;b" in svg and "gone" not in svg
    assert drawings.dots(items[1:], "RMSE", "dex") == "" == drawings.scatter([("a", "image", 0.0, 1.0)], "t", "x", "y")


def test_dots_are_ordered_with_the_lowest_value_on_top():
    svg = drawings.dots([drawings.Dot(n, "image", v, v, v) for n, v in (("worst", 0.3), ("best", 0.1), ("middle", 0.2))], "RMSE", "dex")
    assert sorted((">best<", ">middle<", ">worst<"), key=svg.index) == [">best<", ">middle<", ">worst<"]


def test_density_counts_every_galaxy_whose_values_are_known():
    truth = np.append(np.linspace(0, 1, 50), np.nan)
    svg = drawings.density(truth, truth, "z", "")
    assert 25 <= svg.count("<rect") <= 50
    assert drawings.density(truth[-1:], truth[-1:], "z", "") == ""
