"""The baseline of the learning curve: a model taught by random labels only, and what choosing has bought over it, in words."""

import json

import numpy as np
import pandas as pd

from core.acquisition.advice import FEWEST_COUNTS
from core.acquisition.equal_worth import EqualWorth, equal_worth
from core.errors import BadInput
from core.jobs import baseline, retraining
from core.jobs.mass import NONE
from core.store import Workspace, jobs, labels, runs

SHARES, SEEDS = (0.25, 0.5, 1.0), 2
"""Parts of the random labels that a baseline learns from, and trainings of each: a curve needs three numbers of labels, a scatter two seeds."""
FEWEST = 40
"""Random labels under which a baseline is mostly scatter."""


MOST_SCATTER = 0.25
"""A baseline whose errors scatter more about its curve has none."""


def random_labels(ws: Workspace) -> int:
    """How many labelled galaxies of the train split were drawn at random."""
    return len(baseline.random_galaxies(ws))


def models(ws: Workspace) -> list[str]:
    """Models that a baseline can be trained of: those that have a finished run, whose settings it takes."""
    return list(retraining.trained(ws))


def start(ws: Workspace, model: str) -> list[int]:
    """Queue the baseline of a model, with the settings of its newest run, and return the job ids; what is queued or done already is not queued again.

    Raises `BadInput` for a model without a finished run, and where fewer than `FEWEST` labels were drawn at random.
    """
    again, here, mark = retraining.trained(ws), random_labels(ws), labels.high_water(ws)
    if model not in again:
        raise BadInput("model", "have a finished run", model, "this baseline", "Train it on the Train page first")
    if here < FEWEST:
        raise BadInput("labels drawn at random", f"cover {FEWEST} galaxies", here, "this baseline", "Ask for a batch by the strategy random, or keep a random slice in each batch")
    config, there = again[model]["config"], _there(ws)
    wanted = [(round(here * share), seed) for share in SHARES for seed in range(SEEDS)]
    fresh = [(size, seed) for size, seed in wanted if _key(model, config | {"labels": runs.RANDOM_LABELS, "galaxies": size}, seed) not in there]
    return [jobs.enqueue(ws, "train", f"Train {model} on {size:,} random labels", _asked(model, config, size, seed, mark)) for size, seed in fresh]


def bought(table: pd.DataFrame, is_error: bool = True) -> dict[str, str]:
    """What choosing has bought each model that has a baseline, in words.

    table : of `core.services.overviewing.learning_curve`. is_error : the metric is one; else it is a share whose distance from 1 is taken (R2).
    """
    table = table.assign(value=table["value"] if is_error else 1 - table["value"]).query("value > 0 and galaxies > 0")
    return {model: _said(model, rows) for model, rows in table.groupby("model", sort=False) if rows["is_control"].any()}


def _said(model: str, rows: pd.DataFrame) -> str:
    control, chosen = rows[rows["is_random"]], rows[~rows["is_random"]]
    if chosen.empty:
        return f"{model}: all of its labels were drawn at random so far; what choosing buys shows once a run has learnt from a batch that a strategy chose."
    newest = chosen.sort_values("run_id").iloc[-1]
    n = int(newest["galaxies"])
    worth = equal_worth(control["galaxies"].to_numpy(), control["value"].to_numpy(), float(newest["value"]), np.random.default_rng(int(newest["run_id"])))
    if worth is None:
        counts = control["galaxies"].nunique()
        return f"{model}: what choosing bought cannot be said yet, for the baseline has {counts} number{'s' * (counts != 1)} of labels, and a curve needs {FEWEST_COUNTS}."
    return f"{model}: {_compared(n, worth, int(control['galaxies'].max()))}"


def _compared(n: int, worth: EqualWorth, largest: int) -> str:
    if worth.limit < n:
        return f"what choosing bought cannot be said: only {largest:,} labels were drawn at random, too few to tell what {n:,} of them would reach. Keep a random slice in each batch."
    if worth.scatter > MOST_SCATTER:
        return f"what choosing bought cannot be said, for its errors on random labels follow no curve: they scatter by {worth.scatter:.0%}. More seeds, or another metric, may tell."
    if worth.middle < worth.least:
        return f"choosing has cost labels so far: with {n:,} it is no better than with {_about(worth.least)} random ones."
    between = f"({_about(max(worth.low, worth.least))} to {_about(min(worth.high, worth.limit))}{' or more' if worth.high > worth.limit else ''})"
    if worth.low <= n <= worth.high:
        return f"choosing has made no difference that can be told: {n:,} labels are as good as about {_about(min(worth.middle, worth.limit))} random ones {between}."
    if worth.middle > worth.limit:
        return f"{n:,} labels, of which some were chosen, are as good as {_about(min(worth.low, worth.limit))} random ones or more."
    if worth.middle > n:
        return f"with {n:,} labels it is as good as with about {_about(worth.middle)} random ones {between}."
    return f"choosing has cost labels so far: with {n:,} it is only as good as with about {_about(worth.middle)} random ones {between}."


def _about(count: float) -> str:
    """A number of labels with two digits.

    >>> _about(447.0), _about(1268.0)
    ('450', '1,300')
    """
    return f"{float(f'{count:.2g}'):,.0f}"


def _asked(model: str, config: dict, size: int, seed: int, mark: int) -> dict:
    return {"model": model, "config": config, "seed": seed, "labels": runs.RANDOM_LABELS, "galaxies": size, "up_to": mark, "name": f"{model}, {size:,} random labels", "weights": NONE}


def _there(ws: Workspace) -> set[str]:
    """Baselines that are done or on their way."""
    done = {_key(r.model, json.loads(r.config), r.seed) for r in runs.frame(ws).query("status == 'done' and is_control").itertuples()}
    asked = [json.loads(text) for text in jobs.active(ws).query("kind == 'train'")["parameters"]]
    return done | {_key(a["model"], a["config"] | {"labels": a["labels"], "galaxies": a["galaxies"]}, a["seed"]) for a in asked if "labels" in a}


def _key(model: str, config: dict, seed: int) -> str:
    return json.dumps([model, config, int(seed)], sort_keys=True)
