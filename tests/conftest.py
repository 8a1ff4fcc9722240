"""Fixtures that every test file may use."""

from pathlib import Path

import numpy as np
import pytest

from core.columns import TARGET_NAMES
from core.data.splits import sky_groups, split_of
from core.store import Workspace, arrays, batches, embeddings, labels, objects, open_workspace, runs, truth

REAL = Path(__file__).resolve().parents[2] / "shared" / "real"


@pytest.fixture
def real() -> Path:
    """Genuine survey files; the same code paths are also tested on data/sample."""
    if not REAL.exists():
        pytest.skip("the folder of real survey files is not beside this checkout")
    return REAL


@pytest.fixture
def ws(tmp_path) -> Workspace:
    """An empty workspace."""
    return open_workspace(tmp_path / "workspace")


@pytest.fixture
def tiny(tmp_path) -> Workspace:
    """Sixty objects with arrays, truth, thirty labelled, one finished run, one map."""
    return tiny_workspace(tmp_path / "tiny")


@pytest.fixture
def batch(tiny) -> int:
    """A batch of five unlabelled objects of `tiny`, in an order that is not that of their ids."""
    items = [{"object_id": i, "reason": f"reason {i}", "score": 1.0} for i in (50, 40, 45, 33, 31)]
    return batches.save(tiny, "first", "random", {}, 7, items)


def tiny_workspace(path: Path, n: int = 60, seed: int = 0) -> Workspace:
    """A workspace made of random numbers: shapes and links are right, the physics is not."""
    rng = np.random.default_rng(seed)
    ws = open_workspace(path)
    ids = _add_objects(ws, n, rng)
    _add_labels(ws, ids[: n // 2])
    _add_run(ws, ids, rng)
    embeddings.save(ws, "pca image", "pca", "image", ids, rng.standard_normal((n, 2)), {})
    return ws


def _add_objects(ws: Workspace, n: int, rng: np.random.Generator) -> np.ndarray:
    keys = [f"mock-{i:05d}" for i in range(n)]
    ra, dec = rng.uniform(0, 360, n), rng.uniform(-10, 60, n)
    groups = sky_groups(keys, ra, dec)
    rows = [
        dict(key=keys[i], ra=ra[i], dec=dec[i], specobjid=str(10**18 + i), sky_group=int(groups[i]), split=s,
             sn=float(rng.gamma(3, 4)), ebv=0.03, source="test", simulated=1, metadata={"r_mag": float(rng.uniform(15, 18))}, **{"class": "GALAXY"})
        for i, s in enumerate(split_of(groups))
    ]
    image = rng.normal(0, 0.02, (n, 5, 64, 64)) + 2 * np.exp(-((np.indices((64, 64)) - 31.5) ** 2).sum(0) / 30)
    loglam = 3.55 + 1e-4 * np.arange(4620)
    z = rng.uniform(0.02, 0.3, n)
    flux = 5 + rng.normal(0, 1, (n, 4620)) + 20 * np.exp(-0.5 * ((loglam - np.log10(6564.614 * (1 + z))[:, None]) / 3e-4) ** 2)
    spectrum = np.stack([flux, np.ones_like(flux)], axis=1)
    photometry = np.stack([rng.uniform(15, 20, (n, 5)), np.full((n, 5), 0.02)], axis=1)
    with arrays.appending(ws) as appender:
        staged = {m: appender.stage(m, a) for m, a in (("image", image), ("spectrum", spectrum), ("photometry", photometry))}
        with ws.write() as db:
            ids = objects.upsert(db, rows)
            appender.publish(db)
            for modality, at in staged.items():
                arrays.link(db, modality, ids, at)
            truth.put(db, [(i, t, v, 0.1, "test") for i, zi in zip(ids, z, strict=True) for t, v in target_values(zi).items()])
    return np.array(ids)


def target_values(z: float) -> dict[str, float]:
    """Nine consistent target values for a redshift."""
    offsets = dict(avg=0, entropy=-2, median=0, mode=0.05, p16=-0.4, p2p5=-0.8, p84=0.4, p97p5=0.8)
    return {"z": float(z)} | {f"sfr_tot_{k}": float(np.log10(z) + 1 + o) for k, o in offsets.items()}


def _add_labels(ws: Workspace, ids: np.ndarray) -> None:
    table = truth.frame(ws, ids)
    labels.record(ws, [
        labels.Decision(int(r.object_id), r.target, "label", "oracle", "test", i, value=r.value, sigma=r.sigma, source="catalogue")
        for i, r in enumerate(table.itertuples())
    ])


def _add_run(ws: Workspace, ids: np.ndarray, rng: np.random.Generator) -> None:
    seen = labels.training(ws)
    snapshot = {"high_water": labels.high_water(ws), "count": len(seen), "hash": labels.snapshot_hash(seen)}
    run_id = runs.create(ws, "linear", "linear", {}, 0, snapshot)
    wide = truth.frame(ws, ids).pivot(index="object_id", columns="target", values="value").loc[ids, list(TARGET_NAMES)].to_numpy()
    mean = wide + 0.02
    noise = np.broadcast_to(rng.uniform(0.01, 0.1, (len(ids), 1)) ** 2, mean.shape)
    runs.save_arrays(ws, run_id, "predictions", object_ids=ids, targets=np.array(TARGET_NAMES), mean=mean, aleatoric=noise,
                     epistemic=noise / 2, features=rng.standard_normal((len(ids), 8)))
    for epoch in range(5):
        runs.put_history(ws, run_id, epoch, {"train_loss": 1 / (epoch + 1), "validation_loss": 1.2 / (epoch + 1)})
    runs.finish(ws, run_id, "done", {"seconds": 1.5, "parameters": 10, "milliseconds_per_galaxy": 0.1})
