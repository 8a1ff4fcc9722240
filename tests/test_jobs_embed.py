"""The embed job: what it leaves out, what it keeps, where it starts."""

import json

import numpy as np
import pytest

from core.errors import BadInput, NotFound
from core.jobs.tasks import embed
from core.store import embeddings, objects, runs


class Context:
    """What a task may ask of the world, remembered."""

    def __init__(self, ws, **parameters):
        self.ws, self.parameters, self.told = ws, parameters, []

    def report(self, fraction, message):
        self.told.append((fraction, message))


def make(ws, **parameters):
    context = Context(ws, **parameters)
    return embed.run(context), context


@pytest.mark.parametrize("features, words", [("image", "images"), ("spectrum", "spectra"), ("photometry", "photometry"), ("fused", "all modalities")])
def test_embed_makes_a_map_of_every_modality(tiny, features, words):
    result, context = make(tiny, method="pca", features=features)
    ids, xy = embeddings.load(tiny, f"PCA of {words}")
    assert result == {"name": f"PCA of {words}", "galaxies": 60, "note": ""}
    assert ids.tolist() == list(range(1, 61)) and np.isfinite(xy).all() and np.ptp(xy) > 0
    fractions = [f for f, _ in context.told]
    assert fractions == sorted(fractions) and context.told[-1] == (1.0, f"PCA of {words}: 60 galaxies.")


def test_embed_of_what_a_run_has_learnt_remembers_the_run(tiny):
    make(tiny, method="umap", features="run:1")
    row = embeddings.frame(tiny).iloc[0]
    assert (row["name"], row["method"], row["run_id"], row["features"]) == ("UMAP of linear (run 1)", "umap", 1, "run:1")
    assert json.loads(row["parameters"])["method used"] == "umap"


def test_embed_leaves_out_galaxies_without_the_modality_and_says_so(tiny):
    with tiny.write() as db:
        db.conn.execute("DELETE FROM arrays WHERE modality = 'image' AND object_id <= 7")
    result, context = make(tiny, method="pca", features="fused")
    assert result["galaxies"] == 53 and embeddings.load(tiny, result["name"])[0].min() == 8
    assert context.told[-1][1].endswith("53 galaxies. 7 without image or spectrum or photometry left out.")
    assert make(tiny, method="pca", features="spectrum")[0]["galaxies"] == 60


def test_embed_says_when_there_are_too_few_galaxies_for_the_method(tiny):
    with tiny.write() as db:
        db.conn.execute("DELETE FROM arrays WHERE modality = 'image' AND object_id > 4")
    result, _ = make(tiny, method="tsne", features="image", name="four")
    assert result["galaxies"] == 4 and result["note"].endswith("Too few galaxies for t-SNE: placed by PCA.")


def test_embed_starts_from_the_map_it_replaces(tiny):
    ids = objects.frame(tiny)["id"].to_numpy()
    make(tiny, method="pca", features="photometry", name="mine")
    _, before = embeddings.load(tiny, "mine")
    turned = before @ np.array([[0.0, 3.0], [-3.0, 0.0]]) + 50
    embeddings.save(tiny, "mine", "pca", "photometry", ids, turned, {})
    make(tiny, method="pca", features="photometry", name="mine")
    assert embeddings.load(tiny, "mine")[1] == pytest.approx(turned, abs=1e-2)


def test_embed_of_a_new_run_starts_from_the_map_of_the_same_model(tiny):
    make(tiny, method="pca", features="run:1")
    snapshot = {"high_water": 0, "count": 0, "hash": ""}
    again = runs.create(tiny, "linear", "linear", {}, 1, snapshot)
    saved = runs.load_arrays(tiny, 1, "predictions")
    saved["features"] = -2 * saved["features"][:, ::-1]
    runs.save_arrays(tiny, again, "predictions", **saved)
    make(tiny, method="pca", features=f"run:{again}")
    old, new = (embeddings.load(tiny, f"PCA of linear (run {i})")[1] for i in (1, again))
    assert new == pytest.approx(old, abs=1e-3)


def test_embed_refuses_with_a_sentence(ws, tiny):
    with pytest.raises(NotFound, match="No galaxy here has image to make a map of"):
        make(ws, method="umap", features="image")
    with pytest.raises(NotFound, match="No galaxy here has any array"):
        make(ws, method="umap", features="fused")
    with pytest.raises(BadInput, match="features of a map must be one of image, .* got colour"):
        make(tiny, method="umap", features="colour")
    with pytest.raises(BadInput, match="n_neighbors must be from 2 to 200; got 1000"):
        make(tiny, method="umap", features="photometry", parameters={"n_neighbors": 1000})
    snapshot = {"high_water": 0, "count": 0, "hash": ""}
    silent = runs.create(tiny, "mean", "mean", {}, 0, snapshot)
    runs.save_arrays(tiny, silent, "predictions", object_ids=np.arange(1, 61), features=np.zeros((60, 0)))
    with pytest.raises(NotFound, match=f"Run {silent} kept no latent features"):
        make(tiny, method="umap", features=f"run:{silent}")


def test_embed_shows_a_first_view_by_pca_until_the_map_is_made(tiny, monkeypatch):
    seen = []
    monkeypatch.setattr(embed.embedding, "embed", lambda *given: seen.append(embeddings.one(tiny, "mine")) or np.zeros((60, 2)))
    make(tiny, method="umap", features="photometry", name="mine")
    assert seen[0]["parameters"]["first view"] and "first view" not in embeddings.one(tiny, "mine")["parameters"]
    assert embeddings.load_before(tiny, "mine") is None


def test_embed_remembers_where_galaxies_stood_before(tiny):
    make(tiny, method="pca", features="photometry", name="mine")
    _, before = embeddings.load(tiny, "mine")
    make(tiny, method="pca", features="image", name="mine")
    assert np.array_equal(embeddings.load_before(tiny, "mine"), before)


@pytest.mark.parametrize("features", ["photometry", "fused"])
def test_embed_places_newcomers_and_moves_nobody(tiny, features):
    with tiny.write() as db:
        db.conn.execute("CREATE TEMP TABLE late AS SELECT * FROM arrays WHERE object_id > 50")
        rows = db.conn.execute("SELECT * FROM late").fetchall()
        db.conn.execute("DELETE FROM arrays WHERE object_id > 50")
    make(tiny, method="pca", features=features, name="mine")
    ids, old = embeddings.load(tiny, "mine")
    with pytest.raises(NotFound, match="Every galaxy that could stand on the map mine stands on it"):
        make(tiny, place="mine")
    with tiny.write() as db:
        db.conn.executemany("INSERT INTO arrays VALUES (?, ?, ?)", [tuple(r) for r in rows])
    result, context = make(tiny, place="mine")
    now, xy = embeddings.load(tiny, "mine")
    assert (len(ids), result["galaxies"], now.tolist()) == (50, 60, list(range(1, 61))) and np.array_equal(xy[:50], old)
    assert np.isfinite(xy).all() and context.told[-1] == (1.0, "mine: 10 galaxies placed, nobody moved.")
    assert embeddings.one(tiny, "mine")["parameters"]["placed"] == 10 and np.isnan(embeddings.load_before(tiny, "mine")[50:]).all()
    assert embeddings.load_space(tiny, "mine")["features"].shape[0] == 60


def test_a_map_made_before_spaces_were_kept_cannot_take_newcomers(tiny):
    with pytest.raises(NotFound, match="The map pca image cannot take newcomers"):
        make(tiny, place="pca image")
