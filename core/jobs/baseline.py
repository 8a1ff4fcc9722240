"""Labels that nobody chose: what a model learns from them alone is the baseline that shows what choosing buys."""

import numpy as np

from core.errors import BadInput
from core.jobs.mass import PLAIN
from core.jobs.oracle import ORACLE
from core.store import Workspace, batches, labels, objects


def random_galaxies(ws: Workspace, up_to: int | None = None) -> np.ndarray:
    """Labelled galaxies of the train split that were drawn at random, ascending int64; empty where there is none.

    Drawn by the strategy ``random`` or as a batch's control slice; or revealed by the catalogue, which draws at random,
    and asked for by no strategy.
    """
    seen = labels.current(ws, up_to).query("action == 'label'")
    drawn, chosen = _asked_for(ws)
    revealed = np.setdiff1d(seen.loc[seen["annotator"] == ORACLE, "object_id"].to_numpy(np.int64), chosen)
    ids = np.intersect1d(np.union1d(drawn, revealed), labels.training(ws, up_to)["object_id"].to_numpy(np.int64))
    return ids[objects.brief(ws, ids)["split"].eq("train").to_numpy(bool)]


def drawn(ws: Workspace, up_to: int, most: int | None, seed: int) -> np.ndarray:
    """``most`` of `random_galaxies` at random by a seed (None = all); raises `BadInput` where there are fewer."""
    ids = random_galaxies(ws, up_to)
    if len(ids) < max(most or 1, 1):
        raise BadInput("labels drawn at random", f"cover {max(most or 1, 1)} galaxies", len(ids), "this baseline", "Ask for a batch by the strategy random, or keep a random slice in each batch")
    return ids if most is None else np.sort(np.random.default_rng([seed, most]).permutation(ids)[:most])


def _asked_for(ws: Workspace) -> tuple[np.ndarray, np.ndarray]:
    """Objects that chance drew into a batch, and objects that a strategy chose."""
    parts: dict[bool, list[np.ndarray]] = {True: [np.empty(0, np.int64)], False: [np.empty(0, np.int64)]}
    for batch in batches.frame(ws).query("size > 0").itertuples():
        items = batches.items(ws, batch.id)
        by_chance = items["control"].eq(1) | (batch.strategy == PLAIN)
        for is_random in parts:
            parts[is_random].append(items.loc[by_chance == is_random, "object_id"].to_numpy(np.int64))
    return np.unique(np.concatenate(parts[True])), np.unique(np.concatenate(parts[False]))
