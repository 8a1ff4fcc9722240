"""Parts of the mock sky put together: what each row is, what was observed of it, what a catalogue says."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.data.mock_sky import catalogue, contaminants, observation, posterior
from core.data.mock_sky.galaxies import Galaxies, draw, expected_log_sfr
from core.data.mock_sky.light import Sources, line_fluxes, shine
from core.data.records import Chunk
from core.preprocess.spectrum import WAVE
from core.spectroscopy.lines import line

PART_ROWS = 256
"""Objects drawn together: one plate. As many as rows in a shard, so that parts fill shards."""
SHARES = {"galaxy": 0.930, "repeat": 0.032, "star": 0.014, "quasar": 0.012, "artefact": 0.012}
MISSING = {"image": 0.03, "spectrum": 0.03, "photometry": 0.04}
"""Shares of objects that lack a modality, independently; none lacks all."""
SAME_PLACE_ARCSEC = 0.25
SOURCE = "mock sky"


@dataclass(frozen=True)
class _Scene:
    """One part before it is observed: what every row is, in the order galaxies, repeats, stars, quasars, artefacts."""

    kind: np.ndarray
    galaxies: Galaxies
    z: np.ndarray
    sources: Sources
    fibre_share: np.ndarray
    flaws: list[str]
    first: np.ndarray


def part(number: int, seed: int = 0) -> Chunk:
    """The 256 objects of one part; the same part of the same seed is the same to the bit, alone or among others."""
    rng = np.random.default_rng([seed, number, 0])
    scene = _scene(rng)
    table = _objects(scene, number, seed, rng)
    ebv = table["ebv"].to_numpy()
    depth = catalogue.plate(number, seed).depth * np.exp(0.12 * rng.standard_normal(PART_ROWS))
    image = observation.images(scene.sources, ebv, rng)
    spectrum = observation.spectra(scene.sources, ebv, depth, rng)
    photometry = observation.photometry(scene.sources, ebv, rng)
    for i, flaw in zip(np.flatnonzero(scene.kind == "artefact"), scene.flaws, strict=True):
        contaminants.paint(flaw, image[i], spectrum[i], rng)
        photometry[i] = np.nan
    table["sn"] = observation.signal_to_noise(spectrum)
    table["zwarning"] = _zwarning(scene.kind, table["sn"].to_numpy(), rng)
    table["metadata"] = _metadata(scene)
    truth = _truth(scene, table, spectrum, rng)
    return _shuffled(table, {"image": image, "spectrum": spectrum, "photometry": photometry}, truth, scene, rng)


def rows_of(wanted: tuple[int, int], seed: int) -> Chunk:
    """The first rows of a part: ``wanted`` is its number and how many of its objects."""
    number, n = wanted
    chunk = part(number, seed)
    arrays = {m: (rows[rows < n], values[rows < n]) for m, (rows, values) in chunk.arrays.items()}
    return replace(chunk, objects=chunk.objects.iloc[:n], arrays=arrays, truth=chunk.truth[chunk.truth["row"] < n])


def parts(n: int) -> Iterator[tuple[int, int]]:
    """Number and rows of each part of a sky of n objects.

    >>> list(parts(300))
    [(0, 256), (1, 44)]
    """
    for start in range(0, n, PART_ROWS):
        yield start // PART_ROWS, min(PART_ROWS, n - start)


def source_of(number: int, seed: int) -> str:
    """What the column ``source`` says of a part's objects."""
    return f"{SOURCE}, seed {seed}, part {number}"


def _scene(rng: np.random.Generator) -> _Scene:
    count = dict(zip(SHARES, rng.multinomial(PART_ROWS, list(SHARES.values())).tolist(), strict=True))
    kind = np.repeat(list(SHARES), list(count.values()))
    again = rng.integers(0, count["galaxy"], count["repeat"])
    galaxies = draw(count["galaxy"], rng)[np.concatenate([np.arange(count["galaxy"]), again])]
    seeing = observation.SEEING * np.exp(0.08 * rng.standard_normal((PART_ROWS, 1)) + 0.02 * rng.standard_normal((PART_ROWS, 5)))
    at = np.cumsum([len(galaxies), count["star"], count["quasar"]])
    shone, fibre_share = shine(galaxies, seeing[: at[0]])
    stars, star_z = contaminants.stars(count["star"], seeing[at[0] : at[1]], rng)
    quasars, quasar_z = contaminants.quasars(count["quasar"], seeing[at[1] : at[2]], rng)
    nothing = contaminants.empty(seeing[at[2] :])
    z = np.concatenate([galaxies.z, star_z, quasar_z, np.full(count["artefact"], np.nan)])
    flaws = rng.choice(contaminants.ARTEFACTS, count["artefact"]).tolist()
    first = np.concatenate([np.arange(count["galaxy"]), again, np.arange(at[0], PART_ROWS)])
    return _Scene(kind, galaxies, z, _stacked([shone, stars, quasars, nothing]), fibre_share, flaws, first)


def _objects(scene: _Scene, number: int, seed: int, rng: np.random.Generator) -> pd.DataFrame:
    """Names and places; a repeat stands within an arcsecond of its first observation, on another plate."""
    where = catalogue.plate(number, seed)
    again = catalogue.repeat_of(where)
    repeat = scene.kind == "repeat"
    fiber = 1 + rng.permutation(640)[:PART_ROWS]
    plates, mjds = np.where(repeat, again.number, where.number), np.where(repeat, again.mjd, where.mjd)
    ra, dec = catalogue.positions(where, PART_ROWS, rng)
    jitter = np.where(repeat, SAME_PLACE_ARCSEC / 3600, 0.0) * rng.uniform(-1, 1, (2, PART_ROWS))
    dec = dec[scene.first] + jitter[1]
    ra = (ra[scene.first] + jitter[0] / np.cos(np.radians(dec))) % 360
    names = {"galaxy": "GALAXY", "repeat": "GALAXY", "star": "STAR", "quasar": "QSO", "artefact": ""}
    return pd.DataFrame({
        "key": catalogue.spec_key(plates, mjds, fiber), "ra": ra, "dec": dec,
        "specobjid": catalogue.specobjid(plates, mjds, fiber), "objid": catalogue.objid(number, seed, scene.first),
        "plate": plates, "mjd": mjds, "fiberid": fiber, "class": [names[k] for k in scene.kind],
        "ebv": catalogue.galactic_dust(where, ra, dec), "source": source_of(number, seed), "simulated": 1,
    })


def _truth(scene: _Scene, table: pd.DataFrame, spectrum: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Catalogue values of galaxies in long form; the redshift only where its warning is harmless."""
    n = len(scene.galaxies)
    z_err = 8e-6 + 1.2e-4 / np.maximum(table["sn"].to_numpy()[:n], 1.0)
    z = scene.galaxies.z + z_err * rng.standard_normal(n)
    usable = np.flatnonzero(table["zwarning"].isin((0, 16))[:n])
    statistics = posterior.statistics(_sfr_posterior(scene, spectrum, rng))
    sigma = (statistics["p84"] - statistics["p16"]) / 2
    frames = [_long("z", usable, z, z_err)]
    for name, values in statistics.items():
        frames.append(_long("sfr_tot_" + name, np.arange(n), values, np.full(n, np.nan) if name == "entropy" else sigma))
    return pd.concat(frames, ignore_index=True)


def _long(target: str, rows: np.ndarray, values: np.ndarray, sigma: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"row": rows, "target": target, "value": values[rows], "sigma": sigma[rows]})


def _sfr_posterior(scene: _Scene, spectrum: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    g = scene.galaxies
    flux = {name: 1e17 * line_fluxes(g)[name] * scene.fibre_share for name in ("Halpha 6565", "Hbeta 4863")}
    error = {name: _line_error(scene, spectrum, line(name).wave) for name in flux}
    relative = posterior.relative_error(flux["Hbeta 4863"] / error["Hbeta 4863"])
    mean, scatter = expected_log_sfr(g.log_mass, g.passive)
    return posterior.posterior(g.log_sfr, 10**g.log_sfr * error["Halpha 6565"] / flux["Halpha 6565"], relative, mean, scatter, rng)


def _line_error(scene: _Scene, spectrum: np.ndarray, rest_wave: float) -> np.ndarray:
    """1-sigma error of a line's flux in each galaxy's fibre; the continuum is read 60 A (at Halpha) to its red."""
    wave = rest_wave * (1 + scene.galaxies.z)
    beside = np.clip(np.searchsorted(WAVE, wave * 1.009), 0, len(WAVE) - 1)
    return observation.line_error(spectrum[: len(wave)], wave, scene.sources.spectrum[np.arange(len(wave)), beside])


def _metadata(scene: _Scene) -> list[dict]:
    """What the simulator knows of each row; the arrays of galaxies are as long as there are galaxies and repeats."""
    g, n = scene.galaxies, len(scene.galaxies)
    known = {"true_log_sfr": g.log_sfr, "true_log_mass": g.log_mass, "true_passive": g.passive.astype(int), "true_ebv_gas": g.ebv_gas,
             "true_fibre_share": scene.fibre_share}
    rows = [{"true_kind": str(kind), "true_z": float(z)} for kind, z in zip(scene.kind, scene.z, strict=True)]
    for i, row in enumerate(rows[:n]):
        row.update({name: values[i].item() for name, values in known.items()})
    for row, flaw in zip(rows[len(rows) - len(scene.flaws) :], scene.flaws, strict=True):
        row["true_flaw"] = flaw
    return rows


def _zwarning(kind: np.ndarray, sn: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """SDSS bits: 7 unplugged for artefacts, 2 (small delta chi2) for some faint spectra, the harmless 4 for a few."""
    u = rng.random(len(kind))
    usable = np.where((sn < 2) & (u < 0.4), 4, np.where(u > 0.97, 16, 0))
    return np.where(kind == "artefact", 128, usable)


def _shuffled(table: pd.DataFrame, arrays: dict[str, np.ndarray], truth: pd.DataFrame, scene: _Scene, rng: np.random.Generator) -> Chunk:
    """The rows in random order, with the modalities that each has."""
    order = rng.permutation(PART_ROWS)
    lacking = np.array([rng.random(PART_ROWS) < share for share in MISSING.values()])
    lacking[:, lacking.all(axis=0)] = False
    lacking[2] |= (scene.kind == "artefact") & ~lacking[:2].all(axis=0)
    present = {m: np.flatnonzero(~lacking[k][order]) for k, m in enumerate(MISSING)}
    place = np.empty(PART_ROWS, dtype=int)
    place[order] = np.arange(PART_ROWS)
    truth = truth.assign(row=place[truth["row"].to_numpy()]).sort_values(["row", "target"], ignore_index=True)
    return Chunk(
        objects=table.iloc[order].reset_index(drop=True),
        arrays={m: (rows, arrays[m][order[rows]]) for m, rows in present.items()},
        truth=truth,
    )


def _stacked(parts: list[Sources]) -> Sources:
    """Sources one after another; the shorter lists of Gaussians are padded with zeros."""
    widest = max(p.light.shape[1] for p in parts)

    def padded(array: np.ndarray) -> np.ndarray:
        return np.pad(array, ((0, 0), (0, widest - array.shape[1]), (0, 0)))

    return Sources(
        covariance=np.concatenate([padded(p.covariance) for p in parts]), light=np.concatenate([padded(p.light) for p in parts]),
        spectrum=np.concatenate([p.spectrum for p in parts]), seeing=np.concatenate([p.seeing for p in parts]),
    )
