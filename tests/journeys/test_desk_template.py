"""The browser's template fit says what the server's says."""

from pathlib import Path

import numpy as np
import pytest

from core.preprocess.spectrum import LOGLAM
from core.spectroscopy.basis import galaxy_basis, quasar_basis
from core.spectroscopy.redshift import COEFFICIENT_COST, Fitter, fit_redshift
from core.ui import spectrum
from core.ui.spectrum.packing import Packer, pack_basis
from tests.test_spectroscopy_redshift import GALAXY, QUASAR, observed
from tests.test_ui_spectrum import array, read

SCRIPT = Path(spectrum.__file__).parent / "template.js"
GRID = {"loglam0": float(LOGLAM[0]), "step": 1e-4, "length": len(LOGLAM)}
CALL = """([bases, grid, flux, sigma, z]) => {
    const found = bases.map((basis) => ({ ...basis, rows: Float32Array.from(basis.rows) }));
    const spectrum = { flux: Float32Array.from(flux), sigma: Float32Array.from(sigma, (v) => v ?? Infinity), range: [0, flux.length - 1] };
    const model = modelAt(found, grid, spectrum, z), again = refitNear(found, grid, spectrum, z);
    return { name: model.name, chi2: model.chi2, values: [...model.values], ...again };
}"""


@pytest.fixture(scope="module")
def fit_in_browser(browser):
    page = browser.new_page()
    page.add_script_tag(content=SCRIPT.read_text())
    bases = []
    for basis in (galaxy_basis(), quasar_basis()):
        packer = Packer()
        header, blob = read(packer.bytes(pack_basis(packer, basis)))
        bases.append(header | {"rows": array(header["rows"], blob).astype(float).tolist()})

    def fit(flux, ivar, z):
        sigma = [float(1 / np.sqrt(v)) if v > 0 else None for v in ivar]
        return page.evaluate(CALL, [bases, GRID, flux.tolist(), sigma, z])

    yield fit
    page.close()


@pytest.mark.parametrize(("basis", "weights", "z", "name"), [(galaxy_basis(), GALAXY, 0.21374, "GALAXY"), (quasar_basis(), QUASAR, 2.1, "QSO")])
def test_browser_and_server_agree_on_model_and_redshift(fit_in_browser, basis, weights, z, name):
    flux, ivar = observed(basis, weights, z, 0.3)
    ivar[1000:1100] = 0
    fitter, server = Fitter(basis), fit_redshift(np.stack([flux, ivar]))
    index = int(np.abs(fitter.shifts - 1e4 * np.log10(1 + server.z)).argmin())
    said = fit_in_browser(flux, ivar, float(10 ** (fitter.shifts[index] * 1e-4) - 1))
    chi2, coefficients = fitter.chi2(flux, ivar)
    assert said["name"] == name == server.spectral_class
    assert abs(said["z"] - server.z) < 2 * server.z_err and said["sigma"] == pytest.approx(server.z_err, rel=0.3)
    np.testing.assert_allclose(said["values"], fitter.model(index, coefficients[index]), atol=0.1)
    if fitter.every == 1:
        assert said["chi2"] == pytest.approx(chi2[index] + COEFFICIENT_COST * coefficients.shape[1], abs=2)


def test_refit_comes_back_from_beside(fit_in_browser):
    flux, ivar = observed(galaxy_basis(), GALAXY, 0.21374, 0.3)
    said = fit_in_browser(flux, ivar, 0.2155)
    assert said["z"] == pytest.approx(0.21374, abs=1e-4) and said["gain"] > 100
