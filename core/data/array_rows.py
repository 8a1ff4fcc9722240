"""Rows of images and spectra that lie in one array, with or without a catalogue beside them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from core.columns import BANDS
from core.data.cutout import SIZE
from core.data.identity import content_key
from core.data.records import Chunk
from core.data.table import catalogue

CHUNK = 256
Reader = Callable[[slice], dict[str, np.ndarray]]


def chunks(n: int, table: pd.DataFrame, read: Reader, path: Path, mapping: dict[str, str] | None, source: str, notes: list[str]) -> Iterator[Chunk]:
    """Chunks of 256 rows of arrays with what a catalogue says of the same rows.

    Parameters
    ----------
    n : rows. table : n rows of catalogue columns; no columns when there is none.
    read : slice -> modality -> (k, ...) arrays as `core.store.arrays.SHAPES` says; rows of NaN = no such array.
    notes : sentences for the first chunk; may grow while rows are read, those of later rows come with the last.

    Rows that nothing names get a key made of their content, so that the same array is the same object.
    """
    rows = catalogue(table, path, mapping)
    rows.notes.extend(notes)
    told = len(notes)
    for start in range(0, n, CHUNK):
        here = np.arange(start, min(start + CHUNK, n))
        arrays = read(slice(start, start + CHUNK))
        _name(rows.objects, here, arrays, path)
        kept = np.flatnonzero(~rows.objects["key"].duplicated().to_numpy()[here])
        left_out = {"an earlier row is the same object": len(here) - len(kept)} if len(kept) < len(here) else {}
        chunk = rows.chunk(here[kept], source, n, start == 0, {m: a[kept] for m, a in arrays.items()})
        late = tuple(notes[told:]) if start + CHUNK >= n else ()
        yield Chunk(chunk.objects, chunk.arrays, chunk.truth, chunk.missing, False, (*chunk.notes, *late), _sum(chunk.left_out, left_out), n)


def middle(images: np.ndarray) -> np.ndarray:
    """The middle 64 x 64 pixels of (k, 5, h, w) images of 0.396 arcsec pixels; smaller ones get a border of 0, empty sky."""
    out = np.zeros((*images.shape[:2], SIZE, SIZE), dtype=np.float32)
    (top, y), (left, x) = (_overlap(length) for length in images.shape[2:])
    out[:, :, y, x] = images[:, :, top, left]
    return out


def without_empty(images: np.ndarray) -> np.ndarray:
    """Images with single bad pixels at 0, the level of a subtracted sky; rows without any signal become NaN."""
    empty = ~np.any(np.isfinite(images) & (images != 0), axis=(1, 2, 3))
    out = np.nan_to_num(images.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    out[empty] = np.nan
    return out


def without_information(spectra: np.ndarray) -> np.ndarray:
    """Spectra (k, 2, p) with rows of NaN where no pixel has ivar > 0."""
    return np.where((spectra[:, 1] > 0).any(axis=1)[:, None, None], spectra, np.float32(np.nan))


def _overlap(length: int) -> tuple[slice, slice]:
    """Where the middle of ``length`` pixels is read from, and where it goes."""
    cut, border = max((length - SIZE) // 2, 0), max((SIZE - length) // 2, 0)
    count = min(length, SIZE)
    return slice(cut, cut + count), slice(border, border + count)


def _name(objects: pd.DataFrame, here: np.ndarray, arrays: dict[str, np.ndarray], path: Path) -> None:
    for i in np.flatnonzero(objects["key"].isna().to_numpy()[here]):
        content = np.concatenate([a[i].ravel() for a in arrays.values()])
        objects.loc[here[i], "key"] = content_key(path.stem, int(here[i]), content)


def _sum(first: dict[str, int], second: dict[str, int]) -> dict[str, int]:
    return {k: first.get(k, 0) + second.get(k, 0) for k in {**first, **second}}


def is_image(shape: tuple[int, ...]) -> bool:
    """Whether a shape is that of five-band images, (n, 5, h, w)."""
    return len(shape) == 4 and shape[1] == len(BANDS)
