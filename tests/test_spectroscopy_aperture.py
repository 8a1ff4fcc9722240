"""Aperture corrections of pictures whose answer is known."""

import numpy as np
import pytest

from core.data.mock_sky import profiles
from core.spectroscopy.aperture import aperture_correction

Y, X = (np.indices((64, 64)) - 31.5) * 0.396


def gaussian(sigma_arcsec: float, flux: float = 100.0) -> np.ndarray:
    return flux * 0.396**2 / (2 * np.pi * sigma_arcsec**2) * np.exp(-(X**2 + Y**2) / 2 / sigma_arcsec**2)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("fibre", [2.0, 3.0])
def test_correction_of_a_gaussian_is_that_of_its_integral(sigma, fibre):
    correction, _ = aperture_correction(gaussian(sigma), fibre)
    assert correction == pytest.approx(-np.log10(1 - np.exp(-0.5 * (fibre / 2 / sigma) ** 2)), abs=0.02)


def test_correction_of_a_disk_holds_its_light_to_a_tenth():
    shares, covariance = profiles.covariances(1, radius=3.0, ellipticity=0.3, angle=0.4)
    image = profiles.render(100 * np.outer(shares, np.ones(5)), covariance, np.full(5, 1.3), (0.0, 0.0))[2]
    inside = -np.log10(profiles.fibre_shares(covariance, 1.3) @ shares)
    assert aperture_correction(image)[0] == pytest.approx(inside, abs=0.05)


def test_neighbour_beyond_two_petrosian_radii_does_not_count():
    image = gaussian(1.0)
    image[5:9, 5:9] += 20
    assert aperture_correction(image)[0] == pytest.approx(aperture_correction(gaussian(1.0))[0], abs=0.01)


def test_error_grows_with_sky_noise_and_matches_the_scatter():
    draws = np.array([aperture_correction(gaussian(1.5, 60) + 0.06 * np.random.default_rng(s).standard_normal((64, 64))) for s in range(60)])
    assert 0.5 < draws[:, 0].std() / draws[:, 1].mean() < 1.6
    assert draws[:, 1].mean() > 2 * aperture_correction(gaussian(1.5, 60) + 0.02 * np.random.default_rng(0).standard_normal((64, 64)))[1]


def test_no_correction_without_light_in_the_fibre():
    noise = 0.03 * np.random.default_rng(1).standard_normal((64, 64))
    assert np.isnan(aperture_correction(noise)).all() and np.isnan(aperture_correction(np.full((64, 64), np.nan))).all()
