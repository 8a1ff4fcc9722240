"""Names and places on the mock sky: plates, fibres, 64-bit ids, positions, Galactic dust."""

from dataclasses import dataclass

import numpy as np

FIRST_PLATE, PLATES = 14_000, 1000
"""Plate numbers SDSS never used, so that mock and real spectra can lie in one workspace."""
PLATE_RADIUS_DEG = 1.45
NEIGHBOURS = 3
"""Mean number of objects of one patch of 0.03 degrees: several fall into one cell of the splits."""


@dataclass(frozen=True)
class Plate:
    """One plate of the mock survey: number, date, centre, dust and how good the night was."""

    number: int
    mjd: int
    ra: float
    dec: float
    ebv: float
    depth: float


def plate(part: int, seed: int) -> Plate:
    """The plate of one part (chunk) of the sky of one seed."""
    rng = np.random.default_rng([seed, part, 1])
    ra, sin_dec = rng.uniform(0, 360), rng.uniform(np.sin(np.radians(-8)), np.sin(np.radians(62)))
    ebv = np.clip(rng.lognormal(np.log(0.035), 0.6), 0.008, 0.25)
    return Plate(_number(part), _mjd(part, seed), ra, float(np.degrees(np.arcsin(sin_dec))), ebv, np.exp(0.22 * rng.standard_normal()))


def repeat_of(first: Plate) -> Plate:
    """The plate that observes some galaxies of ``first`` again: other number and night, same sky."""
    return Plate(first.number + PLATES, first.mjd + 40, first.ra, first.dec, first.ebv, first.depth)


def positions(where: Plate, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """ra and dec in deg of n objects on a plate, in small clumps."""
    patches = max(n // NEIGHBOURS, 1)
    radius, angle = PLATE_RADIUS_DEG * np.sqrt(rng.random(patches)), rng.uniform(0, 2 * np.pi, patches)
    pick = rng.integers(0, patches, n)
    dx = radius[pick] * np.cos(angle[pick]) + 0.03 * rng.standard_normal(n)
    dy = radius[pick] * np.sin(angle[pick]) + 0.03 * rng.standard_normal(n)
    dec = where.dec + dy
    return (where.ra + dx / np.cos(np.radians(dec))) % 360, dec


def galactic_dust(where: Plate, ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """E(B-V) in mag: the plate's, with smooth structure of 20 %."""
    wave = np.sin(2.1 * np.radians(ra) * 57 + where.number) * np.cos(1.7 * np.radians(dec) * 57)
    return where.ebv * (1 + 0.2 * wave)


def spec_key(number: np.ndarray, mjd: np.ndarray, fiber: np.ndarray) -> list[str]:
    """``spec-PLATE-MJD-FIBER``, as SDSS names its files."""
    return [f"spec-{p:04d}-{m:05d}-{f:04d}" for p, m, f in zip(number, mjd, fiber, strict=True)]


def specobjid(number: np.ndarray, mjd: np.ndarray, fiber: np.ndarray, run2d: int = 26) -> list[str]:
    """64-bit spectroscopic ids as text: plate << 50 | fiber << 38 | (mjd - 50000) << 24 | run2d << 10.

    Source: https://www.sdss.org/dr17/help/glossary/#specobj

    >>> specobjid([266], [51602], [1])
    ['299489676975171584']
    """
    return [str((int(p) << 50) | (int(f) << 38) | ((int(m) - 50_000) << 24) | (run2d << 10)) for p, m, f in zip(number, mjd, fiber, strict=True)]


def objid(part: int, seed: int, index: np.ndarray) -> list[str]:
    """64-bit photometric ids as text: sky version 2, rerun 301, a run no camera drove, camcol, field and number.

    Source: https://www.sdss.org/dr17/help/glossary/#objid
    """
    run, camcol, field = 60_000 + seed % 5000, 1 + part % 6, 11 + part // 6 % 4000
    return [str((2 << 59) | (301 << 48) | (run << 32) | (camcol << 29) | (field << 16) | int(i)) for i in index]


def _number(part: int) -> int:
    return FIRST_PLATE + part % PLATES


def _mjd(part: int, seed: int) -> int:
    return 50_100 + 80 * (part // PLATES) + (seed * 397) % 15_000
