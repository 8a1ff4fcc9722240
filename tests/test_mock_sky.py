"""The mock sky against physics: what was put in comes out where and as bright as it should."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from core.columns import PERCENTILES, SFR_TARGETS
from core.data import mock_sky
from core.data.identity import decode_specobjid
from core.data.mock_sky import contaminants, galaxies, light, observation, posterior, profiles, templates
from core.data.records import Chunk
from core.data.splits import sky_groups
from core.preprocess.extinction import SFD_UGRIZ
from core.preprocess.spectrum import LOGLAM, WAVE

PARTS = 3


@pytest.fixture(scope="module")
def sky() -> list[Chunk]:
    return [mock_sky.part(k, seed=0) for k in range(PARTS)]


@pytest.fixture(scope="module")
def table(sky) -> pd.DataFrame:
    """Objects with their metadata and their truth by target as columns; index = place among all parts."""
    rows = []
    for chunk in sky:
        wide = chunk.truth.pivot(index="row", columns="target", values="value").reindex(range(len(chunk.objects)))
        rows.append(pd.concat([chunk.objects, pd.DataFrame(chunk.objects["metadata"].tolist()), wide], axis=1))
    return pd.concat(rows, ignore_index=True)


def _all(sky: list[Chunk], modality: str) -> np.ndarray:
    """Arrays of all objects, NaN where one lacks the modality."""
    out = []
    for chunk in sky:
        rows, values = chunk.arrays[modality]
        full = np.full((len(chunk.objects), *values.shape[1:]), np.nan, dtype=np.float32)
        full[rows] = values
        out.append(full)
    return np.concatenate(out)


def _same(a: Chunk, b: Chunk) -> bool:
    pd.testing.assert_frame_equal(a.objects.reset_index(drop=True), b.objects.reset_index(drop=True))
    pd.testing.assert_frame_equal(a.truth.reset_index(drop=True), b.truth.reset_index(drop=True))
    return all(np.array_equal(a.arrays[m][0], b.arrays[m][0]) and np.array_equal(a.arrays[m][1], b.arrays[m][1]) for m in a.arrays)


def test_mock_sky_is_the_same_whoever_draws_it(sky):
    alone, pooled = list(mock_sky.simulate(300, seed=0)), list(mock_sky.simulate(300, seed=0, workers=2))
    assert [len(c.objects) for c in pooled] == [256, 44]
    assert all(_same(a, b) for a, b in zip(alone, pooled, strict=True))
    assert _same(alone[0], sky[0])
    assert alone[1].objects["key"].tolist() == sky[1].objects["key"].tolist()[:44]


def test_mock_sky_differs_by_seed_and_skips_parts_that_are_there(sky):
    other = mock_sky.part(0, seed=1)
    assert set(other.objects["key"]).isdisjoint(sky[0].objects["key"])
    assert not np.array_equal(other.arrays["image"][1][0], sky[0].arrays["image"][1][0])
    assert [c.objects["source"].iloc[0] for c in mock_sky.simulate(600, skip={0, 1})] == ["mock sky, seed 0, part 2"]


def test_mock_sky_signal_to_noise_is_that_of_a_survey(table):
    sn = table.loc[table["class"] == "GALAXY", "sn"]
    assert 9 < sn.median() < 15
    assert 0.005 < (sn < 3).mean() < 0.12
    assert (sn > 25).mean() > 0.02


def test_mock_sky_has_the_stated_shares(sky, table):
    kinds = table["true_kind"].value_counts(normalize=True)
    assert 0.015 < kinds["repeat"] < 0.06
    assert 0.02 < kinds[["star", "quasar", "artefact"]].sum() < 0.07
    for modality, share in (("image", 0.03), ("spectrum", 0.03), ("photometry", 0.05)):
        lacking = np.isnan(_all(sky, modality)).reshape(len(table), -1).all(axis=1).mean()
        assert 0.3 * share < lacking < 2.5 * share
    assert (table["simulated"] == 1).all()
    assert set(table.loc[table["true_kind"] == "artefact", "class"]) == {""}


def test_mock_sky_gives_all_nine_targets_to_usable_galaxies_only(table):
    galaxy = table["class"] == "GALAXY"
    usable = galaxy & table["zwarning"].isin((0, 16))
    assert table.loc[galaxy, list(SFR_TARGETS)].notna().all(axis=None)
    assert (table["z"].notna() == usable).all()
    assert table.loc[~galaxy, ["z", *SFR_TARGETS]].isna().all(axis=None)


def test_mock_sky_repeats_stand_beside_their_galaxy_on_another_plate(table):
    groups = sky_groups(table["key"].tolist(), table["ra"].to_numpy(), table["dec"].to_numpy())
    repeats = table[table["true_kind"] == "repeat"]
    assert len(repeats) > 10
    for i, row in repeats.iterrows():
        twin = table[(table["true_kind"] == "galaxy") & (table["objid"] == row["objid"])].iloc[0]
        apart = np.hypot((row["ra"] - twin["ra"]) * np.cos(np.radians(row["dec"])), row["dec"] - twin["dec"]) * 3600
        assert 0 < apart < 1 and row["plate"] != twin["plate"] and row["key"] != twin["key"]
        assert groups[i] == groups[twin.name]
        assert row["true_log_sfr"] == twin["true_log_sfr"] and row["sfr_tot_median"] != twin["sfr_tot_median"]


def test_mock_sky_has_several_objects_in_a_sky_cell(table):
    groups = sky_groups(table["key"].tolist(), table["ra"].to_numpy(), table["dec"].to_numpy())
    assert pd.Series(groups).value_counts().mean() > 1.4


def test_mock_sky_ids_encode_the_fibre(table):
    fibres = table["specobjid"].map(decode_specobjid)
    assert fibres.tolist() == list(zip(table["plate"], table["mjd"], table["fiberid"], strict=True))
    assert table["key"].is_unique and table["specobjid"].is_unique
    assert table["plate"].min() >= 14_000


def test_mock_sky_percentiles_ascend_and_statistics_agree(table):
    known = table.dropna(subset=["sfr_tot_median"])
    for low, high in pairwise(PERCENTILES):
        assert (known[low] < known[high]).all()
    assert (known["sfr_tot_entropy"] < 0).all()
    for name in ("sfr_tot_avg", "sfr_tot_mode"):
        assert ((known[name] > known["sfr_tot_p16"]) & (known[name] < known["sfr_tot_p84"])).all()


def test_mock_sky_posteriors_hold_the_truth_as_often_as_they_say(table):
    known = table.dropna(subset=["sfr_tot_median"])
    inside = {w: ((known["true_log_sfr"] > known[f"sfr_tot_{a}"]) & (known["true_log_sfr"] < known[f"sfr_tot_{b}"])).mean()
              for w, a, b in ((68, "p16", "p84"), (95, "p2p5", "p97p5"))}
    assert 0.62 < inside[68] < 0.75
    assert 0.92 < inside[95] < 0.98


def test_mock_sky_posteriors_widen_as_signal_to_noise_falls(table):
    known = table[table["true_passive"] == 0].dropna(subset=["sfr_tot_median"])
    width = (known["sfr_tot_p84"] - known["sfr_tot_p16"]) / 2
    assert width[known["sn"] < 6].median() > 1.3 * width[known["sn"] > 20].median()
    passive = table[table["true_passive"] == 1]
    assert (passive["sfr_tot_p84"] - passive["sfr_tot_p16"]).median() > 1.5 * 2 * width.median()


def test_mock_sky_image_and_photometry_agree_on_stars(sky, table):
    stars = (table["class"] == "STAR").to_numpy()
    image, phot = _all(sky, "image")[stars], _all(sky, "photometry")[stars].astype(float)
    y, x = np.indices((64, 64)) - 31.5
    total = image[:, 2, np.hypot(x, y) < 12].sum(axis=1)
    reddened = 10 ** (0.4 * (22.5 - phot[:, 0, 2] - table.loc[stars, "ebv"] * SFD_UGRIZ[2]))
    noise = np.hypot(0.032 * np.sqrt(450), reddened * phot[:, 1, 2])
    deviation = ((total - reddened) / noise)[np.isfinite(total - reddened)]
    assert len(deviation) > 5 and np.abs(deviation).max() < 4


def test_mock_sky_image_and_photometry_agree_on_galaxies(sky, table):
    image, phot = _all(sky, "image").astype(float), _all(sky, "photometry").astype(float)
    small = ((table["class"] == "GALAXY") & (table["true_z"] > 0.12)).to_numpy()
    with np.errstate(invalid="ignore"):
        mag = 22.5 - 2.5 * np.log10(image.sum(axis=(2, 3))) - table["ebv"].to_numpy()[:, None] * SFD_UGRIZ
    difference = (mag - phot[:, 0])[small]
    assert np.abs(np.nanmedian(difference[:, 1:4], axis=0)).max() < 0.04


def test_mock_sky_halpha_stands_at_its_vacuum_wavelength(sky, table):
    spectra = _all(sky, "spectrum")
    forming = ((table["true_passive"] == 0) & (table["true_z"] < 0.3) & (table["sn"] > 8)).to_numpy() & np.isfinite(spectra[:, 0, 0])
    stack = np.zeros(41)
    for i in np.flatnonzero(forming):
        centre = int(round((np.log10(6564.614 * (1 + table["true_z"][i])) - LOGLAM[0]) * 1e4))
        stack += spectra[i, 0, centre - 20 : centre + 21]
    assert forming.sum() > 100 and abs(stack.argmax() - 20) <= 1


def test_mock_sky_halpha_flux_is_the_sfr_in_the_fibre():
    rng = np.random.default_rng(3)
    g = galaxies.draw(40, rng)
    sources, share = light.shine(g, np.tile(observation.SEEING, (40, 1)))
    without = light.shine(galaxies.Galaxies(**(vars(g) | {"log_sfr": np.full(40, -20.0), "log_past": g.log_past + g.log_sfr + 20})), sources.seeing)[0]
    centre = np.round((np.log10(6564.614 * (1 + g.z)) - LOGLAM[0]) * 1e4).astype(int)
    line = np.array([((a - b)[c - 5 : c + 6] * WAVE[c] * np.log(10) * 1e-4).sum() for a, b, c in zip(sources.spectrum, without.spectrum, centre, strict=True)])
    distance_cm = 1e-5 * light.MPC_CM / np.sqrt(galaxies.dilution(g.z))
    luminosity = line * 1e-17 * 4 * np.pi * distance_cm**2 * 10 ** (0.4 * 3.326 * g.ebv_gas)
    expected = 10 ** (g.log_sfr + 41.27) * share
    narrow = (g.n2 < -0.4) & (g.velocity < 120)
    assert narrow.sum() > 5
    np.testing.assert_allclose((luminosity / expected)[narrow], 1.0, atol=0.15)


def test_mock_sky_spectra_have_masks_and_noisy_sky_lines(sky):
    spectra = np.concatenate([chunk.arrays["spectrum"][1] for chunk in sky])
    flux, ivar = spectra[:, 0], spectra[:, 1]
    assert (ivar[:, WAVE < 3780] == 0).all() and (ivar[:, WAVE > 9230] == 0).all()
    inside = ivar[:, (WAVE > 3900) & (WAVE < 9100)]
    assert 0.002 < (inside == 0).mean() < 0.05
    assert (flux[ivar == 0] == 0).all()
    at = {name: np.searchsorted(WAVE, w) for name, w in (("line", 6302.05), ("beside", 6330.0))}
    assert np.median(ivar[:, at["line"]]) < 0.25 * np.median(ivar[:, at["beside"]])


def test_mock_sky_is_reddened_by_galactic_dust():
    seeing = np.tile(observation.SEEING, (1, 1))
    star, _ = contaminants.stars(1, seeing, np.random.default_rng(0))
    bright = light.Sources(star.covariance, star.light * 1e4, star.spectrum * 1e4, star.seeing)
    clear, dusty = (observation.images(bright, np.array([ebv]), np.random.default_rng(1)).sum(axis=(2, 3))[0] for ebv in (0.0, 0.3))
    np.testing.assert_allclose(-2.5 * np.log10(dusty / clear), 0.3 * SFD_UGRIZ, atol=0.01)
    mags = [observation.photometry(bright, np.array([ebv]), np.random.default_rng(1))[0, 0] for ebv in (0.0, 0.3)]
    np.testing.assert_allclose(mags[0], mags[1], atol=0.01)
    flux = [observation.spectra(bright, np.array([ebv]), np.ones(1), np.random.default_rng(1))[0, 0] for ebv in (0.0, 0.3)]
    g, r = np.searchsorted(WAVE, [4686, 6166])
    ratio = -2.5 * np.log10(flux[1] / np.where(flux[0] > 0, flux[0], np.nan))
    assert abs(np.nanmedian(ratio[g - 100 : g + 100]) - 0.3 * 3.793) < 0.05
    assert abs(np.nanmedian(ratio[r - 100 : r + 100]) - 0.3 * 2.751) < 0.05


def test_posterior_statistics_are_those_of_a_normal_distribution():
    grid = posterior.LOG_SFR_GRID
    p = np.exp(-0.5 * ((grid - 0.33) / 0.4) ** 2)[None]
    found = posterior.statistics(p / p.sum())
    for name, sigmas in (("p2p5", -1.96), ("p16", -0.9945), ("median", 0), ("avg", 0), ("mode", 0), ("p84", 0.9945), ("p97p5", 1.96)):
        assert found[name][0] == pytest.approx(0.33 + 0.4 * sigmas, abs=0.005)
    assert found["entropy"][0] == pytest.approx(np.log(0.05 / (0.4 * np.sqrt(2 * np.pi * np.e))), abs=0.005)


def test_posterior_falls_back_on_the_prior_when_the_line_says_nothing():
    p = posterior.posterior(np.array([0.0]), np.array([1e4]), np.array([0.2]), np.array([-1.0]), np.array([0.3]), np.random.default_rng(0))
    assert posterior.statistics(p)["median"][0] == pytest.approx(-1.0, abs=0.01)
    assert posterior.statistics(p)["p84"][0] == pytest.approx(-0.7, abs=0.01)


@pytest.mark.parametrize("sersic", [1, 2, 4])
def test_profiles_keep_half_of_the_light_inside_the_half_light_radius(sersic):
    shares, widths = profiles.gaussians(sersic)
    inside = (shares * (1 - np.exp(-0.5 / widths**2))).sum()
    assert shares.sum() == pytest.approx(1.0)
    assert inside == pytest.approx(0.5, abs=0.03)


def test_profiles_render_keeps_flux_and_place():
    shares, covariance = profiles.covariances(1, radius=1.5, ellipticity=0.4, angle=0.0)
    image = profiles.render(100 * np.outer(shares, np.ones(5)), covariance, observation.SEEING, (0.5, -0.5))
    y, x = np.indices((64, 64)) - 31.5
    assert image.shape == (5, 64, 64) and image[2].sum() == pytest.approx(100, rel=0.005)
    assert (image[2] * x).sum() / image[2].sum() == pytest.approx(0.5, abs=0.01)
    assert (image[2] * y).sum() / image[2].sum() == pytest.approx(-0.5, abs=0.01)
    assert (image[2] * (x - 0.5) ** 2).sum() > 1.5 * (image[2] * (y + 0.5) ** 2).sum()


def test_profiles_fibre_share_of_a_point_source_is_that_of_its_psf():
    share = profiles.fibre_shares(np.zeros((1, 3)), 1.4)[0]
    sigma2 = (1.4 / 2.354820045) ** 2 + 0.396**2 / 12
    assert share == pytest.approx(1 - np.exp(-0.5 * 1.5**2 / sigma2), abs=1e-4)


def test_templates_bands_are_ab_magnitudes_and_lines_are_cut_out():
    wave = np.arange(2950.0, 11_300, 5)
    flat = templates.AB_ZERO * templates.LIGHT_A_S / wave**2
    np.testing.assert_allclose(templates.spectrum_nanomaggies(wave, flat), 1e9, rtol=1e-6)
    loglam, flux = templates.population_spectra()
    near = np.abs(10**loglam - 6564.6) < 60
    assert flux.shape[0] == 4 and (flux[:, near].max(axis=1) / np.median(flux[:, near], axis=1)).max() < 1.05


def test_templates_table_agrees_with_direct_integration():
    z, dust = np.array([0.1231]), np.array([0.137])
    loglam, flux = templates.population_spectra()
    direct = templates.spectrum_nanomaggies(10**loglam * (1 + z[0]), templates.attenuated(flux, loglam, np.repeat(dust, 4)) / (1 + z[0]))
    assert templates.nanomaggies_per_mass(z, dust)[0] == pytest.approx(direct, rel=1e-3)


def test_galaxies_are_as_bright_as_the_survey_reaches_and_old_ones_are_red():
    g = galaxies.draw(600, np.random.default_rng(5))
    assert galaxies.r_magnitude(g).max() < galaxies.FAINT_LIMIT
    flux = (templates.nanomaggies_per_mass(g.z, g.ebv_stars) * galaxies.population_masses(g)[..., None]).sum(axis=1)
    u_r = -2.5 * np.log10(flux[:, 0] / flux[:, 2])
    assert np.median(u_r[g.passive]) > np.median(u_r[~g.passive]) + 0.4
    mean, scatter = galaxies.expected_log_sfr(g.log_mass, g.passive)
    assert np.std((g.log_sfr - mean) / scatter) == pytest.approx(1.0, abs=0.12)
