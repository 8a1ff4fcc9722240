"""One map over chunks: this process, a process pool, or a Dask cluster.

`map_chunks` is the whole room: the function, the chunks and the results are the same
wherever the work is done, and so is what an error says.
"""

import os
import reprlib
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from core.engine.lifeline import die_with_parent
from core.errors import Cancelled, ChunkFailed, LookbackError, StaleFence
from core.settings import settings

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
BRIEF = reprlib.Repr()
BRIEF.maxstring = BRIEF.maxother = 120


@dataclass(frozen=True)
class Outcome:
    """What came of one chunk: a value, or a LookbackError's sentence, or another error's traceback."""

    value: object = None
    sentence: str = ""
    trace: str = ""


def map_chunks(function: Callable, chunks: Iterable, workers: int | None = None) -> Iterator:
    """Apply a function to every chunk and yield the results in the order of the chunks.

    Use it for work that takes at least a second in all: starting a pool costs about half a second.

    Parameters
    ----------
    function : importable by name (or a `functools.partial` of such), of one chunk.
    chunks : taken as they are needed: at most two a worker are on their way.
    workers : 1 = in this process; None = ``LOOKBACK_THREADS``, else the number of cores.
        Does not apply to a Dask cluster, which is used when ``LOOKBACK_DASK`` names its scheduler and
        ``workers`` is not 1; its workers need the same checkout on their path.

    Raises
    ------
    ChunkFailed : the function raised a `LookbackError`, or a worker process was killed; names the chunk.
    RuntimeError : the function raised anything else; names the chunk and holds the traceback.

    >>> list(map_chunks(abs, [-1, 2, -3], workers=1))
    [1, 2, 3]
    """
    workers = workers or settings().threads or os.cpu_count() or 1
    if workers == 1:
        return (_value(_attempt(function, chunk), number, chunk) for number, chunk in enumerate(chunks))
    if settings().scheduler:
        return _dask(function, chunks, settings().scheduler)
    return _pool(function, chunks, workers)


def _pool(function: Callable, chunks: Iterable, workers: int) -> Iterator:
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(os.getpid(),))
    try:
        yield from _window(partial(pool.submit, _attempt, function), chunks, 2 * workers)
    finally:
        pool.shutdown(cancel_futures=True)


def _dask(function: Callable, chunks: Iterable, scheduler: str) -> Iterator:
    from distributed import Client

    with Client(scheduler, set_as_default=False) as client:
        submit = partial(client.submit, _attempt, function, pure=False)
        yield from _window(submit, chunks, 2 * max(1, sum(client.nthreads().values())))


def _window(submit: Callable[[object], Future], chunks: Iterable, size: int) -> Iterator:
    """Keep ``size`` chunks on their way and yield what comes back, in order."""
    waiting: deque = deque()
    for number, chunk in enumerate(chunks):
        waiting.append((submit(chunk), number, chunk))
        if len(waiting) == size:
            yield _result(*waiting.popleft())
    while waiting:
        yield _result(*waiting.popleft())


def _result(future: Future, number: int, chunk: object) -> object:
    try:
        outcome = future.result()
    except BrokenProcessPool as error:
        raise ChunkFailed(f"A worker process was killed at or after {_name(number, chunk)}, perhaps for want of memory. Use fewer workers.") from error
    return _value(outcome, number, chunk)


def _attempt(function: Callable, chunk: object) -> Outcome:
    """Errors travel as text: not every exception survives the way between processes."""
    try:
        return Outcome(function(chunk))
    except (Cancelled, StaleFence):
        raise
    except LookbackError as error:
        return Outcome(sentence=str(error))
    except Exception:
        return Outcome(trace=traceback.format_exc())


def _value(outcome: Outcome, number: int, chunk: object) -> object:
    if outcome.sentence:
        raise ChunkFailed(f"{_name(number, chunk)}: {outcome.sentence}")
    if outcome.trace:
        raise RuntimeError(f"{_name(number, chunk)} failed:\n{outcome.trace}")
    return outcome.value


def _name(number: int, chunk: object) -> str:
    return f"Chunk {number} ({' '.join(BRIEF.repr(chunk).split())})"


def _start_worker(parent: int) -> None:
    """One thread a worker: as many workers as cores would otherwise ask for cores squared."""
    die_with_parent(parent)
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")
