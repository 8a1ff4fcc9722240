"""Tuning: what is compared with what, what is given up, and that a search goes on as if nobody had stopped it."""

from pathlib import Path

import numpy as np
import optuna
import pytest

from core.columns import TARGET_NAMES
from core.errors import BadInput, NotFound
from core.jobs import tuned
from core.jobs.foreground import follow
from core.models.classical import Mean
from core.models.prediction import Inputs, Labels, Prediction
from core.models.registry import MODELS, Spec
from core.models.search import SPACES, Choice, Span, space_of
from core.store import jobs, labels, runs
from core.training import tuning
from core.training.folds import each_fold, group_folds
from core.training.tuning import Search, loss, tune

N = 60


class Off(Mean):
    """The mean, ``off`` target units too high; says a validation loss of ``off`` after each of ten epochs."""

    fits: list[float] = []

    def __init__(self, off: float, kind: str = "a"):
        super().__init__()
        self.off = off

    def fit(self, inputs, labels_, session):
        super().fit(inputs, labels_, session)
        Off.fits.append(self.off)
        for epoch in range(10):
            session.check()
            session.report(epoch, 10, {"validation_loss": self.off})

    def _predict(self, inputs, rng):
        answer = super()._predict(inputs, rng)
        return Prediction(answer.mean + self.off, answer.aleatoric, answer.epistemic, targets=answer.targets)


SPEC = Spec("off", (), "classical", "Off.", "", f"{__name__}:Off", {"off": 1.0, "kind": "a"})


def search(journal: Path, **given) -> Search:
    return Search(**{"spec": SPEC, "space": {"off": Span(0.0, 2.0)}, "fixed": {}, "trials": 6, "folds": 3, "seed": 1, "journal": journal} | given)


def sky() -> tuple[Inputs, Labels]:
    values = np.full((N, 9), np.nan)
    values[:, 0] = np.random.default_rng(0).normal(0, 1, N)
    return Inputs({}, {"image": np.ones(N, dtype=bool)}), Labels(values, np.full(values.shape, np.nan), np.ones(N), np.arange(N) // 2, TARGET_NAMES)


@pytest.fixture(autouse=True)
def no_fits():
    Off.fits.clear()


def journalled(path: Path) -> list[optuna.trial.FrozenTrial]:
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    return optuna.load_study(study_name="tuning", storage=storage).trials


def test_folds_keep_groups_whole_are_equal_and_cover_everybody():
    group = np.repeat(np.arange(40), np.random.default_rng(0).integers(1, 5, 40))
    fold = group_folds(group, 5, np.random.default_rng(1))
    assert all(len(set(fold[group == g])) == 1 for g in range(40))
    assert np.ptp(np.bincount(fold)) <= 2 and set(fold) == set(range(5))
    assert sorted(i for _, held in each_fold(fold) for i in held) == list(range(len(group)))
    assert all(set(group[fitted]).isdisjoint(group[held]) for fitted, held in each_fold(fold))


def test_loss_is_one_for_a_model_that_knows_the_moments_alone_and_smaller_for_one_that_knows_more():
    _, known = sky()
    z = known.values_nt[:, 0]

    def says(mean, sigma):
        mean_nt, variance = np.full((N, 9), np.nan), np.zeros((N, 9))
        mean_nt[:, 0], variance[:, 0] = mean, sigma**2
        return loss(Prediction(mean_nt, variance, np.zeros((N, 9))), known, known)

    assert says(z.mean(), z.std()) == pytest.approx(1.0)
    assert says(z + 0.01, 0.01) < 0.03 < says(z + 0.3, 0.3)


def test_loss_lets_redshift_and_star_formation_weigh_equally():
    values = np.random.default_rng(0).normal(0, 1, (N, 9))
    known = Labels(values, values * np.nan, np.ones(N), np.arange(N), TARGET_NAMES)
    halved = lambda columns: loss(Prediction(np.where(np.isin(np.arange(9), columns), 0.5 * values, 0.0), np.where(np.isin(np.arange(9), columns), 0.25, 1.0),  # noqa: E731
                                             np.zeros((N, 9))), known, known)  # fmt: skip
    assert halved([0]) == pytest.approx(halved(range(1, 9)), rel=0.02)


def test_search_begins_with_the_models_own_settings_and_ends_with_better_ones(tmp_path):
    found = tune(search(tmp_path / "j"), *sky())
    assert Off.fits[:3] == [1.0, 1.0, 1.0]
    assert found.trials == 6 and found.value < found.default
    assert abs(found.best["off"]) < 1.0


def test_fixed_settings_are_held_and_choices_are_kept(tmp_path):
    found = tune(search(tmp_path / "j", space={"kind": Choice(("a", "b"))}, fixed={"off": 0.5}, trials=3), *sky())
    assert set(Off.fits) == {0.5} and found.best["off"] == 0.5 and found.best["kind"] in "ab"


def test_search_that_was_stopped_goes_on_as_if_it_had_not(tmp_path):
    whole = tune(search(tmp_path / "whole"), *sky())
    fits = list(Off.fits)
    Off.fits.clear()

    def stop_in_the_fourth_trial():
        if len(Off.fits) == 10:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        tune(search(tmp_path / "cut"), *sky(), check=stop_in_the_fourth_trial)
    cut = Off.fits[:9]
    Off.fits.clear()
    assert tune(search(tmp_path / "cut"), *sky()) == whole
    assert cut + Off.fits == fits
    assert [t.state.name for t in journalled(tmp_path / "cut")][:4] == ["COMPLETE"] * 3 + ["FAIL"]


def test_finished_search_fits_nothing_again(tmp_path):
    first = tune(search(tmp_path / "j", trials=2), *sky())
    Off.fits.clear()
    assert tune(search(tmp_path / "j", trials=2), *sky()) == first and Off.fits == []


def test_hopeless_trial_is_given_up_within_its_first_fold(tmp_path, monkeypatch):
    offs = iter([0.1, 0.2, 0.3, 0.4, 1.9])
    monkeypatch.setattr(tuning, "_suggested", lambda trial, name, where: _forced(trial, name, next(offs)))
    found = tune(search(tmp_path / "j", trials=5), *sky())
    assert found.pruned == 1 and Off.fits.count(1.9) == 1 and Off.fits.count(0.4) == 3


def _forced(trial: optuna.Trial, name: str, value: float) -> float:
    trial.suggest_float(name, 0.0, 2.0)
    return value


def test_trial_whose_folds_are_bad_is_given_up_after_one(tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "_judge", lambda study, trial: tuning._never)
    offs = iter([0.1, 0.2, 0.3, 0.4, 1.9])
    monkeypatch.setattr(tuning, "_suggested", lambda trial, name, where: _forced(trial, name, next(offs)))
    assert tune(search(tmp_path / "j", trials=5), *sky()).pruned == 1
    assert Off.fits.count(1.9) == 1


def test_labels_of_one_place_are_refused(tmp_path):
    inputs, known = sky()
    with pytest.raises(BadInput, match="labels must cover at least 3 places on the sky; got 1"):
        tune(search(tmp_path / "j"), inputs[:2], known[:2])


@pytest.mark.parametrize("name", SPACES)
def test_space_names_settings_of_the_model_and_holds_its_defaults(name):
    for setting, where in space_of(name).items():
        default = MODELS[name].config[setting]
        assert default in where.options if isinstance(where, Choice) else where.low <= default <= where.high


def test_model_without_a_space_is_refused_with_the_choices():
    with pytest.raises(BadInput, match="be one of random_forest, .*; got mean"):
        space_of("mean")


def test_tuning_job_finds_settings_that_training_takes_when_asked(tiny):
    asked = {"model": "random_forest", "config": {"modalities": "photometry", "trees": 50}, "trials": 2, "folds": 2, "up_to": labels.high_water(tiny)}
    ended = follow(tiny, jobs.enqueue(tiny, "tune", "Tune", asked), say=lambda line: None)
    assert ended["status"] == "done", ended["error"]
    best = ended["result"]["best"]
    assert best["modalities"] == "photometry" and best["trees"] == 50 and ended["result"]["value"] <= ended["result"]["default"]
    assert tuned.best(tiny, "random_forest", asked["config"]) == best and tuned.best(tiny, "random_forest", {}) is None
    job = jobs.enqueue(tiny, "train", "Train", {"model": "random_forest", "config": "tuned", "seed": 0})
    assert follow(tiny, job, say=lambda line: None)["status"] == "done"
    assert runs.one(tiny, runs.of_job(tiny, job)["id"])["config"] == best


def test_training_with_tuned_settings_is_refused_when_nobody_has_searched(tiny):
    with pytest.raises(NotFound, match="No finished search has tuned linear in this workspace"):
        tuned.settings_of(tiny, "linear", "tuned")
    assert tuned.settings_of(tiny, "linear", {"modalities": "image"}) == {"modalities": "image"}
