"""One map over chunks, wherever the work is done."""

import os
from dataclasses import replace
from functools import partial

import pytest

from core import engine
from core.engine import map_chunks
from core.errors import BadInput, Cancelled, ChunkFailed
from core.settings import settings


def square(x: int) -> int:
    return x * x


def square_but(bad: int, x: int) -> int:
    if x == bad:
        raise BadInput("flux", "be finite", "NaN", f"galaxy {x}", "Mask it")
    return x * x


def divide(x: int) -> float:
    return 1 / x


def process(x: int) -> int:
    return os.getpid()


def stop(x: int) -> int:
    raise Cancelled("Job 1 was cancelled.")


def vanish(x: int) -> int:
    os._exit(9)


@pytest.fixture(scope="module")
def scheduler():
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, host="127.0.0.1", protocol="tcp") as cluster:
        yield cluster.scheduler_address


@pytest.fixture(params=["serial", "pool", "dask"])
def workers(request, monkeypatch):
    """How many workers to ask for, so that the work is done where the parameter says."""
    if request.param == "dask":
        address = request.getfixturevalue("scheduler")
        monkeypatch.setattr(engine, "settings", lambda: replace(settings(), scheduler=address))
    return 1 if request.param == "serial" else 2


def test_results_come_in_the_order_of_the_chunks(workers):
    assert list(map_chunks(square, range(20), workers)) == [x * x for x in range(20)]


def test_no_chunks_give_no_results(workers):
    assert list(map_chunks(square, [], workers)) == []


def test_refusal_names_the_chunk_and_keeps_its_sentence(workers):
    results = map_chunks(partial(square_but, 3), range(6), workers)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    with pytest.raises(ChunkFailed, match=r"Chunk 3 \(3\): flux must be finite; got NaN, for galaxy 3. Mask it."):
        next(results)


def test_unforeseen_error_names_the_chunk_and_holds_the_traceback(workers):
    with pytest.raises(RuntimeError, match=r"(?s)Chunk 1 \(0\) failed:.*in divide.*ZeroDivisionError: division by zero"):
        list(map_chunks(divide, [2, 0], workers))


def test_cancellation_passes_unchanged(workers):
    with pytest.raises(Cancelled, match="Job 1 was cancelled."):
        list(map_chunks(stop, [1], workers))


def test_chunks_are_taken_only_as_they_are_needed():
    taken = []
    results = map_chunks(square, (taken.append(x) or x for x in range(100)), workers=2)
    assert next(results) == 0 and len(taken) == 4
    results.close()


def test_one_worker_is_this_process_and_two_are_others():
    assert set(map_chunks(process, [1, 2], workers=1)) == {os.getpid()}
    assert os.getpid() not in set(map_chunks(process, [1, 2], workers=2))


def test_killed_worker_is_reported_with_its_chunk():
    with pytest.raises(ChunkFailed, match=r"A worker process was killed at or after Chunk 0 \('a'\), perhaps for want of memory. Use fewer workers."):
        list(map_chunks(vanish, ["a", "b"], workers=2))
