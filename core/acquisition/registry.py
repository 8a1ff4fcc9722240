"""Every strategy there is; the interface, the command line and the tests enumerate this table."""

from core.acquisition import chance, coverage, novelty, posterior, variance
from core.acquisition.candidates import Strategy
from core.errors import BadInput

_ALL = (
    Strategy("random", "Every galaxy has the same chance: the baseline that every other strategy has to beat.", (), chance.uniform, heeds_cost=False, is_rationed=False),
    Strategy("stratified_random", "One at random from each of as many equal shares of the pool as the batch is large, by predicted redshift "
             "(or by S/N without a model): random, but spread.", ("spread_p",), chance.stratified, heeds_cost=False, is_rationed=False),
    Strategy("k_means", "The typical galaxy of each of as many clusters as the batch is large. Good for the first batch, when no model knows anything.",
             ("features_pd",), coverage.k_means, heeds_cost=False),
    Strategy("k_centre", "Again and again the galaxy farthest from every label and pick: covers feature space quickly, and likes outliers.",
             ("features_pd",), coverage.k_centre, is_deterministic=True),
    Strategy("epistemic", "The galaxies with the largest epistemic variance, z and SFR weighing equally by default. The study's rule: "
             "its picks resemble each other, so compare before you rely on it.", ("epistemic_pt",), variance.top, is_deterministic=True, heeds_diversity=True, heeds_weights=True),
    Strategy("epistemic_sampled", "Drawn in proportion to epistemic variance instead of the very top: the same signal with more variety. "
             "On real photometric redshifts ahead of random in RMSE, outliers and CRPS; the typical galaxy pays 2 %.", ("epistemic_pt",), variance.power, heeds_diversity=True, heeds_weights=True),
    Strategy("total_variance", "The galaxies with the largest variance of all, noise included: a baseline, because no label removes noise.",
             ("epistemic_pt", "aleatoric_pt"), variance.total, is_deterministic=True, heeds_diversity=True, heeds_weights=True),
    Strategy("bald", "The galaxies whose labels would tell most about the model: ignorance over noise, z and SFR weighing equally by default. Its picks, too, resemble each other.",
             ("epistemic_pt", "aleatoric_pt"), variance.bald, is_deterministic=True, heeds_diversity=True, heeds_weights=True),
    Strategy("bald_sampled", "Drawn in proportion to what a label would tell about the model: as bald, with more variety.",
             ("epistemic_pt", "aleatoric_pt"), variance.bald_sampled, heeds_diversity=True, heeds_weights=True),
    Strategy("k_means_pp", "Each drawn by squared distance from every label and pick, features divided by the predicted noise: spread, and heedful of density.",
             ("features_pd",), coverage.k_means_pp, heeds_weights=True),
    Strategy("max_det", "The batch that tells most about the model as a whole, no pick repeating another; features divided by the predicted noise. Likes outliers.",
             ("features_pd",), posterior.max_det, is_deterministic=True, heeds_weights=True),
    Strategy("bait", "The batch after which predictions for the pool, or for a population that is named, would be least unsure; passes by outliers that stand for nobody.",
             ("features_pd",), posterior.bait, is_deterministic=True, heeds_weights=True, heeds_population=True),
    Strategy("lcmd", "The farthest galaxy of the largest cluster that labels leave uncovered, features divided by the predicted noise.",
             ("features_pd",), coverage.lcmd, is_deterministic=True, heeds_weights=True),
    Strategy("lcmd_sampled", "Drawn inside the largest uncovered cluster by squared distance: the labels that remove large errors of real "
             "photometric redshifts at hardly any cost to the typical galaxy.", ("features_pd",), coverage.lcmd_sampled),
    Strategy("disagreement", "Drawn by how far a model of images and a model of spectra contradict each other beyond the noise both admit: where one of them is wrong.",
             ("disagreement_pt",), variance.disagreement, heeds_diversity=True, heeds_weights=True),
    Strategy("novelty", "The galaxies least like anything labelled, against how alike the labels are: stars, quasars and artefacts among them.",
             ("features_pd",), novelty.most_novel, is_deterministic=True, is_rationed=False),
)
STRATEGIES: dict[str, Strategy] = {s.name: s for s in _ALL}


def strategy(name: str) -> Strategy:
    """The strategy of that name; raises `BadInput` with the names there are."""
    if name not in STRATEGIES:
        raise BadInput("The strategy", f"be one of {', '.join(STRATEGIES)}", name, "this batch", "Choose one of them")
    return STRATEGIES[name]
