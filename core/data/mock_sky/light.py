"""From what a galaxy is to the light that leaves it: broad-band flux of each profile, and the spectrum in the fibre."""

from dataclasses import dataclass

import numpy as np

from core.data.mock_sky import profiles
from core.data.mock_sky.galaxies import Galaxies, dilution, population_masses
from core.data.mock_sky.templates import (
    BULGE_OLD,
    BURST,
    DISK_OLD,
    YOUNG,
    attenuated,
    calzetti,
    line_nanomaggies,
    nanomaggies_per_mass,
    population_spectra,
)
from core.preprocess.spectrum import LOGLAM, STEP
from core.spectroscopy.lines import line

BULGE, DISK, STAR_FORMING = range(3)
HALPHA_PER_SFR = 41.27
"""log10 of Halpha luminosity (erg/s) per Msun/yr; Kennicutt & Evans 2012 (ARA&A 50, 531), table 1."""
CASE_B = {"Halpha 6565": 2.86, "Hbeta 4863": 1.0, "Hgamma 4342": 0.468, "Hdelta 4103": 0.259}
"""Balmer lines over Hbeta without dust; Osterbrock & Ferland 2006, table 4.2, 10,000 K."""
MPC_CM = 3.0857e24
INSTRUMENT_KM_S = 66.0
_KM_S_PER_DEX = 299_792.458 * np.log(10)
_HALF_WIDTH = 14


@dataclass(frozen=True)
class Sources:
    """The light of n sources above the atmosphere and without Galactic dust.

    Attributes
    ----------
    covariance : (n, m, 3) Gaussians that make up each source, arcsec^2 (see `profiles.render`).
    light : (n, m, 5) their fluxes in ugriz, nanomaggies; rows are padded with zeros.
    spectrum : (n, 4620) flux density in the fibre, 1e-17 erg/s/cm2/A on `LOGLAM`.
    seeing : (n, 5) FWHM of the PSF in ugriz, arcsec.
    """

    covariance: np.ndarray
    light: np.ndarray
    spectrum: np.ndarray
    seeing: np.ndarray


def shine(g: Galaxies, seeing: np.ndarray) -> tuple[Sources, np.ndarray]:
    """The light of galaxies seen through a PSF of ``seeing`` (n, 5), and the share of their star formation in the fibre, (n,)."""
    shares = _profile_shares(g)
    masses = population_masses(g)
    flux = nanomaggies_per_mass(g.z, g.ebv_stars) * (masses * dilution(g.z)[:, None])[..., None]
    light_n35 = np.einsum("npb,npk->nkb", flux, shares) + shares[:, YOUNG, :, None] * _line_bands(g)[:, None, :]
    covariance, parts = _geometry(g)
    fibre = np.array([_in_fibre(c, p, s[2]) for c, p, s in zip(covariance, parts, seeing, strict=True)])
    within = np.einsum("npk,nk->np", shares, fibre)
    spectrum = _starlight(g, masses * within) + _emission(g, within[:, YOUNG])
    return Sources(covariance, np.einsum("nkm,nkb->nmb", parts, light_n35), spectrum, seeing), within[:, YOUNG]


def line_fluxes(g: Galaxies) -> dict[str, np.ndarray]:
    """Flux of each emission line of the whole galaxy behind its own dust, erg/s/cm2, by its name in `core.spectroscopy.lines`, each (n,)."""
    halpha = 10 ** (g.log_sfr + HALPHA_PER_SFR) * dilution(g.z) / (4 * np.pi * (1e-5 * MPC_CM) ** 2)
    hbeta = halpha / CASE_B["Halpha 6565"]
    bare = {name: hbeta * ratio for name, ratio in CASE_B.items()}
    bare |= {"[OIII] 5008": hbeta * 10**g.o3, "[OIII] 4960": hbeta * 10**g.o3 / 2.98}
    bare |= {"[NII] 6585": halpha * 10**g.n2, "[NII] 6550": halpha * 10**g.n2 / 3.05}
    bare |= {"[OII] 3727": hbeta * 10**g.o2 * 0.42, "[OII] 3730": hbeta * 10**g.o2 * 0.58}
    bare |= {"[SII] 6718": halpha * 10**g.s2 * 0.56, "[SII] 6733": halpha * 10**g.s2 * 0.44}
    return {name: flux * 10 ** (-0.4 * g.ebv_gas * calzetti(line(name).wave)) for name, flux in bare.items()}


def _profile_shares(g: Galaxies) -> np.ndarray:
    """Which part of each population's light comes from bulge, disk and star-forming disk, (n, 4, 3)."""
    shares = np.zeros((len(g), 4, 3))
    shares[:, BULGE_OLD, BULGE] = 1
    shares[:, DISK_OLD, DISK] = 1
    for population in (YOUNG, BURST):
        shares[:, population, BULGE] = g.nuclear_share
        shares[:, population, STAR_FORMING] = 1 - g.nuclear_share
    return shares


def _geometry(g: Galaxies) -> tuple[np.ndarray, np.ndarray]:
    """Gaussians of each galaxy, (n, m, 3), and which share of each profile they carry, (n, 3, m)."""
    widest = 3 * max(len(profiles.gaussians(s)[0]) for s in (1, 2, 4))
    covariance, parts = np.zeros((len(g), widest, 3)), np.zeros((len(g), 3, widest))
    for i in range(len(g)):
        start = 0
        for k, sersic in ((BULGE, int(g.sersic[i])), (DISK, 1), (STAR_FORMING, 1)):
            share, cov = profiles.covariances(sersic, g.radius[i, k], g.ellipticity[i, k], g.angle[i])
            covariance[i, start : start + len(share)] = cov
            parts[i, k, start : start + len(share)] = share
            start += len(share)
    return covariance, parts


def _in_fibre(covariance: np.ndarray, parts: np.ndarray, seeing: float) -> np.ndarray:
    return parts @ profiles.fibre_shares(covariance, seeing)


def _starlight(g: Galaxies, masses: np.ndarray) -> np.ndarray:
    """Continuum of the populations' masses (n, 4) on `LOGLAM`, 1e-17 erg/s/cm2/A."""
    loglam, flux = population_spectra()
    rest = attenuated(masses @ flux, loglam, g.ebv_stars) * (1e17 * dilution(g.z) / (1 + g.z))[:, None]
    place = (LOGLAM[None] - np.log10(1 + g.z)[:, None] - loglam[0]) / (loglam[1] - loglam[0])
    left = np.clip(place.astype(np.int32), 0, len(loglam) - 2)
    part = place - left
    return np.take_along_axis(rest, left, axis=1) * (1 - part) + np.take_along_axis(rest, left + 1, axis=1) * part


def _emission(g: Galaxies, share: np.ndarray) -> np.ndarray:
    """Emission lines in the fibre on `LOGLAM`, 1e-17 erg/s/cm2/A."""
    out = np.zeros((len(g), len(LOGLAM)))
    sigma = np.sqrt(g.velocity**2 + INSTRUMENT_KM_S**2) / _KM_S_PER_DEX / STEP
    for name, flux in line_fluxes(g).items():
        add_line(out, line(name).wave * (1 + g.z), 1e17 * share * flux, sigma)
    return out


def add_line(out: np.ndarray, wave: np.ndarray, flux: np.ndarray, sigma: np.ndarray) -> None:
    """Add a Gaussian to each spectrum of ``out`` (n, 4620): observed wave (A), flux, sigma in pixels; lines off the grid are dropped."""
    centre = (np.log10(wave) - LOGLAM[0]) / STEP
    pixels = np.round(centre).astype(int)[:, None] + np.arange(-_HALF_WIDTH, _HALF_WIDTH + 1)
    peak = flux / (wave * np.log(10) * STEP * sigma * np.sqrt(2 * np.pi))
    values = peak[:, None] * np.exp(-0.5 * ((pixels - centre[:, None]) / sigma[:, None]) ** 2)
    rows = np.broadcast_to(np.arange(len(out))[:, None], pixels.shape)
    inside = (pixels >= 0) & (pixels < out.shape[1])
    out[rows[inside], pixels[inside]] += values[inside]


def _line_bands(g: Galaxies) -> np.ndarray:
    """Broad-band flux of all lines of the galaxy, (n, 5) nanomaggies."""
    return sum(flux[:, None] * line_nanomaggies(line(name).wave * (1 + g.z)) for name, flux in line_fluxes(g).items())
