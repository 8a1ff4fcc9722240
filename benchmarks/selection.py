"""How long each strategy takes to choose a batch, what it holds in memory, and LCMD beside its authors' package.

    python -m benchmarks.selection [--parts reference,table,large] [--threads 2] [--rounds 3]

``reference``: `lcmd` and bmdal-reg 3.0.2 on the same float32 features with the same threads, in turns, so that a
busy machine slows both. ``table``: every strategy on pools of 5,000 and 20,000 galaxies of 128 features.
``large``: every strategy on 1,000,000 galaxies of 64 features, each in a process of its own whose peak
memory is what the system counted, the features included. 1,000 galaxies are labelled throughout. Features are of
no meaning; a galaxy is one of fifty kinds of unequal number and width.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from core.acquisition.candidates import Candidates
from core.acquisition.registry import STRATEGIES, strategy

LABELLED, KINDS = 1000, 50
PARTS = ("reference", "table", "large")


def features(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """Float32 (n, d)."""
    kind_n = (KINDS * rng.random(n) ** 2).astype(int)
    middle_kd, width_k = rng.normal(0, 1, (KINDS, d)), rng.gamma(2, 0.5, KINDS)
    points_nd = rng.standard_normal((n, d), dtype=np.float32)
    points_nd *= width_k[kind_n, None].astype(np.float32)
    for start in range(0, n, 100_000):
        points_nd[start : start + 100_000] += middle_kd[kind_n[start : start + 100_000]]
    return points_nd


def galaxies(p: int, d: int) -> Candidates:
    """A pool with everything that any strategy needs, for one target of each task group."""
    rng = np.random.default_rng(0)
    variance = lambda n: rng.gamma(2, 1, (n, 2))  # noqa: E731
    points_nd = features(p + LABELLED, d, rng)
    return Candidates(
        np.ones(p, bool), points_nd[:p], points_nd[p:], epistemic_pt=variance(p), aleatoric_pt=variance(p), labelled_aleatoric_lt=variance(LABELLED),
        disagreement_pt=variance(p), spread_p=rng.random(p), spread_name="predicted z", groups={"z": [0], "sfr": [1]},
    )


def seconds(name: str, candidates: Candidates, size: int) -> float:
    """To choose once."""
    started = time.perf_counter()
    strategy(name).select(candidates, size, np.random.default_rng(0))
    return time.perf_counter() - started


def theirs(pool_pd: np.ndarray, labelled_ld: np.ndarray, size: int) -> np.ndarray:
    """The picks of bmdal-reg, which was written for a NumPy that still spelt inf in two ways."""
    np.Inf = np.inf
    from bmdal_reg.bmdal.feature_data import TensorFeatureData
    from bmdal_reg.bmdal.feature_maps import IdentityFeatureMap
    from bmdal_reg.bmdal.features import Features
    from bmdal_reg.bmdal.selection import LargestClusterMaxDistSelectionMethod

    known = [Features(IdentityFeatureMap(x.shape[1]), TensorFeatureData(torch.from_numpy(x))).precompute() for x in (pool_pd, labelled_ld)]
    return LargestClusterMaxDistSelectionMethod(*known, sel_with_train=True, verbosity=0).select(size).numpy()


def against_reference(rounds: int) -> None:
    """A line a round and the ratio of the medians: 20,000 galaxies of 512 features, a batch of 100."""
    points_nd = features(20_000 + LABELLED, 512, np.random.default_rng(1))
    plain = Candidates(np.ones(20_000, bool), points_nd[:20_000], points_nd[20_000:])
    spent = []
    for k in range(rounds + 1):
        started = time.perf_counter()
        ours = strategy("lcmd").select(plain, 100, np.random.default_rng(0)).indices
        between = time.perf_counter()
        reference = theirs(plain.features_pd, plain.labelled_ld, 100)
        spent.append((between - started, time.perf_counter() - between))
        print(f"round {k}: ours {spent[-1][0]:.2f} s, bmdal-reg {spent[-1][1]:.2f} s, {len(np.intersect1d(ours, reference))} of 100 picks the same, {int((ours == reference).sum())} at the same rank", flush=True)
    mine, other = np.median(spent[1:], axis=0)
    print(f"20,000 x 512, {LABELLED:,} labelled, batch of 100: {mine:.2f} s against {other:.2f} s, {other / mine:.1f} times as fast (round 0 warms up)")


def table(rounds: int) -> None:
    """Median seconds of every strategy at two sizes, a batch of 50."""
    print("strategy             5,000 x 128   20,000 x 128, batch of 50")
    pools = [galaxies(5_000, 128), galaxies(20_000, 128)]
    for name in STRATEGIES:
        medians = [np.median([seconds(name, pool, 50) for _ in range(rounds)]) for pool in pools]
        print(f"{name:20} {medians[0]:8.3f} s {medians[1]:12.3f} s", flush=True)


def large(threads: int) -> None:
    """Every strategy on a million galaxies, a batch of 100, each in a process of its own."""
    print("strategy             1,000,000 x 64, batch of 100")
    for name in STRATEGIES:
        done = subprocess.run([sys.executable, "-m", "benchmarks.selection", "--alone", name, "--threads", str(threads)], capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
        print(f"{name:20} {answer['seconds']:8.1f} s {answer['peak_gib']:8.2f} GiB at most, {answer['before_gib']:.2f} of them before it began", flush=True)


def alone(name: str) -> None:
    """What `large` asks of a process: seconds and peak memory, as JSON."""
    pool = galaxies(1_000_000, 64)
    before = peak_gib()
    print(json.dumps({"seconds": seconds(name, pool, 100), "before_gib": before, "peak_gib": peak_gib()}))


def peak_gib() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--alone", choices=tuple(STRATEGIES), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with threadpool_limits(arguments.threads):
        if arguments.alone:
            return alone(arguments.alone)
        work = {"reference": lambda: against_reference(arguments.rounds), "table": lambda: table(arguments.rounds), "large": lambda: large(arguments.threads)}
        for part in arguments.parts.split(","):
            work[part]()
    return None


if __name__ == "__main__":
    main()
