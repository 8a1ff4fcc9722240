"""What a strategy may know, what it answers, and the contract between the two."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace

import numpy as np

from core.errors import BadInput


@dataclass(frozen=True)
class Candidates:
    """The pool as a strategy sees it: p galaxies that may be asked about, l that have labels.

    Attributes
    ----------
    allowed_p : bool (p,); False = labelled, excluded or impossible to label: never picked.
    features_pd : float (p, d) latent or physical features, or None. One scale for all d.
    labelled_ld : float (l, d) the same features of the labelled galaxies; l may be 0.
    epistemic_pt : float (p, T) variance that labels can remove, squared target units, or None.
    aleatoric_pt, labelled_aleatoric_lt : float (p, T) and (l, T) noise variance, or None.
    disagreement_pt : float (p, T) squared difference between what images and what spectra say, over the sum of
        both variances, or None.
    population_md, population_aleatoric_mt : float (m, d) and (m, T) features and noise variance of the galaxies
        that predictions should serve, allowed or not; None = the pool.
    spread_p : float (p,) a number to spread evenly over (predicted z, S/N ...), or None.
    spread_name : what that number is, for the reason.
    novelty_p : float (p,) how unlike anything labelled (`core.acquisition.novelty`), NaN = unknown, or None.
    cost_p : float (p,) seconds that a label of each is expected to take, or None = they cost the same.
    groups : task group -> target columns of the (p, T) arrays. weights : task group -> its say, 0 or more; who is not named has 1.
    diversity : 0 to 1, how much being far from every label and pick counts beside a score, for strategies that can heed it (`spread.spread_out`).
    """

    allowed_p: np.ndarray
    features_pd: np.ndarray | None = None
    labelled_ld: np.ndarray | None = None
    epistemic_pt: np.ndarray | None = None
    aleatoric_pt: np.ndarray | None = None
    labelled_aleatoric_lt: np.ndarray | None = None
    disagreement_pt: np.ndarray | None = None
    population_md: np.ndarray | None = None
    population_aleatoric_mt: np.ndarray | None = None
    spread_p: np.ndarray | None = None
    spread_name: str = "value"
    novelty_p: np.ndarray | None = None
    cost_p: np.ndarray | None = None
    groups: dict[str, list[int]] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    diversity: float = 0.0

    def __len__(self) -> int:
        return len(self.allowed_p)

    def __getitem__(self, rows: np.ndarray) -> "Candidates":
        """The pool cut down to ``rows``; the labelled galaxies stay."""
        pool = [f.name for f in fields(self) if f.name.endswith(("_p", "_pd", "_pt"))]
        return replace(self, **{name: None if getattr(self, name) is None else getattr(self, name)[rows] for name in pool})

    def per_cost(self, worth_p: np.ndarray) -> np.ndarray:
        """What a label of each galaxy is worth (p,), 0 or more, for each second that it takes: what strategies choose by."""
        return worth_p if self.cost_p is None else worth_p / self.cost_p


@dataclass(frozen=True)
class Picks:
    """A strategy's answer in rank order: pool rows (k,) int, scores (k,) float, k sentences."""

    indices: np.ndarray
    scores: np.ndarray
    reasons: list[str]


@dataclass(frozen=True)
class Strategy:
    """One way of choosing.

    Attributes
    ----------
    name : what the store and the command line call it. sentence : what it does, for a person.
    needs : fields of `Candidates` that must be there.
    choose : takes a pool in which everything is allowed, a size and a generator.
    is_deterministic : True when the generator is not used.
    heeds_cost : whether it chooses by what a label is worth for each second (`Candidates.per_cost`).
    heeds_diversity : whether it weighs a score against distance. heeds_weights : whether it chooses by variances of task groups.
    heeds_population : whether it chooses for the galaxies that predictions should serve.
    is_rationed : whether a batch holds no more of the pool's strangest than a random one (`core.acquisition.strangers`).
    """

    name: str
    sentence: str
    needs: tuple[str, ...]
    choose: Callable[[Candidates, int, np.random.Generator], Picks]
    is_deterministic: bool = False
    heeds_cost: bool = True
    heeds_diversity: bool = False
    heeds_weights: bool = False
    heeds_population: bool = False
    is_rationed: bool = True

    def select(self, candidates: Candidates, size: int, rng: np.random.Generator) -> Picks:
        """Pick ``size`` different allowed rows of the pool, best first; where labels have a cost or distance counts, reasons tell it.

        Raises `BadInput` when the pool has fewer, when something needed is missing or not a
        number, or when labels have a cost or diversity is asked for that the strategy cannot heed, with a sentence that says which.
        """
        rows = np.flatnonzero(candidates.allowed_p)
        allowed = candidates[rows]
        check_size(len(rows), size, self.name)
        needs = (*self.needs, "features_pd") if allowed.diversity else self.needs
        for name in needs:
            _check_field(self, allowed, name)
        for name in _BESIDE_FEATURES if "features_pd" in needs else ():
            _check_finite(getattr(allowed, name), f"What is known beside the features ({name})")
        _check_cost(self, allowed)
        _check_wishes(self, allowed)
        picks = self.choose(allowed, size, rng)
        return replace(picks, indices=rows[picks.indices], reasons=_with_wishes(picks, allowed))


def check_size(allowed: int, size: int, where: str) -> None:
    """Raise `BadInput` unless a batch of ``size`` can be had from ``allowed`` galaxies."""
    if not allowed:
        raise BadInput("The pool", "hold at least one galaxy to ask about", 0, where, "Widen the region, lower the S/N gate or ingest more")
    if not 1 <= size <= allowed:
        raise BadInput("The batch size", f"be from 1 to {allowed}, the galaxies that may be asked about", size, where, "Choose another size")


def _check_field(strategy: Strategy, allowed: Candidates, name: str) -> None:
    values, (words, cure) = getattr(allowed, name), _WORDS[name]
    if values is None:
        raise BadInput(words, f"be known for {strategy.name}", "nothing", "this choice of model run", f"{cure}, or choose another strategy")
    _check_finite(values, words)


def _check_finite(values: np.ndarray | None, words: str) -> None:
    if values is None or np.isfinite(values).all():
        return
    bad = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
    raise BadInput(words, "be finite", f"NaN or inf for {len(bad)}", f"row {bad[0]} first", "Leave those galaxies out or choose another run")


def _check_cost(strategy: Strategy, allowed: Candidates) -> None:
    if allowed.cost_p is None:
        return
    if not strategy.heeds_cost:
        raise BadInput("Cost", "be heeded by the strategy", f"{strategy.name}, which does not look at what a label is worth", "this batch", "Choose without it, or another strategy")
    if not (np.isfinite(allowed.cost_p) & (allowed.cost_p > 0)).all():
        raise BadInput("Cost", "be a number above 0 for every galaxy", f"{allowed.cost_p.min():g} at least", strategy.name, "Give each galaxy its seconds")


def _check_wishes(strategy: Strategy, allowed: Candidates) -> None:
    if not 0 <= allowed.diversity <= 1:
        raise BadInput("Diversity", "be from 0 to 1", allowed.diversity, strategy.name, "Choose a value in that range")
    if allowed.diversity and not strategy.heeds_diversity:
        raise BadInput("Diversity", "be heeded by the strategy", f"{strategy.name}, which has no score to weigh against distance", "this batch", "Choose without it, or another strategy")
    if any(w < 0 for w in allowed.weights.values()) or (allowed.groups and not any(allowed.weights.get(g, 1.0) > 0 for g in allowed.groups)):
        raise BadInput("The say of a task group", "be 0 or more, and above 0 for one of them", allowed.weights, strategy.name, "Give one of the targets a say")


def _with_wishes(picks: Picks, allowed: Candidates) -> list[str]:
    reasons = [f"{reason}; weighed against how far it is from labels and picks" for reason in picks.reasons] if allowed.diversity else picks.reasons
    if allowed.cost_p is None:
        return reasons
    return [f"{reason}; a label should take {seconds:.2g} s" for reason, seconds in zip(reasons, allowed.cost_p[picks.indices], strict=True)]


_BESIDE_FEATURES = ("labelled_ld", "aleatoric_pt", "labelled_aleatoric_lt", "population_md", "population_aleatoric_mt")
_CHOOSE = "Choose a finished run that has them"
_WORDS = {
    "features_pd": ("Features", _CHOOSE),
    "epistemic_pt": ("Epistemic variances", _CHOOSE),
    "aleatoric_pt": ("Aleatoric variances", _CHOOSE),
    "spread_p": ("The number to spread over", _CHOOSE),
    "disagreement_pt": ("Answers of a model of images and of a model of spectra", "Train one model that reads only images and one that reads only spectra"),
}
