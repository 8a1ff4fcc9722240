"""Whether the next labels are worth their while: what they should buy, in the unit of the target, and when to stop."""

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from core.acquisition.advice import FEWEST_COUNTS, Gain, gain_by_curve, gain_by_posterior
from core.columns import Target
from core.services import suggesting
from core.services.overviewing import labelled_galaxies
from core.store import Workspace, labels, runs, truth

HEADLINES = {"z": ("nmad", "σ NMAD")}
"""What a target is measured by here, and its name for a person; others by RMSE."""
_LEADING = {"sfr": "sfr_tot_median"}


@dataclass(frozen=True)
class Advice:
    """What a batch should buy a model of one target.

    Attributes
    ----------
    metric : words for the error. batch : labels. model : whose. counts : different numbers of labels that its runs learnt from.
    curve, posterior : what each source promises; None where it cannot say.
    """

    target: Target
    metric: str
    batch: int
    model: str
    counts: int
    curve: Gain | None
    posterior: Gain | None

    @property
    def best(self) -> Gain | None:
        """The learning curve's promise; before there is one, the posterior's."""
        return self.curve or self.posterior


def leading(ws: Workspace, names: tuple[str, ...] | None = None) -> list[str]:
    """One target for each task group (of those named), by which it is told."""
    groups: dict[str, list[str]] = {}
    for target in truth.targets(ws):
        if names is None or target.name in names:
            groups.setdefault(target.task_group, []).append(target.name)
    return [_LEADING.get(group) if _LEADING.get(group) in known else known[0] for group, known in groups.items()]


def advise(ws: Workspace, run_id: int, target: str, batch: int, object_ids: tuple[int, ...] | None = None) -> Advice:
    """What ``batch`` more labels should buy the model of a run, with its settings.

    Parameters
    ----------
    object_ids : the galaxies of the batch, where they are chosen; None = those that would be suggested.
    """
    return _advise(ws, run_id, target, batch, object_ids, labels.high_water(ws), len(runs.frame(ws).query("status == 'done'")))


@lru_cache(maxsize=64)
def _advise(ws: Workspace, run_id: int, target: str, batch: int, object_ids: tuple[int, ...] | None, mark: int, finished: int) -> Advice:
    """Kept while neither a label nor a run is added."""
    known = next(t for t in truth.targets(ws) if t.name == target)
    metric, words = HEADLINES.get(target, ("rmse", "RMSE"))
    points = _points(ws, run_id, target, metric)
    curve = None
    if points["galaxies"].nunique() >= FEWEST_COUNTS:
        now = labelled_galaxies(ws, mark).get(target, 0)
        curve = gain_by_curve(points["galaxies"].to_numpy(), points["value"].to_numpy(), max(now, 1), batch, np.random.default_rng(run_id))
    own = points.loc[points["id"] == run_id, "value"]
    posterior = _by_posterior(ws, run_id, target, batch, object_ids, float(own.iloc[0])) if len(own) else None
    return Advice(known, words, batch, runs.one(ws, run_id)["model"], points["galaxies"].nunique(), curve, posterior)


def _points(ws: Workspace, run_id: int, target: str, metric: str) -> pd.DataFrame:
    """id, galaxies and value of the finished runs of the same model with the same settings."""
    table = runs.frame(ws).query("status == 'done'")
    mine = table.set_index("id").loc[run_id]
    alike = table[(table["model"] == mine["model"]) & (table["config"].map(json.loads) == json.loads(mine["config"]))]
    measured = runs.metrics(ws).query("split == 'test' and target == @target and subset == 'all' and name == @metric and value > 0").set_index("run_id")["value"]
    alike = alike.assign(value=alike["id"].map(measured), galaxies=[labelled_galaxies(ws, int(m)).get(target, 0) for m in alike["label_high_water"]])
    return alike.query("value.notna() and galaxies > 0")[["id", "galaxies", "value"]]


def _by_posterior(ws: Workspace, run_id: int, target: str, batch: int, object_ids: tuple[int, ...] | None, value: float) -> Gain | None:
    ground = suggesting.ground_of(ws, run_id)
    names = [] if ground is None else [t.name for t in ground.targets]
    learner = suggesting.learnt(ws, ground) if target in names else None
    if learner is None or not learner.is_open_p.any():
        return None
    rows = suggesting.expected_batch(ground, learner, batch) if object_ids is None else ground.rows(object_ids)
    after = learner.watched.posterior.expecting(ground.features_gd[rows], ground.noise_gt[rows]).variance(learner.watched.rows_pe)
    t = names.index(target)
    return gain_by_posterior(value, learner.watched.epistemic_pt[:, t], after[:, t], ground.noise_gt[learner.pool, t])


def in_words(advice: Advice, minutes: float | None = None) -> str:
    """The advice as one sentence a person can act on; ``minutes``: what the batch costs them."""
    what, best = f"{advice.metric} of {_named(advice.target)}", advice.best
    if best is None:
        return f"What the next labels buy in {what} cannot be told: this run was not measured on it, or keeps nothing to tell it by."
    amount = f"{_figure(best.gain, best.error)}{_unit(advice.target)}"
    if best.is_little and advice.curve is None:
        return f"As it stands, {advice.model} has little left to learn: {advice.batch:,} more labels should lower the {what} by {amount} ({100 * best.share:.1f} %). A learning curve will tell whether to stop."
    if best.is_little:
        return f"Labels no longer help {advice.model} much: {advice.batch:,} more should lower the {what} by {amount} ({100 * best.share:.1f} %). Stop, or change the model."
    if best.gain < best.error:
        return f"Whether {advice.batch:,} more labels lower the {what} is not clear yet: {amount} ({100 * best.share:.0f} %). Label a batch and train again to see."
    pace = "" if minutes is None else f"; at your pace that is {max(minutes, 1):.0f} minute{'s' * (round(max(minutes, 1)) != 1)}"
    return f"The next {advice.batch:,} labels should lower the {what} by {amount} ({100 * best.share:.0f} %){pace}."


def sources_in_words(advice: Advice) -> str:
    """Where the advice comes from, and what the other source says."""
    unknown = "by what the model does not know yet"
    if advice.curve is None:
        need = f"a learning curve needs trainings of {advice.model} with {FEWEST_COUNTS} different numbers of labels; there {'is' if advice.counts == 1 else 'are'} {advice.counts}."
        return f"{unknown.capitalize()}; {need}" if advice.posterior else need.capitalize()
    other = "" if advice.posterior is None else f"; {_figure(advice.posterior.gain, advice.posterior.error)}{_unit(advice.target)} {unknown}"
    return f"By the learning curve of {advice.counts} numbers of labels{other}."


def in_short(advice: Advice) -> tuple[str, str] | None:
    """What this very batch should do to the error by what the model does not know: per cent, and the same in the target's unit with its error; None = not known.

    The learning curve is left out: it is the same for every batch of a size.
    """
    found = advice.posterior
    return None if found is None else (f"−{100 * found.share:.2g} %", f"{_figure(found.gain, found.error)}{_unit(advice.target)}")


def _named(target: Target) -> str:
    return "SFR" if target.name == _LEADING["sfr"] else target.name


def _unit(target: Target) -> str:
    return "" if not target.unit else " dex" if target.unit.startswith("log10") else f" {target.unit}"


def _figure(gain: float, error: float) -> str:
    """Both with the digits that the error deserves.

    >>> _figure(0.00812, 0.0031), _figure(0.000012, 0.0000051)
    ('0.008 ± 0.003', '1e-05 ± 5e-06')
    """
    if not 1e-5 <= error < 10:
        return f"{gain:.1g} ± {error:.1g}"
    digits = int(max(-np.floor(np.log10(error)), 0))
    return f"{gain:.{digits}f} ± {error:.{digits}f}"
