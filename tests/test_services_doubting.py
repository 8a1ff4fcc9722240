"""Where a model is unsure and why, on arrays whose answers are known by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.columns import TARGET_NAMES
from core.errors import NotFound
from core.services import doubting, exploring, labelling
from core.services.doubting import CORNERS, Everyone
from core.services.doubting.change import Gain
from core.services.doubting.sky import middle, unproject
from core.store import assignments, batches, labels, objects, runs, truth
from core.uncertainty.conformal import Stretches


def _run(ws, ignorance: float = 0.02, offset: float = 0.1, model: str = "linear", config: dict | None = None, seed: int = 0) -> int:
    """A run whose every ignorance is the same, and every prediction ``offset`` above the truth."""
    ids = objects.frame(ws)["id"].to_numpy()
    wide = truth.frame(ws, ids).pivot(index="object_id", columns="target", values="value").loc[ids, list(TARGET_NAMES)].to_numpy()
    run = runs.create(ws, model, model, config or {}, seed, {"high_water": labels.high_water(ws), "count": 1, "hash": f"{ignorance}{offset}{seed}"})
    place = np.column_stack([np.arange(len(ids), dtype=np.float32), np.zeros(len(ids), np.float32)])
    runs.save_arrays(ws, run, "predictions", object_ids=ids, targets=np.array(TARGET_NAMES), mean=wide + offset, aleatoric=np.full(wide.shape, 0.03**2),
                     epistemic=np.full(wide.shape, ignorance**2), novelty=np.ones(len(ids)), features=place)
    runs.finish(ws, run, "done", {})
    return run


def _with(everyone: Everyone, target: str = "z", **columns: np.ndarray) -> Everyone:
    """The same galaxies with other means, noises or ignorances of one target."""
    table = everyone.table
    changed = {name: getattr(table, name).copy() for name in columns}
    for name, values in columns.items():
        changed[name][:, table.column(target)] = values
    return replace(everyone, table=replace(table, **changed))


def _label(ws, ids, batch: int | None = None, who: str = "Ann") -> None:
    labels.record(ws, [labels.Decision(int(i), "z", "label", who, f"c-{who}", int(i), value=0.1, grade=4, batch_id=batch) for i in ids])


def test_everyone_holds_all_that_a_run_has_predicted_with_place_and_brightness(tiny):
    found = doubting.everyone(tiny, _run(tiny))
    here = objects.frame(tiny)
    assert found.table.object_ids.tolist() == here["id"].tolist() and found.ra == pytest.approx(here["ra"]) and found.dec == pytest.approx(here["dec"])
    assert len(found) == 60 and np.isfinite(found.magnitude).all() and found.ignorance("z") == pytest.approx(0.02) and found.noise("sfr_tot_median") == pytest.approx(0.03)


def test_kinds_that_a_run_is_silent_about_are_not_offered(tiny):
    found = doubting.everyone(tiny, _run(tiny))
    assert list(doubting.kinds(found.table, "z")) == ["epistemic", "aleatoric", "sigma", "novelty"]
    sure = _with(found, epistemic=0.0)
    assert "epistemic" not in doubting.kinds(sure.table, "z") and found.knows_both("z") and not sure.knows_both("z")


def test_total_uncertainty_is_the_root_of_both_variances(tiny):
    table = doubting.everyone(tiny, _run(tiny, ignorance=0.04)).table
    assert exploring.COLOURINGS["sigma"].values(table, 0) == pytest.approx(0.05) and np.isnan(exploring.COLOURINGS["half"].values(table, 0)).all()


def test_the_version_changes_with_a_label(tiny):
    run = _run(tiny)
    before = doubting.version(tiny, run)
    _label(tiny, [50])
    assert doubting.version(tiny, run) != before and doubting.everyone(tiny, run).table.version == doubting.version(tiny, run)


def test_sky_has_east_and_north_right_and_heeds_no_seam_of_right_ascension():
    ra, dec = np.array([359.0, 1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0, -1.0])
    centre = middle(ra, dec)
    x, y = doubting.project(ra, dec, centre)
    assert centre == (0.0, 0.0)
    assert x == pytest.approx([-1, 1, 0, 0], abs=1e-3) and y == pytest.approx([0, 0, 1, -1], abs=1e-3)


def test_the_projection_keeps_areas_and_finds_its_way_back():
    ra, dec = np.random.default_rng(0).uniform(0, 360, 50), np.random.default_rng(1).uniform(-89, 89, 50)
    x, y = doubting.project(ra, dec, (123.0, -40.0))
    back = unproject(x, y, (123.0, -40.0))
    assert back[0] == pytest.approx(ra) and back[1] == pytest.approx(dec)
    apart = np.arccos(np.sin(np.deg2rad(dec)) * np.sin(np.deg2rad(-40)) + np.cos(np.deg2rad(dec)) * np.cos(np.deg2rad(-40)) * np.cos(np.deg2rad(ra - 123)))
    assert np.deg2rad(np.hypot(x, y)) == pytest.approx(2 * np.sin(apart / 2))
    assert np.isnan(unproject(np.array(120.0), np.array(0.0), (0.0, 0.0))).all()


def test_sky_bins_hold_medians_and_leave_out_who_has_no_place_or_value():
    ra, dec = np.array([10.0, 10.01, 10.02, 12.0, 12.01, np.nan, 11.0]), np.array([0.0, 0.0, 0.0, 0.0, 0.01, 0.0, 0.0])
    seen = doubting.sky(ra, dec, np.array([1.0, 2.0, 9.0, 4.0, 6.0, 100.0, np.nan]))
    filled = {round(float(m), 6): int(c) for m, c in zip(seen.median[seen.count > 0], seen.count[seen.count > 0], strict=True)}
    assert filled == {2.0: 3, 5.0: 2} and seen.x[np.flatnonzero((seen.count > 0).any(axis=0))[0]] < 0
    at = np.unravel_index(np.nanargmin(seen.median), seen.median.shape)
    assert seen.ra[at] == pytest.approx(10.0, abs=0.1) and seen.dec[at] == pytest.approx(0.0, abs=0.2)
    assert doubting.sky(ra, dec, np.full(7, np.nan)) is None


@pytest.mark.parametrize(("ra", "dec"), [(np.linspace(150, 152, 40), np.linspace(1, 3, 40)),
                                         (np.linspace(0, 359, 400), np.tile([-60.0, -10.0, 40.0, 80.0], 100)), (np.linspace(0, 359, 40), np.full(40, 87.0))])
def test_graticule_names_a_few_lines_of_each_kind_inside_the_frame(ra, dec):
    seen = doubting.sky(ra, dec, np.ones(len(ra)))
    lines = doubting.graticule(seen)
    assert 2 <= len(lines) <= 40 and any(name[0] in "+-" for _, _, name in lines)
    west, east, south, north = doubting.frame(seen)
    assert east - west == pytest.approx(north - south) and all(west <= np.nanmin(x) <= np.nanmax(x) <= east and south <= np.nanmin(y) <= np.nanmax(y) <= north for x, y, _ in lines)


def test_cells_hold_medians_by_sn_and_prediction_and_name_the_largest():
    sn = np.repeat([1.0, 2.0, 3.0, 4.0], 50)
    predicted = np.tile(np.repeat([0.1, 0.2, 0.3, 0.4, 0.5], 10), 4)
    values = np.where((sn == 1) & (predicted == 0.5), 8.0, 2.0)
    found = doubting.cells(values, sn, sn, predicted)
    assert found.median.shape == (4, 5) and (found.count == 10).all() and found.median[0, 4] == 8 and found.overall == 2
    assert found.rows == ["under 1.8", "1.8 to 2.5", "2.5 to 3.2", "over 3.2"] and found.columns == ["under 0.18", "0.18 to 0.26", "0.26 to 0.34",
                                                                                                     "0.34 to 0.42", "over 0.42"]
    assert doubting.largest(found, "z") == "Largest at S/N under 1.8 and predicted z over 0.42: a median of 8, 4.0 times that of all."


def test_cells_give_galaxies_without_a_spectrum_a_row_of_their_own():
    found = doubting.cells(np.r_[np.ones(20), np.full(20, 3.0)], np.r_[np.arange(20.0), np.full(20, np.nan)], np.ones(40), np.full(40, 0.1))
    assert found.rows[-1] == "no spectrum" and found.median[-1, -1] == 3 and doubting.largest(found, "z").startswith("Largest where there is no spectrum and predicted z")
    assert doubting.largest(doubting.cells(np.r_[np.ones(30), np.full(10, 1.1)], np.full(40, 5.0), np.ones(40), np.repeat([0.1, 0.2, 0.3, 0.4], 10)),
                            "z") == "Much the same everywhere: a median of 1, and nowhere above 1.1."
    assert doubting.cells(np.full(3, np.nan), np.ones(3), np.ones(3), np.ones(3)) is None
    assert doubting.largest(doubting.cells(np.ones(3), np.ones(3), np.ones(3), np.ones(3)), "z") == ""


def test_cells_go_by_brightness_where_there_are_no_spectra():
    found = doubting.cells(np.repeat([1.0, 4.0], 20), np.full(40, np.nan), np.r_[np.full(20, 15.0), np.full(19, 19.0), np.nan], np.full(40, 0.1))
    assert found.by == "r magnitude" and found.rows == ["under 15.0", "15.0 to 19.0", "over 19.0", "no photometry"]
    assert doubting.largest(found, "z").startswith("Largest at r magnitude over 19.0 and predicted z")


def test_uncertainty_follows_what_it_is_ranked_like():
    values, other = np.arange(20.0), np.where(np.arange(20) % 2, 1.0, -1.0)
    found = doubting.follows(values, {"nothing": other, "S/N": -(values**3), "few": np.where(values < 5, values, np.nan),
                                      "r magnitude": np.r_[values[10:], values[:10]]})
    assert list(found) == ["S/N", "r magnitude", "nothing"] and found["S/N"] == pytest.approx(-1) and found["r magnitude"] == pytest.approx(1 - 6 * 20 * 100 / (20 * 399))
    assert doubting.followed({"S/N": -1.0, "r magnitude": -0.5,
                              "predicted z": 0.2}) == "It falls with S/N (rank correlation -1.00) and r magnitude (-0.50) and grows with predicted z (+0.20)."
    assert doubting.followed({"S/N": 0.01}) == "It follows none of S/N." and doubting.followed({}) == ""


def test_corners_are_parted_by_the_medians_and_leave_out_who_lacks_either():
    noise, ignorance = np.array([1.0, 2.0, 3.0, 4.0, 0.0, np.nan]), np.array([10.0, 40.0, 20.0, 30.0, 5.0, 5.0])
    at = doubting.limits(noise, ignorance)
    names = [c.name for c in CORNERS]
    assert at == (2.5, 25.0)
    assert [names[k] if k >= 0 else "" for k in doubting.corner_of(noise, ignorance, at)] == ["known", "ask", "noisy", "both", "", ""]
    assert np.isnan(doubting.limits(noise, np.zeros(6))).all() and (doubting.corner_of(noise, np.zeros(6), (np.nan, np.nan)) == -1).all()


def test_every_corner_says_what_it_is_and_what_to_do():
    assert {(c.is_ignorant, c.is_noisy) for c in CORNERS} == {(a, b) for a in (True, False) for b in (True, False)}
    assert all(c.sentence.endswith(".") and c.advice.endswith(".") for c in CORNERS)


def test_posterior_says_mean_calibrated_interval_and_what_is_noise(tiny):
    everyone = _with(doubting.everyone(tiny, _run(tiny)), aleatoric=np.linspace(0.001, 0.06, 60), epistemic=0.004)
    everyone = _with(everyone, aleatoric=np.where(np.arange(60) == 30, 0.008, everyone.noise("z")), mean=0.21316)
    object_id = int(everyone.table.object_ids[30])
    stretched = replace(everyone, stretches=Stretches(widths={"z": {"all": {"68": 1.5, "95": 3.0}}}))
    said = doubting.posterior(stretched, "z", object_id)
    assert (said.sigma, said.share_of_noise, said.half["68"], said.half["95"]) == pytest.approx((np.sqrt(80) * 1e-3, 0.8, 1.5 * np.sqrt(80) * 1e-3,
                                                                                                 3 * np.sqrt(80) * 1e-3))
    assert said.below == pytest.approx((everyone.noise("z") < 0.0079999).mean())
    assert said.sentence.startswith("The model says z = **0.213 ± 0.013** (68 %, calibrated). Three quarters of that variance is noise, which no label takes "
                                    "away; the rest is ignorance")
    assert "(1 σ as stated, not calibrated)" in doubting.posterior(everyone, "z", object_id).sentence
    x = doubting.reach([said])
    assert x[0] == pytest.approx(0.21316 - 4 * said.sigma) and np.trapezoid(doubting.density(said.mean, said.sigma, x), x) == pytest.approx(1, abs=1e-3)


def test_posterior_of_a_model_that_knows_no_ignorance_does_not_split_it(tiny):
    everyone = _with(doubting.everyone(tiny, _run(tiny)), epistemic=0.0)
    assert "does not tell noise from ignorance" in doubting.posterior(everyone, "z", int(everyone.table.object_ids[0])).sentence


def test_posterior_refuses_who_the_run_says_nothing_of(tiny):
    everyone = _with(doubting.everyone(tiny, _run(tiny)), mean=np.nan)
    with pytest.raises(NotFound, match="says nothing of z of mock-00000"):
        doubting.posterior(everyone, "z", int(everyone.table.object_ids[0]))
    with pytest.raises(NotFound, match="says nothing of object 99999"):
        doubting.posterior(everyone, "z", 99999)


def test_a_galaxy_is_found_by_number_key_and_part_of_its_key(tiny):
    everyone = doubting.everyone(tiny, 1)
    assert doubting.find(tiny, everyone, "7") == 7 and doubting.find(tiny, everyone, " mock-00016 ") == 17 and doubting.find(tiny, everyone, "00016") == 17
    with pytest.raises(NotFound, match="no galaxy named nowhere"):
        doubting.find(tiny, everyone, "nowhere")


def test_labels_of_others_and_the_catalogue_are_hidden_until_asked_for(tiny):
    _label(tiny, [40], who="Ann"), _label(tiny, [40], who="Bob")
    mine = doubting.known(tiny, 40, "z", "Ann", False)
    assert mine[["what", "who", "value"]].to_numpy().tolist() == [["label", "Ann", 0.1]]
    everything = doubting.known(tiny, 40, "z", "Ann", True)
    value = truth.frame(tiny, [40]).query("target == 'z'")["value"].iloc[0]
    assert everything["what"].tolist()[:3] == ["label", "label", "catalogue"] and everything["value"].iloc[2] == pytest.approx(value)
    assert doubting.known(tiny, 41, "z", "Ann", False).empty and doubting.known(tiny, 40, "sfr_tot_median", "Ann", True)["what"].tolist() == ["catalogue"]


def test_what_the_spectrum_tells_by_itself_stands_beside_the_catalogue_when_asked_for(tiny, monkeypatch):
    monkeypatch.setattr(labelling, "template_fit", lambda ws, i: {"candidates": [{"z": 0.2, "error": 1e-4, "name": "GALAXY"}]})
    monkeypatch.setattr(labelling, "measured_sfr", lambda ws, i, z: {"values": {"sfr_tot_p16": -0.5, "sfr_tot_median": 0.1, "sfr_tot_p84": 0.5,
                                                                                "sfr_tot_entropy": -3.0}})
    last = {t: doubting.known(tiny, 41, t, "Ann", True).iloc[-1].tolist() for t in ("z", "sfr_tot_median", "sfr_tot_p84", "sfr_tot_mode")}
    assert last["z"] == ["spectrum", "template fit, GALAXY", 0.2, 1e-4] and last["sfr_tot_median"] == ["spectrum", "as measured at z 0.2000", 0.1, 0.5]
    assert last["sfr_tot_p84"][2] == 0.5 and np.isnan(last["sfr_tot_p84"][3]) and last["sfr_tot_mode"][0] == "catalogue"


def test_others_labels_of_a_shared_galaxy_stay_hidden_until_one_has_decided(tiny):
    batch = batches.save(tiny, "shared", "random", {}, 0, [{"object_id": 40}])
    assignments.save(tiny, assignments.Assignment(batch, 2, 0, 0.0, False, "Vera"), [("Ann", 40, 0, None), ("Bob", 40, 0, None)])
    _label(tiny, [40], batch, "Bob")
    assert "Bob" not in doubting.known(tiny, 40, "z", "Ann", True)["who"].tolist()
    _label(tiny, [40], batch, "Ann")
    assert doubting.known(tiny, 40, "z", "Ann", True)["who"].tolist()[:2] == ["Bob", "Ann"]


def test_earlier_runs_are_those_of_the_same_model_the_same_settings_first(tiny):
    other, odd, alike, now = _run(tiny, model="mean"), _run(tiny, config={"modalities": "image"}), _run(tiny), _run(tiny)
    found = doubting.earlier(tiny, now)
    assert found["id"].tolist() == [alike, 1, odd] and found["is_alike"].tolist() == [True, True, False] and other not in found["id"].tolist()
    assert doubting.earlier(tiny, 1).empty


def _two_rounds(tiny):
    """A run, a batch of two labels and a label outside it, and a run that halves the ignorance of those three."""
    before = _run(tiny, ignorance=0.04)
    batch = batches.save(tiny, "round 2", "lcmd_sampled", {}, 0, [{"object_id": 41}, {"object_id": 42, "control": 1}])
    _label(tiny, [41, 42], batch), _label(tiny, [43])
    return before, _run(tiny, ignorance=0.04, offset=0.05)


def test_change_tells_asked_neighbours_and_the_rest_apart(tiny):
    before, now = _two_rounds(tiny)
    ids = doubting.everyone(tiny, now).table.object_ids
    after = _with(doubting.everyone(tiny, now), epistemic=np.where(np.isin(ids, [41, 42, 43]), 0.02, 0.03))
    found = doubting.change(tiny, after, doubting.everyone(tiny, before), "z")
    assert ids[found.asked].tolist() == [41, 42, 43] and found.lost == 0
    table = found.groups.set_index("group")
    assert table.loc["asked about", ["galaxies", "before", "now", "change"]].tolist() == pytest.approx([3, 0.04, 0.02, -0.5])
    assert table.loc["their neighbours", "change"] == pytest.approx(-0.25) == pytest.approx(table.loc["the rest", "change"])
    assert found.doublings[np.isin(ids, [41])] == pytest.approx([-1]) and table["galaxies"].sum() == 60


def test_neighbours_are_the_ten_nearest_without_a_label(tiny):
    before, now = _two_rounds(tiny)
    found = doubting.change(tiny, doubting.everyone(tiny, now), doubting.everyone(tiny, before), "z")
    assert doubting.everyone(tiny, now).table.object_ids[found.near].tolist() == [*range(35, 41), *range(44, 50)]


def test_change_counts_who_moved_from_ask_to_known(tiny):
    before, now = _two_rounds(tiny)
    high = np.arange(60) < 20
    was = _with(doubting.everyone(tiny, before), aleatoric=np.where(np.arange(60) % 2, 0.05, 0.01), epistemic=np.where(high, 0.08, 0.01))
    after = _with(was, epistemic=np.where(high & (np.arange(60) < 6), 0.005, was.ignorance("z")))
    found = doubting.change(tiny, replace(after, table=replace(after.table, run_id=now)), was, "z")
    assert found.moved.sum() == 60 and found.moved[0].tolist() == [7, 0, 3, 0]
    assert found.sentence == "Of 10 galaxies in the corner **Ask**, **3** have moved to **Known**; 0 went the other way."


def test_the_interval_of_a_median_change_comes_from_order_statistics(tiny):
    before, now = _two_rounds(tiny)
    after = _with(doubting.everyone(tiny, now), epistemic=0.04 * (1 + np.arange(60) / 100))
    rest = doubting.change(tiny, after, doubting.everyone(tiny, before), "z").groups.set_index("group").loc["the rest"]
    assert rest["low"] < rest["change"] < rest["high"] and rest["high"] - rest["low"] < 0.5


def test_batches_between_two_runs_are_told_with_their_control(tiny):
    before, now = _two_rounds(tiny)
    assert doubting.batches_between(tiny, before, now, "z").to_numpy().tolist() == [["round 2", "lcmd sampled", 1, 2], ["", "", 0, 1]]
    assert doubting.batches_between(tiny, before, now, "sfr_tot_median").empty


def test_gains_are_paired_on_the_test_galaxies(tiny):
    before, now = _two_rounds(tiny)
    found = {g.metric: g for g in doubting.gains(tiny, before, now, "sfr_tot_median")}
    rmse = found["RMSE"]
    assert (rmse.before, rmse.now, rmse.change, rmse.low, rmse.high) == pytest.approx((0.1, 0.05, -0.05, -0.05, -0.05), abs=1e-6) and rmse.verdict == "better"
    assert found["CRPS"].change < 0 and list(doubting.gains(tiny, before, now, "z"))[0].metric == "RMSE δ"
    assert Gain("RMSE", 1, 1, 0, -0.1, 0.1).verdict == "chance" and Gain("RMSE", 1, 2, 1, 0.5, 1.5).verdict == "worse"
    with tiny.write() as db:
        db.conn.execute("DELETE FROM truth")
    assert doubting.gains(tiny, before, now, "not_a_target") == []


def test_draws_of_the_nmad_are_those_of_the_study():
    from core.services.doubting.change import _nmad_draws
    from core.services.experimenting.paired import draws, nmad_draws

    error, weight = np.random.default_rng(0).normal(0, 1, (1, 101)), draws(np.arange(101) // 3, np.random.default_rng(1), 30)
    assert _nmad_draws(error, weight) == pytest.approx(nmad_draws(error, weight))


def test_held_counts_the_truths_inside_stretched_intervals_else_stated_ones(tiny):
    tight, wide = _run(tiny, ignorance=0.04, offset=0.0499), _run(tiny, ignorance=0.04, offset=0.04)
    assert doubting.held(tiny, tight, "z").share == 0 and doubting.held(tiny, wide, "z").share == 1
    runs.finish(tiny, tight, "done", {"conformal": {"widths": {"z": {"all": {"68": 1.5}}}}})
    found = doubting.held(tiny, tight, "z")
    assert (found.share, found.galaxies) == (1, (objects.frame(tiny)["split"] == "test").sum())
    assert found.sentence == f"100.0 ± {100 * np.sqrt(0.6827 * 0.3173 / found.galaxies):.1f} %"
    assert doubting.held(tiny, tight, "not_a_target") is None


def test_what_was_undone_between_two_runs_is_counted(tiny):
    before = _run(tiny)
    label = labels.current(tiny).query("target == 'z'")["id"].iloc[0]
    labels.retract(tiny, int(label), "oracle", "test", 10_000)
    now = _run(tiny)
    assert doubting.change(tiny, doubting.everyone(tiny, now), doubting.everyone(tiny, before), "z").lost == 1


def test_medians_are_the_same_whatever_the_order():
    rng = np.random.default_rng(0)
    sn, predicted, values = rng.gamma(3, 4, 500), rng.uniform(0, 1, 500), rng.gamma(2, 1, 500)
    order = rng.permutation(500)
    one, two = doubting.cells(values, sn, sn, predicted), doubting.cells(values[order], sn[order], sn[order], predicted[order])
    assert pd.DataFrame(one.median).equals(pd.DataFrame(two.median)) and one.rows == two.rows
