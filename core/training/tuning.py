"""The settings that serve a model best, by cross-validation over sky groups.

Every trial is kept in a journal file, so a search that was stopped goes on where it was. A trial that
does worse than half of those before it is given up: after a fold, or, for networks, within its first fold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from core import metrics
from core.errors import BadInput
from core.models.prediction import Inputs, Labels, Prediction
from core.models.registry import Spec
from core.models.search import Choice, Span
from core.training.folds import each_fold, group_folds
from core.training.session import Session
from core.training.standard import task_groups

FEWEST_TO_COMPARE = 4
"""Finished trials before any other is given up."""
CHECKPOINTS = 10
"""Points of a fit at which its validation loss is compared with that of other trials."""
EARLIEST = 0.4
"""Share of a fit before which it is not given up: the first quarter warms up."""


@dataclass(frozen=True)
class Search:
    """What to try.

    Attributes
    ----------
    spec : the model. space : settings to search. fixed : settings that all trials share.
    trials : how many, those given up included. folds : of the cross-validation. seed : drives draws, folds and fits.
    journal : file that remembers the trials. Another question needs another file.
    """

    spec: Spec
    space: Mapping[str, Span | Choice]
    fixed: Mapping[str, object]
    trials: int
    folds: int
    seed: int
    journal: Path


@dataclass(frozen=True)
class Tuned:
    """What a search found.

    Attributes
    ----------
    best : settings of the best trial, the fixed ones included. value : its `loss`. default : the loss of the model's own settings.
    trials, pruned : trials that ended, and how many of them were given up.
    """

    best: dict[str, object]
    value: float
    default: float
    trials: int
    pruned: int


class TuningSession(Session):
    """What one fold's fit may ask: passes on what the search is asked, and gives a hopeless fit up.

    Parameters
    ----------
    threads : as `Session`. check : of the whole search. is_hopeless : (share of the fit done, best validation loss so far) -> bool.
    """

    def __init__(self, seed: int, threads: int, check: Callable[[], None], is_hopeless: Callable[[float, float], bool]):
        super().__init__(seed, threads)
        self._check, self._is_hopeless, self._best = check, is_hopeless, np.inf

    def check(self) -> None:
        self._check()

    def report(self, epoch: int, epochs: int, values: dict[str, float]) -> None:
        super().report(epoch, epochs, values)
        if "validation_loss" in values:
            self._best = min(self._best, values["validation_loss"])
            if self._is_hopeless((epoch + 1) / epochs, self._best):
                raise optuna.TrialPruned


def tune(search: Search, inputs: Inputs, labels: Labels, threads: int = 0, check: Callable[[], None] = lambda: None,
         report: Callable[[float, str], None] = lambda fraction, message: None) -> Tuned:
    """Search until as many trials have ended as are wanted; the first one is the model's own settings.

    Parameters
    ----------
    inputs, labels : n labelled galaxies.
    check : called after every mini-batch, raises to stop. report : how far it is (0 to 1), and a sentence.

    Raises
    ------
    BadInput : the galaxies stand in fewer sky groups than there are folds.
    """
    groups = len(np.unique(labels.group_n))
    if groups < max(search.folds, 2):
        raise BadInput("labels", f"cover at least {max(search.folds, 2)} places on the sky", groups, "this tuning", "Label galaxies elsewhere, or take fewer folds")
    study = _study(search)
    folds = list(each_fold(group_folds(labels.group_n, search.folds, np.random.default_rng(search.seed))))
    while (ended := len(_trials(study, TrialState.COMPLETE, TrialState.PRUNED))) < search.trials:
        said = f"Trial {ended + 1} of {search.trials}" + (f"; best so far {study.best_value:.4f}" if _trials(study, TrialState.COMPLETE) else "")
        tell = lambda share: report((ended + share) / search.trials, said)  # noqa: E731
        _one_trial(study, search, inputs, labels, folds, _Hooks(threads, check, tell))
    return _found(study, search)


def loss(prediction: Prediction, labels: Labels, known: Labels) -> float:
    """How far predictions are from right, as a share of what knowing only the labels' mean and spread would give.

    The geometric mean of CRPS over the CRPS of a Gaussian with the moments of ``known``: over the targets of each
    task group, then over groups, so that redshift and star formation weigh equally. 0 is perfect, 1 is useless.
    """
    groups = []
    for columns in task_groups(labels.targets).values():
        logs = [np.log(share) for t in columns if np.isfinite(share := _share(prediction, labels, known, t))]
        groups += [np.mean(logs)] if logs else []
    return float(np.exp(np.mean(groups))) if groups else float("nan")


def _share(prediction: Prediction, labels: Labels, known: Labels, t: int) -> float:
    truth, reference = labels.values_nt[:, t], known.values_nt[:, t]
    has, reference = np.isfinite(truth), reference[np.isfinite(reference)]
    if not has.any() or not len(reference):
        return np.nan
    score = metrics.crps_gaussian(truth[has], prediction.mean[has, t], prediction.sigma[has, t]).mean()
    climate = metrics.crps_gaussian(truth[has], reference.mean(), reference.std()).mean()
    return score / climate if climate > 0 and score > 0 else np.nan


@dataclass(frozen=True)
class _Hooks:
    threads: int
    check: Callable[[], None]
    tell: Callable[[float], None]


def _study(search: Search) -> optuna.Study:
    """The journal's study; a trial that a killed search left running is dropped and tried again, the defaults come first."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    search.journal.parent.mkdir(parents=True, exist_ok=True)
    storage = JournalStorage(JournalFileBackend(str(search.journal)))
    pruner = optuna.pruners.MedianPruner(n_startup_trials=FEWEST_TO_COMPARE)
    study = optuna.create_study(storage=storage, study_name="tuning", load_if_exists=True, pruner=pruner)
    for trial in _trials(study, TrialState.RUNNING):
        study.tell(trial.number, state=TrialState.FAIL)
    if not _trials(study, TrialState.COMPLETE, TrialState.PRUNED, TrialState.WAITING):
        study.enqueue_trial({name: search.spec.config[name] for name in search.space})
    return study


def _trials(study: optuna.Study, *states: TrialState) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=states)


def _one_trial(study: optuna.Study, search: Search, inputs: Inputs, labels: Labels, folds: list, hooks: _Hooks) -> None:
    """Ask for settings, cross-validate them, tell the study; what is asked depends on the trials that ended, not on interruptions."""
    ended = len(_trials(study, TrialState.COMPLETE, TrialState.PRUNED))
    study.sampler = optuna.samplers.TPESampler(seed=search.seed * 10_000 + ended, n_startup_trials=6)
    trial = study.ask()
    config = {**search.fixed, **{name: _suggested(trial, name, where) for name, where in search.space.items()}}
    try:
        value = _cross_validated(study, trial, search, config, inputs, labels, folds, hooks)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    else:
        study.tell(trial, value)


def _suggested(trial: optuna.Trial, name: str, where: Span | Choice) -> object:
    if isinstance(where, Choice):
        return trial.suggest_categorical(name, where.options)
    suggest = trial.suggest_int if where.is_whole else trial.suggest_float
    return suggest(name, where.low, where.high, log=where.is_log)


def _cross_validated(study: optuna.Study, trial: optuna.Trial, search: Search, config: dict, inputs: Inputs, labels: Labels, folds: list, hooks: _Hooks) -> float:
    """Mean loss over the folds; raises `optuna.TrialPruned` when it is not worth going on."""
    values: list[float] = []
    for k, (fitted, held) in enumerate(folds):
        hooks.tell(k / len(folds))
        session = TuningSession(search.seed, hooks.threads, hooks.check, _judge(study, trial) if k == 0 else _never)
        model = search.spec.build(config)
        model.fit(inputs[fitted], labels[fitted], session)
        values.append(loss(model.predict(inputs[held]), labels[held], labels[fitted]))
        trial.report(float(np.mean(values)), k)
        if trial.should_prune() or not np.isfinite(values[-1]):
            raise optuna.TrialPruned
    return float(np.mean(values))


def _judge(study: optuna.Study, trial: optuna.Trial) -> Callable[[float, float], bool]:
    """The median rule within a fit: is its best validation loss worse than that of half of the finished trials at the same share of theirs?"""
    curve: list[float] = []
    others = [t.user_attrs["curve"] for t in _trials(study, TrialState.COMPLETE) if "curve" in t.user_attrs]

    def is_hopeless(share: float, best: float) -> bool:
        point = min(int(share * CHECKPOINTS), CHECKPOINTS)
        if point > len(curve):
            curve.extend([best] * (point - len(curve)))
            trial.set_user_attr("curve", curve)
        rivals = [c[point - 1] for c in others if 0 < point <= len(c)]
        return share >= EARLIEST and len(rivals) >= FEWEST_TO_COMPARE and best > np.median(rivals)

    return is_hopeless


def _never(share: float, best: float) -> bool:
    """No fit but a trial's first is given up half-way: the folds' losses decide by then."""
    return False


def _found(study: optuna.Study, search: Search) -> Tuned:
    complete = _trials(study, TrialState.COMPLETE)
    if not complete:
        raise BadInput("labels", "let at least one trial be measured", "none", f"the tuning of {search.spec.name}", "Label more galaxies, or look into the job's log")
    own = {name: search.spec.config[name] for name in search.space}
    default = next((t.value for t in complete if t.params == own), float("nan"))
    pruned = len(_trials(study, TrialState.PRUNED))
    return Tuned({**search.fixed, **study.best_params}, study.best_value, default, len(complete) + pruned, pruned)
