"""The demo: the whole mock sky once, its first labels once, its follow-up jobs once, however often it was killed."""

import json

import numpy as np
import pytest

from core.columns import TARGET_NAMES
from core.data import mock_sky
from core.errors import Cancelled
from core.jobs.context import TaskContext
from core.jobs.tasks import demo
from core.models.registry import MODELS
from core.store import Workspace, arrays, jobs, labels, objects, open_workspace, truth

PARAMETERS = {"n": 300, "seed": 0, "labels": 30, "models": ["mean", "linear"]}


def _take(ws: Workspace) -> TaskContext:
    return TaskContext(ws, jobs.claim(ws, "test", 30))


@pytest.fixture
def ctx(ws) -> TaskContext:
    jobs.enqueue(ws, "demo", "Build the demo sky", PARAMETERS)
    return _take(ws)


def _queued(ws: Workspace) -> list[tuple[str, str]]:
    table = jobs.frame(ws).sort_values("id")
    return list(table.loc[table["status"] == "queued", ["kind", "title"]].itertuples(index=False, name=None))


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[TaskContext, dict]:
    """A demo that ran to its end, and what it returned."""
    ws = open_workspace(tmp_path_factory.mktemp("demo"))
    jobs.enqueue(ws, "demo", "Build the demo sky", PARAMETERS)
    ctx = _take(ws)
    return ctx, demo.run(ctx)


def test_demo_stores_the_sky(built):
    ctx, result = built
    table = objects.frame(ctx.ws)
    assert (result["objects"], result["new"], result["labelled"]) == (300, 300, 30)
    assert len(table) == 300 and (table["simulated"] == 1).all() and 0.9 < table["image"].mean() < 1
    chunk = mock_sky.part(0)
    rows, values = chunk.arrays["image"]
    ids = table.set_index("key")["id"].loc[chunk.objects["key"].iloc[rows]].to_numpy()
    stored, present = arrays.read(ctx.ws, "image", ids)
    assert present.all() and np.array_equal(stored, values)
    assert jobs.one(ctx.ws, ctx.job_id)["fraction"] == 1


def test_demo_labels_are_the_catalogue_s_on_train_galaxies(built):
    ws = built[0].ws
    table = labels.training(ws)
    assert table["object_id"].nunique() == 30 and (table.groupby("object_id")["target"].nunique() == len(TARGET_NAMES)).all()
    both = table.merge(truth.frame(ws), on=["object_id", "target"])
    assert (both["value_x"] == both["value_y"]).all() and len(both) == 270
    labelled = objects.frame(ws, table["object_id"].unique())
    assert set(labelled["split"]) == {"train"} and set(labelled["class"]) == {"GALAXY"}
    rows = labels.current(ws)
    assert set(rows["annotator"]) == set(rows["source"]) == {"catalogue"}


def test_demo_queues_the_quickest_map_first_then_maps_and_models(built):
    ws = built[0].ws
    assert _queued(ws) == [
        ("embed", "PCA of images"), ("embed", "UMAP of images"), ("embed", "UMAP of spectra"), ("embed", "UMAP of all modalities"),
        ("train", "Train mean"), ("train", "Train linear")]
    last = jobs.frame(ws).iloc[0]
    assert json.loads(last["parameters"]) == {"model": "linear", "config": {}, "seed": 0}


def test_demo_run_twice_adds_nothing(built):
    ctx, _ = built
    before = (objects.count(ctx.ws), labels.high_water(ctx.ws), _queued(ctx.ws))
    assert demo.run(ctx)["new"] == 0
    assert (objects.count(ctx.ws), labels.high_water(ctx.ws), _queued(ctx.ws)) == before


def test_demo_trains_models_that_are_registered():
    assert set(demo.FIRST_MODELS) <= set(MODELS) and demo.FIRST_MODELS[-1] == "fusion_late"


def test_demo_goes_on_where_it_was_killed(ctx, monkeypatch):
    reported = []

    def die_after_the_first_part(fraction: float, message: str) -> None:
        reported.append(message)
        if "256" in message:
            raise SystemExit("killed")

    monkeypatch.setattr(ctx, "report", die_after_the_first_part)
    with pytest.raises(SystemExit):
        demo.run(ctx)
    assert objects.count(ctx.ws) == 256
    jobs.requeue(ctx.ws, ctx.job_id, ctx.fence, "killed")
    drawn = []
    original = mock_sky.simulate
    monkeypatch.setattr(mock_sky, "simulate", lambda *args, skip, **kwargs: drawn.append(sorted(skip)) or original(*args, skip=skip, **kwargs))
    again = _take(Workspace(ctx.ws.path))
    result = demo.run(again)
    assert drawn == [[0]] and result["new"] == 44 and objects.count(ctx.ws) == 300


def test_demo_stops_when_it_is_cancelled(ctx):
    jobs.cancel(ctx.ws, ctx.job_id)
    with pytest.raises(Cancelled):
        demo.run(ctx)
    assert objects.count(ctx.ws) < 300
