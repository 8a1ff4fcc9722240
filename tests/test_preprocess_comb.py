"""The comb of lines finds redshifts that were put in."""

import numpy as np
import pytest

from core.preprocess import comb, spectrum
from core.preprocess.spectrum import LOGLAM
from core.spectroscopy.lines import line


def galaxy(z: float, lines: dict[str, float], width: float = 2.0, noise: float = 1.0, seed: int = 0) -> np.ndarray:
    """A flat spectrum with Gaussian lines (peak in flux units, width in pixels), stored form (2, 4620)."""
    flux = 10 + np.random.default_rng(seed).normal(0, noise, len(LOGLAM))
    for name, peak in lines.items():
        flux += peak * np.exp(-0.5 * ((LOGLAM - np.log10(line(name).wave * (1 + z))) / (width * 1e-4)) ** 2)
    return np.stack([flux, np.full_like(flux, noise**-2.0)])


EMISSION = {"Halpha 6565": 8.0, "[NII] 6585": 3.0, "Hbeta 4863": 3.0, "[OIII] 5008": 4.0, "[OII] 3727": 4.0, "[SII] 6718": 2.0}
ABSORPTION = {"Ca K 3935": -3.0, "Ca H 3970": -3.0, "G band 4306": -2.0, "Mg b 5177": -2.0}


def _inputs(*spectra: np.ndarray) -> np.ndarray:
    return spectrum.model_input(np.stack(spectra), np.full(len(spectra), np.nan))


@pytest.mark.parametrize(("lines", "width"), [(EMISSION, 2.0), (ABSORPTION, 8.0)])
@pytest.mark.parametrize("z", [0.003, 0.1, 0.45])
def test_redshift_is_found_from_emission_or_absorption_alone(lines, width, z):
    found = comb.redshift(_inputs(galaxy(z, lines, width)))[0]
    assert abs(found - z) / (1 + z) < 5e-4


def test_features_say_that_noise_is_no_galaxy():
    columns = comb.features(_inputs(galaxy(0.1, EMISSION), galaxy(0.1, {})))
    height, margin = (columns[:, comb.COLUMNS.index(c)] for c in ("height", "margin"))
    assert height[0] > 2 * height[1]
    assert margin[0] > 1.5 > 0.7 > margin[1]


def test_features_of_an_absent_spectrum_are_finite_with_height_zero():
    columns = comb.features(np.zeros((1, 2, 4620), dtype=np.float32))
    assert np.isfinite(columns).all()
    assert columns[0, comb.COLUMNS.index("height")] == 0


def test_redshift_agrees_with_the_sdss_pipeline_for_real_galaxies(real):
    import pandas as pd
    from astropy.io import fits

    index = pd.read_csv(real / "boss_spectra" / "index.csv").query("`class` == 'GALAXY' and zwarning == 0 and sn_median > 2")
    spectra = []
    for name in index["file"]:
        table = fits.getdata(real / "boss_spectra" / name, 1)
        spectra.append(spectrum.resample(table["LOGLAM"], table["FLUX"], table["IVAR"], table["AND_MASK"]))
    z = index["z"].to_numpy()
    off = np.abs(comb.redshift(_inputs(*spectra)) - z) / (1 + z)
    assert len(index) > 40
    assert (off < 0.0033).mean() >= 0.98
