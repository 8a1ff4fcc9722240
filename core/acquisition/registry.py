"""Every strategy there is; the interface, the command line and the tests enumerate this table."""

from core.acquisition import chance, coverage, variance
from core.acquisition.candidates import Strategy
from core.errors import BadInput

_ALL = (
    Strategy("random", "Every galaxy has the same chance: the baseline that every other strategy has to beat.", (), chance.uniform),
    Strategy("stratified_random", "One at random from each of as many equal shares of the pool as the batch is large, by predicted redshift "
             "(or by S/N without a model): random, but spread.", ("spread_p",), chance.stratified),
    Strategy("k_means", "The typical galaxy of each of as many clusters as the batch is large. Good for the first batch, when no model knows anything.",
             ("features_pd",), coverage.k_means),
    Strategy("k_centre", "Again and again the galaxy farthest from every label and pick: covers feature space quickly, and likes outliers.",
             ("features_pd",), coverage.k_centre, is_deterministic=True),
    Strategy("epistemic", "The galaxies with the largest epistemic variance, z and SFR weighing equally. The study's rule: "
             "its picks resemble each other, so compare before you rely on it.", ("epistemic_pt",), variance.top, is_deterministic=True),
    Strategy("epistemic_sampled", "Drawn in proportion to epistemic variance instead of the very top: the same signal with more variety.",
             ("epistemic_pt",), variance.power),
    Strategy("lcmd", "The farthest galaxy of the largest cluster that labels leave uncovered, features divided by the predicted noise.",
             ("features_pd",), coverage.lcmd, is_deterministic=True),
    Strategy("lcmd_sampled", "Drawn inside the largest uncovered cluster by squared distance, features divided by the predicted noise: "
             "the best of those tried on real photometric redshifts.", ("features_pd",), coverage.lcmd_sampled),
)
STRATEGIES: dict[str, Strategy] = {s.name: s for s in _ALL}


def strategy(name: str) -> Strategy:
    """The strategy of that name; raises `BadInput` with the names there are."""
    if name not in STRATEGIES:
        raise BadInput("The strategy", f"be one of {', '.join(STRATEGIES)}", name, "this batch", "Choose one of them")
    return STRATEGIES[name]
