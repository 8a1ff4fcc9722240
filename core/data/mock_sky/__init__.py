"""A sky whose truth is known: galaxies, stars, quasars and flaws with images, spectra, photometry and catalogue values.

`simulate` draws it from physics. A galaxy's bulge and disks are stars of several ages (kcorrect's
templates) behind Calzetti dust; ionised gas adds lines that follow the star-formation rate of
now. The image sees all of the galaxy in five broad bands, in which age and dust look alike. The
spectrum sees the lines, and with them dust and rate, but only of what falls into a 3 arcsec
fibre. So the total rate needs both.
"""

from collections.abc import Container, Iterator
from functools import partial

from core.data.mock_sky.sky import PART_ROWS, part, parts, rows_of, source_of
from core.data.records import Chunk
from core.engine import map_chunks

__all__ = ["PART_ROWS", "part", "parts", "simulate", "source_of"]


def simulate(n: int = 3000, seed: int = 0, workers: int | None = 1, skip: Container[int] = ()) -> Iterator[Chunk]:
    """Draw a mock sky, 256 objects at a time.

    Parameters
    ----------
    n : how many objects; about 93 % are galaxies, another 3 % such galaxies seen again on another plate.
    seed : the same seed gives the same sky. A sky of fewer objects is the beginning of a larger one.
    workers : processes that work at it, None = one a core; the sky does not depend on it.
    skip : numbers of parts (see `parts`) not to draw, because they are there already.

    Yields
    ------
    `Chunk`: objects with ``simulated`` 1 and metadata ``true_*`` (what the simulator knows: redshift,
    log SFR, log mass, passive or not, share of the star formation inside the fibre), arrays as
    `core.store.arrays.SHAPES` says, and catalogue values of all nine targets for galaxies with a
    usable redshift. Galaxies whose redshift has a warning lack z; stars, quasars and artefacts have no truth.
    """
    wanted = [(number, rows) for number, rows in parts(n) if number not in skip]
    yield from map_chunks(partial(rows_of, seed=seed), wanted, workers)
