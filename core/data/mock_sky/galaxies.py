"""What the galaxies of the mock sky are: mass, star formation, dust, shape. Nothing is observed yet."""

from dataclasses import dataclass, fields
from functools import cache

import numpy as np
from astropy.cosmology import FlatLambdaCDM

from core.data.mock_sky.templates import BULGE_OLD, BURST, DISK_OLD, PARSECS_10_IN_MPC, YOUNG, nanomaggies_per_mass

MAIN_LIMIT, FAINT_LIMIT, FAINT_SHARE = 17.77, 19.3, 0.13
"""r magnitudes (dereddened) to which galaxies are taken: SDSS main sample (Strauss et al. 2002) and a fainter programme."""
MAIN_SEQUENCE = (-10.05, -0.18, 0.42)
PASSIVE_SEQUENCE = (-11.9, -0.20, 0.28)
"""log10 specific star-formation rate (1/yr) at 10^10.5 Msun, its slope with log mass, its scatter (dex)."""
YOUNG_YEARS, BURST_YEARS = 3e8, 8e6
STELLAR_TO_GAS_DUST = 0.44
"""E(B-V) of starlight over that of gas; Calzetti et al. 2000, equation 3."""


@dataclass(frozen=True)
class Galaxies:
    """Physical properties of n galaxies, each an array (n, ...).

    Attributes
    ----------
    z : redshift. log_mass : log10 of the stellar mass formed (Msun). passive : bool.
    log_sfr : log10 star-formation rate now (Msun/yr), which ionises the gas.
    log_past : log10 of the mean rate over the last 300 Myr by that of now: what colours see.
    ebv_gas, ebv_stars : mag, dust inside the galaxy.
    n2, o3, o2, s2 : log10 of [NII] 6585/Halpha, [OIII] 5008/Hbeta, [OII]/Hbeta, [SII]/Halpha before dust.
    velocity : 1-sigma width of the emission lines, km/s.
    bulge_share : of the mass. nuclear_share : of the young stars, inside the bulge.
    radius : (n, 3) half-light radii of bulge, disk and star-forming disk, arcsec.
    ellipticity : (n, 3) 1 - b/a. angle : position angle, rad. sersic : bulge's index, 2 or 4.
    """

    z: np.ndarray
    log_mass: np.ndarray
    passive: np.ndarray
    log_sfr: np.ndarray
    log_past: np.ndarray
    ebv_gas: np.ndarray
    ebv_stars: np.ndarray
    n2: np.ndarray
    o3: np.ndarray
    o2: np.ndarray
    s2: np.ndarray
    velocity: np.ndarray
    bulge_share: np.ndarray
    nuclear_share: np.ndarray
    radius: np.ndarray
    ellipticity: np.ndarray
    angle: np.ndarray
    sersic: np.ndarray

    def __len__(self) -> int:
        return len(self.z)

    def __getitem__(self, index: np.ndarray) -> "Galaxies":
        """The galaxies at ``index``."""
        return Galaxies(**{f.name: getattr(self, f.name)[index] for f in fields(self)})


def draw(n: int, rng: np.random.Generator) -> Galaxies:
    """n galaxies of a magnitude-limited survey: candidates are drawn until n are bright enough."""
    parts: list[Galaxies] = []
    while sum(map(len, parts)) < n:
        candidates, limit = _candidates(2 * n + 16, rng)
        parts.append(candidates[r_magnitude(candidates) < limit])
    return _joined(parts)[np.arange(n)]


def expected_log_sfr(log_mass: np.ndarray, passive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scatter (dex) of log SFR among galaxies of a mass and type: what is known before looking at lines."""
    at, slope, scatter = np.where(passive[:, None], PASSIVE_SEQUENCE, MAIN_SEQUENCE).T
    return log_mass + at + slope * (log_mass - 10.5), scatter


def population_masses(g: Galaxies) -> np.ndarray:
    """Solar masses formed in each of `core.data.mock_sky.templates.POPULATIONS`, (n, 4)."""
    mass, sfr = 10**g.log_mass, 10**g.log_sfr
    out = np.empty((len(g), 4))
    out[:, YOUNG] = sfr * 10**g.log_past * YOUNG_YEARS
    out[:, BURST] = sfr * BURST_YEARS
    old = np.maximum(mass - out[:, YOUNG] - out[:, BURST], 0.1 * mass)
    out[:, BULGE_OLD], out[:, DISK_OLD] = old * g.bulge_share, old * (1 - g.bulge_share)
    return out


def r_magnitude(g: Galaxies) -> np.ndarray:
    """Total r magnitude without Galactic dust and without lines, (n,)."""
    per_mass = nanomaggies_per_mass(g.z, g.ebv_stars)[..., 2]
    return 22.5 - 2.5 * np.log10((population_masses(g) * per_mass).sum(axis=1) * dilution(g.z))


def dilution(z_n: np.ndarray) -> np.ndarray:
    """(10 pc / luminosity distance) squared: from absolute to observed flux."""
    grid, distance = _distances()
    return (PARSECS_10_IN_MPC / np.interp(z_n, grid, distance)) ** 2


def kpc_per_arcsec(z_n: np.ndarray) -> np.ndarray:
    """Proper size of an arcsecond."""
    grid, distance = _distances()
    return np.interp(z_n, grid, distance) / (1 + np.asarray(z_n)) ** 2 * 1e3 * np.pi / 180 / 3600


@cache
def _distances() -> tuple[np.ndarray, np.ndarray]:
    """Redshifts and luminosity distances in Mpc, H0 = 70, Om = 0.3."""
    grid = np.linspace(0.001, 0.6, 2400)
    return grid, FlatLambdaCDM(H0=70, Om0=0.3).luminosity_distance(grid).value


def _candidates(n: int, rng: np.random.Generator) -> tuple[Galaxies, np.ndarray]:
    faint = rng.random(n) < FAINT_SHARE
    z = np.where(faint, rng.gamma(4.0, 0.055, n), rng.gamma(3.0, 0.043, n))
    z = np.clip(z, rng.uniform(0.008, 0.015, n), rng.uniform(0.36, 0.44, n))
    log_mass = np.clip(10.35 + 1.25 * np.log10(z / 0.1) - 0.3 * faint + 0.42 * rng.standard_normal(n), 8.4, 11.8)
    passive = rng.random(n) < 0.75 / (1 + np.exp(-(log_mass - 10.5) / 0.25))
    mean, scatter = expected_log_sfr(log_mass, passive)
    properties = dict(z=z, log_mass=log_mass, passive=passive, log_sfr=mean + scatter * rng.standard_normal(n))
    properties |= _stars_and_gas(log_mass, passive, rng) | _shape(z, log_mass, passive, rng)
    return Galaxies(**properties), np.where(faint, FAINT_LIMIT, MAIN_LIMIT)


def _stars_and_gas(log_mass: np.ndarray, passive: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    n, heavy = len(log_mass), log_mass - 10.3
    ebv_gas = np.where(passive, 0.04 + 0.08 * np.abs(rng.standard_normal(n)), np.abs(0.30 + 0.12 * heavy + 0.12 * rng.standard_normal(n)))
    return dict(
        log_past=0.12 * rng.standard_normal(n), ebv_gas=ebv_gas, ebv_stars=STELLAR_TO_GAS_DUST * ebv_gas,
        n2=np.clip(-0.45 + 0.25 * heavy + 0.10 * rng.standard_normal(n), -1.4, 0.0),
        o3=np.clip(-0.30 - 0.60 * heavy + 0.18 * rng.standard_normal(n), -0.9, 0.75),
        o2=np.clip(0.40 - 0.20 * heavy + 0.12 * rng.standard_normal(n), -0.5, 0.9),
        s2=np.clip(-0.45 - 0.10 * heavy + 0.06 * rng.standard_normal(n), -0.9, -0.1),
        velocity=np.clip(90 + 60 * heavy + 25 * rng.standard_normal(n), 30, 260),
    )


def _shape(z: np.ndarray, log_mass: np.ndarray, passive: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    n, heavy = len(z), log_mass - 10.5
    bulge = np.clip(np.where(passive, 0.72, 0.28 + 0.12 * heavy) + 0.16 * rng.standard_normal(n), 0.02, 0.97)
    log_disk = np.where(passive, 0.58 + 0.45 * heavy, 0.74 + 0.25 * heavy) + 0.24 * rng.standard_normal(n)
    disk = 10**log_disk / kpc_per_arcsec(z)
    round_, flat = rng.uniform(0, 0.25, n), rng.uniform(0, 0.75, n)
    return dict(
        bulge_share=bulge, nuclear_share=rng.beta(0.5, 1.8, n),
        radius=np.stack([disk * 10 ** (-0.4 + 0.12 * rng.standard_normal(n)), disk, disk * 10 ** (0.0 + 0.24 * rng.standard_normal(n))], axis=1),
        ellipticity=np.stack([round_, np.where(passive, flat * 0.6, flat), flat], axis=1),
        angle=rng.uniform(0, np.pi, n), sersic=np.where(bulge > 0.45, 4, 2),
    )


def _joined(parts: list[Galaxies]) -> Galaxies:
    return Galaxies(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Galaxies)})
